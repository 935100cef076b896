"""PWM by gpiozero on two header pins: only as precise as the pin library, which is often too coarse.

What the libraries do to a duty cycle (read in gpiozero 2.0.1, `pins/*.py`): lgpio uses whole per cent, `int(value *
100)`, which is 200 us at 50 Hz; RPi.GPIO accepts any share but times it in a thread, some 100 us off; pigpio uses
`int(value * 10000)` and samples at 5 us. Only pigpio passes the check against the stock calibration.
"""

import importlib
from dataclasses import dataclass
from typing import Any

from gpiozero import PWMOutputDevice
from gpiozero.pins import Factory

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import ConfigError, HardwareMissing
from shared.units import NS_PER_S
from vehicle.core.pulses import PERIOD_NS, PulseResolution, Pulses


@dataclass(frozen=True, slots=True)
class PinLibrary:
    """A pin library: its gpiozero module and factory, its real resolution, and its counts per period (it truncates)."""

    module: str
    factory: str
    resolution_ns: int
    counts: int


LIBRARIES: dict[str, PinLibrary] = {
    "pigpio": PinLibrary("gpiozero.pins.pigpio", "PiGPIOFactory", 5_000, 10_000),
    "rpigpio": PinLibrary("gpiozero.pins.rpigpio", "RPiGPIOFactory", 100_000, 200),
    "lgpio": PinLibrary("gpiozero.pins.lgpio", "LGPIOFactory", 200_000, 100),
}


@dataclass(frozen=True, slots=True)
class GpioMotorsOptions:
    """`[motors.options]` of gpio."""

    steering_pin: int = setting(what="the header pin of the steering servo, by its GPIO number")
    motor_pin: int = setting(what="the header pin of the motor's controller, by its GPIO number")
    library: str = setting("pigpio", choices=tuple(LIBRARIES), what="gpiozero's pin library")

    def __post_init__(self) -> None:
        if self.steering_pin == self.motor_pin:
            raise ConfigError("`steering_pin` and `motor_pin` are the same; each needs a pin of its own.")


class GpioMotors:
    """Reserves its pins when built, without a pulse. gpiozero ends the pulses with its process, unless it is killed."""

    is_cut = False  # there is no enable line

    def __init__(self, options: dict[str, Any], clock: Clock, factory: Factory | None = None) -> None:
        del clock  # the library times the pulses
        self._options = from_table(options, GpioMotorsOptions, "[motors.options]")
        self._library = LIBRARIES[self._options.library]
        pin_factory = factory if factory is not None else _factory(self._library)
        self._own = pin_factory if factory is None else None
        self._pins: list[PWMOutputDevice] = []
        try:
            for number in (self._options.motor_pin, self._options.steering_pin):
                self._pins.append(PWMOutputDevice(number, frequency=NS_PER_S // PERIOD_NS, pin_factory=pin_factory))
        except Exception as error:  # each pin library has errors of its own kind: lgpio.error, pigpio.error
            self.close()
            raise HardwareMissing(f"GPIO{number} cannot pulse ({error}): is the pin free, and on the header?") from None

    @property
    def resolution(self) -> PulseResolution:
        return PulseResolution(self._library.resolution_ns)

    def apply(self, pulses: Pulses) -> None:
        widths = (pulses.throttle_ns, pulses.steering_ns)  # the motor first
        for width_ns in widths:
            if not 0 < width_ns < PERIOD_NS:
                raise HardwareMissing(f"GPIO refuses a pulse of {width_ns} ns: the period is {PERIOD_NS} ns.")
        try:
            for pin, width_ns in zip(self._pins, widths, strict=True):
                pin.value = self._share(width_ns)
        except Exception as error:  # of whatever kind: the guard trips and opens the pins again
            raise HardwareMissing(f"the pins no longer take pulses ({error}).") from None

    def neutral(self) -> None:
        """No pulse at all, the motor first: for when calibrated pulses were refused, or there is no calibration."""
        motor, steering = self._pins
        try:
            motor.off()
            steering.off()
        except Exception as error:  # of whatever kind: the guard trips and opens the pins again
            raise HardwareMissing(f"the pins no longer take pulses ({error}).") from None

    def enable(self) -> None:
        """Nothing to enable."""

    def cut(self) -> None:
        """Nothing to cut."""

    def close(self) -> None:
        for pin in self._pins:
            pin.close()
        if self._own is not None:
            self._own.close()
            self._own = None

    def _share(self, width_ns: int) -> float:
        """The duty cycle, 0 to 1, that the library truncates to the count of this width."""
        count = -(-width_ns * self._library.counts // PERIOD_NS)
        return (count + 0.5) / self._library.counts


def _factory(library: PinLibrary) -> Factory:
    try:
        factory: Factory = getattr(importlib.import_module(library.module), library.factory)()
    except Exception as error:  # no library, no chip, no daemon: each has errors of its own kind
        raise HardwareMissing(
            f"gpiozero's {library.factory} does not start ({error}): install it (pigpio: its daemon too), or choose "
            "sysfs or pca9685, which are finer."
        ) from None
    return factory
