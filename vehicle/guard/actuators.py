"""The guard's access to the motors: actions become pulses, and neutral is retried and never fails silently.

A car with an enable line is cut from the start, and whenever neutral was set outside the loop; a trip cuts it. Only an
armed car or a calibration enables it, and what comes out first is neutral. The line is cut before a pulse is written: a
bus that hangs, as I2C may for a second, delays no cut.
"""

from shared.protocol.messages import CarMode
from vehicle.core.actions import NEUTRAL, Action
from vehicle.core.modes import ARMED, LATCHED
from vehicle.core.pulses import NO_PULSES, Calibration, PulseResolution, Pulses, neutral_pulses, to_pulses
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
    def resolution(self) -> PulseResolution:
        """The widths that the driver can make."""
        assert self._motors is not None, "a car without motors is not calibrated"
        return self._motors.resolution

    @property
    def is_attached(self) -> bool:
        """Whether motors are attached."""
        return self._motors is not None

    def attach(self, motors: Motors) -> None:
        """Use motors that were absent until now."""
        self._motors = motors

    def set_pulses(self, pulses: Pulses) -> None:
        """Set these pulses and let them out, for a calibration. Raises HardwareMissing when the device refuses."""
        assert self._motors is not None, "a car without motors is not calibrated"
        self._motors.apply(pulses)
        self._motors.enable()

    def apply_action(self, action: Action, mode: CarMode) -> Pulses | None:
        """Set the pulses of a limited action; returns those that come out, None without calibration or motors.

        Raises HardwareMissing when the device refuses.
        """
        if self.calibration is None or self._motors is None:
            assert action == NEUTRAL, "a car without calibration or motors cannot be armed"
            if self._motors is not None and mode in LATCHED:
                self._motors.cut()
            return None
        if mode in LATCHED:
            return self._apply_cut(action, self._motors, self.calibration)
        first = mode in ARMED and self._motors.is_cut
        pulses = to_pulses(NEUTRAL if first else action, self.calibration, self._motors.resolution)
        self._motors.apply(pulses)
        # In every pass, not only at a change: whoever else may have written to the line, it is right again at once.
        if mode in ARMED:
            self._motors.enable()
        return NO_PULSES if self._motors.is_cut else pulses

    @staticmethod
    def _apply_cut(action: Action, motors: Motors, calibration: Calibration) -> Pulses:
        """Cut the outputs, then set the pulses of the action behind them, even if the line refuses."""
        pulses = to_pulses(action, calibration, motors.resolution)
        try:
            motors.cut()
        finally:
            motors.apply(pulses)
        return NO_PULSES if motors.is_cut else pulses

    def set_neutral(self) -> None:
        """Cut the outputs, and set neutral by the calibration, or else the driver's own.

        Raises what the line raises, or the driver at the last try.
        """
        if self._motors is None:
            return
        try:
            self._motors.cut()  # by a line of its own: it works even if the pulses cannot be set
        finally:
            self._try_neutral(self._motors)

    def _try_neutral(self, motors: Motors) -> None:
        if self.calibration is None:
            motors.neutral()
            return
        for attempt in range(1, _NEUTRAL_TRIES + 1):
            try:
                motors.apply(neutral_pulses(self.calibration, motors.resolution))
            except Exception as error:  # whatever it is, the motors come first
                log(f"the motors could not be set to neutral ({error}); trying again.")
                if attempt == _NEUTRAL_TRIES:
                    motors.neutral()
            else:
                return

    def close(self) -> None:
        """Close the device; idempotent."""
        if self._motors is not None:
            self._motors.close()
            self._motors = None
