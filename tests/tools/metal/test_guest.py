"""Parts of the virtual machine that run anywhere: configs with other devices, a newer version, the Pico's board."""

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

from shared.clock import SystemClock
from station.core.inputs import Edge
from station.gates.driver import GateNote
from station.gates.pico.gate import PicoGate
from tests.conftest import ROOT
from tools.metal.guest import units, upgrade
from tools.metal.guest.units import GPIO, Try, tries, with_tables

CONFIGS = {"station": "station.toml", "car": "vehicle.toml"}
WAIT_S = 60.0


@pytest.mark.parametrize("each", [each for each in tries(7) if each.config], ids=lambda each: each.devices)
def test_the_shipped_config_with_other_devices_is_whole(each: Try) -> None:
    text = (ROOT / "config" / CONFIGS[each.role]).read_text()
    changed = tomllib.loads(with_tables(with_tables(text, GPIO, each.tables), each.config, each.tables))
    wanted, shipped = tomllib.loads(each.config), tomllib.loads(text)
    assert {name: changed[name] for name in wanted} == wanted
    rest = wanted.keys() | set(each.tables) | {"stop_button", "start_lights"}
    assert {name: changed[name] for name in shipped if name not in rest} == {
        name: shipped[name] for name in shipped if name not in rest
    }


def test_a_newer_version_differs_in_its_number_alone(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "numpy-2.2-cp311-cp311-linux_x86_64.whl").touch()
    with zipfile.ZipFile(wheels / "raceday-0.1.0-py3-none-any.whl", "w") as own:
        own.writestr("raceday/__init__.py", "x = 1\n")
        own.writestr("raceday-0.1.0.dist-info/METADATA", "Name: raceday\nVersion: 0.1.0\nRequires-Dist: numpy\n")
        own.writestr(
            "raceday-0.1.0.dist-info/RECORD", "raceday/__init__.py,sha256=a,6\nraceday-0.1.0.dist-info/RECORD,,\n"
        )
    monkeypatch.setattr(upgrade, "WHEELS", wheels)
    monkeypatch.setattr(upgrade, "NEWER", tmp_path / "newer")
    assert upgrade.make_newer_version() == "0.1.0.1"
    newer = tmp_path / "newer"
    assert sorted(each.name for each in newer.iterdir()) == [
        "numpy-2.2-cp311-cp311-linux_x86_64.whl",
        "raceday-0.1.0.1-py3-none-any.whl",
    ]
    with zipfile.ZipFile(newer / "raceday-0.1.0.1-py3-none-any.whl") as wheel:
        assert wheel.read("raceday/__init__.py") == b"x = 1\n"
        assert b"\nVersion: 0.1.0.1\n" in wheel.read("raceday-0.1.0.1.dist-info/METADATA")
        assert (
            wheel.read("raceday-0.1.0.1.dist-info/RECORD")
            == b"raceday/__init__.py,,\nraceday-0.1.0.1.dist-info/RECORD,,\n"
        )


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
    assert (units.MAX_EXPOSURE, units.MAX_EXPOSURE_ON_A_PI) == (1.5, 1.7)
    assert {each.unit for each in tries(7)} == {
        f"raceday-{name}" for name in ("station", "sync", "vehicle", "leaderboard")
    }
    assert {each.limit for each in tries(7) if each.role != "car"} == {units.MAX_EXPOSURE}


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
