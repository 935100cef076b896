"""docs/reference/protocols.md: the decoder protocols, each with what it is, its source, and what it was tried with."""

import importlib
import inspect
import textwrap
from importlib.metadata import entry_points

MARKS = {"Source: ": "**Source.** ", "Sources: ": "**Source.** ", "Tried with: ": "**Tried with.** "}


def protocols_page(width: int) -> str:
    """The protocols that ship, each with its module's docstring (paragraphs wrapped to `width`)."""
    parts = [
        "# Decoder protocols",
        '`driver = "decoder"` of a gate, with `protocol` in `[gate.options]`.',
        "`raceday gate probe` says which one a port speaks.",
        "None of these devices was available: *Tried with* says what stood for it, and when.",
        "Each decoder is tested with an encoder written from the description alone as well.\n",
    ]
    for name, text in docstrings().items():
        parts += [f"## {name}", *(textwrap.fill(_marked(p), width) + "\n" for p in text.split("\n\n"))]
    return "\n".join(parts).rstrip() + "\n"


def docstrings() -> dict[str, str]:
    """Protocol → its module's docstring, by name."""
    points = sorted(entry_points(group="raceday.decoders"), key=lambda point: point.name)
    modules = {point.name: importlib.import_module(point.value.partition(":")[0]) for point in points}
    return {name: inspect.cleandoc(module.__doc__ or "") for name, module in modules.items()}


def _marked(paragraph: str) -> str:
    mark = next((mark for mark in MARKS if paragraph.startswith(mark)), "")
    rest = paragraph.removeprefix(mark)
    return MARKS[mark] + rest[:1].upper() + rest[1:] if mark else paragraph
