"""What the doctor says of motors that it does not open: each finding with its cure, and nothing is written."""

import pathlib
from typing import Any

import pytest

from shared.findings import Finding, all_good
from tests.vehicle.hardware.fake_kernel import ON_A_PI, Kernel, KernelPca9685, KernelPwmChip, kernel_error
from vehicle.core.pulses import PERIOD_NS, STOCK_CALIBRATION, Calibration
from vehicle.hardware.motors.attributes import AttributeFiles
from vehicle.hardware.motors.findings import motor_findings


def look(kernel: AttributeFiles, driver: str = "sysfs", closed: str = "", **options: Any) -> list[Finding]:
    """The findings, by a user who may not write what has `closed` in its path. A write would be an error."""

    def refuse(path: pathlib.Path, value: str) -> None:
        raise AssertionError(f"{value} was written to {path}")

    kernel.write = refuse  # type: ignore[method-assign]
    named = {"motor_channel": 0, "steering_channel": 1} | options
    return motor_findings(driver, named, STOCK_CALIBRATION, kernel, lambda path: not closed or closed not in str(path))


def stock_car() -> Kernel:
    return Kernel(KernelPwmChip(), KernelPca9685(), gpio={512: 78})


def test_a_stock_car_in_order() -> None:
    found = look(stock_car(), chip="i2c-0", enable_gpio=514)
    assert all_good(found)
    assert {finding.what: finding.seen for finding in found} == {
        "motors' PWM chip": "It is pwmchip1 at /sys/devices/pci0000:00/0000:00:17.0/i2c_designware.0/i2c-0/0-0040/pwm/"
        "pwmchip1 (17 channels, driver pca9685-pwm).",
        "motor channel 0": "It is free, and may be exported.",
        "steering channel 1": "It is free, and may be exported.",
        "motors' PWM clock": "No other channel needs another rate.",
        "motors' steps": "The motors move in steps of 4.88 us: 29 positions from standstill to full forward.",
        "enable line, GPIO 514": "It is there, and may be exported.",
    }


@pytest.mark.parametrize(
    ("options", "closed", "what", "seen", "cure"),
    [
        ({"chip": "i2c-9"}, "", "motors' PWM chip", "No chip matches", "Name a chip that is there"),
        ({"chip": "i2c-0", "motor_channel": 16}, "", "motor channel 16", "16 channels", "Name another channel"),
        ({"chip": "i2c-0"}, "export", "motor channel 0", "export may not be written", "raceday install car"),
        ({"chip": "i2c-0", "enable_gpio": 436}, "", "enable line, GPIO 436", "No GPIO chip", "514 on Ubuntu 24.04"),
        ({"chip": "i2c-0", "enable_gpio": 514}, "gpio/export", "enable line, GPIO 514", "may not be", "install car"),
        ({"chip": "i2c-0", "resolution_ns": 9_000}, "", "motors' steps", "only 15 positions", "Use another driver"),
        ({"chip": 3}, "", "motors", "Chip|chip", "Change"),
    ],
)
def test_what_is_wrong_is_said_with_its_cure(
    options: dict[str, Any], closed: str, what: str, seen: str, cure: str
) -> None:
    bad = [finding for finding in look(stock_car(), closed=closed, **options) if finding.is_good is False]
    first = next(finding for finding in bad if finding.what == what)
    assert any(word in first.seen for word in seen.split("|"))
    assert cure in first.cure


def test_channels_that_are_exported() -> None:
    chip = KernelPca9685()
    for number, period in ((0, PERIOD_NS), (1, PERIOD_NS)):
        chip.export(number)
        chip.write(number, "period", period)
    seen = {finding.what: finding for finding in look(Kernel(chip))}
    assert seen["motor channel 0"].seen == "It is exported, and runs at our rate."
    closed = {finding.what: finding for finding in look(Kernel(chip), closed="enable")}
    assert "pwm0/enable may not be written by the car's user" in closed["motor channel 0"].seen
    other = KernelPca9685()
    other.export(4)
    other.write(4, "period", 10_000_000)
    other.export(0)
    seen = {finding.what: finding for finding in look(Kernel(other))}
    assert seen["motor channel 0"].is_good is None
    assert "channel 4 at 10000000 ns" in seen["motors' PWM clock"].seen
    assert "echo 4 > /sys/class/pwm/pwmchip0/unexport" in seen["motors' PWM clock"].cure


def test_an_enable_line_that_is_exported_and_one_without_a_class() -> None:
    kernel = Kernel(KernelPca9685(), gpio={512: 78})
    kernel.write(pathlib.Path("/sys/class/gpio/export"), "514")
    assert look(kernel, enable_gpio=514)[-1].seen == "It is exported, and may be driven."
    assert "direction may not be written" in look(kernel, closed="direction", enable_gpio=514)[-1].seen
    assert "CONFIG_GPIO_SYSFS" in look(Kernel(KernelPca9685()), enable_gpio=514)[-1].cure


class I2cFiles(AttributeFiles):
    """A machine that has these paths and nothing else."""

    def __init__(self, *paths: str) -> None:
        self._paths = paths

    def exists(self, path: pathlib.Path) -> bool:
        return str(path) in self._paths

    def names(self, folder: pathlib.Path) -> list[str]:
        raise kernel_error(2)


@pytest.mark.parametrize(
    ("paths", "closed", "is_good", "said"),
    [
        (("/dev/i2c-1",), "", None, "may be opened; whether the chip answers"),
        ((), "", False, "dtparam=i2c_arm=on"),
        (("/dev/i2c-1",), "i2c-1", False, "may not be opened by the car's user"),
        (("/dev/i2c-1", "/sys/bus/i2c/devices/1-0040/driver"), "", False, '`chip = "i2c-1"`'),
    ],
)
def test_a_pca9685_of_our_own(paths: tuple[str, ...], closed: str, is_good: bool | None, said: str) -> None:
    first = look(I2cFiles(*paths), "pca9685", closed)[0]
    assert (first.what, first.is_good) == ("PCA9685 at 0x40 on /dev/i2c-1", is_good)
    assert said in first.seen + first.cure


def test_without_a_calibration_the_steps_are_said_and_what_to_do() -> None:
    nobody: Calibration | None = None
    kernel = Kernel(KernelPca9685(ON_A_PI))
    last = motor_findings("sysfs", {}, nobody, kernel, lambda _: True)[-1]
    assert (last.is_good, "4.88 us" in last.seen, "calibrate" in last.cure) == (None, True, True)


@pytest.mark.parametrize("driver", ["mock", "simulator", "gpio", "somebody-elses"])
def test_a_driver_without_a_device_to_look_at_has_no_findings(driver: str) -> None:
    assert look(stock_car(), driver) == []
