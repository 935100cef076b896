"""The steps of the calibration wizard, pure: which width is next, what may be tried, what was found so far.

Used by the terminal's wizard and the phone's. A width is always one that the motors can make. Nine steps: first whether
the steering channel moves the steering, tried with the smallest visible pulse; then middle and ends of steering and
motor; then the direction of each. It sets no pulses itself: `trial_pulses`, `demo_pulses` and `neutral_pulses` return
them, and the caller ends them.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from shared.errors import ConfigError, Refused
from shared.text import text
from vehicle.core.pulses import Calibration, ChannelCalibration, PulseResolution, Pulses, neutral_pulses

NS_PER_US = 1_000
MIN_US, MAX_US = 500, 2_500
VISIBLE_NS = 40_000  # turns a servo by a few degrees; a motor controller connected by mistake hardly reacts

ChannelName = Literal["steering", "motor"]
StepPart = Literal["channel", "min_ns", "mid_ns", "max_ns", "polarity"]
# The steps that ask a question about a pulse; the others find a width.
QUESTIONS: frozenset[StepPart] = frozenset({"channel", "polarity"})
SWAPPED = text(
    "The calibration stops here: the motor may be connected where the steering should be. "
    "Swap the two channels (or pins) under [motors.options], check the plugs, and begin "
    "again."
)


@dataclass(frozen=True, slots=True)
class CalibrationStep:
    """One width to be found, or one question: what a pulse moved, or which way."""

    channel: ChannelName
    part: StepPart
    question: str


STEPS = (
    CalibrationStep(
        "steering", "channel", text("Which wheel moved? Did the front wheels turn to one side, and did no wheel spin?")
    ),
    CalibrationStep("steering", "mid_ns", text("Steering, middle: the front wheels point straight ahead.")),
    CalibrationStep(
        "steering", "min_ns", text("Steering, shortest pulse: as far to one side as the wheels go without force.")
    ),
    CalibrationStep("steering", "max_ns", text("Steering, longest pulse: as far to the other side without force.")),
    CalibrationStep("motor", "mid_ns", text("Motor, middle: the wheels stand still.")),
    CalibrationStep(
        "motor", "min_ns", text("Motor, shortest pulse: the fastest that you will ever want in that direction.")
    ),
    CalibrationStep("motor", "max_ns", text("Motor, longest pulse: the same in the other direction.")),
    CalibrationStep("steering", "polarity", text("Steering: do the wheels point to the left?")),
    CalibrationStep("motor", "polarity", text("Motor: do the wheels turn forward?")),
)


def check_width_us(width_us: int) -> int:
    """Return `width_us`. Raises Refused unless it is a pulse width of a servo, MIN_US to MAX_US."""
    if not MIN_US <= width_us <= MAX_US:
        raise Refused(
            text(
                "{width_us} us is not a pulse width for a servo; use {min_us} to {max_us}.",
                width_us=width_us,
                min_us=MIN_US,
                max_us=MAX_US,
            )
        )
    return width_us


class CalibrationSteps:
    """The calibration found so far, and `step`, the next one to do, which is None when all are done."""

    def __init__(self, start: Calibration, resolution: PulseResolution) -> None:
        self.calibration = start
        self._resolution = resolution
        self._index = 0
        self._was_shown = False
        self._width_ns = self._saved_ns()

    @property
    def width_us(self) -> int:
        """What the motors make of this step's width, to the nearest microsecond; 0 if the step finds none."""
        return round(self._resolution.width_ns(self._resolution.steps(self._width_ns)) / NS_PER_US)

    @property
    def step_us(self) -> int:
        """The smallest change of a width, in whole microseconds, that the motors can tell from none."""
        return math.ceil(self._resolution.step_ns / NS_PER_US)

    @property
    def index(self) -> int:
        """How many steps are done."""
        return self._index

    @property
    def step(self) -> CalibrationStep | None:
        """The next step to do; None when all are done."""
        return STEPS[self._index] if self._index < len(STEPS) else None

    def trial_pulses(self, width_us: int) -> Pulses:
        """The pulses that try the nearest width that the motors can make.

        Raises Refused if the step finds no width or it is out of range.
        """
        step = self._require_step("width")
        self._width_ns = self._nearest_ns(check_width_us(width_us) * NS_PER_US)
        return self._pulses_for(step.channel, self._width_ns)

    def accept_width(self) -> None:
        """Accept the current width and go to the next step. Raises Refused when the widths would be out of order."""
        step = self._require_step("width")
        channel, width_ns = self._channel(step.channel), self._width_ns
        changed = {step.part: width_ns}
        if step.part == "mid_ns":  # a new middle moves the ends outwards; an end must lie on its side
            changed |= {
                "min_ns": min(channel.min_ns, width_ns - NS_PER_US),
                "max_ns": max(channel.max_ns, width_ns + NS_PER_US),
            }
        if width_ns != self._saved_ns():  # an unchanged width stays exact to the nanosecond
            try:
                self._replace_channel(step.channel, replace(channel, **changed))
            except ConfigError as error:
                raise Refused(text("That does not fit: {why}", why=str(error))) from None
        self._move(1)

    def demo_pulses(self) -> Pulses:
        """The pulses that show what this step asks about. Raises Refused if the step asks no question."""
        step = self._require_step("question")
        self._was_shown = True
        channel = self._channel(step.channel)
        if step.part == "channel":
            return self._pulses_for(step.channel, channel.mid_ns + VISIBLE_NS)
        return self._pulses_for(step.channel, channel.mid_ns + (channel.max_ns - channel.mid_ns) // 2)

    def answer(self, yes: bool) -> None:
        """Answer this step's question: did the right wheel move, or did it go left, or forward?

        On the stock car left and forward are +1 after the polarity. Raises Refused if the step asks no question, if
        the test pulse was not sent, or if the answer means that the channels are swapped.
        """
        step = self._require_step("question")
        if step.part == "channel":
            self._answer_channel(yes)
            return
        self._replace_channel(step.channel, replace(self._channel(step.channel), polarity=1 if yes else -1))
        self._move(1)

    def _answer_channel(self, yes: bool) -> None:
        if not self._was_shown:
            raise Refused(text("Send the test pulse first, and watch the wheels."))
        self._was_shown = False
        if not yes:
            raise Refused(SWAPPED)
        self._move(1)

    def back(self) -> None:
        """Go back one step."""
        if self._index:
            self._move(-1)

    def neutral_pulses(self) -> Pulses:
        """Neutral by the calibration found so far."""
        return neutral_pulses(self.calibration, self._resolution)

    def _require_step(self, kind: Literal["width", "question"]) -> CalibrationStep:
        """The current step. Raises Refused if it is not of this kind."""
        step = self.step
        if step is None or (step.part in QUESTIONS) != (kind == "question"):
            raise Refused(text("The calibration is at another step."))
        return step

    def _move(self, by: int) -> None:
        self._index += by
        self._width_ns = self._saved_ns()

    def _saved_ns(self) -> int:
        """The width that this step has in the calibration; 0 if the step finds none."""
        step = self.step
        if step is None or step.part in QUESTIONS:
            return 0
        return int(getattr(self._channel(step.channel), step.part))

    def _nearest_ns(self, width_ns: float) -> int:
        """The width nearest to this one that the motors can make, whatever they would do to it."""
        return self._resolution.width_ns(round(width_ns / self._resolution.step_ns))

    def _pulses_for(self, channel: ChannelName, width_ns: int) -> Pulses:
        """This channel at the nearest width that the motors can make, the other in its middle."""
        width_ns = self._nearest_ns(width_ns)
        neutral = self.neutral_pulses()
        return (
            replace(neutral, steering_ns=width_ns) if channel == "steering" else replace(neutral, throttle_ns=width_ns)
        )

    def _channel(self, name: ChannelName) -> ChannelCalibration:
        return self.calibration.steering if name == "steering" else self.calibration.motor

    def _replace_channel(self, name: ChannelName, channel: ChannelCalibration) -> None:
        self.calibration = replace(self.calibration, **{name: channel})
