"""One line of /sys/class/gpio (Documentation/admin-guide/gpio/sysfs.rst), exported and driven.

A level that is set there outlasts the process that set it: a line of the character device would fall back when its
process is killed. Called by `enable_line.py` and by the car's side lights.
"""

import errno

from shared.errors import HardwareMissing
from vehicle.hardware.motors.attributes import AttributeFiles, read_number
from vehicle.hardware.motors.gpio_chips import GPIO_CLASS, gpio_chips
from vehicle.hardware.motors.udev_wait import first_closed


class GpioOutput:
    """The line `number`; opening it exports it and changes no level. Raises HardwareMissing, naming the `setting`."""

    def __init__(self, number: int, files: AttributeFiles, setting: str) -> None:
        self._number, self._files = number, files
        if not files.exists(GPIO_CLASS / "export"):
            raise HardwareMissing(
                f"`{setting} = {number}` cannot be driven: {GPIO_CLASS}/export is not there, since this kernel was "
                "built without CONFIG_GPIO_SYSFS. Use one that has it (Ubuntu's, Debian's, Raspberry Pi OS's)."
            )
        self._export(number)

    def drive(self, level: str) -> None:
        """Make the line an output at "low" or "high" in one write: no other level comes between."""
        path = GPIO_CLASS / f"gpio{self._number}" / "direction"
        try:
            self._files.write(path, level)
        except OSError as error:
            raise HardwareMissing(f"{path} refused {level} ({error.strerror or error}).") from None

    @property
    def is_high(self) -> bool | None:
        """The level that the line has now, whoever set it; None if it cannot be read."""
        level = read_number(self._files, GPIO_CLASS / f"gpio{self._number}" / "value")
        return None if level is None else level != 0

    def _export(self, number: int) -> None:
        folder = GPIO_CLASS / f"gpio{number}"
        if not self._files.exists(folder):
            try:
                self._files.write(GPIO_CLASS / "export", str(number))
            except OSError as error:
                raise HardwareMissing(f"GPIO {number} cannot be exported: {self._why(error, number)}.") from None
        closed = first_closed(self._files, [folder / "direction"])
        if closed is not None:
            raise HardwareMissing(
                f"{closed} may not be written: let the udev rule hand this GPIO to a group of this user."
            )

    def _why(self, error: OSError, number: int) -> str:
        if error.errno == errno.EBUSY:
            return "the kernel or another program holds it"
        if error.errno != errno.EINVAL:
            return error.strerror or str(error)
        chips = "; ".join(map(str, gpio_chips(self._files))) or "no chip at all"
        return f"there is no GPIO {number} here, but {chips}. The first number differs between kernels"
