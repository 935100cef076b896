"""Control of the cars: leases and orders in answer to their heartbeats, and what the pages show of them.

Called by publisher.py (orders), live_state.py (messages) and station.py. Nothing here is journaled. An order is
repeated with the car's heartbeats until the car's mode shows that it was followed; if that takes too long, the order is
given up with an alarm. Nothing re-arms by itself: only an official's resume or reset leads out of a trip, and only out
of the trip that was there when it was ordered.
"""

import threading
from collections.abc import Mapping, Sequence

from shared.protocol import messages as m
from shared.text import text
from station.core.moment import Moment
from station.service.cars.car_views import car_view, duplicate_name_sentence, stop_view_of
from station.service.cars.controlled_car import (
    AFTER_RESET,
    NEXT_ORDER,
    ControlledCar,
    DrivePermit,
    Goal,
    StopAllRecord,
    name_to_forget,
)
from station.service.cars.name_claims import ARMED, NameClaim
from station.service.cars.order_writer import OrderWriter, Reply
from station.views.car_views import CarView, StopView

GIVE_UP_NS = 15_000_000_000


class CarControl:
    """Controls all cars; every method is safe from any thread. Times are ns of the station's clock."""

    def __init__(self, lease_ms: int, ttl_ms: int, nonce: str, rate: float = 1.0) -> None:
        """`lease_ms`: how long a lease lasts; `ttl_ms`: how long an order is valid.

        `nonce` makes order ids unique across restarts; `rate`: seconds of the station's clock per real second.
        """
        self._rate = rate
        self._lease_ms = lease_ms
        self._cars: dict[str, ControlledCar] = {}
        self._permits: dict[str, DrivePermit] = {}  # by car
        self._stop_all: StopAllRecord | None = None  # all cars are stopped, including those not known yet
        self._stopped: set[str] = set()  # cars under an e-stop: no lease until an official orders otherwise
        self._orders = OrderWriter(ttl_ms, nonce)
        self._lock = threading.Lock()

    def permit(self, permits: Sequence[DrivePermit]) -> None:
        """Replaces the set of cars that may drive."""
        with self._lock:
            self._permits = {permit.car: permit for permit in permits}

    def order(self, name: str, goal: Goal, throttle_percent: int | None, now_ns: int) -> list[Reply]:
        """Sets the car's goal; returns the first order towards it, or nothing if the car has never reported."""
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
        """A person has started this car: it gets no more orders, except a stop that is already in progress."""
        with self._lock:
            car = self._car(name)
            if car.goal not in ("stop", "estop"):
                car.goal, car.refusal = None, ""

    def owns_name(self, name: str, state: m.CarState, now_ns: int, boot: str) -> bool:
        """Does this state come from the machine that owns the name?"""
        with self._lock:
            return self._car(name).claim.on_state(boot, state, now_ns)

    def why_not(self, name: str, goal: Goal, now_ns: int) -> str:
        """Why the car cannot be ordered to this goal now, as a sentence for the official; "" if it can."""
        with self._lock:
            car = self._cars.get(name)
            if absent := self._absent(name, car, now_ns):
                return text("{why}: check it, or start it by hand.", why=absent)
            assert car is not None, "a car that is online is known"
            if duplicates := car.claim.duplicates(now_ns):
                return duplicate_name_sentence(name, duplicates)
            if goal in ("arm", "start") and car.mode == "tripped":
                why = car.state.reason.rstrip(".") or text("no reason given")
                return text("{name} is tripped ({why}): when it is safe, resume it.", name=name, why=why)
            if goal != "reset" and car.state.online and not car.state.model:
                return text("{name} has no model loaded: load one on the car's own page.", name=name)
            return ""

    def absent(self, name: str, now_ns: int) -> str:
        """A sentence without its full stop that says that the car is offline; "" if it is online."""
        with self._lock:
            return self._absent(name, self._cars.get(name), now_ns)

    @property
    def all_stopped(self) -> bool:
        return self._stop_all is not None

    def stop_all(self, author: str, at: Moment) -> list[Reply]:
        """An emergency stop for every known car, online or not; no car gets a lease until `release`."""
        with self._lock:
            self._stop_all = StopAllRecord(author, at)
            for name in self._permits:
                self._car(name)
            for car in self._cars.values():
                car.claim.stop(at.at_ns)
            return [self._stop_order(car, at.at_ns) for car in self._cars.values()]

    def release(self, at: Moment) -> None:
        """Releases the stop, unless it is newer than this release; each car still needs an order of its own to arm."""
        with self._lock:
            if (stop := self._stop_all) is None or (at.boot == stop.at.boot and at.at_ns < stop.at.at_ns):
                return
            self._stop_all = None
            self._stopped &= set(self._permits)  # cars in free practice get leases from their phones again
            for car in self._cars.values():
                car.stop_ordered_ns = car.stop_confirmed_ns = None
                car.claim.release()

    def stop_view(self, now: Moment, *, connected: bool) -> StopView:
        """The outcome of the stop of all cars, by name; empty while no stop is in force."""
        with self._lock:
            if self._stop_all is None:
                return StopView()
            cars = tuple(stop_view_of(self._cars[name], now, self._rate) for name in sorted(self._cars))
            return StopView(True, self._stop_all.author, self._stop_all.at.utc_ns, connected, self._lease_ms, cars)

    def on_heartbeat(self, name: str, boot: str, beat: m.CarHeartbeat, now_ns: int) -> list[Reply]:
        """The answers to a car's heartbeat: always a lease (drive or none), and an order if one is due.

        A second machine with the same name gets a lease of none with the reason, and no order but a stop.
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
            car.practice, car.heartbeats = beat.practice, car.heartbeats + 1
            stop_orders = self._hold_stopped(car, now_ns)
            self._update_goal(car, now_ns)
            return [(name, self._lease(car)), *stop_orders, *self._next_orders(car, now_ns)]

    def on_state(self, name: str, state: m.CarState, now_ns: int, boot: str = "") -> list[Reply]:
        """Stores a car's retained state for the pages; returns the order that follows from its mode, if any.

        `boot`: the sender's, if known.
        """
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
        """Stores a car's telemetry for the pages, unless it comes from another machine with its name."""
        with self._lock:
            car = self._car(name)
            if boot in ("", car.boot):
                car.telemetry = telemetry

    def set_report_lead(self, name: str, lead_ns: int | None) -> None:
        """Stores by how much a known car's lap reports are constantly ahead of the gate; None: they are not."""
        with self._lock:
            if name in self._cars:
                self._cars[name].report_lead_ns = lead_ns

    def set_floods(self, per_s: Mapping[str, int]) -> None:
        """Stores which machines send too much, and how many messages a second were dropped of each."""
        with self._lock:
            for car in [*map(self._car, per_s), *self._cars.values()]:
                car.flood_per_s = per_s.get(car.name, 0)

    def views(self, now_ns: int) -> tuple[CarView, ...]:
        """What the pages show of each car, sorted by name."""
        with self._lock:
            return tuple(self._view(self._cars[name], now_ns) for name in sorted(self._cars))

    def _car(self, name: str) -> ControlledCar:
        if name not in self._cars:
            if (forgotten := name_to_forget(self._cars, self._permits)) is not None:
                del self._cars[forgotten]
            self._cars[name] = ControlledCar(name, NameClaim(self._lease_ms, self._rate))
            if self._stop_all is not None:
                self._cars[name].claim.stop(self._stop_all.at.at_ns)
        return self._cars[name]

    def _on_new_boot(self, car: ControlledCar, state: m.CarState | None, now_ns: int) -> None:
        """Another boot owns the name now: the car rebooted, or it is another machine. Orders for the old one lapse."""
        car.state = state or car.state
        car.stop_ordered_ns = car.stop_confirmed_ns = None
        if car.goal not in (None, "stop", "estop") and (
            car.goal in ("start", "resume") or car.claim.duplicates(now_ns)
        ):
            car.refusal = text(
                "{name} restarted before it could {goal}: check it, then repeat the order.",
                name=car.name,
                goal=car.goal,
            )
            car.goal = None

    def _refused(self, car: ControlledCar, boot: str, beat: int) -> m.Lease:
        reason = text(
            "Another machine already uses the name {name}: set a different `device` in this machine's config.",
            name=car.name,
        )
        return m.Lease(boot, beat, "none", "", self._lease_ms, reason, self._is_held(car))

    def _is_held(self, car: ControlledCar) -> bool:
        return car.name in self._stopped or self._stop_all is not None

    def _absent(self, name: str, car: ControlledCar | None, now_ns: int) -> str:
        if car is None or not car.boot:
            return text("{name} has never reported", name=name)
        if not car.claim.silent(now_ns):
            return ""
        seconds = max(1, round((now_ns - car.heartbeat_ns) / self._rate / 1e9))
        return text("{name} is offline (last heard {seconds} s ago)", name=name, seconds=seconds)

    def _leased(self, car: ControlledCar) -> bool:
        return car.name in self._permits and car.name not in self._stopped and self._stop_all is None

    def _in_practice(self, car: ControlledCar) -> bool:
        """Does a phone lease the car, in free practice? Not while an emergency stop holds it or it has a run."""
        return car.practice and car.name not in self._permits and car.name not in self._stopped

    def _run_of(self, car: ControlledCar) -> str:
        return self._permits[car.name].run_id if self._leased(car) else ""

    def _lease(self, car: ControlledCar) -> m.Lease:
        grant: m.Grant = "drive" if self._leased(car) else "none"
        stopped = self._is_held(car)
        return m.Lease(car.boot, car.heartbeat, grant, self._run_of(car), self._lease_ms, "", stopped)

    def _hold_stopped(self, car: ControlledCar, now_ns: int) -> list[Reply]:
        """While all cars are stopped: stops a car that is new or armed again; records when one has stopped."""
        if self._stop_all is None:
            return []
        if car.stop_ordered_ns is None or (car.mode in ARMED and car.goal != "estop"):
            return [self._stop_order(car, now_ns)]
        if car.mode == "tripped" and car.stop_confirmed_ns is None:
            car.stop_confirmed_ns = now_ns
        return []

    def _hold_other(self, car: ControlledCar, boot: str, beat: int, now_ns: int) -> list[Reply]:
        """The stop order for a machine that does not own the name, if one is due, whatever the owner does."""
        if not self._is_held(car) or not car.claim.stop_order_due(boot, self._orders.repeat_ns, now_ns):
            return []
        return [self._orders.stop_for(car.name, boot, beat)]

    def _stop_order(self, car: ControlledCar, now_ns: int) -> Reply:
        """The emergency stop for one car, whatever its last known mode, which may be out of date."""
        self._stopped.add(car.name)
        car.goal, car.since_ns, car.refusal = "estop", now_ns, ""
        car.stop_ordered_ns, car.stop_confirmed_ns = now_ns, None
        return self._orders.new(car, "estop", self._run_of(car), now_ns)

    def _update_goal(self, car: ControlledCar, now_ns: int) -> None:
        """Compares the car's mode with its goal, and drops a goal that is reached, impossible or overdue."""
        if car.goal is None:
            if car.mode == "driving" and not (self._leased(car) or self._in_practice(car)):
                car.goal, car.since_ns, car.step = "stop", now_ns, None
            return
        if car.mode != "tripped":
            car.goal = AFTER_RESET.get(car.goal, car.goal)  # from here on, a new trip is not reset
        if car.mode not in NEXT_ORDER[car.goal]:
            car.refusal = text(
                "{name} is {mode}: it cannot {goal} now; use `resume`.", name=car.name, mode=car.mode, goal=car.goal
            )
            car.goal = None
        elif NEXT_ORDER[car.goal][car.mode] is None:
            car.goal = None
        elif now_ns - car.since_ns > GIVE_UP_NS * self._rate and car.goal != "estop":
            car.refusal = text(
                "{name} did not {goal} in {seconds} s; it is {mode}.",
                name=car.name,
                goal=car.goal,
                seconds=GIVE_UP_NS // 1_000_000_000,
                mode=car.mode,
            )
            car.goal = None

    def _next_orders(self, car: ControlledCar, now_ns: int) -> list[Reply]:
        return self._orders.due(car, self._run_of(car), now_ns)

    def _view(self, car: ControlledCar, now_ns: int) -> CarView:
        permit, leased, practising = self._permits.get(car.name), self._leased(car), self._in_practice(car)
        return car_view(car, permit, now_ns, self._rate, leased=leased, practising=practising)
