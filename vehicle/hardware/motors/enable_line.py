"""The line that cuts all outputs of a PWM chip (OE of a PCA9685): low lets the pulses out, high cuts them.

It is driven through /sys/class/gpio (Documentation/admin-guide/gpio/sysfs.rst), since a level set there outlasts the
process that set it: a line of the character device would fall back when the guard is killed. On the stock DeepRacer it
is GPIO 436 (Ubuntu 20.04) or 514 (24.04): the same line, counted from another base.
"""

import errno
import pathlib
import time

from shared.errors import HardwareMissing
from vehicle.hardware.motors.attributes import AttributeFiles, read_number

GPIO_CLASS = pathlib.Path("/sys/class/gpio")
_EXPORT_TIMEOUT_S = 2.0  # udev hands the new files to our group a moment after the export
_POLL_S = 0.01


class EnableLine:
    """The line `number`, or none for None. Opening it exports it and cuts the outputs. Raises HardwareMissing."""

    def __init__(self, number: int | None, files: AttributeFiles) -> None:
        self._number, self._files = number, files
        self.is_cut = False
        if number is None:
            return
        if not files.exists(GPIO_CLASS / "export"):
            raise HardwareMissing(
                f"`enable_gpio = {number}` cannot be driven: {GPIO_CLASS}/export is not there, since this kernel was "
                "built without CONFIG_GPIO_SYSFS. Use one that has it (Ubuntu's, Debian's, Raspberry Pi OS's)."
            )
        self._export(number)
        self.cut()

    def enable(self) -> None:
        """Let the pulses out. Raises HardwareMissing."""
        self._drive("low")
        self.is_cut = False

    def cut(self) -> None:
        """Cut the outputs. Raises HardwareMissing."""
        self._drive("high")
        self.is_cut = self._number is not None

    def _drive(self, level: str) -> None:
        """Make the line an output at this level in one write: no other level comes between."""
        if self._number is None:
            return
        path = GPIO_CLASS / f"gpio{self._number}" / "direction"
        try:
            self._files.write(path, level)
        except OSError as error:
            raise HardwareMissing(f"{path} refused {level} ({error.strerror or error}).") from None

    def _export(self, number: int) -> None:
        folder = GPIO_CLASS / f"gpio{number}"
        if not self._files.exists(folder):
            try:
                self._files.write(GPIO_CLASS / "export", str(number))
            except OSError as error:
                raise HardwareMissing(f"GPIO {number} cannot be exported: {self._why(error, number)}.") from None
        deadline_s = time.monotonic() + _EXPORT_TIMEOUT_S
        while not self._files.writable(folder / "direction"):
            if time.monotonic() > deadline_s:
                raise HardwareMissing(
                    f"{folder}/direction may not be written: let the udev rule hand this GPIO to a group of this user."
                )
            time.sleep(_POLL_S)

    def _why(self, error: OSError, number: int) -> str:
        if error.errno == errno.EBUSY:
            return "the kernel or another program holds it"
        if error.errno != errno.EINVAL:
            return error.strerror or str(error)
        chips = "; ".join(self._chips()) or "no chip at all"
        return f"there is no GPIO {number} here, but {chips}. The first number differs between kernels"

    def _chips(self) -> list[str]:
        """The GPIO chips as words, with the numbers of their lines."""
        found: list[str] = []
        for name in self._files.names(GPIO_CLASS):
            base, count = name.removeprefix("gpiochip"), read_number(self._files, GPIO_CLASS / name / "ngpio")
            if name.startswith("gpiochip") and base.isdecimal() and count:
                found.append(
                    f"{int(base)} to {int(base) + count - 1} ({self._files.read(GPIO_CLASS / name / 'label')})"
                )
        return found
