"""A stock car as the station sees it: modes, lease and orders on one side, the console's calls on the other.

Pure; called by bridge.py. Calls its siblings in this folder. Rules:
  1. From the moment `start` is sent until a stop is confirmed the car may be moving, whatever was answered.
  2. A mode that says that the car stands is taken on only once the stop is confirmed: by the console, or by the leash.
  3. A stop goes out at once, beside whatever is in flight, and again until the console has confirmed it. While a start
     is in flight no confirmation counts: a hung console may obey it late. Nothing starts while a stop is in flight.
  4. After a start that was not confirmed the stop is repeated for 30 s, confirmed or not: the start may come late.
  5. A car whose console has not confirmed a stop since the bridge started, or has been silent, is not online.
"""

from dataclasses import dataclass

from shared.errors import Refused
from shared.protocol.messages import CarHeartbeat, CarMode, CarState, DriveOrder, Lease, Promise
from shared.text import joined, text
from shared.units import NS_PER_MS, NS_PER_S
from vehicle.bridge.core.console_calls import ConsoleCall, StockConsoleAnswer
from vehicle.bridge.core.console_watch import AWAY_NS, ConsoleWatch
from vehicle.bridge.core.leash_holder import LeashHolder
from vehicle.bridge.core.pending_stop import LATE_START_NS, PendingStop
from vehicle.bridge.core.preparation import Preparation
from vehicle.bridge.core.waiting_orders import WaitingOrders
from vehicle.core.lease_clock import LeaseClock
from vehicle.core.modes import ARMED, DriveReadiness, ModeEvent, ModeState, next_state

RETRY_NS = 5 * NS_PER_S  # how long an order to arm waits after the console refused what it needs
NEVER = 2**62
_ALL_READY = DriveReadiness(calibration=True, model=True, frames=True, lease=True)


@dataclass(frozen=True, slots=True)
class StockCarOptions:
    """What the config says of the car. `is_leashed`: the leash is fitted, and the bridge has its key.

    `colour`: by which the car is recognised, "#rrggbb", "" for none.
    """

    model: str
    throttle_percent: int = 0
    is_leashed: bool = False
    colour: str = ""
    max_lease_ms: int = 5_000
    max_ttl_ms: int = 10_000


