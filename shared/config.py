"""TOML text to a frozen dataclass; an unknown key, a wrong type or a value out of range is an error of one sentence.

A setting is a dataclass field; `setting(default, min=, max=, choices=, what=)` gives its range. The
sentence names the file, the key and what is allowed. A dataclass with a class method `completed(table)` may fill in
what follows from other keys before it is checked. A path that is not absolute is beside the config file, whoever
starts the command and from where; so is one in a driver's own table.
"""

import dataclasses
import difflib
import math
import os.path
import pathlib
import tomllib
import types
import typing
from typing import Any, TypeVar

from shared.errors import ConfigError

T = TypeVar("T")


def setting(
    default: Any = dataclasses.MISSING,
    *,
    min: float | None = None,  # noqa: A002  # reads best where it is used
    max: float | None = None,  # noqa: A002
    choices: tuple[str, ...] | None = None,
    what: str = "",
    file: bool = False,
) -> Any:
    """A field with its range; `what` is shown in error sentences and in the reference of all keys.

    `file`: a text that names a file or a folder, "" for none; a pathlib.Path is one anyway.
    """
    metadata = {"min": min, "max": max, "choices": choices, "what": what, "file": file}
    return dataclasses.field(default=default, metadata=metadata)


class Table(dict[str, Any]):
    """A free table of a config (a driver's `options`), which knows the folder that its relative paths begin at."""

    beside: pathlib.Path | None = None


def load(path: pathlib.Path, kind: type[T]) -> T:
    """The file as a checked dataclass. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: there is no such config file; config/ in the project holds one to start from."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}).") from None
    return parse(text, kind, source=str(path), beside=path.absolute().parent)


def parse(text: str, kind: type[T], source: str = "config", beside: pathlib.Path | None = None) -> T:
    """TOML text as a checked dataclass; without `beside` paths stay as they are written. Raises ConfigError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: is not TOML: {error}.") from None
    free = Table(table)
    free.beside = beside
    return from_table(free, kind, source)


def from_table(table: dict[str, Any], kind: type[T], source: str) -> T:
    """A table (a driver's `options`, say) as a checked dataclass. Raises ConfigError."""
    built: T = _table(table, kind, _Source(source, getattr(table, "beside", None)), "")
    return built


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """What is being read: its name in error sentences, and the folder of its relative paths."""

    name: str
    beside: pathlib.Path | None

    def __str__(self) -> str:
        return self.name

    def placed(self, value: Any, field: dataclasses.Field[Any]) -> Any:
        """A relative path joined to the config's folder; any other value unchanged."""
        if self.beside is None or not (isinstance(value, pathlib.Path) or (field.metadata.get("file") and value)):
            return value
        return type(value)(os.path.normpath(self.beside / value))


def _table(table: dict[str, Any], kind: type[Any], source: _Source, prefix: str) -> Any:
    complete = getattr(kind, "completed", None)
    table = table if complete is None else complete(table)
    known = {f.name: f for f in dataclasses.fields(kind)}
    for key in table:
        if key not in known:
            raise ConfigError(
                f"{source}: unknown key `{prefix}{key}`{_guess(key, known)}; allowed are {', '.join(known)}."
            )
    hints = typing.get_type_hints(kind)
    values = {}
    for name, field in known.items():
        if name in table:
            values[name] = _value(table[name], hints[name], field, source, prefix + name)
        elif field.default is not dataclasses.MISSING:
            values[name] = source.placed(field.default, field)
        elif field.default_factory is dataclasses.MISSING:
            if not dataclasses.is_dataclass(hints[name]):
                raise ConfigError(f"{source}: the key `{prefix}{name}` is missing{_what(field)}.")
            values[name] = _table({}, typing.cast("type[Any]", hints[name]), source, f"{prefix}{name}.")
        elif field.default_factory is hints[name]:
            values[name] = _table({}, hints[name], source, f"{prefix}{name}.")
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from None


def _guess(key: str, known: dict[str, Any]) -> str:
    close = difflib.get_close_matches(key, known, 1, cutoff=0.5)
    return f" (did you mean `{close[0]}`?)" if close else ""


def _what(field: dataclasses.Field[Any]) -> str:
    what = field.metadata.get("what", "")
    return f" ({what})" if what else ""


def _value(value: Any, hint: Any, field: dataclasses.Field[Any], source: _Source, key: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        hint = next(a for a in typing.get_args(hint) if a is not type(None))
        origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise ConfigError(f"{source}: `{key}` must be a table [{key}].")
        return _table(value, typing.cast("type[Any]", hint), source, f"{key}.")
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{source}: `{key}` must be a list.")
        inner = typing.get_args(hint)[0]
        return tuple(_value(v, inner, field, source, f"{key}[{i}]") for i, v in enumerate(value))
    if origin is dict:
        return _free_table(value, source, key)
    if origin is typing.Literal:
        return _choice(value, typing.get_args(hint), source, key)
    return _scalar(value, hint, field, source, key)


def _free_table(value: Any, source: _Source, key: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{source}: `{key}` must be a table.")
    free = Table(value)
    free.beside = source.beside
    return free


def _choice(value: Any, allowed: tuple[Any, ...], source: _Source, key: str) -> Any:
    if value not in allowed:
        raise ConfigError(f"{source}: `{key}` is {value!r}; allowed are {', '.join(map(str, allowed))}.")
    return value


def _scalar(value: Any, hint: type[Any], field: dataclasses.Field[Any], source: _Source, key: str) -> Any:
    if hint is float and type(value) is int:
        value = float(value)
    if hint is pathlib.Path and isinstance(value, str):
        return source.placed(pathlib.Path(value), field)
    if type(value) is not hint or (hint is float and not math.isfinite(value)):
        raise ConfigError(
            f"{source}: `{key}` is {value!r}; it must be {_NAMES.get(hint, hint.__name__)}{_allowed(field)}."
        )
    lowest, highest = field.metadata.get("min"), field.metadata.get("max")
    choices = field.metadata.get("choices")
    too_low = lowest is not None and value < lowest
    too_high = highest is not None and value > highest
    if too_low or too_high or (choices is not None and value not in choices):
        raise ConfigError(f"{source}: `{key}` is {value!r}; allowed is {_allowed(field).removeprefix(', ')}.")
    return source.placed(value, field)


_NAMES: dict[type[Any], str] = {
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    bool: "true or false",
}


def _allowed(field: dataclasses.Field[Any]) -> str:
    lowest, highest = field.metadata.get("min"), field.metadata.get("max")
    if choices := field.metadata.get("choices"):
        return f", {', '.join(choices)}"
    if lowest is not None and highest is not None:
        return f", {lowest} to {highest}"
    if lowest is not None:
        return f", {lowest} or more"
    return f", {highest} or less" if highest is not None else ""
