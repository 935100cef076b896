"""What the doctor hears of camera, battery, lights and stock software, on machines made of files."""

import pathlib

import pytest

from shared.clock import ManualClock
from shared.findings import Finding
from tests.vehicle.hardware.fake_kernel import Kernel, KernelPca9685
from vehicle.hardware.batteries.mock import MockBattery
from vehicle.hardware.cameras import video_devices
from vehicle.hardware.cameras.video_devices import VideoDevice
from vehicle.hardware.findings import battery_findings, camera_findings, lights_findings, stock_software_findings


def verdicts(findings: list[Finding]) -> list[bool | None]:
    for finding in findings:
        assert finding.seen.endswith((".", "?", ")")), finding
        assert finding.cure or finding.is_good, finding
    return [finding.is_good for finding in findings]


@pytest.mark.parametrize(
    ("found", "good", "seen"),
    [
        (VideoDevice(pathlib.Path("v"), "Condor", "uvcvideo", ("MJPG",)), True, "Condor: MJPG"),
        (VideoDevice(pathlib.Path("v"), "isp", "bcm2835-isp"), False, "gives no pictures"),
        (VideoDevice(pathlib.Path("v"), trouble="not allowed: add this user to the group video"), False, "not allowed"),
    ],
)
def test_a_usb_camera(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, found: VideoDevice, good: bool, seen: str
) -> None:
    (tmp_path / "video0").touch()
    monkeypatch.setattr(video_devices, "read_device", lambda _path: found)
    [finding] = camera_findings("v4l2", {"device": str(tmp_path / "video0")}, tmp_path, tmp_path)
    assert verdicts([finding]) == [good]
    assert seen in finding.seen


def test_a_camera_that_is_absent_or_without_firmware(tmp_path: pathlib.Path) -> None:
    assert verdicts(camera_findings("v4l2", {}, tmp_path, tmp_path)) == [False]
    usb = tmp_path / "bus" / "usb" / "devices" / "1-1"
    usb.mkdir(parents=True)
    (usb / "idVendor").write_text("29fe\n")
    (usb / "idProduct").write_text("b00c\n")
    [finding] = camera_findings("v4l2", {}, tmp_path, tmp_path)
    assert "mxcam boot" in finding.cure
    assert camera_findings("mock", {}) == []


def test_the_pis_camera(tmp_path: pathlib.Path) -> None:
    assert verdicts(camera_findings("rpicam", {}, tmp_path, tmp_path)) == [False, False]
    (tmp_path / "dma_heap").mkdir()
    (tmp_path / "dma_heap" / "linux,cma").touch()
    assert verdicts(camera_findings("picamera", {}, tmp_path, tmp_path)) == [False]
    (tmp_path / "media0").touch()
    assert verdicts(camera_findings("rpicam", {}, tmp_path, tmp_path)) == [True]


@pytest.mark.parametrize(("charge", "good"), [("80", True), ("19", False), ("fail", False)])
def test_the_battery(tmp_path: pathlib.Path, charge: str, good: bool) -> None:
    (tmp_path / "charge").write_text(charge)
    battery = MockBattery({"file": str(tmp_path / "charge")}, ManualClock())
    assert verdicts(battery_findings(battery)) == [good]
    assert battery_findings(None) == []


def test_the_lights_chip_is_looked_for_and_nothing_is_exported() -> None:
    chip = KernelPca9685()
    kernel = Kernel(chip, gpio={512: 80})
    assert verdicts(lights_findings("pwm", {"chip": "i2c-0"}, kernel)) == [True]
    assert verdicts(lights_findings("pwm", {"chip": "i2c-7"}, kernel)) == [False]
    assert lights_findings("none", {}) == []
    assert not chip.exported


def test_the_stock_software(tmp_path: pathlib.Path) -> None:
    assert verdicts(stock_software_findings("deepracer-core", tmp_path)) == [True]
    group = tmp_path / "system.slice" / "deepracer-core.service"
    group.mkdir(parents=True)
    (group / "cgroup.events").write_text("populated 1\n")
    [finding] = stock_software_findings("deepracer-core", tmp_path)
    assert not finding.is_good
    assert "take-over" in finding.cure
    assert stock_software_findings("", tmp_path) == []


@pytest.mark.parametrize("service", ["deepracer-core", ""])
def test_the_leash_of_a_bridge(tmp_path: pathlib.Path, service: str) -> None:
    group = tmp_path / "system.slice" / "raceday-leash.service"
    group.mkdir(parents=True)
    (group / "cgroup.events").write_text("populated 1\n")
    leash, *others = stock_software_findings(service, tmp_path)
    assert not leash.is_good
    assert "would cut the motors' line" in leash.seen
    assert leash.cure == "sudo systemctl disable --now raceday-leash"
    assert verdicts(others) == [True] * bool(service)
