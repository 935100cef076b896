"""The filter of packets, against packets that paho writes, in pieces of any size."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from shared.link.inflow.publish_filter import PublishFilter


class Recorded(Client):
    """A paho client whose packets go nowhere but into a list."""

    def __init__(self, protocol: MQTTProtocolVersion) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, "x", protocol=protocol)
        self.packets: list[bytes] = []
        self._sock = io.BytesIO()  # type: ignore[assignment]  # without one nothing is written

    def _packet_queue(self, command: int, packet: Any, *_arguments: Any, **_options: Any) -> Any:
        self.packets.append(bytes(packet))
        return 0


def written(publishes: list[tuple[str, bytes, int]], protocol: MQTTProtocolVersion) -> list[bytes]:
    client = Recorded(protocol)
    for number, (topic, payload, qos) in enumerate(publishes):
        client._send_publish(number + 1, topic.encode(), payload, qos)
        client._send_pubrec(number + 1)
        client._send_pingreq()
    return client.packets


TOPICS = st.sampled_from(["raceday/cars/car-1/lap", "raceday/cars/car-2/heartbeat", "x", "ü" * 70])
PUBLISHES = st.lists(st.tuples(TOPICS, st.binary(max_size=400), st.sampled_from([0, 1])), max_size=12)
VERSIONS = [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311]


@pytest.mark.parametrize("protocol", VERSIONS)
@given(PUBLISHES, st.lists(st.integers(1, 90), min_size=1, max_size=8), st.data())
def test_whole_packets_are_taken_out_and_no_other_byte(
    protocol: MQTTProtocolVersion, publishes: list[tuple[str, bytes, int]], sizes: list[int], data: st.DataObject
) -> None:
    packets = written(publishes, protocol)
    verdicts = [data.draw(st.booleans()) for _ in publishes]
    asked: list[tuple[bytes, int]] = []

    def admits(topic: bytes, size: int) -> bool:
        asked.append((topic, size))
        return verdicts[len(asked) - 1]

    publish_filter, rest, passed, piece = PublishFilter(admits), b"".join(packets), b"", 0
    while rest:
        size = sizes[piece % len(sizes)]
        passed += publish_filter.feed(rest[:size])
        rest, piece = rest[size:], piece + 1
    assert passed == b"".join(packet for number, packet in enumerate(packets) if number % 3 or verdicts[number // 3])
    assert [topic.decode() for topic, _ in asked] == [topic for topic, _, _ in publishes]
    assert [size for _, size in asked] == [len(packet) for packet in packets[::3]]
    dropped = [number + 1 for number, (_, _, qos) in enumerate(publishes) if qos and not verdicts[number]]
    assert publish_filter.dropped_ids == dropped


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_bytes_go_on_in_order_where_nothing_is_dropped(pieces: list[bytes]) -> None:
    """At the end only the beginning of one packet is held back: a fixed header, a topic and an id."""
    publish_filter = PublishFilter(lambda _topic, _size: True)
    passed = b"".join(publish_filter.feed(piece) for piece in pieces)
    whole = b"".join(pieces)
    assert whole.startswith(passed)
    assert len(whole) - len(passed) <= 1 + 4 + 2 + 65_535 + 2


@pytest.mark.parametrize(
    "not_mqtt",
    [b"\x30\xff\xff\xff\xff\x7f", b"\x30\x00", b"\x30\x01\x00", b"\x30\x03\x00\x05a", b"\x32\x04\x00\x01ab"],
    ids=["length without end", "no topic", "half a topic's length", "topic beyond the end", "no room for the id"],
)
def test_what_is_not_mqtt_is_left_to_the_library(not_mqtt: bytes) -> None:
    publish_filter = PublishFilter(lambda _topic, _size: False)
    after = b"\x30\x03\x00\x01a" * 3
    assert publish_filter.feed(not_mqtt) + publish_filter.feed(after) == not_mqtt + after


def test_a_large_packet_is_judged_by_its_first_bytes() -> None:
    """A packet of 256 MB takes no memory: it is refused before it has come."""
    publish_filter = PublishFilter(lambda _topic, size: size < 20_000)
    start = b"\x32\xff\xff\xff\x7f\x00\x01a\x12\x34"
    assert publish_filter.feed(start) == b""
    assert publish_filter.dropped_ids == [0x1234]
    remaining = 0x0FFFFFFF - len(start) + 5
    for _ in range(remaining // 65_536):
        assert publish_filter.feed(bytes(65_536)) == b""
    assert publish_filter.feed(bytes(remaining % 65_536) + b"\xd0\x00") == b"\xd0\x00"
