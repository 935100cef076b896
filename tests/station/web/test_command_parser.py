"""An official's JSON is read strictly, and every refusal is one sentence."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from station.core import inputs as e
from station.store.encoding import decode_input, encode_input
from station.web.command_parser import parse_command

GOOD: list[tuple[dict[str, object], e.Command]] = [
    ({"command": "start"}, e.StartRun(author="operator")),
    ({"command": "finish", "reason": "rain", "author": "Eva"}, e.FinishRun(author="Eva", reason="rain")),
    ({"command": "void_lap", "number": 3}, e.VoidLap(author="operator", number=3)),
    ({"command": "add_penalty", "number": 3, "seconds": 2}, e.AddPenalty(author="operator", number=3, seconds=2.0)),
    ({"command": "off_track", "at_ns": None}, e.OffTrack(author="operator")),
    (
        {"command": "order", "car": "car-1", "action": "estop"},
        e.OrderCar(author="operator", car="car-1", action="estop"),
    ),
]

BAD: list[tuple[object, str]] = [
    ([], "is a JSON object"),
    ({}, "is a JSON object"),
    ({"command": "dance"}, "Unknown command 'dance'; the commands are open_run"),
    ({"command": "start", "moment": {}}, "has no 'moment'; it takes author, reason"),
    ({"command": "void_lap"}, "not valid at 'number': Field required"),
    ({"command": "void_lap", "number": "3"}, "not valid at 'number'"),
    ({"command": "void_lap", "number": True}, "not valid at 'number'"),
    ({"command": "start", "reason": "x" * 201}, "longer than 200"),
    ({"command": "add_penalty", "number": 1, "seconds": float("nan")}, "holds a value that JSON cannot express"),
    ({"command": "order", "car": "car-1", "action": "fly"}, "not valid at 'action'"),
]


@pytest.mark.parametrize(("document", "command"), GOOD)
def test_good_commands(document: dict[str, object], command: e.Command) -> None:
    assert parse_command(document) == command


@pytest.mark.parametrize(("document", "words"), BAD)
def test_bad_commands_are_one_sentence(document: object, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_command(document)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_KEYS = st.sampled_from(["number", "seconds", "author", "racer", "car", "at_ns", "action", "reason", "run_id", "x"])
_NAMES = st.sampled_from(["Ann", "car-1", "stop", "\ud800", "\x00", "", 1, 2**70, -1.5, 1e308])


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(st.sampled_from([*e.COMMANDS, "x"]), st.dictionaries(_KEYS, _JSON | _NAMES))
def test_anything_is_a_command_or_a_sentence(name: str, fields: dict[str, object]) -> None:
    """Any JSON is a command or a refusal; a command can be stored and read back."""
    document = {**fields, "command": name}
    with contextlib.suppress(BadInput):
        command = parse_command(document)
        assert decode_input(encode_input(command)) == command
