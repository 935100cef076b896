"""The chips of kernel PWM in /sys/class/pwm, found by the device that they belong to. Used by the sysfs driver.

The number in `pwmchipN` changes from boot to boot and from kernel to kernel; the device does not. Each entry is a link
below its device (Documentation/ABI/testing/sysfs-class-pwm), whose parts may each name it: an I2C bus (`i2c-0`), a
PCI device (`0000:00:17.0`), a device of the tree (`fe20c000.pwm`).
"""

import pathlib
from dataclasses import dataclass

from shared.errors import HardwareMissing
from vehicle.core.pulses import PERIOD_NS, PulseResolution
from vehicle.hardware.motors.attributes import AttributeFiles, read_number

PWM_CLASS = pathlib.Path("/sys/class/pwm")
_PCA9685 = "pca9685-pwm"  # the name of its driver in the kernel
_DEFAULT_STEP_NS = 1_000

# The kernel counts ceil(4096 * duty / period) (drivers/pwm/pwm-pca9685.c), so a width between two steps
# becomes the longer one. Asked for in 20 ms, a step is 4.88 us.
PCA9685_RESOLUTION = PulseResolution(PERIOD_NS / 4096, rounds_up=True)
PCA9685_CHANNELS = 16  # the kernel adds one more, which is all of them at once


@dataclass(frozen=True, slots=True)
class PwmChip:
    """A chip: its folder in /sys/class/pwm, the path of its device, the name of its driver."""

    folder: pathlib.Path
    device: pathlib.Path
    driver: str
    channels: int

    @property
    def is_pca9685(self) -> bool:
        """Whether all its channels share one divider and count 4096 steps a period."""
        return self.driver == _PCA9685

    @property
    def motor_channels(self) -> int:
        """How many channels can each have a pulse of its own, numbered from 0."""
        return min(self.channels, PCA9685_CHANNELS) if self.is_pca9685 else self.channels

    def resolution(self, stated_ns: int | None) -> PulseResolution:
        """What the chip can make; `stated_ns` is the config's word, which counts where the driver's name says nothing.

        A chip that is known is never taken for finer than it is.
        """
        if self.is_pca9685 and (stated_ns is None or stated_ns < PCA9685_RESOLUTION.step_ns):
            return PCA9685_RESOLUTION
        return PulseResolution(stated_ns or _DEFAULT_STEP_NS)

    def __str__(self) -> str:
        driver = f", driver {self.driver}" if self.driver else ""
        return f"{self.folder.name} at {self.device} ({self.channels} channels{driver})"


def find_chip(wanted: str, files: AttributeFiles) -> PwmChip:
    """The chip of a device, or in a folder, or the only one for ''. Raises HardwareMissing, which lists all there are.

    `wanted` is one part of the device's path, such as "i2c-0" (not the beginning of one: "i2c-1" is not "i2c-10").
    """
    if wanted.startswith("/"):
        return _chip_in(pathlib.Path(wanted), files)
    chips = list_chips(files)
    found = [chip for chip in chips if not wanted or wanted in chip.device.parts]
    if len(found) == 1:
        return found[0]
    there = f"There are: {'; '.join(map(str, found or chips))}." if chips else "No chip of kernel PWM is there."
    if not chips:
        raise HardwareMissing(
            f"{PWM_CLASS} is empty: no chip of kernel PWM is there. Switch it on (a Raspberry Pi: a `dtoverlay`; the "
            "stock car: its kernel has it), then start again."
        )
    if not wanted:
        raise HardwareMissing(f"several chips have kernel PWM: name one with `chip`, by a part of its path. {there}")
    number = "several chips match" if found else "no chip matches"
    raise HardwareMissing(f'{number} `chip = "{wanted}"`, which must be one part of the path of one device. {there}')


def list_chips(files: AttributeFiles) -> list[PwmChip]:
    """All chips of kernel PWM, by their folders' names; those that vanish meanwhile are left out."""
    try:
        names = files.names(PWM_CLASS)
    except OSError:
        return []
    folders = [PWM_CLASS / name for name in names]
    return [_chip(folder, files, n) for folder in folders if (n := read_number(files, folder / "npwm")) is not None]


def _chip_in(folder: pathlib.Path, files: AttributeFiles) -> PwmChip:
    channels = read_number(files, folder / "npwm")
    if channels is None:
        raise HardwareMissing(
            f"{folder}/npwm cannot be read: is kernel PWM switched on, and the chip right? Its number may change from "
            'boot to boot: name the chip by its device, such as `chip = "i2c-0"`.'
        )
    return _chip(folder, files, channels)


def _chip(folder: pathlib.Path, files: AttributeFiles, channels: int) -> PwmChip:
    link = folder / "device" / "driver"
    return PwmChip(folder, files.resolve(folder), files.resolve(link).name if files.exists(link) else "", channels)
