"""Inputs and facts as canonical JSON, and inputs back: what is hashed is what is stored."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.errors import StorageError
from station.core import events as e
from station.core.facts import Fact

_INPUTS: tuple[type[Any], ...] = (
    e.Edge,
    e.CarReport,
    e.Booted,
    e.ClockPair,
    e.GateReported,
    e.GateNote,
    e.OpenRace,
    e.Tick,
    *e.COMMANDS.values(),
)
_ADAPTERS: dict[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in _INPUTS}
_NAMES: dict[type[Any], tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]] = {}


def encode_input(event: e.Input) -> bytes:
    """`["Edge",{...}]`"""
    return _text([type(event).__name__, event])


def encode_facts(facts: Sequence[Fact]) -> bytes:
    """`[["Crossing",{...}],...]`"""
    return _text([[type(fact).__name__, fact] for fact in facts])


def decode_input(data: bytes) -> e.Input:
    """The input of a stored record. Raises StorageError."""
    kind, _, rest = data.removeprefix(b'["').partition(b'",')
    adapter = _ADAPTERS.get(kind.decode(errors="replace"))
    if adapter is None:
        raise StorageError(f"The journal holds an input of unknown kind {kind[:40]!r}: a newer station wrote it.")
    try:
        event: e.Input = adapter.validate_json(rest[:-1], strict=True)
    except ValidationError as error:
        raise StorageError(
            f"The journal holds a {kind.decode()} that cannot be read: {error.errors()[0]['msg']}."
        ) from None
    return event


def _text(document: Any) -> bytes:
    return _ENCODER.encode(document).encode()


def _fields(fact: Any) -> dict[str, Any]:
    """A field that came later is left out while it is what older journals meant: they replay to the same bytes."""
    kind = type(fact)
    known = _NAMES.get(kind)
    if known is None:
        every = dataclasses.fields(kind)
        names = tuple(field.name for field in every if not field.metadata.get("later"))
        known = _NAMES[kind] = names, tuple((f.name, f.default) for f in every if f.metadata.get("later"))
    values = {name: getattr(fact, name) for name in known[0]}
    for name, meant in known[1]:
        if (value := getattr(fact, name)) != meant:
            values[name] = value
    return values


_ENCODER = json.JSONEncoder(default=_fields, sort_keys=True, separators=(",", ":"), allow_nan=False)
