"""Messages between the processes: what goes in comes out, and what is no message is dropped."""

import math
import queue
import select
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol.messages import CarHeartbeat, CarLap, CarState, DriveOrder, Lease
from tests.vehicle.sample_parts import frame
from vehicle.core.messages import CommsReady, FrameCounts, LoopTelemetry, ModeNotice, PilotFault, PilotReady, Setpoint
from vehicle.frames.latest_frame import LatestFrame
from vehicle.hardware.frame import Frame
from vehicle.process.channel import Channel, IpcMessage, pack, socket_pair, unpack

MESSAGES: list[IpcMessage] = [
    Setpoint(7, 10**18, -0.25, 1.0, 1200),
    FrameCounts(7, 1, 2),
    PilotReady("demo", "0" * 64),
    PilotFault("The camera is gone: “unplugged”."),
    CommsReady(),
    ModeNotice("driving"),
    LoopTelemetry(1, 2, 3, 4, (5, 6), (), -0.5, 0.25),
    CarHeartbeat(12345678, "ready"),
    CarState(True, "tripped", "why", "demo", "f" * 64, 40),
    CarLap(10**15, "boot", 0, None, 9, 20_000_000),
    Lease("boot", 3, "drive", "run-1", 500),
    DriveOrder("o1", "start", "boot", 3, 2000, "run-1", None),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_goes_in_comes_out(message: IpcMessage) -> None:
    assert unpack(pack(message)) == message


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"Setpoint",
        b"Setpoint {}",
        b"Nonsense {}",
        b"\xff\xfe\x00",
        b'CarHeartbeat {"heartbeat": "7", "mode": "ready"}',
        b'CarHeartbeat {"heartbeat": 7, "mode": "flying"}',
        b'ModeNotice {"mode": null}',
        pack(Setpoint(7, 1, math.nan, math.inf, 1)),
    ],
)
def test_what_is_none_of_ours_is_nothing(datagram: bytes) -> None:
    assert unpack(datagram) is None


@given(st.binary(max_size=300))
def test_no_bytes_do_worse_than_nothing(datagram: bytes) -> None:
    unpack(datagram)
    unpack(b"Lease " + datagram)


def test_a_channel_keeps_borders_and_order_and_sees_the_end() -> None:
    one, other = (Channel(end) for end in socket_pair())
    for message in MESSAGES:
        assert one.send(message)
    assert other.receive() == MESSAGES
    assert other.receive() == []
    assert not other.closed
    one.close()
    assert other.receive() == []
    assert other.closed
    assert not other.send(CommsReady())
    other.close()


def test_a_full_channel_drops_and_never_blocks() -> None:
    one, other = (Channel(end) for end in socket_pair())
    sent = sum(one.send(CarHeartbeat(n, "ready")) for n in range(5_000))
    assert 16 < sent < 5_000
    assert one.dropped == 5_000 - sent
    assert not one.closed
    first = other.receive()
    assert first[0] == CarHeartbeat(0, "ready")
    one.close()
    other.close()


def test_what_does_not_decode_is_counted() -> None:
    end, other = socket_pair()
    channel = Channel(other)
    end.send(b"rubbish")
    end.send(pack(CommsReady()))
    select.select([channel], [], [], 5)
    assert channel.receive() == [CommsReady()]
    assert channel.malformed == 1
    end.close()
    channel.close()


def test_the_mailbox_gives_the_newest_and_never_the_same_twice() -> None:
    mailbox = LatestFrame()
    assert mailbox.wait_for_newer(0, 0.0) is None
    frames = [Frame(frame(n), n, n) for n in range(3)]
    for each in frames:
        mailbox.put(each)
    assert mailbox.wait_for_newer(0, 0.0) == (frames[2], 3)
    assert mailbox.wait_for_newer(3, 0.0) is None
    assert np.all(frames[2].pixels == 2)


def test_the_mailbox_wakes_who_waits_for_a_frame_and_for_the_end() -> None:
    mailbox, results = LatestFrame(), queue.Queue[tuple[Frame, int] | None]()

    def read() -> None:
        results.put(mailbox.wait_for_newer(0, 10.0))
        results.put(mailbox.wait_for_newer(1, 10.0))

    reader = threading.Thread(target=read)
    reader.start()
    mailbox.put(Frame(frame(), 1, 1))
    assert results.get(timeout=30) is not None
    mailbox.close()
    assert results.get(timeout=30) is None
    assert mailbox.closed
    reader.join(5.0)


def test_those_beside_the_policy_look_once_it_is_done_or_takes_too_long() -> None:
    mailbox = LatestFrame()
    first, second = (Frame(frame(n), n, n) for n in (1, 2))
    mailbox.put(first)
    assert mailbox.wait_for_processed(0, 0.0) == (first, 1)  # the time is over
    mailbox.put(second)
    mailbox.mark_processed(1)
    assert mailbox.wait_for_processed(1, 0.0) == (second, 2)
    mailbox.mark_processed(2)
    assert mailbox.wait_for_processed(1, 10.0) == (second, 2)
    assert mailbox.wait_for_processed(2, 0.0) is None


def test_the_policy_wakes_those_beside_it_and_so_does_the_end() -> None:
    mailbox, results = LatestFrame(), queue.Queue[tuple[Frame, int] | None]()

    def wait() -> None:
        results.put(mailbox.wait_for_processed(0, 30.0))
        results.put(mailbox.wait_for_processed(1, 30.0))

    waiting = threading.Thread(target=wait)
    waiting.start()
    mailbox.put(Frame(frame(), 1, 1))
    mailbox.mark_processed(1)
    first = results.get(timeout=60)
    assert first is not None
    assert first[1] == 1
    mailbox.close()
    assert results.get(timeout=60) is None
    waiting.join(10.0)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.floats(), st.floats(), st.integers(0, 2**40))
def test_a_setpoint_is_whole_or_nothing(seq: int, at_ns: int, steering: float, throttle: float, us: int) -> None:
    setpoint = Setpoint(seq, at_ns, steering, throttle, us, us, us)
    datagram = pack(setpoint)
    finite = math.isfinite(steering) and math.isfinite(throttle)
    assert unpack(datagram) == (setpoint if finite else None)
    assert unpack(datagram[:-1]) is None
    assert unpack(datagram + b"x") is None
