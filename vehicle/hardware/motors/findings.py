"""What can be said of a car's motors without opening them: nothing is written, nothing moves. For `raceday doctor`.

`may_write` tells whether the service's user may write a file; the doctor itself may run as root, who may write all.
"""

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

from shared.config import from_table
from shared.errors import OperatorError
from shared.findings import Finding
from vehicle.core.pulses import PERIOD_NS, Calibration, PulseResolution, describe_positions, require_fine_enough
from vehicle.hardware.motors.attributes import AttributeFiles, read_number
from vehicle.hardware.motors.gpio_chips import GPIO_CLASS, gpio_chips
from vehicle.hardware.motors.pca9685 import Pca9685MotorsOptions
from vehicle.hardware.motors.pca9685_registers import kernel_prescale
from vehicle.hardware.motors.pwm_channels import CHANNEL_FILES
from vehicle.hardware.motors.pwm_chip import PwmChip, find_chip
from vehicle.hardware.motors.sysfs import SysfsMotorsOptions

MayWrite = Callable[[pathlib.Path], bool]
_I2C_DEVICES = pathlib.Path("/sys/bus/i2c/devices")
_RULES = "Run `sudo raceday install car` again: it writes the udev rule for what the config names."


def motor_findings(
    driver: str,
    options: dict[str, Any],
    calibration: Calibration | None = None,
    files: AttributeFiles | None = None,
    may_write: MayWrite | None = None,
) -> list[Finding]:
    """What is seen of the motors that `[motors]` names; nothing for a driver without a device to look at.

    Options that are wrong are a finding too.
    """
    files = files or AttributeFiles()
    look = {"sysfs": _sysfs, "pca9685": _pca9685}.get(driver)
    if look is None:
        return []
    try:
        return list(look(options, calibration, files, may_write or files.writable))
    except OperatorError as error:
        return [Finding("motors", False, _sentence(error), "Change [motors.options] in the car's file.")]


def _sysfs(
    options: dict[str, Any], calibration: Calibration | None, files: AttributeFiles, may_write: MayWrite
) -> Iterator[Finding]:
    checked = from_table(options, SysfsMotorsOptions, "[motors.options]")
    try:
        chip = find_chip(checked.chip, files)
    except OperatorError as error:
        yield Finding("motors' PWM chip", False, _sentence(error), "Name a chip that is there, or switch it on.")
    else:
        yield Finding("motors' PWM chip", True, f"It is {chip}.")
        for name, number in (("motor", checked.motor_channel), ("steering", checked.steering_channel)):
            yield _channel(f"{name} channel {number}", chip, number, files, may_write)
        others = [n for n in range(chip.channels) if n not in (checked.motor_channel, checked.steering_channel)]
        yield from _shared_clock(chip, others, files)
        yield from _positions(chip.resolution(checked.resolution_ns), calibration)
    yield from _line(checked.enable_gpio, files, may_write)


def _channel(what: str, chip: PwmChip, number: int, files: AttributeFiles, may_write: MayWrite) -> Finding:
    if number >= chip.motor_channels:
        seen = f"The chip has {chip.motor_channels} channels, numbered from 0."
        return Finding(what, False, seen, "Name another channel in [motors.options].")
    folder = chip.folder / f"pwm{number}"
    if not files.exists(folder):
        export = chip.folder / "export"
        if not may_write(export):
            return Finding(what, False, f"{export} may not be written by the car's user.", _RULES)
        return Finding(what, True, "It is free, and may be exported.")
    if closed := [name for name in CHANNEL_FILES if not may_write(folder / name)]:
        return Finding(what, False, f"{folder / closed[0]} may not be written by the car's user.", _RULES)
    period_ns = read_number(files, folder / "period")
    if period_ns in (PERIOD_NS, 0):
        return Finding(what, True, "It is exported, and runs at our rate." if period_ns else "It is exported.")
    return Finding(what, None, f"It is exported with a period of {period_ns} ns; the car's start sets {PERIOD_NS} ns.")


