"""The best lap of a race and of each racer, updated run by run so that unchanged runs are not read again."""

from collections.abc import Collection
from dataclasses import dataclass

from shared.rules.ranking import successful_laps
from station.core.race.race import Race
from station.core.runs.run import Run


@dataclass(frozen=True, slots=True)
class BestLap:
    """A counted lap: its time in ns with penalties, the time of day when it ended, and whose it is."""

    lap_ns: int
    ended_utc_ns: int
    racer: str


class BestLaps:
    """The best lap of each run of one race at a time. A lap that a ruling changed counts once its run is updated."""

    def __init__(self) -> None:
        self._race_id = ""
        self._runs: dict[str, BestLap | None] = {}

    def update(self, race: Race, run_ids: Collection[str]) -> None:
        """Reads the laps of these runs again, or of all runs if `race` is another race than before."""
        if race.info.race_id != self._race_id:
            self._race_id, self._runs = race.info.race_id, {}
            run_ids = tuple(race.runs)
        runs = race.runs if run_ids else {}
        for run_id in run_ids:
            if run_id in runs:
                self._runs[run_id] = _best_of_run(runs[run_id])

    def of_race(self) -> BestLap | None:
        """The best lap of the race, of two equal ones the earlier; None if there is none."""
        return min(self._known(), key=lambda best: (best.lap_ns, best.ended_utc_ns), default=None)

    def of_racer(self, racer: str) -> int | None:
        """The racer's fastest counted lap in all runs of the race, in ns; None if there is none."""
        return min((best.lap_ns for best in self._known() if best.racer == racer), default=None)

    def _known(self) -> list[BestLap]:
        return [best for best in self._runs.values() if best is not None]


def _best_of_run(run: Run) -> BestLap | None:
    if run.phase == "finished" and not run.counts:
        return None
    counted = successful_laps(run.book.ranked(), run.rules)
    return BestLap(*min(counted), run.racer) if counted else None
