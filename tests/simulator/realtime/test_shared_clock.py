"""The clock in the file: readers interpolate up to the cap, find a new world, and refuse a file without a clock."""

import pathlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import HardwareMissing
from simulator.realtime.shared_clock import ClockAnchor, ClockReader, ClockWriter

BOOT = "b" * 36


def spoil(path: pathlib.Path) -> None:
    """Leave the file as a writer does that was preempted or killed while writing."""
    with path.open("r+b") as file:
        file.seek(20)
        file.write(b"\xff\xff")


class RealTime:
    """Real time for a reader: it passes while the reader sleeps; after `after` sleeps it calls `then`."""

    def __init__(self, then: Callable[[], object] = lambda: None, after: int = 200) -> None:
        self.ns = 50_000_000_000
        self.waits_s: list[float] = []
        self._then, self._after = then, after

    def now_ns(self) -> int:
        return self.ns

    def sleep(self, seconds: float) -> None:
        self.waits_s.append(seconds)
        self.ns += round(seconds * 1e9)
        if len(self.waits_s) == self._after:
            self._then()

    def reader(self, path: pathlib.Path) -> ClockReader:
        return ClockReader(path, real_ns=self.now_ns, sleep=self.sleep)


@given(
    wall=st.integers(0, 2**60), step=st.integers(-(10**9), 10**10), cap=st.integers(0, 10**8), rate=st.floats(0.05, 50)
)
def test_a_reader_is_between_the_anchor_and_its_cap(wall: int, step: int, cap: int, rate: float) -> None:
    now = ClockAnchor(wall, 500, cap, rate, BOOT).now_ns(wall + step)
    assert 500 <= now <= 500 + cap


def test_what_is_written_is_read_and_a_new_world_is_found(tmp_path: pathlib.Path) -> None:
    real = RealTime()
    now = real.ns
    path = tmp_path / "world.clock"
    first = ClockWriter(path, BOOT, ClockAnchor(now, 2, 3, 1.0, BOOT))
    reader = real.reader(path)
    assert reader.anchor() == ClockAnchor(now, 2, 3, 1.0, BOOT)
    first.write(ClockAnchor(now - 1_000_000_000, 20, 3, 1.0, BOOT))
    assert reader.anchor().at_ns == 20
    second = ClockWriter(path, "c" * 36, ClockAnchor(now, 6, 7, 2.0, "c" * 36))
    assert reader.anchor() == ClockAnchor(now, 6, 7, 2.0, "c" * 36)
    second.close()
    assert not path.exists()
    assert reader.anchor().at_ns == 6
    reader.close()


def test_a_clock_that_stood_still_for_long_is_no_clock(tmp_path: pathlib.Path) -> None:
    real = RealTime()
    ClockWriter(tmp_path / "world.clock", BOOT, ClockAnchor(real.ns - 11_000_000_000, 2, 3, 1.0, BOOT))
    with pytest.raises(HardwareMissing, match="stands still"):
        real.reader(tmp_path / "world.clock")


@pytest.mark.parametrize("content", [None, b"", b"short", b"x" * 200])
def test_what_is_no_clock_is_refused(tmp_path: pathlib.Path, content: bytes | None) -> None:
    path = tmp_path / "world.clock"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HardwareMissing, match="clock"):
        ClockReader(path)


def test_a_reader_waits_for_a_writer_that_was_preempted(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "world.clock"
    real = RealTime(lambda: writer.write(written))
    writer, written = (
        ClockWriter(path, BOOT, ClockAnchor(real.ns, 2, 3, 1.0, BOOT)),
        ClockAnchor(real.ns, 20, 3, 1.0, BOOT),
    )
    reader = real.reader(path)
    spoil(path)
    assert reader.anchor() == written
    assert len(real.waits_s) == 200
    assert real.waits_s[0] < 0.001 < max(real.waits_s) <= 0.02  # it sleeps, longer and longer: the writer must run
    reader.close()
    writer.close()


def test_a_writer_that_died_in_its_write_is_followed_by_the_next_world(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "world.clock"
    real = RealTime(lambda: ClockWriter(path, "c" * 36, after))
    ClockWriter(path, BOOT, ClockAnchor(real.ns, 2, 3, 1.0, BOOT))
    after = ClockAnchor(real.ns, 6, 7, 1.0, "c" * 36)
    reader = real.reader(path)
    spoil(path)
    assert reader.anchor() == after
    reader.close()


def test_a_damaged_clock_is_said(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "world.clock"
    real = RealTime()
    writer = ClockWriter(path, BOOT, ClockAnchor(real.ns, 2, 3, 1.0, BOOT))
    reader = real.reader(path)
    spoil(path)
    with pytest.raises(HardwareMissing, match="damaged"):
        reader.anchor()
    assert 10 <= sum(real.waits_s) <= 10.02  # as long as a world may stand still
    reader.close()
    writer.close()
