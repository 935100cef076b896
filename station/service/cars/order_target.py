"""Which car an official's order is for, and whether that car can follow it now. Pure.

The core knows no live cars, and a replay has none, so station.py checks this before it queues an order. An order that
is refused here has changed nothing, so it is not journaled.
"""

from collections.abc import Callable, Sequence

from shared.text import text
from station.core import inputs as e
from station.service.cars.car_control import CarControl
from station.service.cars.controlled_car import Goal
from station.views.race_views import RunView

BY_HAND = text("was started by hand, so its car takes no orders")


def refusal(command: e.Command, runs: Sequence[RunView], ask: Callable[[str, Goal], str]) -> str:
    """Why the command's order cannot be followed; "" if it can, or if the command moves no car.

    `runs`: those on the track. `ask(car, goal)` returns why one car cannot be ordered to a goal, "" if it can.
    """
    if isinstance(command, e.OrderCar):
        return "" if command.action in ("stop", "estop") else ask(command.car, command.action)
    goal = _goal(command)
    run = _run(command, runs)
    if goal is None or run is None or run.without_agent:  # the core decides alone, and says why if it refuses
        return ""
    if run.by_hand and not isinstance(command, e.StartRun | e.StageRun):
        return f"{run.run_id} {BY_HAND}."
    return ask(run.car, goal)


def starts_cars(command: e.Command) -> bool:
    """Could this command set a car in motion, by an order or by a hand? Not while the broker enforces no rules."""
    if isinstance(command, e.OrderCar):
        return command.action not in ("stop", "estop", "reset")
    return isinstance(command, e.ArmRun | e.StartRun | e.StageRun | e.ResumeRun)


def undelivered(car: str, cars: CarControl, *, connected: bool, now_ns: int) -> str:
    """Why an accepted order cannot reach the car yet; "" if it can, or there was no order (`car` is "")."""
    if not car:
        return ""
    if not connected:
        return text("The broker is offline, so the order cannot reach the car now.")
    absent = cars.absent(car, now_ns)
    return text("{why}: the order waits for it.", why=absent) if absent else ""


def _goal(command: e.Command) -> Goal | None:
    match command:
        case e.ArmRun():
            return "arm"
        case e.StartRun() | e.StageRun() if not command.by_hand:
            return "start"
        case e.ResumeRun():
            return "resume"
    return None


def _run(command: e.Command, runs: Sequence[RunView]) -> RunView | None:
    """The run that the command is for, among those on the track; None if there is none, or several."""
    run_id = getattr(command, "run_id", "")
    candidates = [run for run in runs if run.run_id == run_id or not run_id]
    return candidates[0] if len(candidates) == 1 else None
