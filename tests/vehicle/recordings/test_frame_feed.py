"""The frame feed: whole frames or none, never waiting, and every frame of a drive."""

import queue

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vehicle.sample_parts import frame
from vehicle.frames.preprocess import preprocessor
from vehicle.frames.profile_names import ProfileName
from vehicle.hardware.frame import Frame
from vehicle.models.running.replay import decode_policy_input
from vehicle.process.channel import socket_pair
from vehicle.recordings.frame_feed import FrameFeed, FramePump, RecordedFrame, jpeg_of, pack_frame, unpack_frame

MS = 1_000_000


@given(st.integers(0, 2**62), st.integers(0, 2**62), st.integers(0, 2**31), st.binary(), st.binary())
def test_a_picture_survives_its_datagram(at_ns: int, seq: int, dropped: int, rest: bytes, policy_input: bytes) -> None:
    picture = RecordedFrame(b"\xff\xd8" + rest, at_ns, seq, dropped, policy_input)
    assert unpack_frame(pack_frame(picture)) == picture


@given(st.binary(max_size=100))
def test_what_is_no_picture_is_none(datagram: bytes) -> None:
    picture = unpack_frame(datagram)
    assert picture is None or picture.jpeg.startswith(b"\xff\xd8")


def test_every_frame_when_armed_and_a_few_otherwise() -> None:
    ours, theirs = socket_pair()
    received: queue.Queue[RecordedFrame] = queue.Queue()
    pump = FramePump(theirs, (received.put,))
    pump.start()
    feed = FrameFeed(ours)
    for n in range(10):
        feed.offer(Frame(frame(n), n * 50 * MS, n))
    feed.armed = True
    feed.offer(Frame(frame(77), 500 * MS, 10))
    feed.offer(Frame(frame(78), 501 * MS, 11))
    assert [received.get(timeout=30).seq for _ in range(12)] == [0, 4, 8, 1, 2, 3, 5, 6, 7, 9, 10, 11]
    pump.close()
    feed.offer(Frame(frame(1), 600 * MS, 12))
    assert feed.dropped == 1
    ours.close()


@pytest.mark.parametrize("name", ["grey-area", "deepracer-car"])
def test_a_recording_gets_what_the_policy_sees_to_the_last_grey_level(name: ProfileName) -> None:
    ours, theirs = socket_pair()
    received: queue.Queue[RecordedFrame] = queue.Queue()
    pump = FramePump(theirs, (received.put,))
    pump.start()
    feed = FrameFeed(ours, name)
    noise = np.random.default_rng(1).integers(0, 255, (240, 320), np.uint8)
    feed.offer(Frame(noise, 0, 0))
    small = np.zeros((120, 160), np.uint8)
    preprocessor(name)(noise, small)
    assert np.array_equal(decode_policy_input(received.get(timeout=30)), small)
    FrameFeed(ours).offer(Frame(noise, 0, 0))
    assert received.get(timeout=30).policy_input == b""
    pump.close()
    ours.close()


def test_a_reader_that_does_not_read_costs_nothing_but_frames() -> None:
    ours, theirs = socket_pair()
    feed = FrameFeed(ours)
    feed.armed = True
    noise = np.random.default_rng(1).integers(0, 255, (240, 320), np.uint8)
    for n in range(50):
        feed.offer(Frame(noise, n, n))
    assert feed.dropped > 40
    ours.close()
    theirs.close()


def test_a_wide_picture_is_made_smaller() -> None:
    assert len(jpeg_of(frame(9, (1080, 1920)))) < 20_000
