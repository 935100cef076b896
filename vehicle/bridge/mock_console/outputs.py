"""What a stock car's computer puts out: pulses on the PWM chip and the line that lets them through.

Written by mock_car.py, and, where a folder of the kernel's shape is given, by the leash: whoever reads the files sees
one car. A chip repeats its last pulse for ever, whatever becomes of the program that set it.
"""

import pathlib

from vehicle.core.pulses import STOCK_CALIBRATION

MOTOR, STEERING = 0, 1
PERIOD_NS = 20_000_000
CHANNELS = 5  # motor, steering, and the red, green and blue of the tail light
LINE = 514  # 0: the outputs are on; 1: they are cut
NEUTRAL_NS = STOCK_CALIBRATION.motor.mid_ns
DEAD_BAND_NS = 5_000  # the chip's steps are of 4,883 ns: what is nearer is neutral


class CarOutputs:
    """The outputs in memory, or in the files of a folder that stands for `/`."""

    def __init__(self, root: pathlib.Path | None = None) -> None:
        self._root = root
        self._values: dict[str, int] = {}
        if root is not None:
            make_kernel_files(root)
        self.set_duty(MOTOR, 0)
        self.set_line(0)

    def set_duty(self, channel: int, duty_ns: int) -> None:
        self._write(_duty(channel), duty_ns)

    def set_line(self, value: int) -> None:
        self._write(_value(), value)

    @property
    def motor_ns(self) -> int:
        """The pulse that the motor's channel repeats, in ns; 0: none yet."""
        return self._read(_duty(MOTOR))

    @property
    def line(self) -> int:
        return self._read(_value())

    @property
    def is_moving(self) -> bool:
        """Whether pulses other than neutral reach the motor."""
        motor_ns = self.motor_ns
        return self.line == 0 and motor_ns > 0 and abs(motor_ns - NEUTRAL_NS) > DEAD_BAND_NS

    def _write(self, name: str, value: int) -> None:
        if self._root is None:
            self._values[name] = value
        else:
            (self._root / name).write_text(f"{value}\n")

    def _read(self, name: str) -> int:
        if self._root is None:
            return self._values[name]
        while True:
            # Unlike the kernel's, these files are empty for a moment while somebody writes them.
            if text := (self._root / name).read_text().strip():
                return int(text)


def make_kernel_files(root: pathlib.Path) -> None:
    """The files of a stock car on the 24.04 image: a PCA9685 on `i2c-0`, exported, and the line as an output."""
    chip = root / "sys/devices/pci0000:00/0000:00:17.0/i2c-0/0-0040/pwm/pwmchip0"
    for channel in range(CHANNELS):
        folder = chip / f"pwm{channel}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in (("period", PERIOD_NS), ("duty_cycle", 0), ("enable", 1)):
            (folder / name).write_text(f"{value}\n")
    classes = root / "sys/class/pwm"
    classes.mkdir(parents=True, exist_ok=True)
    if not (classes / "pwmchip0").exists():
        (classes / "pwmchip0").symlink_to(chip.resolve())
    gpio_chip = root / "sys/class/gpio/gpiochip512"
    gpio_chip.mkdir(parents=True, exist_ok=True)
    (gpio_chip / "label").write_text("INT3452:00\n")
    line = root / f"sys/class/gpio/gpio{LINE}"
    line.mkdir(parents=True, exist_ok=True)
    for name, text in (("direction", "out\n"), ("value", "0\n")):
        (line / name).write_text(text)


def _duty(channel: int) -> str:
    return f"sys/class/pwm/pwmchip0/pwm{channel}/duty_cycle"


def _value() -> str:
    return f"sys/class/gpio/gpio{LINE}/value"
