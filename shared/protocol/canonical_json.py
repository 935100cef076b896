"""A dataclass as canonical JSON: keys sorted, no spaces, ASCII. Used for all that is hashed or signed.

Each class gets a function of its own, made once from its fields: a crossing's record is written some thousand times
a second. The text is exactly the one of `json.dumps(..., sort_keys=True, separators=(",", ":"), allow_nan=False)`,
except that a field marked as `later` is left out while it has the value that older records imply (its default, or its
`meant`): their text stays as it was written.
"""

import dataclasses
import itertools
import json
import types
import typing
from collections.abc import Callable
from json.encoder import encode_basestring_ascii
from typing import Any, Literal, get_args, get_origin

Writer = Callable[[Any], str]
_MADE: dict[type[Any], Writer] = {}


def writer(kind: type[Any]) -> Writer:
    """The function that writes instances of this dataclass. Raises TypeError for another kind of class.

    The function raises ValueError or TypeError for a value that is not of its field's type (or not finite).
    """
    known = _MADE.get(kind)
    if known is None:
        known = _MADE[kind] = _write(kind)
    return known


def _write(kind: type[Any]) -> Writer:
    hints = typing.get_type_hints(kind)
    fields = sorted(dataclasses.fields(kind), key=lambda field: field.name)
    used: dict[str, Any] = {"text": encode_basestring_ascii, "whatever": _whatever}
    parts: list[str] = []
    for late, group in itertools.groupby(fields, _is_later):
        members = {
            f.name: f"{json.dumps(f.name)}:{{{_expression(hints[f.name], f'it.{f.name}', used)}}}" for f in group
        }
        if late:
            parts += [f"'' if it.{name} == meant_{name} else f'{text}'" for name, text in members.items()]
        else:
            parts.append(f"f'{','.join(members.values())}'")
    used |= {f"meant_{field.name}": meant(field) for field in fields if _is_later(field)}
    inner = f"','.join(filter(None, ({', '.join(parts)},)))" if len(parts) > 1 else "".join(parts) or "''"
    # As the standard library makes a dataclass's __init__: from names of fields in our own source, nothing else.
    exec(f"def write(it):\n return '{{' + {inner} + '}}'\n", used)  # noqa: S102
    made: Writer = used["write"]
    return made


def canonical(value: Any) -> str:
    """The canonical text of a dataclass or of a value in one."""
    return writer(type(value))(value) if dataclasses.is_dataclass(value) else _whatever(value)


def _expression(hint: Any, value: str, used: dict[str, Any]) -> str:
    """What stands between the braces for a value of this type; functions that it needs go into `used`."""
    made = _make(hint)
    if made is int:
        return f"{value}:d"
    name = f"write_{len(used)}"
    if made is str:
        name = "text"
    else:
        used[name] = made
    return f"{name}({value})"


def _make(hint: Any) -> Any:
    """`int` and `str` themselves, else the function that writes a value of this type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _make(type(arguments[0])) if len({type(each) for each in arguments}) == 1 else _whatever
    if hint is bool:
        return _truth
    if hint in (int, str):
        return hint
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return writer(hint)
    if origin in (types.UnionType, typing.Union):
        left = [each for each in arguments if each is not types.NoneType]
        return _maybe(_function(left[0])) if len(left) == 1 else canonical
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        return _row(_function(arguments[0]))
    return _whatever


def _function(hint: Any) -> Writer:
    made = _make(hint)
    if made is int:
        return "{:d}".format
    made_: Writer = encode_basestring_ascii if made is str else made
    return made_


def _maybe(write: Writer) -> Writer:
    return lambda value: "null" if value is None else write(value)


def _row(write: Writer) -> Writer:
    return lambda values: f"[{','.join([write(value) for value in values])}]"


def _truth(value: Any) -> str:
    return "true" if value else "false"


def _whatever(value: Any) -> str:
    return _SLOW.encode(value)


def _is_later(field: "dataclasses.Field[Any]") -> bool:
    return bool(field.metadata.get("later"))


def meant(field: "dataclasses.Field[Any]") -> Any:
    """The value of the field in a record that was written before the field existed."""
    return field.metadata.get("meant", field.default)


def _fields(value: Any) -> dict[str, Any]:
    every = {field: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {field.name: it for field, it in every.items() if not (_is_later(field) and it == meant(field))}


_SLOW = json.JSONEncoder(default=_fields, sort_keys=True, separators=(",", ":"), allow_nan=False)
