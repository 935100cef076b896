"""Fake hardware for the motor drivers' tests: a kernel with a PWM chip, a PCA9685, pins that truncate.

Each refuses what the real one refuses, and rounds as it rounds.
"""

import errno
import os
import pathlib

from gpiozero.pins.mock import MockPWMPin

from vehicle.hardware.motors import pca9685
from vehicle.hardware.motors.attributes import AttributeFiles

CHIP = pathlib.Path("/sys/class/pwm/pwmchip0")


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class Channel:
    """One exported channel, with the rules of drivers/pwm/sysfs.c."""

    def __init__(self) -> None:
        self.values = {"period": 0, "duty_cycle": 0, "enable": 0}
        self.pulses: list[int] = []

    def write(self, name: str, value: int) -> None:
        after = self.values | {name: value}
        if name == "enable" and value not in (0, 1):
            raise _error(errno.EINVAL)
        if after["duty_cycle"] > after["period"] or (after["enable"] and not after["period"]) or value < 0:
            raise _error(errno.EINVAL)
        self.values = after
        self.pulses.append(self.pulse_ns)

    @property
    def pulse_ns(self) -> int:
        """What an oscilloscope would see: 0 for no pulse."""
        return self.values["duty_cycle"] if self.values["enable"] else 0


class Kernel(AttributeFiles):
    """/sys/class/pwm of one chip; a new channel becomes writable (by udev) after `late` looks at it."""

    def __init__(self, channels: int = 2, late: int = 0, taken: tuple[int, ...] = ()) -> None:
        self.npwm = channels
        self.channels: dict[int, Channel] = {}
        self.other: dict[str, str] = {}
        self._late = late
        self._taken = taken

    def exists(self, path: pathlib.Path) -> bool:
        return self._channel(path) is not None

    def writable(self, path: pathlib.Path) -> bool:
        if self._late > 0:
            self._late -= 1
            return False
        return self._channel(path.parent) is not None

    def read(self, path: pathlib.Path) -> str:
        if path == CHIP / "npwm":
            return str(self.npwm)
        channel = self._channel(path.parent)
        if channel is None:
            raise _error(errno.ENOENT)
        return str(channel.values[path.name])

    def write(self, path: pathlib.Path, value: str) -> None:
        if path.parent == CHIP and path.name == "export":
            self._export(int(value))
        elif (channel := self._channel(path.parent)) is not None:
            channel.write(path.name, int(value))
        elif path.parts[:3] == ("/", "sys", "class") and path.parts[3] == "gpio":
            self.other[str(path)] = value
        else:
            raise _error(errno.ENOENT)

    def _export(self, number: int) -> None:
        if number >= self.npwm:
            raise _error(errno.ENODEV)
        if number in self.channels or number in self._taken:
            raise _error(errno.EBUSY)
        self.channels[number] = Channel()

    def _channel(self, path: pathlib.Path) -> Channel | None:
        if path.parent != CHIP or not path.name.startswith("pwm"):
            return None
        return self.channels.get(int(path.name.removeprefix("pwm")))


class Chip:
    """The PCA9685's registers behind an I2C bus, from power-on; `gone` is a wire that fell off."""

    def __init__(self, address: int = 0x40, oscillator_hz: int = 25_000_000) -> None:
        self.address = address
        self.oscillator_hz = oscillator_hz
        self.registers = [0] * 256
        self.registers[pca9685.MODE1] = 0x11  # asleep, answers to all-call
        self.registers[pca9685.PRESCALE] = 0x1E
        for channel in range(16):
            self.registers[pca9685.LED0_ON_L + 4 * channel + 3] = pca9685.FULL_OFF
        self.gone = False
        self.closed = False
        self.slept = 0

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        self._reach(i2c_addr)
        return self.registers[register]

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        self._reach(i2c_addr)
        asleep = bool(self.registers[pca9685.MODE1] & pca9685.SLEEP)
        if register == pca9685.PRESCALE and not asleep:
            return  # the data sheet: blocked while the oscillator runs
        if register == pca9685.MODE1:
            self.slept += bool(value & pca9685.SLEEP) and not asleep
        self.registers[register] = value

    def write_i2c_block_data(self, i2c_addr: int, register: int, data: list[int]) -> None:
        self._reach(i2c_addr)
        assert self.registers[pca9685.MODE1] & pca9685.AUTO_INCREMENT, "without it all bytes go to one register"
        self.registers[register : register + len(data)] = data

    def close(self) -> None:
        self.closed = True

    def pulse_ns(self, channel: int) -> float:
        """What an oscilloscope would see: 0 for no pulse."""
        at = pca9685.LED0_ON_L + 4 * channel
        on_l, on_h, off_l, off_h = self.registers[at : at + 4]
        if self.registers[pca9685.MODE1] & pca9685.SLEEP or off_h & pca9685.FULL_OFF:
            return 0.0
        counts = (off_l | (off_h & 0x0F) << 8) - (on_l | (on_h & 0x0F) << 8)
        return counts * (self.registers[pca9685.PRESCALE] + 1) * 1e9 / self.oscillator_hz

    def _reach(self, address: int) -> None:
        if self.gone or address != self.address:
            raise _error(errno.EREMOTEIO)


class PigpioPin(MockPWMPin):
    """Duty cycles as pigpio makes them: whole counts of 10,000, then whole samples of 5 us at 50 Hz."""

    def _set_state(self, value: float) -> None:
        counts = int(value * 10_000)
        super()._set_state(counts * 4_000 // 10_000 / 4_000)
