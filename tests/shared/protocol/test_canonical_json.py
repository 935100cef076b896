"""The fast canonical text is the text of the standard library, for all that is stored, posted or sent."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.protocol import messages as m
from shared.protocol.canonical_json import canonical, writer
from shared.protocol.codec import encode
from shared.protocol.results import PostAccepted, Result
from shared.protocol.topics import BY_BODY
from station.core import facts as f
from station.core import inputs as e

KINDS: list[type[Any]] = [
    *get_args(f.Fact),
    *get_args(e.Input),
    *e.COMMANDS.values(),
    *get_args(m.Body),
    Result,
    PostAccepted,
]


def slow(value: Any) -> str:
    return json.dumps(value, default=stored_fields, sort_keys=True, separators=(",", ":"), allow_nan=False)


def stored_fields(value: Any) -> dict[str, Any]:
    """The fields that are written: all but later additions that still have the meaning of older records."""
    every = dataclasses.asdict(value)
    fields = dataclasses.fields(value)
    late = {f.name: f.metadata.get("meant", f.default) for f in fields if f.metadata.get("later")}
    return {name: getattr(value, name) for name in every if name not in late or getattr(value, name) != late[name]}


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_it_is_what_the_standard_library_writes(data: st.DataObject) -> None:
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
    it = data.draw(st.sampled_from(KINDS).flatmap(st.from_type))
    assert canonical(it) == slow(it)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_message_too(data: st.DataObject) -> None:
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
    message = data.draw(st.builds(m.Message, st.builds(m.Envelope), st.one_of([st.builds(k) for k in BY_BODY])))
    envelope = message.envelope
    kind = BY_BODY[type(message.body)].kind
    document = {**dataclasses.asdict(envelope), "kind": kind, "body": dataclasses.asdict(message.body)}
    assert encode(message) == json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def test_what_it_has_no_shortcut_for_is_written_all_the_same() -> None:
    @dataclass(frozen=True, slots=True)
    class Rare:
        either: int | str | None
        table: dict[str, float]
        pair: tuple[int, str]
        rows: tuple[tuple[int, ...], ...]

    it = Rare("x'\"\n{é}", {"b": 1.5, "a": 2.0}, (1, "y"), ((1, 2), ()))
    assert writer(Rare)(it) == slow(it)


def test_a_field_that_came_later_is_left_out_while_it_says_what_older_records_meant() -> None:
    @dataclass(frozen=True, slots=True)
    class Old:
        b: int

    @dataclass(frozen=True, slots=True)
    class New:
        b: int
        a: str = dataclasses.field(default="", metadata={"later": True})
        c: int = dataclasses.field(default=0, metadata={"later": True})

    assert canonical(New(1)) == canonical(Old(1)) == '{"b":1}'
    assert canonical(New(1, "x")) == '{"a":"x","b":1}'
    assert canonical(New(1, "x", 2)) == '{"a":"x","b":1,"c":2}'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_has_no_word_for_is_refused(value: float) -> None:
    with pytest.raises(ValueError):
        canonical(m.CarTelemetry(1, 2, 3, 4, 5, 6, 7, 8, value, 0.0))


@pytest.mark.parametrize("wrong", ["1", 1.5, None])
def test_a_number_that_is_none_is_not_written(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical(m.LapAck("boot", wrong))
