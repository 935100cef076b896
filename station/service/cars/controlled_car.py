"""What the station knows of one car, and which order takes it from its mode to a goal. Used by car_control.py."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.protocol import messages as m
from station.core.moment import Moment
from station.service.cars.name_claims import NameClaim

Goal = Literal["arm", "start", "resume", "rearm", "stop", "estop", "reset"]
MAX_CARS = 128  # names; without certificates anybody can invent more
PROVEN_HEARTBEATS = 10  # a second of a car
AFTER_RESET: dict[Goal, Goal] = {"resume": "start", "rearm": "arm"}  # what the goal becomes once the trip is reset

# Goal to the car's mode to the order that comes next; None: the goal is reached; no entry: it cannot be reached.
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
    """One car as it last reported; times in ns of the station's clock.

    `goal`: what it is ordered to reach, since `since_ns`; None: nothing. `step`: the order that it was sent, with
    `order_id`, first at `step_ns` and last at `order_sent_ns`. `refusal`: why it missed its goal, for the pages.
    """

    name: str
    claim: NameClaim
    boot: str = ""
    heartbeat: int = -1
    mode: m.CarMode = "disarmed"
    practice: bool = False  # a phone leases it, in free practice
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
    report_lead_ns: int | None = None  # by how much its lap reports are constantly ahead of the gate (behind: negative)
    heartbeats: int = 0  # how many came: a name that was invented for one message has few
    flood_per_s: int = 0  # how many of its messages were dropped in a second, because they were too many
    stop_ordered_ns: int | None = None  # when the stop of all cars was ordered
    stop_confirmed_ns: int | None = None  # when its own heartbeat showed that it stopped


def name_to_forget(cars: Mapping[str, ControlledCar], kept: Container[str]) -> str | None:
    """Whose place a new name takes once there are `MAX_CARS`; None if none has to go. `kept`: cars with a run.

    First one hardly heard of, then one without an order, then the one silent for longest.
    """
    if len(cars) < MAX_CARS:
        return None
    others = [car for car in cars.values() if car.name not in kept]
    return min(others, key=_forgotten_first).name if others else None


def _forgotten_first(car: ControlledCar) -> tuple[bool, bool, int]:
    return car.heartbeats >= PROVEN_HEARTBEATS, car.goal is not None, car.heartbeat_ns


@dataclass(frozen=True, slots=True)
class StopAllRecord:
    """The stop of all cars that is in force: who ordered it, and when."""

    author: str
    at: Moment


@dataclass(frozen=True, slots=True)
class DrivePermit:
    """A car that may drive, and its run; `running`: the start was given."""

    car: str
    run_id: str
    running: bool = False


def next_action(car: ControlledCar) -> m.OrderAction | None:
    """The next order on the car's way to its goal; None if it is reached, or the car has none."""
    return NEXT_ORDER[car.goal].get(car.mode) if car.goal is not None else None
