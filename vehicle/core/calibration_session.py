"""The guard's state of a calibration from a phone, pure: one pulse at a time, and each ends by itself.

It moves the wheels of a car on a stand that is not armed. A pulse lasts one second of the car's clock, whatever the
phone, the network or comms do. The calibration ends when the phone has sent nothing for three minutes.
"""

from shared.errors import HardwareMissing, Refused
from shared.units import NS_PER_S
from vehicle.core.calibration_steps import QUESTIONS, STEPS, CalibrationSteps
from vehicle.core.messages import CalibrationCommand, CalibrationStatus
from vehicle.core.pulses import Calibration, PulseResolution, Pulses, describe_positions, require_fine_enough

PULSE_NS = NS_PER_S
IDLE_TIMEOUT_NS = 180 * NS_PER_S
CLOSED = CalibrationStatus(is_open=False)


class CalibrationSession:
    """Commands of the phone and the time go in; the pulses for the wheels come out."""

    def __init__(self, start: Calibration, resolution: PulseResolution, now_ns: int) -> None:
        self._steps = CalibrationSteps(start, resolution)
        self._resolution = resolution
        self._pulses: Pulses | None = None
        self._pulse_until_ns = self._last_command_ns = now_ns
        self._message = ""

    def on_command(self, command: CalibrationCommand, now_ns: int) -> None:
        """The phone's next command. A refusal is reported in `status`; every command ends the last pulse."""
        self._pulses, self._last_command_ns, self._message = None, now_ns, ""
        try:
            self._execute(command, now_ns)
        except Refused as refusal:
            self._message = str(refusal)

    def set_neutral(self) -> None:
        """End the test pulse at once."""
        self._pulses = None

    def is_idle(self, now_ns: int) -> bool:
        """Whether the phone has sent nothing for `IDLE_TIMEOUT_NS`."""
        return now_ns - self._last_command_ns > IDLE_TIMEOUT_NS

    def pulses(self, now_ns: int) -> Pulses:
        """The pulses to set now: the test pulse until it ends, else neutral."""
        if self._pulses is not None and now_ns >= self._pulse_until_ns:
            self._pulses = None
        return self._pulses or self._steps.neutral_pulses()

    def status(self) -> CalibrationStatus:
        """The state of the calibration, as the phone page shows it."""
        step = self._steps.step
        return CalibrationStatus(
            is_open=True,
            message=self._message,
            step=self._steps.index,
            steps=len(STEPS),
            question=step.question if step is not None else "",
            is_question=step is not None and step.part in QUESTIONS,
            width_us=self._steps.width_us,
            step_us=self._steps.step_us,
            is_pulsing=self._pulses is not None,
            found=self._steps.calibration,
        )

    def _execute(self, command: CalibrationCommand, now_ns: int) -> None:
        match command.action:
            case "try":
                self._start_pulse(self._steps.trial_pulses(command.width_us), now_ns)
            case "show":
                self._start_pulse(self._steps.demo_pulses(), now_ns)
            case "keep":
                self._steps.accept_width()
            case "yes" | "no":
                self._steps.answer(command.action == "yes")
            case "back":
                self._steps.back()
        if self._steps.step is None:
            self._finish()

    def _finish(self) -> None:
        """Say how many positions the car has. Refuses a calibration that the driver is too coarse for."""
        try:
            require_fine_enough(self._steps.calibration, self._resolution)
        except HardwareMissing as error:
            self._steps.back()
            raise Refused(str(error)) from None
        self._message = describe_positions(self._steps.calibration, self._resolution)

    def _start_pulse(self, pulses: Pulses, now_ns: int) -> None:
        self._pulses, self._pulse_until_ns = pulses, now_ns + PULSE_NS
