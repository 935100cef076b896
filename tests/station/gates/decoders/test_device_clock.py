"""The device's clock and numbers: wraps, restarts, late numbers, skips, repeats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.gates.decoders.catalog import decoder
from station.gates.decoders.decoder import Gap, GapKind, Passing
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline, Numbering

MS = 1_000_000
WRAP = 1 << 32
DAY_MS = 24 * 3600 * 1000


def _run(clock: DeviceClock, ticks: list[int]) -> tuple[list[int], list[GapKind]]:
    read = [clock.read(tick) for tick in ticks]
    return [at_ns // MS for at_ns, _ in read], [gap.kind for _, gap in read if gap is not None]


@pytest.mark.parametrize(("ticks", "times", "kinds"), [
    ([0, 5, 5, 900_000], [0, 5, 5, 900_000], []),
    ([10_000, 8_500, 11_000], [10_000, 8_500, 11_000], []),
    ([10_000, 7_000, 8_000], [10_000, 7_000, 8_000], ["restart"]),
    ([WRAP - 5, 3, 10], [WRAP - 5, WRAP + 3, WRAP + 10], ["wrap"]),
    ([WRAP - 5, 3, WRAP - 2, 10], [WRAP - 5, WRAP + 3, WRAP - 2, WRAP + 10], ["wrap"]),
    ([WRAP - 5, 3, 500_000, 4], [WRAP - 5, WRAP + 3, WRAP + 500_000, 4], ["wrap", "restart"]),
    ([WRAP // 2, 3], [WRAP // 2, 3], ["restart"]),
])  # fmt: skip
def test_a_counter_from_power_on(ticks: list[int], times: list[int], kinds: list[GapKind]) -> None:
    assert _run(DeviceClock(MS, WRAP, "restart"), ticks) == (times, kinds)


@pytest.mark.parametrize(("ticks", "kinds"), [
    ([DAY_MS, DAY_MS + 1, 6 * DAY_MS], []),
    ([DAY_MS, DAY_MS - 10_000], ["clock_jump"]),
    ([DAY_MS, 20_000 * DAY_MS], ["clock_jump"]),
])  # fmt: skip
def test_a_clock_of_day_and_time(ticks: list[int], kinds: list[GapKind]) -> None:
    assert _run(DeviceClock(MS, None, "clock_jump"), ticks) == (ticks, kinds)


@given(st.lists(st.integers(0, 3_600_000), min_size=1, max_size=200), st.integers(0, WRAP - 1))
def test_steps_add_up_over_any_number_of_wraps(steps: list[int], start: int) -> None:
    clock = DeviceClock(MS, WRAP, "restart")
    first, _ = clock.read(start)
    at = start
    for step in steps:
        at += step
        assert clock.read(at % WRAP)[0] - first == (at - start) * MS


@pytest.mark.parametrize(("numbers", "gaps"), [
    ([7, 8, 8, 9], []),
    ([7, 9], [("missed_numbers", 1)]),
    ([7, 12, 9, 8, 13], [("missed_numbers", 4)]),
    ([700, 1, 2], [("restart", 0)]),
    ([255, 0, 1], [("wrap", 0)]),
    ([65_535, 1], [("wrap", 0)]),
    ([300, 0], [("restart", 0)]),
])  # fmt: skip
def test_the_count(numbers: list[int], gaps: list[tuple[str, int]]) -> None:
    count = Numbering("passing")
    gaps_read = [gap for number in numbers if (gap := count.read(number)) is not None]
    assert [(gap.kind, gap.missing) for gap in gaps_read] == gaps


def test_one_restart_is_said_once() -> None:
    timeline = DeviceTimeline(DeviceClock(MS, None, "restart"), Numbering("passing"))
    timeline.passing("1", 90_000, 800)
    assert [gap.kind for gap in timeline.passing("1", 5_000, 1).gaps] == ["restart"]


def test_a_repeat_from_long_ago_moves_nothing() -> None:
    timeline = DeviceTimeline(DeviceClock(MS, WRAP, "restart"))
    timeline.passing("1", 5_000)
    timeline.passing("1", 60_000)
    again = timeline.passing("1", 5_000)
    assert (again.repeat, again.gaps, again.at_ns) == (True, (), 5_000 * MS)
    assert timeline.passing("1", 61_000).gaps == ()


@pytest.mark.parametrize(("protocol", "before", "after", "lap_ns"), [
    ("tranx2", b"$09000235BFFFFFFF00358700\r\n", b"$09000235BF00000100358700\r\n", 512 * MS),
    ("cano", b"23E355FFFFFF00\n", b"23E35500000100\n", 512 * 250_000),
])  # fmt: skip
def test_a_lap_over_the_wrap(protocol: str, before: bytes, after: bytes, lap_ns: int) -> None:
    device = decoder(protocol)
    (first,) = device.feed(before)
    gap, second = device.feed(after)
    assert isinstance(first, Passing)
    assert isinstance(second, Passing)
    assert isinstance(gap, Gap)
    assert gap.kind == "wrap"
    assert second.device_time_ns - first.device_time_ns == lap_ns
