"""Whether the car's own software runs, by the kernel's control groups, and the stop when it is started beside ours."""

import pathlib

import pytest

from shared.errors import ConfigError
from vehicle.bridge.leash import raceday_leash
from vehicle.hardware.stock_software import (
    LEASH_SERVICE,
    StockSoftwareStop,
    checked_service,
    is_running,
    running_writer,
)

EVENTS = "populated {}\nfrozen 0\n"


@pytest.mark.parametrize(
    ("files", "runs"),
    [
        ({}, False),
        ({"system.slice/deepracer-core.service/cgroup.events": EVENTS.format(1)}, True),
        ({"system.slice/deepracer-core.service/cgroup.events": EVENTS.format(0)}, False),
        ({"systemd/system.slice/deepracer-core.service/cgroup.procs": "812\n830\n"}, True),  # version 1
        ({"systemd/system.slice/deepracer-core.service/cgroup.procs": ""}, False),
        ({"system.slice/nginx.service/cgroup.events": EVENTS.format(1)}, False),
    ],
)
def test_a_service_runs_while_its_group_has_processes(
    tmp_path: pathlib.Path, files: dict[str, str], runs: bool
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert is_running("deepracer-core", tmp_path) is runs
    assert not is_running("", tmp_path)


def test_it_stops_the_car_for_as_long_as_it_runs_and_looks_five_times_a_second(tmp_path: pathlib.Path) -> None:
    events = tmp_path / "system.slice" / "deepracer-core.service" / "cgroup.events"
    events.parent.mkdir(parents=True)
    events.write_text(EVENTS.format(0))
    now_s = 100.0
    stop = StockSoftwareStop("deepracer-core", tmp_path, lambda: now_s)
    assert stop.reason() == ""
    events.write_text(EVENTS.format(1))
    assert stop.reason() == ""  # not looked at again yet
    now_s += 0.25
    assert stop.reason().startswith("The car's own software (deepracer-core) is running")
    events.write_text(EVENTS.format(0))
    now_s += 0.25
    assert stop.reason() == ""
    stop.close()


@pytest.mark.parametrize("service", ["deepracer-core", ""])
def test_a_leash_beside_our_guard_is_two_writers_too(tmp_path: pathlib.Path, service: str) -> None:
    """It cuts at 50 Hz what our guard enables in each pass: the car would jerk."""
    unit = pathlib.Path(raceday_leash.__file__).with_name(f"{LEASH_SERVICE}.service")
    assert unit.exists(), "the name is that of the shipped unit"
    assert running_writer(service, tmp_path) == ""
    events = tmp_path / "system.slice" / unit.name / "cgroup.events"
    events.parent.mkdir(parents=True)
    events.write_text(EVENTS.format(1))
    assert running_writer(service, tmp_path) == LEASH_SERVICE
    reason = StockSoftwareStop(service, tmp_path).reason()
    assert reason.startswith("The leash of a bridge (raceday-leash) is running")
    assert "take-over" not in reason


@pytest.mark.parametrize("name", ["a b", "../x", "-x", "x\n", "x/y", "ä"])
def test_what_is_no_name_of_a_service_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="must be the name of a systemd service"):
        checked_service(name)
    assert checked_service("deepracer-core.service") == "deepracer-core"
    assert checked_service("") == ""
