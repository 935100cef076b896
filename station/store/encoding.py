"""Inputs and facts as canonical JSON, and inputs back: what is hashed is what is stored."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.canonical import Writer, writer
from shared.errors import StorageError
from station.core import events as e
from station.core.facts import Fact
from station.core.names import FIRST_EDITION

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
_TAGS: dict[type[Any], tuple[str, Writer]] = {}


def encode_input(event: e.Input) -> bytes:
    """`["Edge",{...}]`"""
    return _tagged(event).encode()


def encode_facts(facts: Sequence[Fact]) -> bytes:
    """`[["Crossing",{...}],...]`"""
    return f"[{','.join([_tagged(fact) for fact in facts])}]".encode()


def decode_input(data: bytes) -> e.Input:
    """The input of a stored record. Raises StorageError."""
    kind, _, rest = data.removeprefix(b'["').partition(b'",')
    if kind == b"Booted":
        rest = _as_meant(rest)
    adapter = _ADAPTERS.get(kind.decode(errors="replace"))
    if adapter is None:
        raise StorageError(f"The journal holds an input of unknown kind {kind[:40]!r}: a newer station wrote it.")
    try:
        event: e.Input = adapter.validate_json(rest[:-1], strict=True)
    except ValidationError as error:
        raise StorageError(
            f"The journal holds a {kind.decode()} that cannot be read: {error.errors()[0]['msg']}."
        ) from None
    if isinstance(event, e.Booted) and b'"edition":' not in rest:
        return replace(event, edition=FIRST_EDITION)
    return event


def _as_meant(booted: bytes) -> bytes:
    """Gates of a journal from before layouts were said: what is not stored is read as what was meant."""
    try:
        document = json.loads(booted[:-1])
        gates = [{"layout": "", **gate} for gate in document["gates"]]
    except (ValueError, TypeError, KeyError):
        return booted  # the adapter says what is wrong with it
    return json.dumps({**document, "gates": gates}).encode() + b"]"


def _tagged(it: Any) -> str:
    kind = type(it)
    known = _TAGS.get(kind)
    if known is None:
        known = _TAGS[kind] = f'["{kind.__name__}",', writer(kind)
    return f"{known[0]}{known[1](it)}]"
