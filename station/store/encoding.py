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
_NAMES: dict[type[Any], tuple[str, ...]] = {}


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
    kind = type(fact)
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(field.name for field in dataclasses.fields(kind))
    return {name: getattr(fact, name) for name in names}


_ENCODER = json.JSONEncoder(default=_fields, sort_keys=True, separators=(",", ":"), allow_nan=False)
