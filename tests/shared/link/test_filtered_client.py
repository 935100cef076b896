"""A paho client that reads through the filter: by large reads, packet by packet, to the end of the connection."""

import socket
from collections.abc import Iterator

import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from shared.link.inflow.filtered_client import FilteredClient
from shared.link.inflow.publish_filter import PublishFilter

CONNACK = b"\x20\x02\x00\x00"
FLOOD, WANTED = b"\x30\x08\x00\x05floodx", b"\x30\x08\x00\x05carly1"


class Wire:
    """A client on one end of a socket; what it was given on the other."""

    def __init__(self) -> None:
        ours, self.broker = socket.socketpair()
        ours.setblocking(False)
        self.heard: list[bytes] = []
        publish_filter = PublishFilter(lambda topic, _size: topic != b"flood")
        self.client = FilteredClient(
            publish_filter, CallbackAPIVersion.VERSION2, "x", protocol=MQTTProtocolVersion.MQTTv311
        )
        self.client._sock = ours
        self.client.on_message = lambda _client, _data, message: self.heard.append(bytes(message.payload))
        self.broker.sendall(CONNACK)
        self.read()

    def read(self) -> int:
        """Reads as mqtt.py does; returns how many times it called paho."""
        calls = 1
        self.client.loop_read()
        while self.client.socket() is not None and self.client.has_unread:
            self.client.loop_read()
            calls += 1
        return calls


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.broker.close()
    if (sock := made.client.socket()) is not None:
        sock.close()


def test_a_flood_costs_no_call_into_paho(wire: Wire) -> None:
    wire.broker.sendall(FLOOD * 2_000)
    assert wire.read() == 1
    wire.broker.sendall(FLOOD * 2_000 + WANTED + FLOOD * 2_000 + WANTED)
    wire.read()
    wire.read()
    assert wire.heard == [b"1", b"1"]


def test_a_packet_that_comes_in_pieces_is_read_once_it_is_whole(wire: Wire) -> None:
    for byte in WANTED + FLOOD + WANTED:
        wire.broker.sendall(bytes([byte]))
        wire.read()
    assert wire.heard == [b"1", b"1"]


def test_what_came_before_the_end_is_read_and_the_end_is_noticed(wire: Wire) -> None:
    wire.broker.sendall(FLOOD + WANTED)
    wire.broker.close()
    wire.read()
    assert wire.heard == [b"1"]
    wire.read()
    assert wire.client.socket() is None
    assert not wire.client.has_unread


def test_nothing_to_read_is_no_error(wire: Wire) -> None:
    assert wire.read() == 1
    assert wire.client.socket() is not None
