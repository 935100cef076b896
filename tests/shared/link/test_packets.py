"""Messages as packets and back: numbered, addressed and checked."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput, Refused
from shared.link.packets import MessageEncoder, decode_packet
from shared.protocol import codec
from shared.protocol import messages as m

LAP = m.CarLap(1, "c1")
TEXTS = st.text(st.characters(), max_size=20) | st.just("\ud800") | st.just("\x00")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def test_numbers_start_at_one_and_the_will_has_its_own() -> None:
    encoder = MessageEncoder("car-1", "c1", "car")
    will = codec.decode(encoder.will().payload)
    assert will.envelope == m.Envelope("car-1", "c1", 1)
    assert will.body == m.CarState(online=False, mode="disarmed", reason="The car is not connected.")
    assert encoder.message(LAP).envelope.seq == 2


@pytest.mark.parametrize(("ttl_ms", "expiry_s"), [(1, 1), (1000, 1), (1001, 2), (2000, 2)])
def test_an_order_expires_at_the_broker_too(ttl_ms: int, expiry_s: int) -> None:
    encoder = MessageEncoder("station-1", "s1", "station")
    packet = encoder.packet(encoder.message(m.DriveOrder("o", "stop", "c1", 1, ttl_ms)), "car-1")
    assert (packet.topic, packet.expiry_s, packet.state) == ("raceday/to/car-1/order", expiry_s, False)


def test_what_is_said_to_nobody_or_by_the_wrong_machine_is_refused() -> None:
    encoder = MessageEncoder("car-1", "c1", "car")
    with pytest.raises(Refused, match="A car does not publish LapAck"):
        encoder.packet(encoder.message(m.LapAck("c1", 1)), "car-1")
    with pytest.raises(Refused, match="cannot name a machine"):
        MessageEncoder("Car 1", "c1", "car")


@pytest.mark.parametrize("boot", ["\ud800", "a\nb", "\x00"])
def test_names_that_no_disk_takes_are_refused(boot: str) -> None:
    payload = json.dumps({"v": 1, "kind": "CarLap", "device": "car-1", "boot": boot, "seq": 1, "body": {}})
    good = json.loads(payload) | {"body": {"at_ns": 1, "car_boot": "x"}}
    with pytest.raises(BadInput, match="device and boot"):
        decode_packet("raceday/cars/car-1/lap", json.dumps(good).encode(), False)


@given(
    kind=st.sampled_from(["CarLap", "CarState", "CarHeartbeat", "DriveOrder", "Nothing"]),
    boot=TEXTS,
    seq=st.integers() | st.floats(allow_nan=False),
    body=VALUES,
    retained=st.booleans(),
)
def test_any_json_is_a_message_or_bad_input(kind: str, boot: str, seq: float, body: object, retained: bool) -> None:
    document = {"v": 1, "kind": kind, "device": "car-1", "boot": boot, "seq": seq, "body": body}
    for topic in ("raceday/cars/car-1/lap", "raceday/cars/car-1/state", "raceday/to/car-1/order"):
        try:
            message = decode_packet(topic, json.dumps(document).encode(), retained)
        except BadInput:
            continue
        assert codec.decode(codec.encode(message)) == message
