"""Which car the sandbox puts on the track: the one of the run that was opened, once for each run."""

from dataclasses import replace

from raceday.demo.race_crew import REPORTS_S
from raceday.demo.sandbox import Placing
from station.views.views import View
from tests.station.web.sample_views import LAPS, RUN, VIEW


def view(run_id: str = "run-1", phase: str = "armed", car: str = "car-1", *, confirmed: bool = True) -> View:
    laps = tuple(replace(lap, confirmed=confirmed) for lap in LAPS[:2])
    return replace(VIEW, run=replace(RUN, run_id=run_id, phase=phase, car=car, laps=laps))  # type: ignore[arg-type]


def test_the_car_of_each_run_is_placed_once() -> None:
    placing = Placing(["car-1", "car-2"])
    assert placing.next(replace(VIEW, run=None), 0.0) is None
    assert placing.next(view(), 0.0) == "car-1"
    assert placing.next(view(), 0.1) is None
    assert placing.next(view(phase="running"), 1.0) is None
    assert placing.next(view("run-2", car="car-2"), 2.0) == "car-2"
    assert placing.next(view("run-3", car="car-2"), 3.0) == "car-2"  # again, for the next run


def test_the_track_is_cleared_once_the_car_has_reported() -> None:
    placing = Placing(["car-1"])
    placing.next(view(), 0.0)
    assert placing.next(view(phase="finished", confirmed=False), 10.0) is None
    assert placing.next(view(phase="finished", confirmed=True), 11.0) == ""
    assert placing.next(view(phase="finished", confirmed=True), 12.0) is None


def test_a_car_that_never_reports_is_cleared_all_the_same() -> None:
    placing = Placing(["car-1"])
    placing.next(view(), 0.0)
    assert placing.next(view(phase="finished", confirmed=False), 10.0) is None
    assert placing.next(view(phase="finished", confirmed=False), 10.1 + REPORTS_S) == ""


def test_a_car_that_is_not_simulated_is_left_alone() -> None:
    assert Placing(["car-1"]).next(view(car="stock-1"), 0.0) is None
