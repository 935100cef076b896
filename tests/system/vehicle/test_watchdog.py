"""A guard that hangs: its fail-safe sets the motors to neutral, and the watchdog gets no more notifications."""

import os
import pathlib
import signal
import socket

import pytest

from raceday.broker import RunningBroker
from tests.system.vehicle.test_processes import REST, Car, broker, station
from tests.vehicle.sample_parts import Station, config_text, pulses, write_model

__all__ = ["broker", "station"]  # fixtures of the processes' tests
pytestmark = [pytest.mark.slow, pytest.mark.broker]
WATCHDOG_S = 2.0  # as in raceday/install/units/raceday-vehicle.service


def until_silent(systemd: socket.socket) -> int:
    """How many times it said that it is alive before the watchdog's time passed without a word."""
    told = list[bytes]()
    while len(told) < 100:
        try:
            told.append(systemd.recv(4096))
        except TimeoutError:
            return told.count(b"WATCHDOG=1")
    raise AssertionError("a guard that was stopped goes on speaking")


def test_fail_safe_and_watchdog_together(tmp_path: pathlib.Path, broker: RunningBroker, station: Station) -> None:
    write_model(tmp_path / "model")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(120)
        names = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": str(round(WATCHDOG_S * 1e6))}
        car = Car(tmp_path, config_text(tmp_path, broker.port), **names)
        try:
            assert systemd.recv(100).startswith(b"READY=1")
            station.drive()
            told = [systemd.recv(4096) for _ in range(3)]
            while b"STATUS=driving, online" not in told or told.count(b"WATCHDOG=1") < 3:
                told.append(systemd.recv(4096))
            assert all(each == b"WATCHDOG=1" or each.startswith(b"STATUS=") for each in told)
            for child in ("pilot", "comms", "failsafe"):
                environment = pathlib.Path(f"/proc/{car.child(child)}/environ").read_bytes()
                assert b"NOTIFY_SOCKET" not in environment, child
            os.kill(car.process.pid, signal.SIGSTOP)
            systemd.settimeout(WATCHDOG_S)
            assert until_silent(systemd) < 10  # what it had sent before it hung
            assert pulses(tmp_path)[-1] == REST  # the fail-safe had acted long before
            os.kill(car.process.pid, signal.SIGKILL)  # as the watchdog does
            assert car.process.wait(10) == -signal.SIGKILL
            assert car.command("neutral").returncode == 0  # as ExecStopPost does
            assert pulses(tmp_path)[-1] == REST
        finally:
            car.process.kill()
            car.process.wait()
            assert car.process.stderr is not None
            car.process.stderr.close()


def test_an_orderly_end_is_reported(tmp_path: pathlib.Path, broker: RunningBroker) -> None:
    write_model(tmp_path / "model")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(120)
        car = Car(tmp_path, config_text(tmp_path, broker.port), NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert systemd.recv(100).startswith(b"READY=1")
        assert car.end() == 0
        while (report := systemd.recv(4096)).startswith(b"STATUS="):
            pass  # it said how the car is meanwhile
        assert report == b"STOPPING=1"
        assert car.process.stderr is not None
        car.process.stderr.close()
