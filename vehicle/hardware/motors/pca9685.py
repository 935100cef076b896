"""A PCA9685 on I2C: sixteen channels of twelve bits, as on the custom car and most servo hats.

Registers: NXP PCA9685 data sheet, rev. 4, 7.3. The chip divides its oscillator (nominally 25 MHz, up to some per cent
off: measure it) by 4096 and by PRESCALE + 1; so a step is (PRESCALE + 1) / oscillator, 4.88 us at 50 Hz. Like all
hardware it continues to pulse when its writer dies. Every `apply` writes, even unchanged pulses, so that a dead bus
shows at once.
"""

import errno
from dataclasses import dataclass
from typing import Any, Protocol, cast

from smbus2 import SMBus

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing
from shared.units import NS_PER_S
from vehicle.core.pulses import PulseResolution, Pulses
from vehicle.hardware.motors.attributes import AttributeFiles
from vehicle.hardware.motors.channels import MOTOR_CHANNEL, STEERING_CHANNEL, check_channels, log_if_unnamed
from vehicle.hardware.motors.enable_line import EnableLine

MODE1, MODE2, LED0_ON_L, PRESCALE = 0x00, 0x01, 0x06, 0xFE
AUTO_INCREMENT, SLEEP = 0x20, 0x10
TOTEM_POLE = 0x04
FULL_OFF = 0x10  # in LEDn_OFF_H: no pulse at all
COUNTS = 4096
_MIN_PRESCALE, _MAX_PRESCALE = 3, 255


class I2cBus(Protocol):
    """The part of `smbus2.SMBus` that is used here."""

    def read_byte_data(self, i2c_addr: int, register: int) -> int: ...
    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None: ...
    def write_i2c_block_data(self, i2c_addr: int, register: int, data: list[int]) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Pca9685MotorsOptions:
    """`[motors.options]` of pca9685."""

    bus: int = setting(1, min=0, max=63, what="the number in /dev/i2c-N")
    address: int = setting(0x40, min=0x08, max=0x77, what="the chip's address on the bus")
    steering_channel: int = setting(STEERING_CHANNEL, min=0, max=15)
    motor_channel: int = setting(MOTOR_CHANNEL, min=0, max=15)
    rate_hz: float = setting(
        50.0, min=24.0, max=100.0, what="pulses a second; more is finer, if the servo tolerates it"
    )
    oscillator_hz: int = setting(
        25_000_000, min=20_000_000, max=30_000_000, what="its frequency, measured on this chip"
    )
    enable_gpio: int | None = setting(
        None, min=0, max=65_535, what="the GPIO at the chip's OE pin, which cuts the outputs while it is high"
    )

    def __post_init__(self) -> None:
        check_channels(self.steering_channel, self.motor_channel)

    @property
    def prescale(self) -> int:
        """The value of PRESCALE that comes nearest to `rate_hz`."""
        return min(_MAX_PRESCALE, max(_MIN_PRESCALE, round(self.oscillator_hz / (COUNTS * self.rate_hz)) - 1))

    @property
    def step_ns(self) -> float:
        """The length of one of the 4096 counts, in nanoseconds."""
        return (self.prescale + 1) * NS_PER_S / self.oscillator_hz


class Pca9685Motors:
    """Cuts the outputs, if they have a line, and sets the rate when built; the first pulse is the first `apply`."""

    def __init__(
        self,
        options: dict[str, Any],
        clock: Clock,
        bus: I2cBus | None = None,
        attributes: AttributeFiles | None = None,
    ) -> None:
        del clock  # the chip times the pulses
        self._options = from_table(options, Pca9685MotorsOptions, "[motors.options]")
        self._line = EnableLine(self._options.enable_gpio, attributes or AttributeFiles())  # first: it needs no bus
        self._bus = bus if bus is not None else _open(self._options.bus)
        try:
            self._set_up()
        except BaseException:
            self._bus.close()
            raise
        log_if_unnamed(options)  # only now: an absent one is retried, and would log each time

    @property
    def resolution(self) -> PulseResolution:
        return PulseResolution(self._options.step_ns)

    @property
    def is_cut(self) -> bool:
        return self._line.is_cut

    def apply(self, pulses: Pulses) -> None:
        period_ns = self._options.step_ns * COUNTS
        for width_ns in (pulses.steering_ns, pulses.throttle_ns):
            if not 0 < width_ns < period_ns - self._options.step_ns:
                raise HardwareMissing(
                    f"the PCA9685 refuses a pulse of {width_ns} ns: its period is {period_ns:.0f} ns."
                )
        # The motor first: if the second write fails, the car is no faster than it should be.
        self._pulse(self._options.motor_channel, pulses.throttle_ns)
        self._pulse(self._options.steering_channel, pulses.steering_ns)

    def neutral(self) -> None:
        """No pulse at all, the motor first: for when calibrated pulses were refused, or there is no calibration."""
        try:
            self._write_channel(self._options.motor_channel, [0, 0, 0, FULL_OFF])
        finally:
            self._write_channel(self._options.steering_channel, [0, 0, 0, FULL_OFF])

    def enable(self) -> None:
        self._line.enable()

    def cut(self) -> None:
        self._line.cut()

    def close(self) -> None:
        """Close the bus; the chip continues its pulses."""
        self._bus.close()

    def _set_up(self) -> None:
        mode, prescale = self._read(MODE1), self._options.prescale
        if not mode & SLEEP and self._read(PRESCALE) == prescale:
            self._write(MODE1, AUTO_INCREMENT)  # it is set up already: its pulses continue without a gap
            return
        self._write(MODE1, AUTO_INCREMENT | SLEEP)  # the divider can only be set while the chip sleeps
        self.neutral()  # before it wakes: old values in the registers must not pulse
        self._write(PRESCALE, prescale)
        self._write(MODE2, TOTEM_POLE)
        self._write(MODE1, AUTO_INCREMENT)
        if self._read(PRESCALE) != prescale:
            raise HardwareMissing(
                f"the chip at {self._options.address:#x} did not accept the pulse rate: is it a PCA9685?"
            )

    def _pulse(self, channel: int, width_ns: int) -> None:
        count = self.resolution.steps(width_ns)
        self._write_channel(channel, [0, 0, count & 0xFF, count >> 8])

    def _write_channel(self, channel: int, registers: list[int]) -> None:
        try:
            self._bus.write_i2c_block_data(self._options.address, LED0_ON_L + 4 * channel, registers)
        except OSError as error:
            raise self._no_answer(error) from None

    def _write(self, register: int, value: int) -> None:
        try:
            self._bus.write_byte_data(self._options.address, register, value)
        except OSError as error:
            raise self._no_answer(error) from None

    def _read(self, register: int) -> int:
        try:
            return self._bus.read_byte_data(self._options.address, register)
        except OSError as error:
            raise self._no_answer(error) from None

    def _no_answer(self, error: OSError) -> HardwareMissing:
        where = f"{self._options.address:#x} on /dev/i2c-{self._options.bus}"
        if error.errno == errno.EBUSY:
            return HardwareMissing(
                f'the kernel itself drives the PCA9685 at {where}: set `driver = "sysfs"` with '
                f'`chip = "i2c-{self._options.bus}"`, or remove its `dtoverlay`.'
            )
        return HardwareMissing(f"the PCA9685 at {where} does not answer ({error.strerror or error}): check its wires.")


def _open(number: int) -> I2cBus:
    try:
        return cast(I2cBus, SMBus(number))
    except OSError as error:
        raise HardwareMissing(
            f"/dev/i2c-{number} cannot be opened ({error.strerror or error}): switch I2C on, and check the number."
        ) from None
