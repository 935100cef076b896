"""Channels of a kernel PWM chip: exported, at one period, without a wrong pulse on the way.

Called by the sysfs motors, and by whatever else drives channels of the same chip, such as lights. The kernel's rules
(Linux 6.1, drivers/pwm/core.c, sysfs.c, pwm-pca9685.c):

* A channel exists once its number is written to `export`. Without a period it takes nothing but a period: EINVAL.
* A chip with one divider for all channels, such as the PCA9685, counts an exported channel as running. A period that
  needs another divider is EBUSY while another channel is exported. So each channel gets its period before the next one
  is exported.
* A channel that is exported shows the chip's own period, and pulses if its register holds a width.
* Since 6.18 the PCA9685's driver does not refuse a period for which it would need another divider: it keeps the one
  that it has, and shows the period that was asked for. So the chip's own is looked at before one is set.
"""

import errno
import pathlib
import time
from collections.abc import Sequence

from shared.errors import HardwareMissing
from vehicle.hardware.motors.attributes import AttributeFiles, read_number
from vehicle.hardware.motors.pca9685_registers import kernel_prescale
from vehicle.hardware.motors.pwm_chip import PwmChip

_EXPORT_TIMEOUT_S = 2.0  # udev hands the new files to our group a moment after the export
_POLL_S = 0.01
CHANNEL_FILES = ("period", "duty_cycle", "enable")


class PwmChannels:
    """Channels of one chip that are this process's own. Opening them changes no pulse that has the right period."""

    def __init__(self, chip: PwmChip, numbers: Sequence[int], period_ns: int, files: AttributeFiles) -> None:
        """Export the channels, in this order, and set their period. Raises HardwareMissing."""
        self._chip, self._numbers, self._period_ns, self._files = chip, tuple(numbers), period_ns, files
        for number in numbers:
            if number >= chip.motor_channels:
                count = f"{chip.motor_channels} channels, numbered from 0"
                raise HardwareMissing(f"{chip.folder} has {count}; there is no channel {number}.")
        # Those of an earlier try may not be ours yet: udev is slow on a machine that is busy.
        for number in numbers:
            if files.exists(self._folder(number)):
                self._wait_for_udev(number)
        # One that runs at another rate, and all ours with it: the divider can change only while a single one is there.
        if any(self._runs_at_another_rate(number) for number in numbers):
            for number in numbers:
                self._silence(number)
            for number in reversed(numbers):
                self._unexport(number)
        for number in numbers:
            self._export(number)
            self._set_period(number)

    def set_width(self, number: int, width_ns: int) -> None:
        """Set a channel's pulse width; it pulses if it is enabled. Raises HardwareMissing."""
        self._write(self._folder(number) / "duty_cycle", width_ns)

    def set_enabled(self, number: int, *, enabled: bool) -> None:
        """Let a channel pulse, or end its pulses. Raises HardwareMissing."""
        self._write(self._folder(number) / "enable", int(enabled))

    def _folder(self, number: int) -> pathlib.Path:
        return self._chip.folder / f"pwm{number}"

    def _runs_at_another_rate(self, number: int) -> bool:
        """Whether the channel is exported with a period, but not ours.

        A PCA9685's channel that was only just exported shows what its divider makes of ours: 19.99 ms for 20 ms.
        """
        present_ns = read_number(self._files, self._folder(number) / "period")
        if not present_ns or present_ns == self._period_ns:
            return False
        return not (self._chip.is_pca9685 and kernel_prescale(present_ns) == kernel_prescale(self._period_ns))

    def _silence(self, number: int) -> None:
        """End the pulses of a channel that is exported. Without a period it has none, and refuses to be asked."""
        if read_number(self._files, self._folder(number) / "period"):
            self.set_width(number, 0)
            self.set_enabled(number, enabled=False)

    def _unexport(self, number: int) -> None:
        if self._files.exists(self._folder(number)):
            self._write(self._chip.folder / "unexport", number)

    def _export(self, number: int) -> None:
        if not self._files.exists(self._folder(number)):
            self._write(self._chip.folder / "export", number)
        self._wait_for_udev(number)

    def _wait_for_udev(self, number: int) -> None:
        folder = self._folder(number)
        deadline_s = time.monotonic() + _EXPORT_TIMEOUT_S
        while closed := [name for name in CHANNEL_FILES if not self._files.writable(folder / name)]:
            if time.monotonic() > deadline_s:
                raise HardwareMissing(
                    f"{folder}/{closed[0]} may not be written: let the udev rule hand PWM to a group of this user."
                )
            time.sleep(_POLL_S)

    def _set_period(self, number: int) -> None:
        path = self._folder(number) / "period"
        if (present_ns := self._read(path)) == self._period_ns:
            return
        same_divider = kernel_prescale(present_ns) == kernel_prescale(self._period_ns)
        if self._chip.is_pca9685 and not same_divider and self._others():
            raise HardwareMissing(f"{path} cannot be {self._period_ns} ns: {self._other_rate()}")
        self._write(path, self._period_ns)

    def _other_rate(self) -> str:
        """Why the chip's only clock cannot be ours, and what cures it."""
        others, why = self._others(), "the chip has one clock for all channels, and "
        if not others:
            return why + "one that the kernel itself uses (a light or fan in its device tree) runs at another rate."
        periods = ", ".join(f"{n} at {read_number(self._files, self._folder(n) / 'period')} ns" for n in others)
        cure = "; ".join(f"echo {n} > {self._chip.folder}/unexport" for n in others)
        return why + f"others run at another rate ({periods}). Stop the program that uses them, or free them: `{cure}`."

    def _others(self) -> list[int]:
        """The channels that other programs have exported."""
        numbers = (number for number in range(self._chip.channels) if number not in self._numbers)
        return [number for number in numbers if self._files.exists(self._folder(number))]

    def _read(self, path: pathlib.Path) -> int:
        value = read_number(self._files, path)
        if value is None:
            raise HardwareMissing(f"{path} cannot be read: the chip is gone, or the channel was taken away.")
        return value

    def _write(self, path: pathlib.Path, value: int) -> None:
        try:
            self._files.write(path, str(value))
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise HardwareMissing(f"{path} refused {value} ({error.strerror or error}).") from None
            taken = "the channel is in use by the kernel itself, or as a GPIO."
            why = taken if path.name == "export" else self._other_rate()
            raise HardwareMissing(f"{path} refused {value}: {why}") from None
