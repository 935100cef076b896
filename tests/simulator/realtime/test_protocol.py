"""Messages and frames on the world's socket: read whole from any slices, and anything else is refused."""

import contextlib
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput, OperatorError
from simulator.realtime.protocol import (
    FrameTaken,
    GateEdge,
    Hello,
    PacketReader,
    PulseWidths,
    ReplayRequest,
    TrueEvent,
    Welcome,
    WorldMessage,
    WorldRequest,
    WorldStatus,
    pack,
    pack_frame,
    socket_path,
)
from vehicle.hardware.frame import Frame

MESSAGES: list[WorldMessage] = [
    Hello("camera", "car-1"),
    Welcome("boot", 1.5),
    ReplayRequest(7),
    FrameTaken(3),
    PulseWidths(1_450_000, 1_446_000),
    GateEdge(True, 2**60, 5, 1),
    TrueEvent(1, "crossing", "car-1", 5, -1, "start"),
    WorldRequest("place", "car-1"),
    WorldStatus("b", "t", 17.7, 1, 1.0, "", 0, 0.0, False, 0, 0, 0),
]


@given(cuts=st.lists(st.integers(0, 4000), max_size=20))
def test_messages_come_out_as_they_went_in_however_they_are_sliced(cuts: list[int]) -> None:
    pixels = np.arange(600, dtype=np.uint8).reshape(20, 30)
    stream = b"".join(pack(message) for message in MESSAGES) + pack_frame(pixels, -5, 9) + pack(MESSAGES[0])
    edges = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    unpacker, received = PacketReader(), []
    for begin, end in itertools.pairwise(edges):
        received += unpacker.feed(stream[begin:end])
    assert received[: len(MESSAGES)] == MESSAGES
    frame = received[len(MESSAGES)]
    assert isinstance(frame, Frame)
    assert (frame.at_ns, frame.seq) == (-5, 9)
    assert np.array_equal(frame.pixels, pixels)
    assert received[-1] == MESSAGES[0]


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_messages_or_bad_input_and_nothing_else(data: bytes) -> None:
    with contextlib.suppress(BadInput):
        PacketReader().feed(data)


@given(kind=st.sampled_from([b"J", b"F", b"X"]), body=st.binary(max_size=80))
def test_arbitrary_bodies_are_bad_input(kind: bytes, body: bytes) -> None:
    with contextlib.suppress(BadInput):
        PacketReader().feed(len(body).to_bytes(4, "big") + kind + body)


@pytest.mark.parametrize(
    "body",
    [
        b"PulseWidths {}",
        b'PulseWidths {"steering_ns":"1","throttle_ns":2}',
        b'Hello {"role":"god","name":""}',
        b'Nonsense {"a":1}',
        b"ReplayRequest []",
        b'ReplayRequest {"after":1.5}',
    ],
)
def test_unknown_or_malformed_messages_are_refused(body: bytes) -> None:
    with pytest.raises(BadInput, match="unknown or malformed"):
        PacketReader().feed(len(body).to_bytes(4, "big") + b"J" + body)


def test_a_path_too_long_for_a_socket_is_said() -> None:
    with pytest.raises(OperatorError, match="too long for a socket"):
        socket_path("/tmp/" + "x" * 120)
