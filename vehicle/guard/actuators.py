"""The guard's access to the motors: actions become pulses, and neutral is retried and never fails silently."""

from vehicle.core.actions import NEUTRAL, Action
from vehicle.core.pulses import Calibration, Pulses, neutral_pulses, to_pulses
from vehicle.hardware.interfaces import Motors
from vehicle.process.log import log

_NEUTRAL_TRIES = 3


class Actuators:
    """The motors with the calibration of this car; without one no pulse is sent, since neutral is not known.

    Motors may be absent (None): then no pulse is sent.
    """

    def __init__(self, motors: Motors | None, calibration: Calibration | None) -> None:
        self._motors = motors
        self.calibration = calibration

    @property
    def resolution_ns(self) -> int:
        """The step of the driver's pulse widths, in nanoseconds."""
        assert self._motors is not None, "a car without motors is not calibrated"
        return self._motors.resolution_ns

    @property
    def is_attached(self) -> bool:
        """Whether motors are attached."""
        return self._motors is not None

    def attach(self, motors: Motors) -> None:
        """Use motors that were absent until now."""
        self._motors = motors

    def set_pulses(self, pulses: Pulses) -> None:
        """Set these pulses, for a calibration. Raises HardwareMissing when the device refuses."""
        assert self._motors is not None, "a car without motors is not calibrated"
        self._motors.apply(pulses)

    def apply_action(self, action: Action) -> Pulses | None:
        """Set the pulses of a limited action and return them. Raises HardwareMissing when the device refuses."""
        if self.calibration is None or self._motors is None:
            assert action == NEUTRAL, "a car without calibration or motors cannot be armed"
            return None
        pulses = to_pulses(action, self.calibration, self._motors.resolution_ns)
        self._motors.apply(pulses)
        return pulses

    def set_neutral(self) -> None:
        """Set neutral by the calibration, or else the driver's own. Raises what the driver raises at the last try."""
        if self._motors is None:
            return
        if self.calibration is None:
            self._motors.neutral()
            return
        for attempt in range(1, _NEUTRAL_TRIES + 1):
            try:
                self._motors.apply(neutral_pulses(self.calibration, self._motors.resolution_ns))
            except Exception as error:  # whatever it is, the motors come first
                log(f"the motors could not be set to neutral ({error}); trying again.")
                if attempt == _NEUTRAL_TRIES:
                    self._motors.neutral()
            else:
                return

    def close(self) -> None:
        """Close the device; idempotent."""
        if self._motors is not None:
            self._motors.close()
            self._motors = None
