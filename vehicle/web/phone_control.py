"""The phone's control of the car: the guard's last state, and which phone holds it. Thread-safe; times are arguments.

Who leases: the station for a run, the phone for free practice. While the station leases this car to a run, or has
stopped it, the phone may only stop it; while a phone holds the car, a station that has no run for it does not take the
lease away. The phone's lease answers a heartbeat, as the station's does, so a late renewal has expired on arrival.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import Refused
from shared.protocol.messages import CarHeartbeat, CarMode, CarState, CarTelemetry, DriveOrder, Lease, OrderAction
from shared.text import text
from vehicle.core.calibration_session import CLOSED
from vehicle.core.messages import (
    PHONE_RUN_ID,
    CalibrationStatus,
    ControlTrace,
    LoopTelemetry,
    ReloadModel,
    ThrottleLimit,
)
from vehicle.core.modes import ARMED
from vehicle.core.telemetry import telemetry
from vehicle.process.channel import IpcMessage
from vehicle.recordings.frame_feed import RecordedFrame
from vehicle.web.phone_calibration import PhoneCalibration

LEASE_MS = 1000
_ORDER_TTL_MS = 1500
_HOLD_TIMEOUT_S = 1.5
_STATION_TIMEOUT_S = 3.0
_STATION_STOP_TIMEOUT_S = 10.0
_START_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class PhoneStatus:
    """What the page shows. Its next renewal answers `heartbeat`; `loop` is the telemetry of the last half second.

    `station`: whether a station is on, and whether a phone may practise; `refusal`: why it leases nothing to this car.
    """

    mode: CarMode
    reason: str
    heartbeat: int
    has_control: bool
    station_runs: bool
    throttle_percent: int
    steering: float
    throttle: float
    model: str
    picture_seq: int
    loop: CarTelemetry
    calibration: CalibrationStatus = CLOSED
    is_calibrating: bool = False
    refusal: str = ""
    station: str = ""


class PhoneControl:
    """Which phone controls this car. `send` puts a message on the guard's channel; False: it was dropped.

    `stop_locally` stops the car by its local socket and returns a sentence; `clock_rate` is the speed of the car's
    clock relative to real time.
    """

    def __init__(
        self, boot: str, send: Callable[[IpcMessage], bool], stop_locally: Callable[[], str], clock_rate: float = 1.0
    ) -> None:
        self._boot, self._send, self._stop_locally, self._rate = boot, send, stop_locally, clock_rate
        self._lock = threading.RLock()
        self._state = CarState(True, "disarmed")
        self._heartbeat = 0
        self._telemetry = telemetry(LoopTelemetry(0, 0, 0, 0, (), (), 0.0, 0.0))
        self._trace: ControlTrace | None = None
        self.picture: RecordedFrame | None = None
        self._holder = ""
        self._renewed_s = self._started_s = float("-inf")
        self._station_drove_s = self._station_stopped_s = self._refused_s = float("-inf")
        self._station_reports_stop = False
        self._refusal = ""  # why the station leases nothing to this machine
        self._orders = 0
        self.calibration = PhoneCalibration(send, self._require_may_calibrate)

    # Messages and frames

    def on_guard_message(self, message: IpcMessage) -> None:
        """Store what the guard reports."""
        with self._lock:
            match message:
                case CarHeartbeat():
                    self._heartbeat = message.heartbeat
                case CarState():
                    self._state = message
                    if message.mode == "tripped":
                        self._holder = ""
                case LoopTelemetry():
                    self._telemetry = telemetry(message)
                case ControlTrace():
                    self._trace = message
                case CalibrationStatus():
                    self.calibration.on_status(message)

    def on_picture(self, picture: RecordedFrame) -> None:
        """Store the newest frame."""
        self.picture = picture

    def admits(self, message: Lease | DriveOrder, now_s: float) -> bool:
        """Whether a message of the station goes on to the guard.

        All do, except an idle station's empty lease while a phone holds the car.
        """
        with self._lock:
            if isinstance(message, DriveOrder):
                self._station_stopped_s = now_s if message.action == "estop" else float("-inf")
                self._station_reports_stop = False
                return True
            if message.boot != self._boot:
                return True  # for another boot of this car: the guard ignores it
            self._refusal, self._refused_s = message.reason, now_s
            if message.grant == "none":
                self._on_stopped_flag(message.stopped, now_s)
                return not self._holds(now_s)
            self._station_drove_s = now_s
            if self._holder:
                self._holder = ""
                self._order("stop")
            return True

    # Commands of a phone

    def start(self, session: str, throttle_percent: int, now_s: float) -> None:
        """Take control of the car, arm it and drive. Raises Refused if the phone may not, or the car cannot."""
        with self._lock:
            self._require_free(session, now_s)
            if self.calibration.status.is_open:
                raise Refused(text("The car is being calibrated: save the calibration or discard it first."))
            if self._state.mode == "tripped":
                raise Refused(
                    text("The car is tripped ({why}): check it, then reset it.", why=self._state.reason.rstrip("."))
                )
            if self._state.mode == "driving":
                raise Refused(text("The car is already driving."))
            if not self._state.model:
                raise Refused(text("The car has no model loaded: choose or add one first."))
            if not self._heartbeat:
                raise Refused(text("The car's guard has not reported yet: try again."))
            self._holder, self._renewed_s, self._started_s = session, now_s, now_s
            self._lease(self._heartbeat)
            self._order("arm")
            self._order("start", throttle_percent)

    def hold(self, session: str, heartbeat: int, now_s: float) -> bool:
        """Renew the lease for a heartbeat that the page received. False if this session does not hold the car."""
        with self._lock:
            starting = now_s - self._started_s < _START_TIMEOUT_S
            if session != self._holder or not (starting or self._state.mode in ARMED):
                return False
            self._renewed_s = now_s
            self._lease(heartbeat)
            return True

    def stop(self) -> str:
        """Stop the car, by the local socket if the guard's channel is stuck. Returns a sentence to show."""
        with self._lock:
            self._holder = ""
            self.calibration.set_neutral()
            sent = self._order("stop")
        return "Stopping." if sent else self._stop_locally()

    def reset(self, session: str, now_s: float) -> None:
        """Reset a tripped car to disarmed. Raises Refused."""
        with self._lock:
            self._require_free(session, now_s)
            self._order("reset")

    def throttle(self, session: str, percent: int) -> None:
        """Set the throttle limit, 0 to 100 percent, of the car that this phone holds. Raises Refused."""
        with self._lock:
            if session != self._holder:
                raise Refused(text("This phone does not hold the car."))
            self._send(ThrottleLimit(percent))

    def reload_model(self, now_s: float) -> None:
        """Restart the pilot with the model that is selected now. Raises Refused."""
        with self._lock:
            self.require_idle(now_s)
            self._send(ReloadModel())

    def require_idle(self, now_s: float) -> None:
        """Raises Refused while the car is armed or the station runs it."""
        with self._lock:
            if self._state.mode in ARMED:
                raise Refused(text("The car is armed: stop it first."))
            if self._station_runs(now_s):
                raise Refused(text("The station runs this car now: ask the official."))

    def status(self, session: str, now_s: float) -> PhoneStatus:
        """What the page of this session shows now."""
        with self._lock:
            state, trace = self._state, self._trace
            driving = state.mode == "driving" and trace is not None
            return PhoneStatus(
                mode=state.mode,
                reason=state.reason,
                heartbeat=self._heartbeat,
                has_control=session == self._holder and bool(session),
                station_runs=self._station_runs(now_s),
                throttle_percent=state.throttle_percent,
                steering=trace.steering if trace is not None and driving else 0.0,
                throttle=trace.throttle if trace is not None and driving else 0.0,
                model=state.model,
                picture_seq=self.picture.seq if self.picture is not None else -1,
                loop=self._telemetry,
                calibration=self.calibration.status,
                is_calibrating=self.calibration.is_calibrating(session),
                refusal=self._refusal if now_s - self._refused_s < _STATION_TIMEOUT_S else "",
                station=self._station_sentence(now_s),
            )

    # Leases and orders

    def _on_stopped_flag(self, stopped: bool, now_s: float) -> None:
        """Record whether the station reports its emergency stop; if it never does, only another order ends the stop."""
        if stopped:
            self._station_stopped_s, self._station_reports_stop = now_s, True
        elif self._station_stopped_s > float("-inf"):
            self._station_stopped_s = float("-inf") if self._station_reports_stop else now_s

    def _require_free(self, session: str, now_s: float) -> None:
        if self._station_runs(now_s):
            raise Refused(text("The station runs this car now: ask the official."))
        if self._holds(now_s) and session != self._holder:
            raise Refused(text("Another phone holds the car."))

    def _require_may_calibrate(self, session: str, now_s: float) -> None:
        with self._lock:
            self._require_free(session, now_s)
            self.require_idle(now_s)

    def _holds(self, now_s: float) -> bool:
        return bool(self._holder) and now_s - self._renewed_s < _HOLD_TIMEOUT_S

    def _station_runs(self, now_s: float) -> bool:
        return (
            now_s - self._station_drove_s < _STATION_TIMEOUT_S
            or now_s - self._station_stopped_s < _STATION_STOP_TIMEOUT_S
        )

    def _station_sentence(self, now_s: float) -> str:
        """Whether a station is on, and what that means for practice."""
        if now_s - self._station_stopped_s < _STATION_STOP_TIMEOUT_S:
            return text("The station has stopped this car: practice is off until an official releases it.")
        if self._station_runs(now_s):
            return text("The station runs this car now: practice is off until its run is over.")
        if now_s - self._refused_s < _STATION_TIMEOUT_S:
            return text("A station is on: practice is allowed until it calls this car for a run.")
        return text("No station is on: practice is allowed.")

    def _lease(self, heartbeat: int) -> None:
        self._send(Lease(self._boot, heartbeat, "drive", PHONE_RUN_ID, round(LEASE_MS * self._rate)))

    def _order(self, action: OrderAction, throttle_percent: int | None = None) -> bool:
        self._orders += 1
        ttl_ms = round(_ORDER_TTL_MS * self._rate)
        order_id = f"{PHONE_RUN_ID}-{self._heartbeat}-{self._orders}"
        return self._send(
            DriveOrder(order_id, action, self._boot, self._heartbeat, ttl_ms, PHONE_RUN_ID, throttle_percent)
        )
