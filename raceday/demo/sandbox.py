"""The sandbox: simulated cars wait, and whoever opens a run in the browser races them. Called by demo.py.

The mock world has room for one car, so the car of a run that is opened is put before the start line, as its racer would
do. A marshal puts a car that stays off the track back on it; what that means for the run is for the official to say.
"""

import time
from collections.abc import Callable, Collection, Sequence

from raceday.demo.plan import DemoRacer
from raceday.demo.race_crew import OFF_TRACK_LIMIT_S, REPORTS_S, Marshal
from raceday.demo.station_client import StationClient
from shared.errors import HardwareMissing, Refused, RetryLater
from simulator.realtime.control_client import WorldControl
from station.views.race_views import RunView
from station.views.views import View


class Placing:
    """Decides which car stands on the track, from one view of the station to the next. Pure, but for its memory."""

    def __init__(self, cars: Collection[str]) -> None:
        self._cars = cars
        self._placed = ""  # the run whose car was put on the track
        self._finished_s: float | None = None

    def next(self, view: View, now_s: float) -> str | None:
        """The car to put before the start line now, "" to clear the track, None to leave everything as it is."""
        run = view.run
        if run is None or run.car not in self._cars:
            return None
        if run.phase == "armed" and run.run_id != self._placed:
            self._placed, self._finished_s = run.run_id, None
            return run.car
        if run.phase == "finished" and run.run_id == self._placed:
            self._finished_s = now_s if self._finished_s is None else self._finished_s
            if _reported(run) or now_s - self._finished_s > REPORTS_S:
                self._placed = ""
                return ""
        return None


def _reported(run: RunView) -> bool:
    """Whether the car has reported every lap that counts; until then it stays where it is."""
    return all(lap.confirmed or not lap.valid for lap in run.laps)


class Sandbox:
    """Plays racers and marshal while somebody else plays race control. `log` receives sentences."""

    def __init__(
        self,
        world: str,
        station: StationClient,
        cars: Collection[str],
        log: Callable[[str], None],
        show: Callable[[View], None],
    ) -> None:
        self._control, self._marshal = WorldControl(world), Marshal(world)
        self._marshal.watch()
        self._station, self._log, self._show = station, log, show
        self._placing = Placing(cars)
        self._put_back_s = 0.0
        self._trouble = ""

    def enter(self, racers: Sequence[DemoRacer]) -> None:
        """Puts cars and racers on file, checked in and in the queue, as at the registration desk."""
        for racer in racers:
            self._station.command("add_car", car=racer.car)
            self._station.command("add_racer", racer=racer.name, car=racer.car, checked_in=True)
            self._station.command("queue", racer=racer.name)

    def step(self) -> None:
        """Does what is due; a station or a world that does not answer is asked again with the next step."""
        try:
            view = self._station.view()
            self._show(view)
            self._place(self._placing.next(view, time.monotonic()))
            self._help_back(view)
            self._trouble = ""
        except (RetryLater, HardwareMissing, Refused) as error:
            if str(error) != self._trouble:  # said once, however long it lasts
                self._trouble = str(error)
                self._log(self._trouble)

    def close(self) -> None:
        self._marshal.close()
        self._control.close()
        self._station.close()

    def _place(self, car: str | None) -> None:
        if car is None:
            return
        if car:
            self._control.place(car)
            self._log(f"{car} stands before the start line.")
        else:
            self._control.remove()

    def _help_back(self, view: View) -> None:
        now_s = time.monotonic()
        if self._marshal.off_for_s(view.clock.now_ns) > OFF_TRACK_LIMIT_S and now_s - self._put_back_s > 1.0:
            self._put_back_s = now_s
            self._control.put_back()
            self._log("The car left the track and was put back: count it with O, or a reset with R.")
