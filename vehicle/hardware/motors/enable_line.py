"""The line that cuts all outputs of a PWM chip (OE of a PCA9685): low lets the pulses out, high cuts them.

On the stock DeepRacer it is GPIO 436 (Ubuntu 20.04) or 514 (24.04): the same line, counted from another base.
"""

from vehicle.hardware.motors.attributes import AttributeFiles
from vehicle.hardware.motors.gpio_output import GpioOutput


class EnableLine:
    """The line `number`, or none for None. Opening it exports it and cuts the outputs. Raises HardwareMissing."""

    def __init__(self, number: int | None, files: AttributeFiles) -> None:
        self._line = None if number is None else GpioOutput(number, files, "enable_gpio")
        self.cut()

    @property
    def is_cut(self) -> bool:
        """Whether the outputs are cut now, whoever did it; a line that cannot be read may be cut. False without one."""
        return self._line is not None and self._line.is_high is not False

    def enable(self) -> None:
        """Let the pulses out. Raises HardwareMissing."""
        if self._line is not None:
            self._line.drive("low")

    def cut(self) -> None:
        """Cut the outputs. Raises HardwareMissing."""
        if self._line is not None:
            self._line.drive("high")
