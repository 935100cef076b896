"""The cars as they speak now: leases and orders that answer their beats, and what the screens show of them.

Nothing here is journaled. An order is repeated with each beat until the car's mode shows it, then forgotten; an
order that a car does not follow is given up and said loudly. Nothing re-arms by itself: only `resume`, ordered by
an official, leads out of a trip, and only out of the one that was there when it was ordered.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.protocol import messages as m
from shared.units import NS_PER_MS
from station.core.moment import Moment
from station.service.car_claims import ARMED, SILENT_NS, NameClaim
from station.views.views import CarStopView, CarView, StopView

Goal = Literal["arm", "start", "resume", "rearm", "stop", "estop", "reset"]
AFTER_RESET: dict[Goal, Goal] = {"resume": "start", "rearm": "arm"}  # once the trip that was there is left
GIVE_UP_NS = 15_000_000_000

# What to order next to get from the car's mode to the goal; None: it is there; absent: not from here.
NEXT_ORDER: dict[Goal, dict[m.CarMode, m.OrderAction | None]] = {
    "arm": {"disarmed": "arm", "stopped": "arm", "ready": None, "driving": None},
    "start": {"disarmed": "arm", "stopped": "arm", "ready": "start", "driving": None},
    "resume": {"tripped": "reset", "disarmed": "arm", "stopped": "arm", "ready": "start", "driving": None},
    "rearm": {"tripped": "reset", "disarmed": "arm", "stopped": "arm", "ready": None, "driving": None},
    "stop": {"driving": "stop", "ready": "stop", "stopped": None, "disarmed": None, "tripped": None},
    "estop": {"driving": "estop", "ready": "estop", "stopped": "estop", "disarmed": "estop", "tripped": None},
    "reset": {"tripped": "reset", "stopped": "reset", "disarmed": None},
}


@dataclass(slots=True)
class ControlledCar:
    """What is known of one car."""

    name: str
    boot: str = ""
    heartbeat: int = -1
    mode: m.CarMode = "disarmed"
    practice: bool = False  # a phone at the car leases it
    heartbeat_ns: int = -(2**62)
    state: m.CarState = field(default_factory=lambda: m.CarState(False, "disarmed"))
    telemetry: m.CarTelemetry | None = None
    goal: Goal | None = None
    throttle_percent: int | None = None
    since_ns: int = 0
    step: m.OrderAction | None = None
    order_id: str = ""
    step_ns: int = 0
    order_sent_ns: int = 0
    refusal: str = ""
    claim: NameClaim = field(default_factory=NameClaim)
    stop_ordered_ns: int | None = None  # when the stop of all cars was ordered to it
    stop_confirmed_ns: int | None = None  # when it said that it had stopped of it


@dataclass(frozen=True, slots=True)
class StopAllRecord:
    """All cars are stopped: by whom, and when."""

    author: str
    at: Moment


@dataclass(frozen=True, slots=True)
class DrivePermit:
    """A car that may drive, for which run; `running`: its start was given."""

    car: str
    run_id: str
    running: bool = False


Reply = tuple[str, m.Body]  # (car, message)


class CarControl:
    """All cars; safe from any thread."""

    def __init__(self, lease_ms: int, ttl_ms: int, nonce: str, rate: float = 1.0) -> None:
        """`nonce` makes order ids unique over restarts; `rate`: seconds of the station's clock per real second."""
        self._rate = rate
        self._lease_ms, self._ttl_ms, self._nonce = lease_ms, ttl_ms, nonce
        self._cars: dict[str, ControlledCar] = {}
        self._permits: dict[str, DrivePermit] = {}  # by car
        self._stop_all: StopAllRecord | None = None  # all cars are stopped, those too that are not known yet
        self._stopped: set[str] = set()  # by e-stop: no lease until an official orders otherwise
        self._orders = 0
        self._lock = threading.Lock()

    def permit(self, permits: Sequence[DrivePermit]) -> None:
        """Who may drive from now on, and nobody else."""
        with self._lock:
            self._permits = {permit.car: permit for permit in permits}

    def order(self, name: str, goal: Goal, throttle_percent: int | None, now_ns: int) -> list[Reply]:
        """Lead the car there. The first order goes out at once if the car was heard of."""
        with self._lock:
            if self._stop_all is not None and goal not in ("stop", "estop"):
                return []  # nothing moves before the stop of all cars is released
            car = self._car(name)
            if car.goal == "estop" and goal == "stop":
                return []  # an emergency stop is not softened by the end of the run
            if goal != "stop":
                (self._stopped.add if goal == "estop" else self._stopped.discard)(name)
            car.goal, car.since_ns, car.step, car.refusal = goal, now_ns, None, ""
            car.throttle_percent = throttle_percent
            return self._next_orders(car, now_ns) if car.boot else []

    def set_by_hand(self, name: str) -> None:
        """A person has started this car: nothing is ordered of it any more."""
        with self._lock:
            car = self._car(name)
            if car.goal not in ("stop", "estop"):
                car.goal, car.refusal = None, ""

    def owns_name(self, name: str, state: m.CarState, now_ns: int, boot: str) -> bool:
        """Is it the word of the machine that has the name?"""
        with self._lock:
            return self._car(name).claim.on_state(boot, state, now_ns)

    def why_not(self, name: str, goal: Goal, now_ns: int) -> str:
        """Why the car cannot be led there now, "" if it can."""
        with self._lock:
            car = self._cars.get(name)
            if absent := self._absent(name, car, now_ns):
                return f"{absent}: look at it, or start it by hand."
            assert car is not None, "a car that is there is known"
            if twins := car.claim.twins(now_ns):
                return duplicate_name_sentence(name, twins)
            if goal in ("arm", "start") and car.mode == "tripped":
                why = car.state.reason.rstrip(".") or "it gave no reason"
                return f"{name} is tripped ({why}): when it is safe, resume it."
            if goal != "reset" and car.state.online and not car.state.model:
                return f"{name} has no model loaded: give it one on its own page."
            return ""

    def absent(self, name: str, now_ns: int) -> str:
        """That the car is not there, "" if it is."""
        with self._lock:
            return self._absent(name, self._cars.get(name), now_ns)

    @property
    def all_stopped(self) -> bool:
        return self._stop_all is not None

    def stop_all(self, author: str, at: Moment) -> list[Reply]:
        """An emergency stop to every car that is known, heard or not; no car gets a lease until `release`."""
        with self._lock:
            self._stop_all = StopAllRecord(author, at)
            for name in self._permits:
                self._car(name)
            for car in self._cars.values():
                car.claim.stop(at.at_ns)
            return [self._stop_order(car, at.at_ns) for car in self._cars.values()]

    def release(self, at: Moment) -> None:
        """Cars may be armed again, each by an order of its own; unless the stop is newer than this release."""
        with self._lock:
            if (stop := self._stop_all) is None or (at.boot == stop.at.boot and at.at_ns < stop.at.at_ns):
                return
            self._stop_all = None
            self._stopped &= set(self._permits)  # free practice is the phone's again
            for car in self._cars.values():
                car.stop_ordered_ns = car.stop_confirmed_ns = None
                car.claim.release()

    def stop_view(self, now: Moment, *, connected: bool) -> StopView:
        """What became of the stop of all cars, by name; nothing while none is on."""
        with self._lock:
            if self._stop_all is None:
                return StopView()
            cars = tuple(self._stop_car(self._cars[name], now) for name in sorted(self._cars))
            return StopView(True, self._stop_all.author, self._stop_all.at.utc_ns, connected, self._lease_ms, cars)

    def on_heartbeat(self, name: str, boot: str, beat: m.CarHeartbeat, now_ns: int) -> list[Reply]:
        """The answers to a car's beat: always a lease (or none), and an order if one is due.

        A second machine of the same name gets none, and the reason; but a stop is for it as well.
        """
        with self._lock:
            car = self._car(name)
            stored = car.claim.state_of(boot)
            if not car.claim.on_heartbeat(boot, beat.mode, now_ns):
                return [
                    (name, self._refused(car, boot, beat.heartbeat)),
                    *self._hold_other(car, boot, beat.heartbeat, now_ns),
                ]
            if car.boot not in ("", boot):
                self._on_new_boot(car, stored, now_ns)
            car.boot, car.heartbeat, car.mode, car.heartbeat_ns = boot, beat.heartbeat, beat.mode, now_ns
            car.practice = beat.practice
            stop_orders = self._hold_stopped(car, now_ns)
            self._update_goal(car, now_ns)
            return [(name, self._lease(car)), *stop_orders, *self._next_orders(car, now_ns)]

    def on_state(self, name: str, state: m.CarState, now_ns: int, boot: str = "") -> list[Reply]:
        """A car's retained state: for the screens, and its orders follow its mode. `boot` of who said it, if known."""
        with self._lock:
            car = self._car(name)
            if not car.claim.on_state(boot, state, now_ns):
                return []
            car.state = state
            if not state.online:
                return []
            car.mode, car.practice = state.mode, state.practice
            self._update_goal(car, now_ns)
            return self._next_orders(car, now_ns) if car.boot else []

    def on_telemetry(self, name: str, telemetry: m.CarTelemetry, boot: str = "") -> None:
        with self._lock:
            car = self._car(name)
            if boot in ("", car.boot):
                car.telemetry = telemetry

    def views(self, now_ns: int) -> tuple[CarView, ...]:
        """All cars by name."""
        with self._lock:
            return tuple(self._view(self._cars[name], now_ns) for name in sorted(self._cars))

    def _car(self, name: str) -> ControlledCar:
        if name not in self._cars:
            self._cars[name] = ControlledCar(name, claim=NameClaim(self._rate))
            if self._stop_all is not None:
                self._cars[name].claim.stop(self._stop_all.at.at_ns)
        return self._cars[name]

    def _on_new_boot(self, car: ControlledCar, state: m.CarState | None, now_ns: int) -> None:
        """Another boot has the name now: it rebooted, or it is another machine. No order for the old one moves it."""
        car.state = state or car.state
        car.stop_ordered_ns = car.stop_confirmed_ns = None
        if car.goal not in (None, "stop", "estop") and (car.goal in ("start", "resume") or car.claim.twins(now_ns)):
            car.refusal = f"{car.name} started anew before it could {car.goal}: look at it, then order it again."
            car.goal = None

    def _refused(self, car: ControlledCar, boot: str, beat: int) -> m.Lease:
        reason = f"Another machine uses the name {car.name}, and has it: set another `device` in this one's config."
        return m.Lease(boot, beat, "none", "", self._lease_ms, reason, self._is_held(car))

    def _is_held(self, car: ControlledCar) -> bool:
        return car.name in self._stopped or self._stop_all is not None

    def _absent(self, name: str, car: ControlledCar | None, now_ns: int) -> str:
        if car is None or not car.boot:
            return f"{name} has never been heard"
        if not car.claim.silent(now_ns):
            return ""
        seconds = max(1, round((now_ns - car.heartbeat_ns) / self._rate / 1e9))
        return f"{name} is not there (last heard {seconds} s ago)"

    def _leased(self, car: ControlledCar) -> bool:
        return car.name in self._permits and car.name not in self._stopped and self._stop_all is None

    def _in_practice(self, car: ControlledCar) -> bool:
        """Free practice is the phone's, but for a car that an emergency stop holds or that has a run."""
        return car.practice and car.name not in self._permits and car.name not in self._stopped

    def _run_of(self, car: ControlledCar) -> str:
        return self._permits[car.name].run_id if self._leased(car) else ""

    def _lease(self, car: ControlledCar) -> m.Lease:
        grant: m.Grant = "drive" if self._leased(car) else "none"
        stopped = self._is_held(car)
        return m.Lease(car.boot, car.heartbeat, grant, self._run_of(car), self._lease_ms, "", stopped)

    def _hold_stopped(self, car: ControlledCar, now_ns: int) -> list[Reply]:
        """While all cars are stopped: a car that is new, or armed again, is stopped; one that did stop is noted."""
        if self._stop_all is None:
            return []
        if car.stop_ordered_ns is None or (car.mode in ARMED and car.goal != "estop"):
            return [self._stop_order(car, now_ns)]
        if car.mode == "tripped" and car.stop_confirmed_ns is None:
            car.stop_confirmed_ns = now_ns
        return []

    def _hold_other(self, car: ControlledCar, boot: str, beat: int, now_ns: int) -> list[Reply]:
        """Who has the name may have stopped long ago: one that comes back and moves is ordered to stop by itself."""
        if not self._is_held(car) or not car.claim.stop_order_due(boot, self._ttl_ms * NS_PER_MS // 4, now_ns):
            return []
        self._orders += 1
        order_id = f"{self._nonce}-{self._orders}"
        return [(car.name, m.DriveOrder(order_id, "estop", boot, beat, self._ttl_ms, ""))]

    def _stop_order(self, car: ControlledCar, now_ns: int) -> Reply:
        """Whatever it was last seen to do: what we believe of it may be old."""
        self._stopped.add(car.name)
        car.goal, car.since_ns, car.refusal = "estop", now_ns, ""
        car.stop_ordered_ns, car.stop_confirmed_ns = now_ns, None
        return self._new_order(car, "estop", now_ns)

    def _update_goal(self, car: ControlledCar, now_ns: int) -> None:
        """The car's mode against the goal: reached, impossible, or given up."""
        if car.goal is None:
            if car.mode == "driving" and not (self._leased(car) or self._in_practice(car)):
                car.goal, car.since_ns, car.step = "stop", now_ns, None
            return
        if car.mode != "tripped":
            car.goal = AFTER_RESET.get(car.goal, car.goal)  # a new trip stays
        if car.mode not in NEXT_ORDER[car.goal]:
            car.refusal = f"{car.name} is {car.mode}: it cannot {car.goal} now; `resume` leads it out of that."
            car.goal = None
        elif NEXT_ORDER[car.goal][car.mode] is None:
            car.goal = None
        elif now_ns - car.since_ns > GIVE_UP_NS * self._rate and car.goal != "estop":
            car.refusal = f"{car.name} did not {car.goal} in {GIVE_UP_NS // 1_000_000_000} s; it is {car.mode}."
            car.goal = None

    def _next_orders(self, car: ControlledCar, now_ns: int) -> list[Reply]:
        """The order that leads on: again with a newer beat now and then, under a new id once its time is over."""
        action = NEXT_ORDER[car.goal].get(car.mode) if car.goal is not None else None
        if action is None:
            return []
        ttl_ns = self._ttl_ms * NS_PER_MS
        if action != car.step or now_ns - car.step_ns > ttl_ns:
            return [self._new_order(car, action, now_ns)]
        if now_ns - car.order_sent_ns < ttl_ns // 4:
            return []
        return [self._order(car, action, now_ns)]

    def _new_order(self, car: ControlledCar, action: m.OrderAction, now_ns: int) -> Reply:
        self._orders += 1
        car.step, car.step_ns = action, now_ns
        car.order_id = f"{self._nonce}-{self._orders}"
        return self._order(car, action, now_ns)

    def _order(self, car: ControlledCar, action: m.OrderAction, now_ns: int) -> Reply:
        car.order_sent_ns = now_ns
        where = (car.order_id, action, car.boot, car.heartbeat, self._ttl_ms, self._run_of(car))
        return car.name, m.DriveOrder(*where, car.throttle_percent)

    def _stop_car(self, car: ControlledCar, now: Moment) -> CarStopView:
        """Of all machines that use the name the worst: one that is not reached, then one that has not said so yet."""
        took_ms = None
        if car.stop_confirmed_ns is not None and car.stop_ordered_ns is not None:
            took_ms = round((car.stop_confirmed_ns - car.stop_ordered_ns) / self._rate) // NS_PER_MS
        if took_ms is None and now.at_ns - car.heartbeat_ns >= SILENT_NS * self._rate:
            return CarStopView(
                car.name, "unreached", car.mode, None, self._utc_ns(car.heartbeat_ns, now) if car.boot else None
            )
        other = car.claim.unconfirmed_stop(now.at_ns)
        if other is not None and not car.claim.is_heard(other, now.at_ns):
            heard_utc_ns = self._utc_ns(other.heard_ns, now)
            return CarStopView(car.name, "unreached", other.mode, None, heard_utc_ns, other.boot)
        if took_ms is None:
            return CarStopView(car.name, "ordered", car.mode)
        if other is not None:
            return CarStopView(car.name, "ordered", other.mode, other_boot=other.boot)
        return CarStopView(car.name, "stopped", car.mode, took_ms)

    def _utc_ns(self, at_ns: int, now: Moment) -> int:
        return now.utc_ns - round((now.at_ns - at_ns) / self._rate)

    def _view(self, car: ControlledCar, now_ns: int) -> CarView:
        said, heard = car.state, car.telemetry
        online = said.online and now_ns - car.heartbeat_ns < SILENT_NS * self._rate
        return CarView(
            name=car.name,
            online=online,
            mode=car.mode,
            reason=said.reason,
            model=said.model,
            model_sha256=said.model_sha256,
            throttle_percent=said.throttle_percent,
            leased=self._leased(car),
            steering=heard.steering if heard else None,
            throttle=heard.throttle if heard else None,
            frame_age_p50_us=heard.frame_age_p50_us if heard else None,
            frame_age_p99_us=heard.frame_age_p99_us if heard else None,
            policy_p50_us=heard.policy_p50_us if heard else None,
            frames=heard.frames if heard else None,
            dropped=heard.dropped if heard else None,
            alarm=self._alarm(car, online, now_ns),
            practice=online and car.mode == "driving" and self._in_practice(car),
        )

    def _alarm(self, car: ControlledCar, online: bool, now_ns: int) -> str:
        if twins := car.claim.twins(now_ns):
            return duplicate_name_sentence(car.name, twins)
        if car.refusal:
            return car.refusal
        permit = self._permits.get(car.name)
        if permit is None or not permit.running:
            return ""
        if not online:
            return f"{car.name} is silent in the middle of its run."
        if car.mode == "tripped":
            return f"{car.name} stopped itself: {car.state.reason or 'it gave no reason'} Resume it when it is safe."
        return "" if car.mode == "driving" or car.goal else f"{car.name} is {car.mode} in the middle of its run."


def duplicate_name_sentence(name: str, boots: Sequence[str]) -> str:
    """Two machines, one name."""
    count = {2: "Two", 3: "Three"}.get(len(boots), str(len(boots)))
    who = " and ".join((", ".join(boot[:12] for boot in boots[:-1]), boots[-1][:12]))
    return f"{count} machines use the name {name} (boots {who}): only the first is led; rename the others (`device`)."
