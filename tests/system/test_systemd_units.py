"""The systemd units: each starts a command that exists, systemd accepts them, and they are sandboxed enough."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from raceday.__main__ import COMMANDS
from shared.errors import JournalDamaged

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "raceday" / "install" / "units"
UNITS = sorted(FOLDER.glob("*.service"))
EXPOSURE_MOST = 2.0


def lines(unit: pathlib.Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), re.MULTILINE)


def test_there_is_a_unit_for_every_machine() -> None:
    assert [unit.stem for unit in UNITS] == [
        "raceday-leaderboard",
        "raceday-station",
        "raceday-sync",
        "raceday-vehicle",
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_each_unit_starts_a_command_of_ours_and_comes_back(unit: pathlib.Path) -> None:
    (start,) = lines(unit, "ExecStart")
    program, words, *rest = start.split()
    assert program == "/opt/raceday/bin/raceday"
    assert words in {command.words for command in COMMANDS}
    assert rest[0] == "--config"
    assert rest[1].startswith("/etc/raceday/")
    assert lines(unit, "Restart") == ["always"]
    assert lines(unit, "NoNewPrivileges") == ["yes"]


def test_a_damaged_journal_is_not_restarted_into() -> None:
    assert lines(FOLDER / "raceday-station.service", "RestartPreventExitStatus") == [str(JournalDamaged.exit_code)]


def test_the_cars_motors_are_made_neutral_however_it_ends() -> None:
    (after,) = lines(FOLDER / "raceday-vehicle.service", "ExecStopPost")
    assert after == "/opt/raceday/bin/raceday vehicle neutral --config /etc/raceday/vehicle.toml"


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed: the units are not verified here")
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_it(analyze: str, tmp_path: pathlib.Path, unit: pathlib.Path) -> None:
    copy = tmp_path / unit.name
    # The program is not installed there on this machine; any that exists will do for the check.
    copy.write_text(unit.read_text().replace("/opt/raceday/bin/raceday", sys.executable))
    ran = subprocess.run([analyze, "verify", str(copy)], check=False, capture_output=True, text=True, timeout=60)
    about_ours = [line for line in ran.stderr.splitlines() if unit.name in line or str(copy) in line]
    assert about_ours == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_it_is_closed_enough(analyze: str, unit: pathlib.Path) -> None:
    words = [analyze, "security", "--offline=true", "--no-pager", str(unit)]
    ran = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    found = re.search(r"Overall exposure level.*: ([0-9.]+)", ran.stdout)
    assert found is not None, ran.stderr
    assert float(found[1]) <= EXPOSURE_MOST


@pytest.mark.parametrize("name", ["raceday-station", "raceday-leaderboard", "raceday-vehicle"])
def test_whoever_serves_pages_has_descriptors_for_them_and_for_the_rest(name: str) -> None:
    assert int(lines(FOLDER / f"{name}.service", "LimitNOFILE")[0]) >= 4096
