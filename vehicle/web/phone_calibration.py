"""The console's part in a calibration: which phone calibrates, and the guard's last status of it. Thread-safe."""

import threading
from collections.abc import Callable

from shared.errors import Refused
from shared.text import text
from vehicle.core.calibration_session import CLOSED
from vehicle.core.messages import CalibrationAction, CalibrationCommand, CalibrationStatus
from vehicle.core.pulses import Calibration
from vehicle.process.channel import IpcMessage


class PhoneCalibration:
    """Passes one phone's calibration to the guard. `may_begin` raises Refused if a session may not have the car."""

    def __init__(self, send: Callable[[IpcMessage], bool], may_begin: Callable[[str, float], None]) -> None:
        self._send, self._may_begin = send, may_begin
        self._lock = threading.RLock()
        self._session = ""
        self.status = CLOSED

    def on_status(self, status: CalibrationStatus) -> None:
        """Store the guard's newest status; a closed calibration belongs to no phone."""
        with self._lock:
            self.status = status
            if not status.is_open:
                self._session = ""

    def command(self, session: str, action: CalibrationAction, width_us: int, now_s: float) -> None:
        """Send a phone's command to the guard; its result comes with the status. Raises Refused."""
        if action == "begin":
            self._may_begin(session, now_s)  # before our lock: it takes the lock of PhoneControl
        with self._lock:
            if self._session not in ("", session):
                raise Refused(text("Another phone is calibrating the car."))
            if action != "begin" and not self.status.is_open:
                raise Refused(text("The calibration has ended: begin it again."))
            self._session = session
            if not self._send(CalibrationCommand(action, width_us)):
                raise Refused(text("The car's guard does not respond: try again."))

    def finished(self, session: str) -> Calibration:
        """The result of this phone's calibration. Raises Refused until all steps are done."""
        with self._lock:
            status = self.status
            if session != self._session or status.found is None or status.step < status.steps:
                raise Refused(text("The calibration is not done yet."))
            return status.found

    def is_calibrating(self, session: str) -> bool:
        """Whether this session's phone is calibrating the car."""
        return bool(session) and session == self._session

    def set_neutral(self) -> None:
        """Set the wheels to neutral, whichever phone asks."""
        if self.status.is_open:
            self._send(CalibrationCommand("neutral"))
