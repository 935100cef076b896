"""Parts of the virtual machine that run anywhere: configs with other devices, a newer version, the Pico's board."""

import json
import os
import pathlib
import queue
import select
import subprocess
import sys
import threading
import tomllib
import tty
import zipfile
from collections.abc import Iterator

import pytest

from raceday.doctor.cli import as_document
from shared.clock import SystemClock
from shared.errors import BadInput
from shared.findings import Finding
from station.core.inputs import Edge
from station.gates.driver import GateNote
from station.gates.pico.gate import PicoGate
from tests.conftest import ROOT
from tools.metal.guest import unit_trials
from tools.metal.guest.doctor import Found, found_in
from tools.metal.guest.unit_runs import CONFIGS, with_tables
from tools.metal.guest.unit_trials import BUTTON, GPIO, UnitTrial, car_trials, station_trials
from tools.metal.newer_package import STARTER, WHEELS, newer_package, write_newer_wheel

TRIALS = (*station_trials(), *car_trials(7, 517))
WAIT_S = 60.0


@pytest.mark.parametrize("each", [each for each in TRIALS if each.config], ids=lambda each: each.devices)
def test_the_shipped_config_with_other_devices_is_whole(each: UnitTrial) -> None:
    text = (ROOT / "config" / CONFIGS[each.role]).read_text()
    before = with_tables(text, GPIO + BUTTON, each.tables) if "gate" in each.tables else text
    changed = tomllib.loads(with_tables(before, each.config, each.tables))
    wanted, shipped = tomllib.loads(each.config), tomllib.loads(text)
    assert {name: changed[name] for name in wanted} == wanted
    rest = wanted.keys() | set(each.tables) | {"stop_button", "start_lights"}
    assert {name: changed[name] for name in shipped if name not in rest} == {
        name: shipped[name] for name in shipped if name not in rest
    }


def test_a_newer_version_differs_in_its_number_alone(tmp_path: pathlib.Path) -> None:
    wheel = tmp_path / "raceday-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as own:
        own.writestr("raceday/__init__.py", "x = 1\n")
        own.writestr("raceday-0.1.0.dist-info/METADATA", "Name: raceday\nVersion: 0.1.0\nRequires-Dist: numpy>=0.1.0\n")
        own.writestr(
            "raceday-0.1.0.dist-info/RECORD", "raceday/__init__.py,sha256=a,6\nraceday-0.1.0.dist-info/RECORD,,\n"
        )
    write_newer_wheel(wheel, "0.1.0", "0.1.0.1")
    with zipfile.ZipFile(tmp_path / "raceday-0.1.0.1-py3-none-any.whl") as newer:
        assert newer.read("raceday/__init__.py") == b"x = 1\n"
        metadata = newer.read("raceday-0.1.0.1.dist-info/METADATA")
        assert metadata == b"Name: raceday\nVersion: 0.1.0.1\nRequires-Dist: numpy>=0.1.0\n"
        record = newer.read("raceday-0.1.0.1.dist-info/RECORD")
        assert record == b"raceday/__init__.py,,\nraceday-0.1.0.1.dist-info/RECORD,,\n"


