"""The doctor before cars: what their drivers report comes into the table, for the service's user."""

import pathlib

import pytest

from raceday.doctor.car_checks import car_findings
from raceday.doctor.installed import InstalledRole
from raceday.doctor.machine_reader import FileStatus
from raceday.doctor.permissions import ServiceUser
from raceday.install.shipped_files import config_text
from shared.findings import Finding
from tests.raceday.doctor.machines import ShownMachine
from vehicle.hardware.cameras import video_devices
from vehicle.process.confinement_findings import WHAT

USER = ServiceUser("raceday", 991, frozenset({991}))


def found_of(config: pathlib.Path, machine: ShownMachine | None = None) -> dict[str, Finding]:
    role = InstalledRole("car", str(config), {})
    return {each.what: each for each in car_findings(machine or ShownMachine(), role, USER)}


@pytest.fixture
def config(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "vehicle.toml"
    path.write_text(config_text("vehicle.toml"))
    return path


def test_a_car_of_mocks_has_nothing_to_look_at(config: pathlib.Path) -> None:
    found = found_of(config)
    # How well its kernel confines a racer's model is looked at on every car.
    assert found.pop(WHAT).is_good is not False
    assert found == {}


def test_a_stock_car_without_its_chip_and_camera_is_told_so(config: pathlib.Path) -> None:
    text = "".join(line for line in config.read_text().splitlines(keepends=True) if "driver =" not in line)
    config.write_text('profile = "deepracer-2404"\n' + text)
    found = found_of(config)
    assert found["motors' PWM chip"].is_good is False
    assert any(what.startswith("camera") and each.is_good is False for what, each in found.items())
    assert "deepracer-core" in found
    assert all(each.cure for each in found.values() if each.is_good is False)


def test_a_camera_of_root_is_named_though_root_may_open_it(
    config: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(config.read_text().replace('[camera]\ndriver = "mock"', '[camera]\ndriver = "v4l2"'))
    monkeypatch.setattr("raceday.doctor.car_checks.find_camera", lambda _device: pathlib.Path("/dev/video0"))
    monkeypatch.setattr(video_devices, "find_camera", lambda *_: pathlib.Path("/dev/null"))
    machine = ShownMachine(statuses={"/dev/video0": FileStatus(0o660, 0, 44)})
    assert "usermod -aG video raceday" in found_of(config, machine)["camera /dev/video0"].cure
    machine.statuses["/dev/video0"] = FileStatus(0o666, 0, 44)
    assert "camera /dev/video0" not in found_of(config, machine)


def test_a_damaged_calibration_is_named(config: pathlib.Path) -> None:
    (config.parent / "calibration.json").write_text("{")
    text = config.read_text().replace("[calibration]\n", '[calibration]\nfile = "calibration.json"\n', 1)
    config.write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith("stock =")))
    finding = found_of(config)["calibration"]
    assert finding.is_good is False
    assert "calibration.json" in finding.seen


def test_a_config_that_is_refused_is_left_to_its_own_check(config: pathlib.Path) -> None:
    config.write_text("colour = 1\n")
    assert found_of(config) == {}