def _shared_clock(chip: PwmChip, others: list[int], files: AttributeFiles) -> Iterator[Finding]:
    """Channels of other programs that keep a chip with one clock from running at our rate."""
    if not chip.is_pca9685:
        return
    periods = {n: read_number(files, chip.folder / f"pwm{n}" / "period") for n in others}
    wrong = {n: ns for n, ns in periods.items() if ns and kernel_prescale(ns) != kernel_prescale(PERIOD_NS)}
    if wrong:
        seen = ", ".join(f"channel {n} at {ns} ns" for n, ns in wrong.items())
        cure = "; ".join(f"echo {n} > {chip.folder}/unexport" for n in wrong)
        yield Finding(
            "motors' PWM clock",
            False,
            f"The chip has one clock for all channels, and others run at another rate: {seen}.",
            f"Stop the program that uses them, or free them as root: `{cure}`.",
        )
    else:
        yield Finding("motors' PWM clock", True, "No other channel needs another rate.")


def _positions(resolution: PulseResolution, calibration: Calibration | None) -> Iterator[Finding]:
    if calibration is None:
        step_us = resolution.step_ns / 1000
        yield Finding(
            "motors' steps",
            None,
            f"The motors move in steps of {step_us:.2f} us; without a calibration there is no more to say.",
            "Calibrate the car: `raceday vehicle calibrate`.",
        )
        return
    try:
        require_fine_enough(calibration, resolution)
    except OperatorError as error:
        yield Finding("motors' steps", False, _sentence(error), "Use another driver, or calibrate the car again.")
    else:
        yield Finding("motors' steps", True, str(describe_positions(calibration, resolution)))


def _line(number: int | None, files: AttributeFiles, may_write: MayWrite) -> Iterator[Finding]:
    if number is None:
        return
    what, folder = f"enable line, GPIO {number}", GPIO_CLASS / f"gpio{number}"
    if not files.exists(GPIO_CLASS / "export"):
        yield Finding(
            what, False, f"{GPIO_CLASS} has no `export`.", "Use a kernel with CONFIG_GPIO_SYSFS, or drop `enable_gpio`."
        )
    elif files.exists(folder):
        path = folder / "direction"
        if may_write(path):
            yield Finding(what, True, "It is exported, and may be driven.")
        else:
            yield Finding(what, False, f"{path} may not be written by the car's user.", _RULES)
    elif not any(chip.first <= number <= chip.last for chip in gpio_chips(files)):
        cure = "Write the number that the line has here: the stock car's is 514 on Ubuntu 24.04, 436 on 20.04."
        yield Finding(what, False, "No GPIO chip of this machine has that number.", cure)
    elif may_write(GPIO_CLASS / "export"):
        yield Finding(what, True, "It is there, and may be exported.")
    else:
        yield Finding(what, False, f"{GPIO_CLASS}/export may not be written by the car's user.", _RULES)


def _pca9685(
    options: dict[str, Any], calibration: Calibration | None, files: AttributeFiles, may_write: MayWrite
) -> Iterator[Finding]:
    checked = from_table(options, Pca9685MotorsOptions, "[motors.options]")
    bus, device = pathlib.Path(f"/dev/i2c-{checked.bus}"), f"{checked.bus}-{checked.address:04x}"
    what = f"PCA9685 at {checked.address:#x} on {bus}"
    if files.exists(_I2C_DEVICES / device / "driver"):
        cure = f'Set `driver = "sysfs"` with `chip = "i2c-{checked.bus}"`, or remove its `dtoverlay`.'
        yield Finding(what, False, "The kernel itself drives it.", cure)
    elif not files.exists(bus):
        cure = "Switch I2C on (a Raspberry Pi: `dtparam=i2c_arm=on`), load the module `i2c-dev`, or name another bus."
        yield Finding(what, False, f"{bus} is not there.", cure)
    elif not may_write(bus):
        yield Finding(what, False, f"{bus} may not be opened by the car's user.", _RULES)
    else:
        yield Finding(what, None, f"{bus} may be opened; whether the chip answers, the car's start says.")
    yield from _positions(PulseResolution(checked.step_ns), calibration)
    yield from _line(checked.enable_gpio, files, may_write)


def _sentence(error: OperatorError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}"
