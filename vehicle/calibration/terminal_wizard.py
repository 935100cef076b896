"""`raceday vehicle calibrate`: a wizard in the terminal that finds a car's pulse widths, wheels off the ground.

Every test pulse ends in neutral by itself after a second, whatever is typed. Nothing is saved before the end. While it
runs it holds the guard's socket, so the car's agent cannot be started.
"""

import time
from collections.abc import Callable

from shared.errors import Refused
from vehicle.core.calibration_steps import NS_PER_US, QUESTIONS, CalibrationStep, CalibrationSteps, check_width_us
from vehicle.core.pulses import Calibration, Pulses
from vehicle.hardware.interfaces import Motors

PULSE_S = 1.0
_MAX_TRIES = 50

Ask = Callable[[str], str]


class TerminalWizard:
    """Finds a calibration by questions and test pulses.

    `ask` shows a text and returns the answer; `pause` waits for a number of seconds.
    """

    def __init__(
        self, motors: Motors, start: Calibration, ask: Ask, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._motors = motors
        self._steps = CalibrationSteps(start, motors.resolution)
        self._prompt = ask
        self._pause = pause

    def run(self) -> Calibration:
        """Ask and try until all steps are done; returns the calibration. Raises Refused if the person calls it off.

        Sets neutral and cuts the outputs in every case.
        """
        self._confirm_wheels_off()
        try:
            self._set_neutral()
            self._motors.enable()
            while (step := self._steps.step) is not None:
                if step.part in QUESTIONS:
                    self._ask_question(step)
                else:
                    self._find_width(step)
            if not self._ask_yes_no("Save this calibration?"):
                raise Refused("the calibration was not saved, as you chose.")
        finally:
            try:
                self._set_neutral()
            finally:
                self._motors.cut()
        return self._steps.calibration

    def _confirm_wheels_off(self) -> None:
        answer = self._prompt("Put the car on a stand so that no wheel touches anything, then type `wheels off`: ")
        if answer.strip() != "wheels off":
            raise Refused("the calibration was called off: the wheels are not off the ground.")

    def _find_width(self, step: CalibrationStep) -> None:
        """Try widths until an empty answer accepts one."""
        step_us = self._motors.resolution.step_ns / NS_PER_US
        for _ in range(_MAX_TRIES):
            width_us = self._steps.width_us
            answer = self._prompt(
                f"{step.question}\n  {width_us} us (the motors move in steps of {step_us:.2f} us); "
                "a number, +N or -N tries another, Enter accepts: "
            ).strip()
            try:
                if not answer:
                    self._steps.accept_width()
                    return
                self._pulse(self._steps.trial_pulses(parse_width_us(answer, width_us, self._steps.step_us)))
            except Refused as refusal:
                self._prompt(f"  {refusal} Enter: ")
        raise Refused(f"the calibration was called off after {_MAX_TRIES} tries of one width.")

    def _ask_question(self, step: CalibrationStep) -> None:
        """Send the test pulse, then ask what it moved, or which way."""
        self._pulse(self._steps.demo_pulses())
        self._steps.answer(self._ask_yes_no(f"{step.question} (it just did, for a moment)"))

    def _pulse(self, pulses: Pulses) -> None:
        """One pulse for `PULSE_S`, then neutral, also when the pause is interrupted."""
        try:
            self._motors.apply(pulses)
            self._pause(PULSE_S)
        finally:
            self._set_neutral()

    def _set_neutral(self) -> None:
        self._motors.apply(self._steps.neutral_pulses())

    def _ask_yes_no(self, question: str) -> bool:
        for _ in range(_MAX_TRIES):
            answer = self._prompt(f"{question} [y/n]: ").strip().lower()
            if answer in ("y", "yes", "n", "no"):
                return answer.startswith("y")
        raise Refused("the calibration was called off: neither y nor n was typed.")


def parse_width_us(answer: str, width_us: int, step_us: int = 1) -> int:
    """The width in microseconds: a number, or +N or -N relative to `width_us`, and then by at least `step_us`.

    Raises Refused for anything else.
    """
    try:
        number = int(answer)
    except ValueError:
        raise Refused(f"{answer[:20]!r} is not a whole number of microseconds.") from None
    if answer[0] in "+-":
        number = width_us + (max(number, step_us) if number > 0 else min(number, -step_us) if number < 0 else 0)
    return check_width_us(number)
