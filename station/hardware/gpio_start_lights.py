"""Driver "gpio": start lights on header pins, each an LED (or the relay of a lamp), through gpiozero."""

from dataclasses import dataclass
from typing import Any, Literal

from gpiozero import LED

from shared.config import from_table, setting
from shared.errors import ConfigError, HardwareMissing
from station.gates.gpio.pins import open_factory, pin_errors, why_not_usable
from station.hardware.driver import LIGHTS

OWNER = "the start lights"


@dataclass(frozen=True, slots=True)
class GpioStartLightsOptions:
    """`[start_lights.options]` of the driver "gpio"."""

    pins: tuple[int, ...] = setting(what="the GPIO (BCM) number of each light, in the order in which they are lit")
    active_high: bool = setting(True, what="false: a low level turns a light on")
    factory: Literal["lgpio", "pigpio", "native", "rpigpio", "mock"] = setting("lgpio", what="gpiozero's pin factory")
    chip: int = setting(-1, min=-1, max=15, what="the number of /dev/gpiochip; -1: the board's own")


class GpioStartLights:
    """A `StartLightsDriver`; it claims its pins when it is constructed, all off. Raises OperatorError."""

    def __init__(self, options: dict[str, Any]) -> None:
        chosen = from_table(options, GpioStartLightsOptions, "start_lights")
        if not 1 <= len(chosen.pins) <= LIGHTS or len(set(chosen.pins)) != len(chosen.pins):
            raise ConfigError(f"start_lights: `pins` must give 1 to {LIGHTS} GPIO numbers, each once.")
        factory = open_factory(OWNER, chosen.factory, chosen.chip)
        self._errors = pin_errors(OWNER, chosen.factory)
        self._lights: list[Any] = []
        for pin in chosen.pins:
            try:
                self._lights.append(LED(pin, active_high=chosen.active_high, initial_value=False, pin_factory=factory))
            except self._errors as error:
                self.close()
                raise HardwareMissing(f"{OWNER}: {why_not_usable(error, pin)}") from None

    def show(self, lit: int) -> None:
        for number, light in enumerate(self._lights):
            try:
                light.value = number < lit
            except self._errors as error:
                raise HardwareMissing(f"{OWNER}: light {number + 1} cannot be switched ({error}).") from None

    def close(self) -> None:
        for light in self._lights:
            light.close()
