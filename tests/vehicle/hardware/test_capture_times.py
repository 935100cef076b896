"""A frame may seem older than it is, never younger; and each is later than the one before."""

from shared.clock import ManualClock
from vehicle.hardware.cameras.capture_times import CaptureTimes

MS = 1_000_000


class PreemptedClock(ManualClock):
    """Both clocks of one machine: time passes whenever either is read, as when the process loses the processor."""

    def __init__(self, pause_ns: int) -> None:
        super().__init__(at_ns=1_000 * MS)
        self.pause_ns = pause_ns

    def now_ns(self) -> int:
        now_ns = super().now_ns()
        self.advance(now_ns + self.pause_ns)
        return now_ns


def test_a_preemption_makes_a_frame_older_never_younger() -> None:
    clock = PreemptedClock(80 * MS)
    at_ns = CaptureTimes(clock, clock.now_ns).of_stamp(960 * MS)
    assert at_ns is not None
    assert at_ns <= 960 * MS


def test_a_stamp_is_mapped_from_the_devices_clock() -> None:
    clock = ManualClock(at_ns=5_000 * MS)
    assert CaptureTimes(clock, lambda: 300 * MS).of_stamp(260 * MS) == 4_960 * MS


def test_no_stamp_and_one_of_the_future_say_nothing() -> None:
    times = CaptureTimes(ManualClock(at_ns=5_000 * MS), lambda: 300 * MS)
    assert times.of_stamp(None) is None
    assert times.of_stamp(301 * MS) is None
    assert times.of_stamp(300 * MS) == 5_000 * MS


def test_each_frame_is_later_than_the_one_before() -> None:
    clock = ManualClock(at_ns=5_000 * MS)
    times = CaptureTimes(clock, clock.now_ns)
    assert times.of_stamp(4_900 * MS) == 4_900 * MS
    assert times.of_stamp(4_900 * MS) is None
    assert times.of_stamp(4_899 * MS) is None
    assert times.of_arrival() == 5_000 * MS
    assert times.of_arrival() is None
    assert times.of_stamp(4_950 * MS) is None
    clock.advance(5_001 * MS)
    assert times.of_arrival() == 5_001 * MS
