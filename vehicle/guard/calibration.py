"""The guard's part in a calibration from the phone: only while the car is not armed, and always ending in neutral."""

from collections.abc import Callable

from shared.errors import BadInput, HardwareMissing
from shared.text import text
from vehicle.core.calibration_session import CLOSED, CalibrationSession
from vehicle.core.controller import DriveController
from vehicle.core.messages import CalibrationCommand, CalibrationStatus
from vehicle.core.pulses import STOCK_CALIBRATION, Calibration, Pulses, require_fine_enough
from vehicle.guard.actuators import Actuators
from vehicle.guard.failsafe_link import FailsafeLink
from vehicle.process.log import log

_OPEN_IN = frozenset({"disarmed", "stopped"})


class CalibrationControl:
    """Runs a calibration from the phone on the motors.

    `load_saved` reads the calibration that the car's config names; `publish` sends a status to comms.
    """

    def __init__(
        self,
        controller: DriveController,
        actuators: Actuators,
        failsafe: FailsafeLink,
        load_saved: Callable[[], Calibration | None],
    ) -> None:
        self._controller, self._actuators, self._failsafe, self._load_saved = (
            controller,
            actuators,
            failsafe,
            load_saved,
        )
        self._session: CalibrationSession | None = None
        self._published = CLOSED
        self.publish: Callable[[CalibrationStatus], object] = lambda _: None

    def on_command(self, command: CalibrationCommand, now_ns: int) -> None:
        """Handle the phone's next command."""
        if command.action == "begin":
            self._begin(now_ns)
        elif self._session is None:
            self._close("")
        elif command.action == "cancel":
            self.end(text("The calibration was called off; the car's calibration is unchanged."))
        elif command.action == "saved":
            self._apply_saved()
        else:
            self._session.on_command(command, now_ns)
            self._publish(self._session.status())

    def tick(self, now_ns: int) -> Pulses | None:
        """Set the pulses of a running calibration and return them; None without one."""
        if self._session is None:
            return None
        if self._controller.mode not in _OPEN_IN:
            self.end(text("The calibration was called off: {reason}", reason=self._controller.mode_state.reason))
            return None
        if self._session.is_idle(now_ns):
            self.end(text("The calibration was called off: it was left idle."))
            return None
        pulses = self._session.pulses(now_ns)
        self._actuators.set_pulses(pulses)
        self._publish(self._session.status())
        return pulses

    def end(self, message: str) -> None:
        """End the calibration in neutral by the saved calibration; its result is discarded."""
        if self._session is not None:
            self._session = None
            self._controller.calibrated = self._actuators.calibration is not None
            try:
                self._actuators.set_neutral()
            finally:
                self._close(message)

    def _begin(self, now_ns: int) -> None:
        if self._controller.mode not in _OPEN_IN:
            first = text("reset it") if self._controller.mode == "tripped" else text("stop it")
            self._close(text("The car is {mode}: {what} first.", mode=self._controller.mode, what=first))
            return
        if self._controller.movement_blocked:
            self._close(
                text(
                    "The car cannot be calibrated now. {why}",
                    why=self._controller.movement_blocked,
                )
            )
            return
        self._controller.calibrated = False  # it cannot be armed meanwhile
        self._session = CalibrationSession(
            self._actuators.calibration or STOCK_CALIBRATION, self._actuators.resolution, now_ns
        )
        self._actuators.set_pulses(self._session.pulses(now_ns))  # neutral, before the first test pulse
        log("a calibration from a phone has begun.")
        self._publish(self._session.status())

    def _apply_saved(self) -> None:
        """Load the file that comms has written; from now on the guard and the fail-safe process use it."""
        try:
            calibration = self._load_saved()
            if calibration is not None:
                require_fine_enough(calibration, self._actuators.resolution)
        except (BadInput, HardwareMissing) as error:
            self.end(str(error))
            return
        self._actuators.calibration = calibration
        self._failsafe.notify_recalibrated()
        self.end(text("The calibration is saved, and the car uses it."))
        log("the car has a new calibration.")

    def _close(self, message: str) -> None:
        self._publish(CalibrationStatus(is_open=False, message=message))

    def _publish(self, status: CalibrationStatus) -> None:
        if status != self._published or not status.is_open:
            self._published = status
            self.publish(status)
