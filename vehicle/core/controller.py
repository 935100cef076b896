"""The guard's mind, pure: wishes, leases and orders go in with their times, and each tick an action comes out.

A lease and an order answer a beat that this car made, and count from when that beat was made: what a thawed broker
delivers in one late burst is already over when it arrives. Orders that must wait (for the first lease, say) wait
until they expire. Stopping is obeyed whoever says it and whenever it comes.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from shared.errors import Refused
from shared.protocol.messages import CarHeartbeat, CarMode, DriveOrder, Lease
from shared.units import NS_PER_MS
from vehicle.core.actions import NEUTRAL, Action
from vehicle.core.frame_age import SafetyOptions, throttle_left, trip_reason
from vehicle.core.limiter import DriveLimits, limit
from vehicle.core.messages import PHONE_RUN_ID, Setpoint
from vehicle.core.modes import ARMED, LATCHED, DriveReadiness, ModeEvent, ModeState, next_state

_MAX_HEARTBEATS = 256
_MAX_ORDER_IDS = 64
_MAX_PENDING = 8
_ALL_READY = DriveReadiness(calibration=True, model=True, frames=True, lease=True)
DeviceName = Literal["motors", "button", "camera"]
_CLOCK_SLACK_NS = 20_000_000  # two processes read one clock a little apart; a stamp beyond that would never age


@dataclass(frozen=True, slots=True)
class _PendingOrder:
    """An order that is good until `until_ns`, or done by then."""

    order: DriveOrder
    until_ns: int


class DriveController:
    """Who may drive, and how. Not thread-safe; every time is of the machine's clock and does not run backwards."""

    def __init__(
        self, boot_id: str, limits: DriveLimits, safety: SafetyOptions, throttle_percent: int = 0, *, calibrated: bool
    ) -> None:
        self._boot_id = boot_id
        self.calibrated = calibrated
        self._limits = limits
        self._safety = safety
        self.throttle_percent = throttle_percent
        self.standing = ModeState()
        self._beats: dict[int, int] = {}
        self._newest_beat = 0
        self._lease_beat = 0
        self._lease_until_ns: int | None = None
        self._lease_run = ""
        self._waiting: deque[_PendingOrder] = deque(maxlen=_MAX_PENDING)
        self._seen_orders: deque[str] = deque(maxlen=_MAX_ORDER_IDS)
        self._model_ready = False
        self._wish: Setpoint | None = None
        self._fresh_frames = 0
        self._unusable = ""  # why the frames since the last wish are none to drive by
        self._absent: dict[DeviceName, str] = {}
        self._last = NEUTRAL
        self._last_ns: int | None = None

    @property
    def mode(self) -> CarMode:
        return self.standing.mode

    @property
    def reason(self) -> str:
        """What explains the mode, and which device is absent."""
        untold = (sentence for sentence in self._absent.values() if sentence not in self.standing.reason)
        return " ".join(part for part in (self.standing.reason, *untold) if part)

    @property
    def cannot_move(self) -> str:
        """Why no wheel may be moved, not even to calibrate the car: no motors, or no button to stop them."""
        return " ".join(self._absent[device] for device in ("motors", "button") if device in self._absent)

    @property
    def practice(self) -> bool:
        """A phone's lease is the one that counts: free practice."""
        return self._lease_until_ns is not None and self._lease_run == PHONE_RUN_ID

    def beat(self, now_ns: int) -> CarHeartbeat:
        """The next beat to send. Numbers go on rising when the guard is restarted within one boot."""
        self._newest_beat = max(self._newest_beat + 1, now_ns // NS_PER_MS)
        self._beats[self._newest_beat] = now_ns
        while len(self._beats) > _MAX_HEARTBEATS:
            del self._beats[next(iter(self._beats))]
        return CarHeartbeat(self._newest_beat, self.mode, self.practice)

    def model_ready(self, there: bool = True) -> None:
        """The pilot has a warm model; or it says that there is none yet."""
        self._model_ready = there

    def take_wish(self, wish: Setpoint, now_ns: int) -> bool:
        """Keep the newest wish; False if it is of no newer frame than the last one, or of one yet to come."""
        if wish.frame_at_ns > now_ns + _CLOCK_SLACK_NS:
            return False
        if self._wish is not None and wish.frame_at_ns <= self._wish.frame_at_ns:
            return False
        self._wish = wish
        self._fresh_frames += 1
        self._unusable = ""
        return True

    def take_unusable(self, sentence: str) -> None:
        """A frame came that shows nothing new: the last wish ages as if none had come, and this says why."""
        self._unusable = sentence

    def take_fault(self, sentence: str) -> None:
        """The pilot could not make a wish."""
        self._fresh_frames = 0
        self._event("trip", sentence)

    def pilot_gone(self, sentence: str) -> None:
        """The pilot process died: nothing that it said counts any longer."""
        self._wish = None
        self._unusable = ""
        self._model_ready = False
        self.take_fault(sentence)

    def take_absent(self, device: DeviceName, why: str) -> None:
        """The device is absent, and `why` is the sentence; '' when it is there. Its return arms nothing."""
        why = f"{why[:1].upper()}{why[1:]}"
        before = self._absent.get(device, "")
        if why == before:
            return
        if why:
            self._absent[device] = why
        else:
            del self._absent[device]
        if why and self.mode in ARMED:
            self._event("trip", why)
        if before and self.mode not in LATCHED and before in self.standing.reason:
            self.standing = ModeState(self.mode)  # a refusal that is no longer so

    def estop(self, reason: str) -> None:
        """The local emergency stop."""
        self._waiting.clear()
        self._event("estop", reason)

    def take_lease(self, lease: Lease) -> None:
        """A lease, or its withdrawal, that answers one of our beats; a later answer to an older beat is void."""
        sent_ns = self._beats.get(lease.heartbeat) if lease.boot == self._boot_id else None
        if sent_ns is None or lease.heartbeat < self._lease_beat:
            return
        self._lease_beat = lease.heartbeat
        if lease.grant == "none":
            self._lease_until_ns = None
            newer = [waiting for waiting in self._waiting if waiting.order.heartbeat >= lease.heartbeat]
            self._waiting = deque(newer, maxlen=_MAX_PENDING)
            if self.mode in ARMED:
                self._event("withdraw", "The station withdrew the lease.")
            return
        self._lease_until_ns = sent_ns + min(lease.lease_ms, self._safety.most_lease_ms) * NS_PER_MS
        self._lease_run = lease.run_id

    def take_order(self, order: DriveOrder) -> None:
        """Obey a stop at once; let anything else that is in time wait for its turn in the next tick."""
        if order.order_id in self._seen_orders:
            return
        self._seen_orders.append(order.order_id)
        if order.action in ("stop", "estop"):
            self._waiting.clear()
            self._event(order.action, _stop_reason(order))
            return
        sent_ns = self._beats.get(order.heartbeat) if order.boot == self._boot_id else None
        if sent_ns is None:
            self._refuse(order, "it answers no beat of this car that is still remembered.")
            return
        self._waiting.append(_PendingOrder(order, sent_ns + min(order.ttl_ms, self._safety.most_ttl_ms) * NS_PER_MS))

    def tick(self, now_ns: int) -> Action:
        """What the motors shall do now."""
        if self._frame_age_ns(now_ns) > self._safety.hold_ns:
            self._fresh_frames = 0
        self._obey(now_ns)
        if self.mode in ARMED and (reason := self._trip_reason(now_ns)):
            self._event("trip", reason)
        last_ns = now_ns if self._last_ns is None else self._last_ns
        self._last = self._steered(now_ns, now_ns - last_ns) if self.mode == "driving" else NEUTRAL
        self._last_ns = now_ns
        return self._last

    def _steered(self, now_ns: int, dt_ns: int) -> Action:
        assert self._wish is not None, "the ages would have tripped the car"
        left = throttle_left(self._frame_age_ns(now_ns), self._safety)
        throttle = self._wish.throttle * self.throttle_percent / 100 * left
        return limit(Action(self._wish.steering, throttle), self._last, dt_ns, self._limits)

    def _obey(self, now_ns: int) -> None:
        """Do the waiting orders in their order; the first that must wait holds up the rest."""
        while self._waiting:
            waiting = self._waiting[0]
            in_time = now_ns <= waiting.until_ns
            if in_time and self._can_wait(waiting.order, now_ns):
                return
            self._waiting.popleft()
            if in_time:
                self._try(waiting.order, now_ns)
            else:
                missing = self._readiness(now_ns).missing
                self._refuse(waiting.order, f"it was not done in time. {missing}".strip())

    def _can_wait(self, order: DriveOrder, now_ns: int) -> bool:
        """Only for what is missing: what the table refuses is refused at once."""
        entered: dict[str, frozenset[CarMode]] = {
            "arm": frozenset({"disarmed", "stopped"}),
            "start": frozenset({"ready"}),
        }
        if self._absent:
            return False  # an order does not wait until somebody has mended the car
        return self.mode in entered.get(order.action, frozenset()) and bool(self._readiness(now_ns).missing)

    def _try(self, order: DriveOrder, now_ns: int) -> None:
        readiness = self._readiness(now_ns)
        if self._absent and order.action in ("arm", "start"):
            self._refuse(order, readiness.missing)
            return
        try:
            self.standing = next_state(self.standing, order.action, readiness)
        except Refused as refusal:
            self._refuse(order, str(refusal))
            return
        if order.throttle_percent is not None:
            self.throttle_percent = min(100, max(0, order.throttle_percent))

    def _event(self, event: ModeEvent, reason: str) -> None:
        """What happens to us rather than is asked of us: never refused."""
        self.standing = next_state(self.standing, event, _ALL_READY, reason)

    def _refuse(self, order: DriveOrder, why: str) -> None:
        """Say why an order was not obeyed, unless the mode already has something to explain."""
        if not (self.mode == "tripped" and self.standing.reason):
            self.standing = ModeState(self.mode, f"The order to {order.action} was refused: {why}")

    def _readiness(self, now_ns: int) -> DriveReadiness:
        return DriveReadiness(
            calibration=self.calibrated,
            model=self._model_ready,
            frames=self._fresh_frames >= self._safety.arm_frames,
            camera=self._absent.get("camera", self._unusable),
            lease=self._lease_left_ns(now_ns) > 0,
            motors=self._absent.get("motors", ""),
            button=self._absent.get("button", ""),
        )

    def _trip_reason(self, now_ns: int) -> str:
        ages = self._frame_age_ns(now_ns), self._lease_left_ns(now_ns)
        return trip_reason(*ages, self._safety, self._unusable, practice=self.practice)

    def _lease_left_ns(self, now_ns: int) -> int:
        return 0 if self._lease_until_ns is None else self._lease_until_ns - now_ns

    def _frame_age_ns(self, now_ns: int) -> int:
        return now_ns - self._wish.frame_at_ns if self._wish is not None else 2**62


def _stop_reason(order: DriveOrder) -> str:
    """Who stopped it: an official's ordinary stop explains itself, and ends a run."""
    if order.action == "estop":
        return "Emergency stop from a phone." if order.run_id == PHONE_RUN_ID else "Emergency stop by the station."
    return "Stopped from a phone." if order.run_id == PHONE_RUN_ID else ""
