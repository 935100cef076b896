"""The battery's readings: the middle one counts, a failure is said once, and low is said in time."""

import pathlib
import threading

import pytest

from shared.clock import ManualClock
from vehicle.comms.battery_monitor import BatteryMonitor
from vehicle.hardware.batteries.mock import MockBattery


def test_failures_are_said_once_and_low_when_it_begins(
    tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "charge"
    monitor = BatteryMonitor(lambda: MockBattery({"file": str(file)}, ManualClock()))
    assert monitor.percent() is None
    monitor.read_once()
    assert (monitor.percent(), monitor.is_low) == (80, False)
    file.write_text("fail")
    for _ in range(3):
        monitor.read_once()
    assert monitor.percent() is None
    assert capfd.readouterr().err.count("set to fail") == 1
    file.write_text("15")
    for _ in range(8):
        monitor.read_once()
    assert (monitor.percent(), monitor.is_low) == (10, True)
    assert capfd.readouterr().err.count("10 % are left, less than 20") == 1
    file.write_text("90")
    for _ in range(8):
        monitor.read_once()
    assert not monitor.is_low


def test_the_thread_reads_at_once_and_ends(tmp_path: pathlib.Path) -> None:
    was_read = threading.Event()

    class Noticed(MockBattery):
        def percent(self) -> int | None:
            was_read.set()
            return super().percent()

    monitor = BatteryMonitor(lambda: Noticed({"percent": 50}, ManualClock()), period_s=60.0)
    monitor.start()
    assert was_read.wait(20.0)
    monitor.close()
    assert not monitor._thread.is_alive()
