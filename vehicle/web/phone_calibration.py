"""The desk's part in a calibration: which phone calibrates, and how it stands by the guard's last word. Thread-safe."""

import threading
from collections.abc import Callable

from shared.errors import Refused
from vehicle.core.calibration_session import CLOSED
from vehicle.core.messages import CalibrationAction, CalibrationCommand, CalibrationStatus
from vehicle.core.pulses import Calibration
from vehicle.process.channel import IpcMessage


class PhoneCalibration:
    """`may_begin` raises Refused when this session may not have the car now."""

    def __init__(self, send: Callable[[IpcMessage], bool], may_begin: Callable[[str, float], None]) -> None:
        self._send, self._may_begin = send, may_begin
        self._lock = threading.RLock()
        self._session = ""
        self.status = CLOSED

    def on_status(self, status: CalibrationStatus) -> None:
        """The guard's word."""
        with self._lock:
            self.status = status
            if not status.is_open:
                self._session = ""

    def command(self, session: str, action: CalibrationAction, width_us: int, now_s: float) -> None:
        """A word of the phone's; its answer comes with the status. Raises Refused."""
        if action == "begin":
            self._may_begin(session, now_s)  # before our lock: it takes the desk's
        with self._lock:
            if self._session not in ("", session):
                raise Refused("Another phone calibrates the car.")
            if action != "begin" and not self.status.is_open:
                raise Refused("The calibration has ended: begin it again.")
            self._session = session
            if not self._send(CalibrationCommand(action, width_us)):
                raise Refused("The car's guard does not listen: try again.")

    def finished(self, session: str) -> Calibration:
        """What this phone's calibration found, all steps done. Raises Refused."""
        with self._lock:
            status = self.status
            if session != self._session or status.found is None or status.step < status.steps:
                raise Refused("The calibration is not done yet.")
            return status.found

    def is_calibrating(self, session: str) -> bool:
        """Is it this phone that calibrates?"""
        return bool(session) and session == self._session

    def set_neutral(self) -> None:
        """The wheels at rest, whoever asks."""
        if self.status.is_open:
            self._send(CalibrationCommand("neutral"))
