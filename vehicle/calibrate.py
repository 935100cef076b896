"""`raceday vehicle calibrate`: a wizard in the terminal that finds a car's pulse widths, wheels off the ground.

Every test pulse ends in neutral by itself after a moment, whatever is typed or not. Nothing is kept before the end,
and then at once. While it runs it holds the guard's socket, so no agent of this car can drive beside it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from shared.errors import ConfigError, Refused
from vehicle.core.pulses import Calibration, ChannelCalibration, Pulses
from vehicle.hardware.devices import Motors

PULSE_S = 1.0
NS_PER_US = 1_000
_LEAST_US, _MOST_US = 500, 2_500
_TRIES = 50

Channel = Literal["steering", "motor"]
Part = Literal["min_ns", "mid_ns", "max_ns"]
Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Step:
    """One width to be found."""

    channel: Channel
    part: Part
    question: str


STEPS = (
    Step("steering", "mid_ns", "Steering, middle: the front wheels point straight ahead."),
    Step("steering", "min_ns", "Steering, shortest pulse: as far to one side as the wheels go without force."),
    Step("steering", "max_ns", "Steering, longest pulse: as far to the other side."),
    Step("motor", "mid_ns", "Motor, middle: the wheels stand still."),
    Step("motor", "min_ns", "Motor, shortest pulse: the fastest that you will ever want in that direction."),
    Step("motor", "max_ns", "Motor, longest pulse: the same in the other direction."),
)


class Wizard:
    """Asks, pulses, returns. `ask` shows a text and gives the answer; `pause` waits so many seconds."""

    def __init__(
        self, motors: Motors, start: Calibration, ask: Ask, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._motors = motors
        self._found = start
        self._ask = ask
        self._pause = pause

    def run(self) -> Calibration:
        """The calibration that was found. Raises Refused when it was called off. Neutral on every way out."""
        self._wheels_off()
        try:
            for step in STEPS:
                self._find(step)
            self._polarity("steering", "Steering: do the wheels point to the left?")
            self._polarity("motor", "Motor: do the wheels turn forward?")
            if not self._yes("Keep this calibration?"):
                raise Refused("the calibration was not kept, as you wished.")
        finally:
            self._rest()
        return self._found

    def _wheels_off(self) -> None:
        if self._ask("Put the car on a stand so that no wheel touches anything, then type `wheels off`: ").strip() != (
            "wheels off"
        ):
            raise Refused("the calibration was called off: the wheels are not off the ground.")

    def _find(self, step: Step) -> None:
        """Try widths until one is taken with an empty answer."""
        width_us = getattr(self._channel(step.channel), step.part) // NS_PER_US
        for _ in range(_TRIES):
            answer = self._ask(
                f"{step.question}\n  {width_us} us; a number, +N or -N tries another, Enter keeps: "
            ).strip()
            if not answer:
                if self._keep(step, width_us):
                    return
                continue
            try:
                width_us = tried_us(answer, width_us)
            except Refused as refusal:
                self._ask(f"  {refusal} Enter: ")
                continue
            self._test(step.channel, width_us * NS_PER_US)
        raise Refused(f"the calibration was called off after {_TRIES} tries of one width.")

    def _keep(self, step: Step, width_us: int) -> bool:
        """The ends must lie on their sides of the middle; a middle may push the ends away from it."""
        channel = self._channel(step.channel)
        width_ns = width_us * NS_PER_US
        if width_us == getattr(channel, step.part) // NS_PER_US:
            return True  # as it was, to the nanosecond
        changed = {step.part: width_ns}
        if step.part == "mid_ns":
            changed |= {
                "min_ns": min(channel.min_ns, width_ns - NS_PER_US),
                "max_ns": max(channel.max_ns, width_ns + NS_PER_US),
            }
        try:
            self._set(step.channel, replace(channel, **changed))
        except ConfigError as error:
            self._ask(f"  That does not fit: {error} Enter: ")
            return False
        return True

    def _polarity(self, name: Channel, question: str) -> None:
        """Which way does the longer pulse go? The stock car: forward and left are +1 after the polarity."""
        channel = self._channel(name)
        self._test(name, channel.mid_ns + (channel.max_ns - channel.mid_ns) // 2)
        self._set(name, replace(channel, polarity=1 if self._yes(f"{question} (it just did, for a moment)") else -1))

    def _test(self, name: Channel, width_ns: int) -> None:
        """One pulse for a moment, then neutral; also when the pause is broken off."""
        rest = self._middle()
        width_ns = self._rounded(width_ns)
        other = replace(rest, steering_ns=width_ns) if name == "steering" else replace(rest, throttle_ns=width_ns)
        try:
            self._motors.apply(other)
            self._pause(PULSE_S)
        finally:
            self._rest()

    def _rest(self) -> None:
        self._motors.apply(self._middle())

    def _middle(self) -> Pulses:
        """As it is known so far."""
        return Pulses(self._rounded(self._found.steering.mid_ns), self._rounded(self._found.motor.mid_ns))

    def _rounded(self, width_ns: int) -> int:
        """To what the driver can do, before it would truncate."""
        step_ns = self._motors.resolution_ns
        return round(width_ns / step_ns) * step_ns

    def _yes(self, question: str) -> bool:
        for _ in range(_TRIES):
            answer = self._ask(f"{question} [y/n]: ").strip().lower()
            if answer in ("y", "yes", "n", "no"):
                return answer.startswith("y")
        raise Refused("the calibration was called off: neither y nor n was typed.")

    def _channel(self, name: Channel) -> ChannelCalibration:
        return self._found.steering if name == "steering" else self._found.motor

    def _set(self, name: Channel, channel: ChannelCalibration) -> None:
        changed = {"steering": channel} if name == "steering" else {"motor": channel}
        self._found = replace(self._found, **changed)


def tried_us(answer: str, width_us: int) -> int:
    """A number of microseconds, or a step from the last one. Raises Refused for anything else."""
    try:
        number = int(answer)
    except ValueError:
        raise Refused(f"{answer[:20]!r} is not a whole number of microseconds.") from None
    wanted = width_us + number if answer[0] in "+-" else number
    if not _LEAST_US <= wanted <= _MOST_US:
        raise Refused(f"{wanted} us is no width for a servo; {_LEAST_US} to {_MOST_US} are.")
    return wanted
