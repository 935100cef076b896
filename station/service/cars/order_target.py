"""Which car an official's order is for, and whether that car is there to follow it. Pure.

The core knows no live cars, and a replay has none: this is asked before an order goes in. What is refused here has
changed nothing, so it is not journaled.
"""

from collections.abc import Callable, Sequence

from station.core import inputs as e
from station.service.cars.controlled_car import Goal
from station.views.race_views import RunView

BY_HAND = "was started by hand, so its car takes no orders"


def refusal(command: e.Command, runs: Sequence[RunView], ask: Callable[[str, Goal], str]) -> str:
    """Why the order cannot be followed, "" if it can or moves no car. `ask(car, goal)` gives the reason for one car."""
    if isinstance(command, e.OrderCar):
        return "" if command.action in ("stop", "estop") else ask(command.car, command.action)
    goal = _goal(command)
    run = _run(command, runs)
    if goal is None or run is None:  # then the core refuses it, and says why
        return ""
    if run.by_hand and not isinstance(command, e.StartRun):
        return f"{run.run_id} {BY_HAND}."
    return ask(run.car, goal)


def _goal(command: e.Command) -> Goal | None:
    match command:
        case e.ArmRun():
            return "arm"
        case e.StartRun() if not command.by_hand:
            return "start"
        case e.ResumeRun():
            return "resume"
    return None


def _run(command: e.Command, runs: Sequence[RunView]) -> RunView | None:
    """The run that the command is for, among those that are on; None if that is ambiguous."""
    run_id = getattr(command, "run_id", "")
    meant = [run for run in runs if run.run_id == run_id or not run_id]
    return meant[0] if len(meant) == 1 else None