class StockCar:
    """Decides for one car. Not thread-safe; times are ns of the machine's clock, rising."""

    def __init__(self, boot_id: str, options: StockCarOptions, now_ns: int) -> None:
        self.colour = options.colour
        self._lease = LeaseClock(boot_id, options.max_lease_ms, options.max_ttl_ms)
        self.mode_state = ModeState()
        self.preparation = Preparation(options.model, options.throttle_percent)
        self.leash = LeashHolder(now_ns) if options.is_leashed else None
        # A bridge that died may have left the car driving: the first thing is a stop.
        self._stop: PendingStop | None = PendingStop("stop", "")
        self._may_move = True
        self._is_known = False  # whether a stop was confirmed since the bridge started
        self._orders = WaitingOrders()
        self._in_flight: ConsoleCall | None = None
        self._stops_sent = 0
        self._stops_in_flight = 0
        self._confirms_from = 0  # the number of the first stop whose confirmation counts
        self._prepares_early = True  # until a person takes the console over
        self._is_arming = False
        self._checked_start = ""  # the order to start before which the console was asked once more
        self._late_start_until_ns = 0
        self._retry_ns = 0
        self._releases = 0
        self._watch = ConsoleWatch()

    @property
    def mode(self) -> CarMode:
        return self.mode_state.mode

    @property
    def may_move(self) -> bool:
        """Whether a start was sent, or the bridge began, and no stop is confirmed since."""
        return self._may_move

    @property
    def battery_percent(self) -> int | None:
        return self._watch.battery_percent

    @property
    def promise(self) -> Promise:
        return "leash" if self.leash is not None and self.leash.has_line else "best_effort"

    def is_online(self, now_ns: int) -> bool:
        """Whether the car takes part: its console is known to have stopped once, and answers, or may be moving."""
        return self._is_known and (self._may_move or not self._watch.is_away(now_ns))

    def next_heartbeat(self, now_ns: int) -> CarHeartbeat:
        return CarHeartbeat(self._lease.next_heartbeat(now_ns), self.mode)

    def state(self, now_ns: int) -> CarState:
        """What the pages show of the car now."""
        stopping = self._stop.sentence(now_ns) if self._stop is not None else ""
        parts = (self.mode_state.reason, stopping, self._watch.trouble, self._preparing())
        return CarState(
            online=self.is_online(now_ns),
            mode=self.mode,
            reason=joined(part for part in parts if part),
            model=self.preparation.model if self.preparation.has_model or not self._prepares_early else "",
            throttle_percent=self.preparation.throttle_percent,
            battery_percent=self._watch.battery_percent,
            promise=self.promise,
            colour=self.colour,
        )

    def _preparing(self) -> str:
        return self.preparation.missing if self._is_arming or self.preparation.failure else ""

    # What arrives

    def on_lease(self, lease: Lease, now_ns: int) -> None:
        """Apply a lease or its withdrawal, if it answers a recent heartbeat."""
        if self._lease.on_lease(lease) == "withdrawn":
            for order in self._orders.before(lease.heartbeat):
                self._is_arming = False
                self._refuse(order, text("the station grants it no lease."))
            if self.mode in ARMED:
                self._begin_stop("withdraw", text("The station withdrew the lease."), now_ns)

    def on_order(self, order: DriveOrder, now_ns: int) -> None:
        """Obey a stop at once; let anything else wait for the console."""
        if order.action in ("stop", "estop"):
            if not self._orders.is_done(order):
                self._orders.end(order)
                reason = text("Emergency stop by the station.") if order.action == "estop" else ""
                self._begin_stop(order.action, reason, now_ns)
            return
        until_ns = self._lease.order_until_ns(order)
        if until_ns is None or self._orders.is_done(order) or now_ns > until_ns:
            return
        if order.action == "reset":
            self._reset(order)
        elif order.action == "arm" and self.mode == "ready":
            self._orders.end(order)
        else:
            self._open(order, until_ns)

    def _open(self, order: DriveOrder, until_ns: int) -> None:
        """Let the order wait, unless its mode has no such order; a start waits for the arming that goes before it."""
        after_arming = order.action == "start" and self._orders.arm is not None
        try:
            next_state(ModeState("ready") if after_arming else self.mode_state, order.action, _ALL_READY)
        except Refused as refusal:
            self._refuse(order, str(refusal))
            return
        self._orders.wait(order, until_ns)

    def on_answer(self, answer: StockConsoleAnswer, now_ns: int) -> None:
        """Apply what became of a call."""
        if answer.call is self._in_flight:
            self._in_flight = None
        self._watch.on_answer(answer, now_ns)
        if answer.outcome == "unreachable" and self.mode not in ARMED:
            self.preparation.forget()
            self._prepares_early = True
        if answer.call.kind == "stop":
            self._stops_in_flight -= 1
            if answer.outcome == "done" and answer.call.number >= self._confirms_from:
                self._on_stop_confirmed(now_ns)
            return
        if answer.call.kind == "loading" and answer.call.text and answer.outcome == "done":
            self._checked_start = answer.call.text
        had_model = self.preparation.has_model
        self.preparation.on_answer(answer, now_ns)
        if had_model and not self.preparation.has_model:
            self._prepares_early = False
        if answer.call.kind == "start":
            self._on_start_answer(answer, now_ns)

    def _on_start_answer(self, answer: StockConsoleAnswer, now_ns: int) -> None:
        self._confirms_from = self._stops_sent + 1
        if answer.outcome in ("unreachable", "refused"):
            self._late_start_until_ns = now_ns + LATE_START_NS
        if self._stop is not None:
            self._stop.send_again()
        if answer.outcome == "done" and self._stop is None and self.mode == "ready":
            self.mode_state = ModeState("driving")
        elif answer.outcome != "done" and self._stop is None:
            why = text("The car's console did not confirm the start: {why}.", why=answer.why.rstrip("."))
            self._begin_stop("trip", why, now_ns)

    def _on_stop_confirmed(self, now_ns: int) -> None:
        self._is_known = True
        is_over = now_ns >= self._late_start_until_ns
        self._may_move = self._may_move and not is_over
        if self._stop is not None:
            if not self._stop.is_applied:
                self._take_on(self._stop)
            self._stop.is_confirmed = True
            self._stop = None if is_over else self._stop

    # What is due

    def tick(self, now_ns: int) -> list[ConsoleCall]:
        """The calls to send now: at most one at a time, and a stop beside it."""
        if self.mode in ARMED and self._stop is None and (why := self._trip_reason(now_ns)):
            self._begin_stop("trip", why, now_ns)
        for order in self._orders.expired(now_ns):
            self._expire(order, now_ns)
        if self._stop is not None:
            return self._stop_calls(self._stop, now_ns)
        if self._in_flight is not None:
            return []
        self._in_flight = self._next_call(now_ns)
        return [] if self._in_flight is None else [self._in_flight]

    def _stop_calls(self, stop: PendingStop, now_ns: int) -> list[ConsoleCall]:
        """The stop again, if it is due; a leash that has cut the outputs confirms it too."""
        if self.leash is not None and not stop.is_applied and self.leash.is_cut(now_ns):
            self._may_move = False
            self._take_on(stop)
        if not stop.is_due(now_ns):
            return []
        self._stops_sent += 1
        self._stops_in_flight += 1
        return [ConsoleCall("stop", number=self._stops_sent)]

    def _next_call(self, now_ns: int) -> ConsoleCall | None:
        arm, start = self._orders.arm, self._orders.start
        if arm is not None and self.mode in ("disarmed", "stopped"):
            return self._arming_call(arm, now_ns)
        if start is not None and self.mode == "ready" and not self._stops_in_flight:
            return self._starting_call(start, now_ns)
        return self._watch.next_call(now_ns, is_armed=self.mode in ARMED) or self._early_call(now_ns)

    def _arming_call(self, order: DriveOrder, now_ns: int) -> ConsoleCall | None:
        """The next call towards ready; none once it is, or while only the lease or the leash is missing."""
        if now_ns < self._retry_ns:
            return None
        if not self._is_arming:
            self._is_arming = True
            self._set_throttle(order)
            self.preparation.begin()
        if self.preparation.failure:
            self._is_arming, self._retry_ns = False, now_ns + RETRY_NS
            self._refuse(order, self.preparation.failure)
            return None
        call = self.preparation.next_call(now_ns)
        if call is None and self.preparation.is_ready and not self._lacks(now_ns):
            self._orders.end(order)
            self._is_arming = False
            self.mode_state = ModeState("ready")
        return call

    def _starting_call(self, order: DriveOrder, now_ns: int) -> ConsoleCall | None:
        """`start`, once the throttle is the order's and the leash has let go; from then on the car may be moving."""
        self._set_throttle(order)
        if not self.preparation.is_ready:
            return self.preparation.next_call(now_ns)
        if self._checked_start != order.order_id:
            # A login or a token that ended is renewed now: within the start that would delay it.
            return ConsoleCall("loading", order.order_id)
        if self.leash is not None and not self.leash.is_released(now_ns):
            if not self._may_move:
                self._releases = max(self._releases + 1, now_ns // NS_PER_MS)
                self._may_move = True
                self.leash.request(self._releases)
            return None
        self._orders.end(order)
        self._may_move, self._confirms_from = True, NEVER
        return ConsoleCall("start")

    def _early_call(self, now_ns: int) -> ConsoleCall | None:
        """Load the model before anybody asks for it: the first load of a model takes longer than an order waits."""
        if self.preparation.has_model or self._watch.trouble or not self._prepares_early or self.mode in ARMED:
            return None
        return self.preparation.next_call(now_ns)

    # Stopping

    def _begin_stop(self, event: ModeEvent, reason: str, now_ns: int) -> None:
        """Send a stop, and take on its mode: at once if the car stands, else once it is confirmed."""
        self._orders.drop()
        self._is_arming = False
        if self.leash is not None:
            self.leash.request(0)
        if self._stop is None:
            self._stop = PendingStop(event, reason, now_ns)
        else:
            self._stop.escalate(event, reason)
        if not self._may_move:
            self._take_on(self._stop)

    def _take_on(self, stop: PendingStop) -> None:
        stop.is_applied = True
        self.mode_state = next_state(self.mode_state, stop.event, _ALL_READY, stop.reason)

    def _trip_reason(self, now_ns: int) -> str:
        """Why an armed car has to stop, as a sentence; "" if it need not."""
        if self._lease.left_ns(now_ns) <= 0:
            return text("The station's lease ran out: it was not renewed in time.")
        if self.leash is not None and not self.leash.is_answering(now_ns):
            return text("The leash on the car does not answer.")
        if self.leash is not None and self.mode == "driving" and not self.leash.is_released(now_ns):
            return text("The leash has cut the motor: {why}.", why=self.leash.reported)
        if self.mode == "driving" and not self.preparation.is_ready:
            return text("The car's console has left the automatic mode, or has loaded another model.")
        if self._watch.is_away(now_ns):
            return text("The car's console has not answered for {seconds} s.", seconds=AWAY_NS // NS_PER_S)
        return ""

    def _lacks(self, now_ns: int) -> str:
        """What arming needs beside the console, as a sentence; "" if it is all there."""
        if self._lease.left_ns(now_ns) <= 0:
            return text("The car does not yet have a lease from the station.")
        if self.leash is not None and not self.leash.is_answering(now_ns):
            return text("The leash on the car does not answer.")
        if self.leash is not None and self.leash.fault:
            return text("The leash cannot stop this car: {why}.", why=self.leash.fault)
        return ""

    # Orders

    def _reset(self, order: DriveOrder) -> None:
        if self._stop is not None:
            return  # it is repeated, and obeyed once the stop is confirmed
        try:
            self.mode_state = next_state(self.mode_state, "reset", _ALL_READY)
        except Refused as refusal:
            self._refuse(order, str(refusal))
        self._orders.end(order)

    def _set_throttle(self, order: DriveOrder) -> None:
        if order.throttle_percent is not None:
            self.preparation.throttle_percent = min(100, max(0, order.throttle_percent))

    def _expire(self, order: DriveOrder, now_ns: int) -> None:
        """An order whose time is over; a start may have loosened the leash already."""
        why = joined(filter(None, (text("it was not done in time."), self.preparation.missing)))
        self._is_arming = self._is_arming and order.action != "arm"
        self._refuse(order, why)
        if self._may_move and self.mode in ARMED:
            self._begin_stop("trip", self.mode_state.reason, now_ns)

    def _refuse(self, order: DriveOrder, why: str) -> None:
        """Give as the mode's reason why an order was refused, unless it explains a trip."""
        self._orders.end(order)
        if not (self.mode == "tripped" and self.mode_state.reason):
            refused = text("The order to {goal} was refused: {why}", goal=order.action, why=why)
            self.mode_state = ModeState(self.mode, refused)
