"""The GPIO chips of /sys/class/gpio, with the numbers of their lines. Used where a number is wrong, and by findings."""

import pathlib
from dataclasses import dataclass

from vehicle.hardware.motors.attributes import AttributeFiles, read_number

GPIO_CLASS = pathlib.Path("/sys/class/gpio")


@dataclass(frozen=True, slots=True)
class GpioChip:
    """A chip: its lines are `first` to `last`."""

    first: int
    last: int
    label: str

    def __str__(self) -> str:
        return f"{self.first} to {self.last} ({self.label})"


def gpio_chips(files: AttributeFiles) -> list[GpioChip]:
    """All chips, by their first lines' numbers as words; those that vanish meanwhile are left out."""
    found: list[GpioChip] = []
    try:
        names = files.names(GPIO_CLASS)
    except OSError:
        return []
    for name in names:
        first, count = name.removeprefix("gpiochip"), read_number(files, GPIO_CLASS / name / "ngpio")
        if name.startswith("gpiochip") and first.isdecimal() and count:
            found.append(GpioChip(int(first), int(first) + count - 1, _label(files, GPIO_CLASS / name / "label")))
    return found


def _label(files: AttributeFiles, path: pathlib.Path) -> str:
    try:
        return files.read(path)
    except (OSError, ValueError):
        return "no name"
