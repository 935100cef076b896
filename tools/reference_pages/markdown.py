"""Text for the reference pages: Markdown tables, and the types, defaults and comments of dataclass fields."""

import dataclasses
import inspect
import pathlib
import re
import types
import typing
from typing import Any


def first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.cleandoc(text or "").split("\n\n") or [""])[0].split())


def cell(text: object) -> str:
    """Text escaped for a cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(cell(c) for c in row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def type_text(hint: Any) -> str:
    """A type in the words of TOML."""
    plain = {int: "integer", float: "number", str: "text", bool: "true or false", pathlib.Path: "path", type(None): ""}
    if hint in plain:
        return plain[hint]
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " or ".join(f'`"{value}"`' for value in args)
    if origin in (typing.Union, types.UnionType):
        return ", or ".join(filter(None, (type_text(part) for part in args)))
    if origin is tuple:
        return f"list of {type_text(args[0])}"
    if origin is dict or hint is dict:
        return "table"
    return "table" if dataclasses.is_dataclass(hint) else str(getattr(hint, "__name__", hint))


def default_text(field: dataclasses.Field[Any]) -> str:
    """A default as it would be written in TOML."""
    if field.default is dataclasses.MISSING:
        return "required" if field.default_factory is dataclasses.MISSING else ""
    value = field.default
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str | pathlib.Path):
        return f'`"{value}"`'
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{v}"' if isinstance(v, str) else str(v) for v in value) + "]`"
    return f"`{value}`"


def comments_of(kind: type[Any]) -> dict[str, str]:
    """The trailing comment of each field of a dataclass in its source."""
    comments = {}
    for line in inspect.getsource(kind).splitlines():
        if match := re.match(r"\s+(\w+): .*?#\s*(.*)$", line):
            comments[match[1]] = match[2]
    return comments
