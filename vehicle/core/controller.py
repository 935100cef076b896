"""The guard's decisions, pure: setpoints, leases and orders go in with their times; each tick returns an action.

Called by `guard/guard.py`; calls `core/modes.py`, `core/frame_age.py` and `core/limiter.py`.

A lease and an order answer a heartbeat of this car, and count from the time of that heartbeat: what a stalled broker
delivers in one late burst has already expired. Orders that must wait (for the first lease, for example) wait until they
expire. A stop is obeyed whoever sends it, in every mode.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from shared.errors import Refused
from shared.protocol.messages import CarHeartbeat, CarMode, DriveOrder, Lease
from shared.text import joined, text
from vehicle.core.actions import NEUTRAL, Action
from vehicle.core.frame_age import SafetyOptions, throttle_left, trip_reason
from vehicle.core.lease_clock import LeaseClock
from vehicle.core.limiter import DriveLimits, limit
from vehicle.core.messages import PHONE_RUN_ID, Setpoint
from vehicle.core.modes import ARMED, LATCHED, DriveReadiness, ModeEvent, ModeState, next_state

_MAX_ORDER_IDS = 64
_MAX_PENDING = 8
_ALL_READY = DriveReadiness(calibration=True, model=True, frames=True, lease=True)
DeviceName = Literal["motors", "button", "camera"]
_CLOCK_SLACK_NS = 20_000_000  # two processes read one clock a little apart; a stamp beyond that would never age


@dataclass(frozen=True, slots=True)
class _PendingOrder:
    """An order that waits to be executed, at the latest at `until_ns`."""

    order: DriveOrder
    until_ns: int


class DriveController:
    """Decides whether the car drives, and how. Not thread-safe; times are in ns of the machine's clock, rising."""

    def __init__(
        self, boot_id: str, limits: DriveLimits, safety: SafetyOptions, throttle_percent: int = 0, *, calibrated: bool
    ) -> None:
        self.calibrated = calibrated
        self._limits = limits
        self._safety = safety
        self.throttle_percent = throttle_percent
        self.mode_state = ModeState()
        self._lease = LeaseClock(boot_id, safety.max_lease_ms, safety.max_ttl_ms)
        self._pending: deque[_PendingOrder] = deque(maxlen=_MAX_PENDING)
        self._order_ids: deque[str] = deque(maxlen=_MAX_ORDER_IDS)
        self._model_ready = False
        self._setpoint: Setpoint | None = None
        self._fresh_frames = 0
        self._unusable_reason = ""  # why the frames since the last setpoint are unusable
        self._absent: dict[DeviceName, str] = {}
        self._last_action = NEUTRAL
        self._last_tick_ns: int | None = None

    @property
    def mode(self) -> CarMode:
        return self.mode_state.mode

    @property
    def reason(self) -> str:
        """Why the car is in this mode, and why devices are absent, as sentences; '' if there is nothing to explain."""
        unmentioned = (sentence for sentence in self._absent.values() if sentence not in self.mode_state.reason)
        return " ".join(part for part in (self.mode_state.reason, *unmentioned) if part)

    @property
    def movement_blocked(self) -> str:
        """Why no wheel may move, not even to calibrate the car (no motors, or no button to stop them); '' if it may."""
        return " ".join(self._absent[device] for device in ("motors", "button") if device in self._absent)

    @property
    def is_practice(self) -> bool:
        """Whether the current lease is a phone's (free practice)."""
        return self._lease.is_leased and self._lease.run_id == PHONE_RUN_ID

    def next_heartbeat(self, now_ns: int) -> CarHeartbeat:
        """The next heartbeat to send. Its number keeps rising when the guard is restarted within one boot."""
        return CarHeartbeat(self._lease.next_heartbeat(now_ns), self.mode, self.is_practice)

    def set_model_ready(self, is_ready: bool = True) -> None:
        """Record whether the pilot has a warm model."""
        self._model_ready = is_ready

    def on_setpoint(self, setpoint: Setpoint, now_ns: int) -> bool:
        """Store the newest setpoint; False if its frame is not newer than the last one, or lies in the future."""
        if setpoint.frame_at_ns > now_ns + _CLOCK_SLACK_NS:
            return False
        if self._setpoint is not None and setpoint.frame_at_ns <= self._setpoint.frame_at_ns:
            return False
        self._setpoint = setpoint
        self._fresh_frames += 1
        self._unusable_reason = ""
        return True

    def on_unusable_frame(self, sentence: str) -> None:
        """Record why a frame cannot be driven by, as a sentence; the last setpoint continues to age."""
        self._unusable_reason = sentence

    def on_fault(self, sentence: str) -> None:
        """The pilot could not compute a setpoint: trips an armed car."""
        self._fresh_frames = 0
        self._apply_event("trip", sentence)

    def on_pilot_exit(self, sentence: str) -> None:
        """The pilot process died: none of its messages counts any longer."""
        self._setpoint = None
        self._unusable_reason = ""
        self._model_ready = False
        self.on_fault(sentence)

    def set_absent(self, device: DeviceName, why: str) -> None:
        """Record why the device is absent, as a sentence; '' when it is present. Its return arms nothing."""
        why = f"{why[:1].upper()}{why[1:]}"
        before = self._absent.get(device, "")
        if why == before:
            return
        if why:
            self._absent[device] = why
        else:
            del self._absent[device]
        if why and self.mode in ARMED:
            self._apply_event("trip", why)
        if before and self.mode not in LATCHED and before in self.mode_state.reason:
            self.mode_state = ModeState(self.mode)  # the refusal no longer applies

    def estop(self, reason: str) -> None:
        """Trip the car for an emergency stop at the car itself."""
        self._pending.clear()
        self._apply_event("estop", reason)

    def on_lease(self, lease: Lease) -> None:
        """Apply a lease or its withdrawal, if it answers a recent heartbeat, not older than the last one answered."""
        if self._lease.on_lease(lease) == "withdrawn":
            newer = [pending for pending in self._pending if pending.order.heartbeat >= lease.heartbeat]
            self._pending = deque(newer, maxlen=_MAX_PENDING)
            if self.mode in ARMED:
                self._apply_event("withdraw", text("The station withdrew the lease."))

    def on_order(self, order: DriveOrder) -> None:
        """Obey a stop at once; let anything else that is in time wait for its turn in the next tick."""
        if order.order_id in self._order_ids:
            return
        self._order_ids.append(order.order_id)
        if order.action in ("stop", "estop"):
            self._pending.clear()
            self._apply_event(order.action, _stop_reason(order))
            return
        until_ns = self._lease.order_until_ns(order)
        if until_ns is None:
            self._refuse(order, text("it answers no recent heartbeat of this car."))
            return
        self._pending.append(_PendingOrder(order, until_ns))

    def tick(self, now_ns: int) -> Action:
        """Execute the orders that are due, trip the car if it must, and return the action for the motors."""
        if self._frame_age_ns(now_ns) > self._safety.hold_ns:
            self._fresh_frames = 0
        self._run_pending(now_ns)
        if self.mode in ARMED and (reason := self._trip_reason(now_ns)):
            self._apply_event("trip", reason)
        last_ns = now_ns if self._last_tick_ns is None else self._last_tick_ns
        self._last_action = self._drive_action(now_ns, now_ns - last_ns) if self.mode == "driving" else NEUTRAL
        self._last_tick_ns = now_ns
        return self._last_action

    def _drive_action(self, now_ns: int, dt_ns: int) -> Action:
        assert self._setpoint is not None, "without a setpoint the frame's age would have tripped the car"
        left = throttle_left(self._frame_age_ns(now_ns), self._safety)
        throttle = self._setpoint.throttle * self.throttle_percent / 100 * left
        return limit(Action(self._setpoint.steering, throttle), self._last_action, dt_ns, self._limits)

    def _run_pending(self, now_ns: int) -> None:
        """Execute the pending orders in sequence; the first that must wait delays the rest."""
        while self._pending:
            pending = self._pending[0]
            in_time = now_ns <= pending.until_ns
            if in_time and self._must_wait(pending.order, now_ns):
                return
            self._pending.popleft()
            if in_time:
                self._execute(pending.order, now_ns)
            else:
                missing = self._readiness(now_ns).missing
                self._refuse(pending.order, joined(filter(None, (text("it was not done in time."), missing))))

    def _must_wait(self, order: DriveOrder, now_ns: int) -> bool:
        """Whether the order waits for something missing; what the mode table refuses is refused at once."""
        waits_in: dict[str, frozenset[CarMode]] = {
            "arm": frozenset({"disarmed", "stopped"}),
            "start": frozenset({"ready"}),
        }
        if self._absent:
            return False  # an order does not wait for a repair
        return self.mode in waits_in.get(order.action, frozenset()) and bool(self._readiness(now_ns).missing)

    def _execute(self, order: DriveOrder, now_ns: int) -> None:
        readiness = self._readiness(now_ns)
        if self._absent and order.action in ("arm", "start"):
            self._refuse(order, readiness.missing)
            return
        try:
            self.mode_state = next_state(self.mode_state, order.action, readiness)
        except Refused as refusal:
            self._refuse(order, str(refusal))
            return
        if order.throttle_percent is not None:
            self.throttle_percent = min(100, max(0, order.throttle_percent))

    def _apply_event(self, event: ModeEvent, reason: str) -> None:
        """Apply an event that is not an order, so it is never refused."""
        self.mode_state = next_state(self.mode_state, event, _ALL_READY, reason)

    def _refuse(self, order: DriveOrder, why: str) -> None:
        """Give as the mode's reason why an order was refused, unless it explains a trip."""
        if not (self.mode == "tripped" and self.mode_state.reason):
            self.mode_state = ModeState(
                self.mode, text("The order to {goal} was refused: {why}", goal=order.action, why=why)
            )

    def _readiness(self, now_ns: int) -> DriveReadiness:
        return DriveReadiness(
            calibration=self.calibrated,
            model=self._model_ready,
            frames=self._fresh_frames >= self._safety.arm_frames,
            camera=self._absent.get("camera", self._unusable_reason),
            lease=self._lease_left_ns(now_ns) > 0,
            motors=self._absent.get("motors", ""),
            button=self._absent.get("button", ""),
        )

    def _trip_reason(self, now_ns: int) -> str:
        ages = self._frame_age_ns(now_ns), self._lease_left_ns(now_ns)
        return trip_reason(*ages, self._safety, self._unusable_reason, practice=self.is_practice)

    def _lease_left_ns(self, now_ns: int) -> int:
        return self._lease.left_ns(now_ns)

    def _frame_age_ns(self, now_ns: int) -> int:
        return now_ns - self._setpoint.frame_at_ns if self._setpoint is not None else 2**62


def _stop_reason(order: DriveOrder) -> str:
    """Who stopped it: an official's ordinary stop explains itself, and ends a run."""
    if order.action == "estop":
        return (
            text("Emergency stop from a phone.")
            if order.run_id == PHONE_RUN_ID
            else text("Emergency stop by the station.")
        )
    return text("Stopped from a phone.") if order.run_id == PHONE_RUN_ID else ""
