"""Each machine under the system call filter of its own unit: it lives, whatever its drivers import.

What was found with a kernel: the station of 0.1.0 died with SIGSYS under its unit as soon as a GPIO or Pico gate was
named, since numpy's OpenBLAS calls mbind when it is imported (kernel's audit: `sig=31 syscall=237`).
"""

import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

from raceday.install.machine_files.drop_ins import drop_in
from raceday.install.machine_files.named_devices import serial_kinds
from raceday.install.shipped_files import unit_text
from tests.raceday.install.units import call_filter
from vehicle.process.landlock import LinuxLandlock, landlock_version

RUNNER = pathlib.Path(call_filter.__file__)
DRIVERS = """
import importlib, sys
from importlib.metadata import entry_points
for group in sys.argv[2:]:
    for each in entry_points(group=group):
        each.load()
import numpy
assert (numpy.ones((300, 300)) @ numpy.ones((300, 300)))[0, 0] == 300
importlib.import_module(sys.argv[1])
"""
RESTRICTED = """
import os
from vehicle.process.landlock import restrict_files
from vehicle.process.program_files import program_grants
from vehicle.process.seccomp import install_filter
print(restrict_files(program_grants(), is_filtered=True) + install_filter())
"""
LOADED = {
    "raceday-station": (
        "station.build",
        "raceday.gates",
        "raceday.decoders",
        "raceday.stop_buttons",
        "raceday.start_lights",
    ),
    "raceday-sync": ("station.commands.sync", "raceday.leaderboards"),
    "raceday-vehicle": ("vehicle.build", "raceday.cameras", "raceday.motors"),
    "raceday-leaderboard": ("leaderboard.build",),
}


def under(unit: str, tmp_path: pathlib.Path, words: list[str]) -> "subprocess.CompletedProcess[str]":
    path = tmp_path / "some.service"
    path.write_text(unit)
    command = [sys.executable, str(RUNNER), str(path), sys.executable, "-c", DRIVERS, *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


@pytest.fixture(autouse=True)
def _has_what_systemd_has() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the filters of the units are not tried here")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LOADED))
def test_all_drivers_load_under_the_units_filter(name: str, tmp_path: pathlib.Path) -> None:
    ran = under(unit_text(f"{name}.service"), tmp_path, list(LOADED[name]))
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
def test_the_filter_is_applied_and_kills_without_an_error_number(tmp_path: pathlib.Path) -> None:
    """The station's unit as it was before: the same filter, and each refused call the end of the station."""
    unit = unit_text("raceday-station.service").replace("SystemCallErrorNumber=EPERM", "")
    assert under(unit, tmp_path, list(LOADED["raceday-station"])).returncode == -signal.SIGSYS


def test_what_a_unit_allows_is_what_systemd_reads() -> None:
    sets = {
        "@default": ["exit"],
        "@system-service": ["read", "mbind", "@memlock"],
        "@memlock": ["mlock"],
        "@resources": ["mbind"],
    }
    unit = "SystemCallFilter=@system-service\nSystemCallFilter=~@resources @memlock\nSystemCallFilter=mlock\n"
    assert call_filter.allowed(unit, sets) == {"exit", "read", "mlock"}
    unit += "SystemCallFilter=~mlock:0 read:22\n"
    assert call_filter.allowed(unit, sets) == {"exit"}
    assert call_filter.answered(unit) == {"mlock": 0, "read": 22}


@pytest.mark.slow
def test_a_zmq_port_starts_its_thread_under_the_drop_in_that_it_asks_for(tmp_path: pathlib.Path) -> None:
    """In a machine with systemd the station ended with SIGABRT: "Operation not permitted (src/thread.cpp:315)"."""
    unit, path = unit_text("raceday-station.service"), tmp_path / "some.service"
    opened = drop_in("/etc/raceday/station.toml", serial_kinds("zmq://192.168.1.60:5556", {}), frozenset())
    assert "PrivateDevices" not in opened, "it is no device"
    starts = "import os, zmq; zmq.Context().socket(zmq.SUB).close(); "
    starts += "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)); "
    starts += "assert os.sched_getscheduler(0) == os.SCHED_OTHER"  # said to be done, and not done
    codes = []
    for text in (unit, unit + opened):
        path.write_text(text)
        command = [sys.executable, str(RUNNER), str(path), sys.executable, "-c", starts]
        codes.append(subprocess.run(command, check=False, capture_output=True, timeout=120).returncode)
    assert codes == [-signal.SIGABRT, 0]


@pytest.mark.slow
def test_the_pilot_can_restrict_itself_under_the_cars_filter(tmp_path: pathlib.Path) -> None:
    """Debian 12's systemd (252) has no set with Landlock's calls: the unit names them."""
    if landlock_version(LinuxLandlock())[0] < 1:
        pytest.skip("this kernel has no Landlock: nothing can be restricted by it")
    path = tmp_path / "some.service"
    path.write_text(unit_text("raceday-vehicle.service"))
    ran = subprocess.run(
        [sys.executable, str(RUNNER), str(path), sys.executable, "-c", RESTRICTED],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, ran.stdout) == (0, "[]\n"), ran.stderr
