"""The systemd units: each starts a command that exists, systemd accepts them, and they are sandboxed enough."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from raceday.__main__ import COMMANDS
from raceday.install.machine_files import device_kinds
from raceday.install.machine_files.device_kinds import DeviceKind
from raceday.install.machine_files.drop_ins import DROP_IN, drop_in
from shared.errors import JournalDamaged
from tests.raceday.install.checkout import ROOT
from vehicle.process.sandbox import COMMS, IMPORT, PILOT

FOLDER = ROOT / "raceday" / "install" / "units"
UNITS = sorted(FOLDER.glob("*.service"))
KINDS = tuple(each for each in vars(device_kinds).values() if isinstance(each, DeviceKind))
EVERY_GROUP = frozenset(group for kind in KINDS for group in kind.groups)
CAR_ONLY = (
    device_kinds.KERNEL_PWM,
    device_kinds.GPIO_LINE,
    device_kinds.I2C,
    device_kinds.VIDEO,
    device_kinds.PI_CAMERA,
)
EXPOSURE_MOST = 1.5
EXPOSURE_MOST_OF_A_CAR_ON_A_PI = 1.7


def lines(unit: pathlib.Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), re.MULTILINE)


def test_there_is_a_unit_for_every_machine() -> None:
    assert [unit.stem for unit in UNITS] == [
        "raceday-bridge@",
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


@pytest.mark.parametrize("name", ["raceday-station", "raceday-sync", "raceday-bridge@"])
def test_systemd_listens_to_what_the_service_says_of_itself(name: str) -> None:
    """Without it there is no $NOTIFY_SOCKET, whatever the type (systemd, src/core/service.c)."""
    assert lines(FOLDER / f"{name}.service", "NotifyAccess") == ["main"]


def test_the_cars_motors_are_made_neutral_however_it_ends() -> None:
    (after,) = lines(FOLDER / "raceday-vehicle.service", "ExecStopPost")
    assert after == "/opt/raceday/bin/raceday vehicle neutral --config /etc/raceday/vehicle.toml"


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed: the units are not verified here")
    return found


def with_drop_in(unit: pathlib.Path, folder: pathlib.Path, kinds: tuple[DeviceKind, ...]) -> pathlib.Path:
    """A copy of the unit, with a drop-in that opens all these kinds of devices."""
    copy = folder / unit.name
    # The program is not installed there on this machine; any that exists will do for the check.
    copy.write_text(unit.read_text().replace("/opt/raceday/bin/raceday", sys.executable))
    (folder / f"{unit.name}.d").mkdir(exist_ok=True)
    text = drop_in("/etc/raceday/some.toml", kinds, EVERY_GROUP, "deepracer-core.service" if kinds else "")
    (folder / f"{unit.name}.d" / DROP_IN).write_text(text)
    return copy


def kinds_of(unit: pathlib.Path) -> tuple[DeviceKind, ...]:
    """All kinds of devices that a drop-in of this unit may open."""
    if unit.stem in {"raceday-leaderboard", "raceday-sync"}:
        return ()
    return KINDS if unit.stem == "raceday-vehicle" else tuple(kind for kind in KINDS if kind not in CAR_ONLY)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_it(analyze: str, tmp_path: pathlib.Path, unit: pathlib.Path) -> None:
    copy = with_drop_in(unit, tmp_path, kinds_of(unit))
    ran = subprocess.run([analyze, "verify", str(copy)], check=False, capture_output=True, text=True, timeout=60)
    about_ours = [line for line in ran.stderr.splitlines() if unit.name in line or str(copy) in line]
    assert about_ours == []


def exposure(analyze: str, unit: pathlib.Path) -> float:
    words = [analyze, "security", "--offline=true", "--no-pager", str(unit)]
    ran = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    found = re.search(r"Overall exposure level.*: ([0-9.]+)", ran.stdout)
    assert found is not None, ran.stderr
    return float(found[1])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_it_is_closed_enough_with_and_without_its_devices(
    analyze: str, tmp_path: pathlib.Path, unit: pathlib.Path
) -> None:
    assert exposure(analyze, unit) <= EXPOSURE_MOST
    is_car = unit.stem == "raceday-vehicle"
    opened = exposure(analyze, with_drop_in(unit, tmp_path, kinds_of(unit)))
    assert opened <= (EXPOSURE_MOST_OF_A_CAR_ON_A_PI if is_car else EXPOSURE_MOST)


@pytest.mark.parametrize("name", ["raceday-station", "raceday-vehicle"])
def test_whoever_stamps_by_the_clock_sees_which_boot_it_is(name: str) -> None:
    """With ProcSubset=pid there is no /proc/sys/kernel/random/boot_id: each restart would be another boot."""
    assert lines(FOLDER / f"{name}.service", "ProcSubset") == ["all"]


@pytest.mark.parametrize("name", ["raceday-station", "raceday-leaderboard", "raceday-vehicle"])
def test_whoever_serves_pages_has_descriptors_for_them_and_for_the_rest(name: str) -> None:
    assert int(lines(FOLDER / f"{name}.service", "LimitNOFILE")[0]) >= 4096


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_nobody_takes_all_of_the_machine(unit: pathlib.Path) -> None:
    for key in ("MemoryMax", "TasksMax", "LimitNOFILE"):
        assert len(lines(unit, key)) == 1, key


def test_the_guard_outlives_whoever_is_ended_for_memory() -> None:
    """systemd's default stops a unit when the kernel ends one of its processes (systemd.service(5), OOMPolicy=)."""
    assert lines(FOLDER / "raceday-vehicle.service", "OOMPolicy") == ["continue"]
    (score,) = lines(FOLDER / "raceday-vehicle.service", "OOMScoreAdjust")
    assert int(score) < min(COMMS.oom_score_adj, PILOT.oom_score_adj, IMPORT.oom_score_adj)