def test_a_newer_package_is_one_that_dpkg_reads(tmp_path: pathlib.Path) -> None:
    root = tmp_path / "root"
    wheels = root / WHEELS
    wheels.mkdir(parents=True)
    with zipfile.ZipFile(wheels / "raceday-0.1.0-py3-none-any.whl", "w") as own:
        own.writestr("raceday-0.1.0.dist-info/METADATA", "Version: 0.1.0\n")
    control, starter = root / "DEBIAN/control", root / STARTER
    for path, text in (
        (
            control,
            "Package: raceday\nVersion: 0.1.0\nArchitecture: amd64\nMaintainer: x <x@y>\nDescription: for 0.1.0\n",
        ),
        (starter, "#!/bin/sh\nversion=0.1.0\n"),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    old = tmp_path / "raceday_0.1.0_amd64.deb"
    subprocess.run(["dpkg-deb", "-b", str(root), str(old)], check=True, capture_output=True)
    made = newer_package(old, tmp_path / "newer", tmp_path / "log")
    assert made.name == "raceday_0.1.0.1_amd64.deb"
    seen = tmp_path / "seen"
    subprocess.run(["dpkg-deb", "-R", str(made), str(seen)], check=True)
    assert "\nVersion: 0.1.0.1\n" in (seen / "DEBIAN/control").read_text()
    assert (seen / STARTER).read_text() == "#!/bin/sh\nversion=0.1.0.1\n"
    assert [each.name for each in (seen / WHEELS).iterdir()] == ["raceday-0.1.0.1-py3-none-any.whl"]
    sums = (seen / "DEBIAN/md5sums").read_text()
    assert sorted(line.split("  ")[1] for line in sums.splitlines()) == [
        STARTER,
        f"{WHEELS}/raceday-0.1.0.1-py3-none-any.whl",
    ]
    subprocess.run(["md5sum", "--check", "--quiet", "DEBIAN/md5sums"], cwd=seen, check=True)


def test_a_package_of_another_program_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(BadInput, match=r"mosquitto_2\.0_amd64\.deb is no package of ours: give the file"):
        newer_package(tmp_path / "mosquitto_2.0_amd64.deb", tmp_path, tmp_path / "log")


def carry(ends: tuple[int, int], closing: int) -> None:
    """Carries bytes between two pseudo-terminals, as the USB cable does, until `closing` can be read."""
    while True:
        ready, _, _ = select.select([*ends, closing], [], [])
        if closing in ready:
            return
        for end in ready:
            os.write(ends[1 - ends.index(end)], os.read(end, 4096))


@pytest.fixture
def board(tmp_path: pathlib.Path) -> Iterator[tuple[str, pathlib.Path]]:
    """The shipped firmware at its end of a cable: the station's port, and the fifo that sets the board's pins."""
    ptys = [os.openpty(), os.openpty()]
    for _, each in ptys:
        tty.setraw(each)
    closed, close = os.pipe()
    cable = threading.Thread(target=carry, args=((ptys[0][0], ptys[1][0]), closed))
    cable.start()
    control = tmp_path / "pins"
    os.mkfifo(control)
    script, firmware = ROOT / "tools/metal/guest/pico_board.py", ROOT / "station/gates/pico/firmware"
    command = [sys.executable, str(script), str(firmware), os.ttyname(ptys[0][1]), str(control)]
    process = subprocess.Popen(command)
    yield os.ttyname(ptys[1][1]), control
    process.kill()
    process.wait()
    os.write(close, b".")
    cable.join()
    for each in (*ptys[0], *ptys[1], closed, close):
        os.close(each)


def test_the_limits_are_those_of_the_issue() -> None:
    assert (unit_trials.MAX_EXPOSURE, unit_trials.MAX_EXPOSURE_ON_A_PI) == (1.5, 1.7)
    assert {each.unit for each in TRIALS} == {
        f"raceday-{name}" for name in ("station", "sync", "vehicle", "leaderboard")
    }
    assert {each.limit for each in TRIALS if each.role != "car"} == {unit_trials.MAX_EXPOSURE}


@pytest.mark.slow
def test_the_shipped_firmware_answers_the_station_and_stamps_its_pins(board: tuple[str, pathlib.Path]) -> None:
    port, control = board
    reports: queue.Queue[Edge | GateNote] = queue.Queue()
    gate = PicoGate("start", ("front",), {"port": port}, SystemClock())
    gate.start({}, reports.put)
    with control.open("w") as pins:
        for level in (0, 1):
            print(f"2 {level}", file=pins, flush=True)
            edge = reports.get(timeout=WAIT_S)
            assert isinstance(edge, Edge)
            assert (edge.sensor, edge.broken, edge.seq) == ("front", level == 0, 2 - (level == 0))
    assert gate.health().alive
    gate.close()


def test_what_the_doctor_prints_is_found_by_what_it_is_about() -> None:
    findings = {
        "bridge of stock-1": [Finding("login", None, "It is not tried.")],
        "machine": [Finding("disk", True, "1")],
    }
    assert found_in(json.dumps(as_document(findings))) == {
        "login": Found("login", None, "It is not tried."),
        "disk": Found("disk", True, "1"),
    }
