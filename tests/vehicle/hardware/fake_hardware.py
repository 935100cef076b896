"""Fake hardware for the motor drivers' tests: a PCA9685, pins that truncate. `fake_kernel.py` has the kernel.

Each refuses what the real one refuses, and rounds as it rounds.
"""

import errno

from gpiozero.pins.mock import MockPWMPin

from tests.vehicle.hardware.fake_kernel import kernel_error
from vehicle.hardware.motors import pca9685


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
            raise kernel_error(errno.EREMOTEIO)


class PigpioPin(MockPWMPin):
    """Duty cycles as pigpio makes them: whole counts of 10,000, then whole samples of 5 us at 50 Hz."""

    def _set_state(self, value: float) -> None:
        counts = int(value * 10_000)
        super()._set_state(counts * 4_000 // 10_000 / 4_000)
