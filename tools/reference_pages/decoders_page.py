"""docs/reference/decoders.md: the decoder protocols, each with its module's docstring."""

import importlib
import inspect
import textwrap
from importlib.metadata import entry_points


def decoders_page(width: int) -> str:
    """The protocols that ship, each with its module's docstring (wrapped to `width`), which names its source."""
    parts = [
        "# Decoder protocols",
        '`driver = "decoder"` of a gate, with `protocol` in `[gate.options]`.',
        "`raceday gate probe` says which one a port speaks.",
        "None of these devices was available: each decoder is tested with public captures, and with an encoder",
        "written from the protocol's description alone.\n",
    ]
    for point in sorted(entry_points(group="raceday.decoders"), key=lambda p: p.name):
        module = importlib.import_module(point.value.partition(":")[0])
        text = inspect.cleandoc(module.__doc__ or "")
        parts += [f"## {point.name}", *(textwrap.fill(p, width) + "\n" for p in text.split("\n\n"))]
    return "\n".join(parts).rstrip() + "\n"
