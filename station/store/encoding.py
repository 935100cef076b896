"""Encodes inputs and facts as canonical JSON and decodes inputs; the stored bytes are the ones that are hashed."""

import dataclasses
import functools
import json
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from shared.errors import StorageError
from shared.protocol.canonical_json import Writer, meant, writer
from station.core import inputs as e
from station.core.facts import Fact

_INPUTS: tuple[type[Any], ...] = tuple(
    kind for each in get_args(e.Input) for kind in ((*e.COMMANDS.values(),) if each is e.Command else (each,))
)
_KINDS = {kind.__name__: kind for kind in _INPUTS}


def _old_defaults(kind: type[Any]) -> dict[str, Any]:
    """Field -> value for fields that an older journal lacks, where the value is not the field's default."""
    return {field.name: meant(field) for field in dataclasses.fields(kind) if "meant" in field.metadata}


_OLD_DEFAULTS = {kind.__name__: filled for kind in _INPUTS if (filled := _old_defaults(kind))}
_OLD_GATE_DEFAULTS = _old_defaults(e.GateSpec)
_TAGS: dict[type[Any], tuple[str, Writer]] = {}


def encode_input(event: e.Input) -> bytes:
    """An input as stored: `["Edge",{...}]`, canonical JSON in UTF-8."""
    return _tagged(event).encode()


def encode_facts(facts: Sequence[Fact]) -> bytes:
    """Facts as stored: `[["Crossing",{...}],...]`, canonical JSON in UTF-8."""
    return f"[{','.join([_tagged(fact) for fact in facts])}]".encode()


def decode_input(data: bytes) -> e.Input:
    """The input of a record, from its stored bytes. Raises StorageError."""
    kind, _, rest = data.removeprefix(b'["').partition(b'",')
    name = kind.decode(errors="replace")
    if name not in _KINDS:
        raise StorageError(f"The journal holds an input of unknown kind {kind[:40]!r}: a newer station wrote it.")
    try:
        event: e.Input = _adapter(name).validate_json(_with_old_defaults(name, rest[:-1]), strict=True)
    except ValidationError as error:
        raise StorageError(f"The journal holds a {name} that cannot be read: {error.errors()[0]['msg']}.") from None
    return event


@functools.cache
def _adapter(name: str) -> TypeAdapter[Any]:
    """Made when the first input of its kind is read: making all of them would take a tenth of a start."""
    return TypeAdapter(_KINDS[name])


def _with_old_defaults(name: str, body: bytes) -> bytes:
    """The JSON of an input, with the fields that an older journal lacks filled in with what it meant."""
    if name not in _OLD_DEFAULTS:
        return body
    try:
        document = _OLD_DEFAULTS[name] | json.loads(body)
        if name == "Booted":
            document["gates"] = [_OLD_GATE_DEFAULTS | gate for gate in document["gates"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        return body  # the adapter says what is wrong with it
    return json.dumps(document).encode()


def _tagged(it: Any) -> str:
    kind = type(it)
    known = _TAGS.get(kind)
    if known is None:
        known = _TAGS[kind] = f'["{kind.__name__}",', writer(kind)
    return f"{known[0]}{known[1](it)}]"
