"""The codec: our own messages survive the round trip, and anything else is refused in one sentence."""

import contextlib
import dataclasses
import json
import pathlib
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput, Refused
from shared.protocol import messages as m
from shared.protocol.codec import decode, decode_from, encode
from shared.protocol.topics import BY_BODY, TOPICS, checked_device, device_in

GOLDEN = pathlib.Path(__file__).parent / "messages_v1.json"
TEXT = st.text(max_size=60).filter(lambda t: "\x00" not in t and t.isprintable())
INT = st.integers(-(2**63), 2**63 - 1)
BODIES = st.one_of(
    st.builds(m.CarHeartbeat, heartbeat=INT, mode=st.sampled_from(["disarmed", "driving", "tripped"])),
    st.builds(m.CarLap, at_ns=INT, car_boot=TEXT, lap_ns=st.none() | INT, frames_seen=INT),
    st.builds(
        m.DriveOrder, TEXT, st.sampled_from(["arm", "start", "stop", "estop"]), TEXT, INT, INT, TEXT, st.none() | INT
    ),
    st.builds(m.OfficialLap, TEXT, TEXT, TEXT, INT, INT, st.booleans(), st.booleans(), TEXT),
    st.builds(m.CarState, st.booleans(), st.sampled_from(["ready", "stopped"]), TEXT),
)


@given(BODIES, st.integers(0, 2**62))
def test_a_message_survives_the_wire(body: m.Body, seq: int) -> None:
    message = m.Message(m.Envelope("car-1", "boot", seq), body)
    assert decode(encode(message)) == message


@given(st.binary(max_size=400))
def test_any_bytes_are_a_message_or_a_sentence(payload: bytes) -> None:
    with pytest.raises(BadInput):
        decode(payload)


@given(BODIES, st.data())
def test_mutated_messages_never_raise_anything_else(body: m.Body, data: st.DataObject) -> None:
    payload = bytearray(encode(m.Message(m.Envelope("car-1", "b", 1), body)))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadInput):
        decode(bytes(payload))


BEAT = {
    "v": 1,
    "kind": "CarHeartbeat",
    "device": "car-1",
    "boot": "b",
    "seq": 1,
    "body": {"heartbeat": 1, "mode": "ready"},
}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"v": 2}, "upgrade this machine"),
        ({"v": True}, "no version"),
        ({"kind": "Nonsense"}, "unknown kind"),
        ({"kind": []}, "unknown kind"),
        ({"seq": -1}, "sequence number"),
        ({"seq": 2**70}, "not JSON as we write it"),
        ({"device": ""}, "device and boot"),
        ({"boot": "\ud800"}, "device and boot"),
        ({"boot": "a\nb"}, "device and boot"),
        ({"kind": "CarState", "body": {"online": True, "mode": "ready", "reason": "\ud800"}}, "not Unicode"),
        ({"body": None}, "not valid at"),
        ({"body": {"heartbeat": "1", "mode": "ready"}}, "not valid at 'heartbeat'"),
        ({"body": {"heartbeat": 1, "mode": "flying"}}, "not valid at 'mode'"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        decode(json.dumps({**BEAT, **change}).encode())


@pytest.mark.parametrize(
    "payload", [b"[" * 16_000, b'{"a":NaN}', b"x" * 20_000, b"1", b"\xff\xfe", b'{"v":' + b"9" * 9000 + b"}"]
)
def test_hostile_texts_are_refused(payload: bytes) -> None:
    with pytest.raises(BadInput):
        decode(payload)


def test_a_newer_sender_may_have_grown_a_field() -> None:
    grown = {**BEAT, "body": {"heartbeat": 1, "mode": "ready", "mood": "fine"}}
    assert decode(json.dumps(grown).encode()).body == m.CarHeartbeat(1, "ready")


def test_a_car_speaks_only_for_itself_and_only_on_its_topic() -> None:
    payload = encode(m.Message(m.Envelope("car-1", "b", 1), m.CarHeartbeat(1, "ready")))
    assert decode_from("raceday/cars/car-1/heartbeat", payload).envelope.device == "car-1"
    for topic in (
        "raceday/cars/car-2/heartbeat",
        "raceday/cars/car-1/lap",
        "raceday/cars/car-1/heartbeat/x",
        "other",
        "raceday/to/car-1/ack",
    ):
        with pytest.raises(BadInput):
            decode_from(topic, payload)


@given(st.text(max_size=80))
def test_a_machines_name_is_a_safe_topic_level(name: str) -> None:
    try:
        checked_device(name)
    except Refused:
        return
    assert not set(name) & set("+#/$ .\\")
    assert device_in(TOPICS[0].of(name)) == name


def test_the_table_holds_every_message_once_and_retains_no_order() -> None:
    assert set(BY_BODY) == set(get_args(m.Body))
    for topic in TOPICS:
        assert topic.pattern.count("{device}") == 1
        if topic.retained:
            assert topic.kind.endswith(("State", "Status", "Health"))


def test_old_recordings_still_decode() -> None:
    """messages_v1.json holds one message of each kind as version 1 wrote it; they must decode for ever."""
    recorded = json.loads(GOLDEN.read_text())
    kinds = set()
    for document in recorded:
        message = decode(json.dumps(document).encode())
        kinds.add(type(message.body))
        assert json.loads(encode(message)).items() >= {"v": 1, "kind": document["kind"]}.items()
        known = {f.name for f in dataclasses.fields(message.body)}
        assert set(document["body"]) <= known
    assert kinds == set(BY_BODY)
