"""A run of a LIVE race: driven to the time that it is told, so that whoever calls it makes it real time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shared.conditions import Conditions
from shared.units import NS_PER_MS
from simulator.batch.vector import FRAME_RATE_HZ, BatchWorlds
from simulator.virtual_races.entrant import AnyEntrant
from simulator.virtual_races.evaluation import rival_worlds, verdict_of
from simulator.virtual_races.judging.head_to_head import HeadToHeadVerdict
from simulator.virtual_races.judging.run_book import RunBook, laps_of
from simulator.virtual_races.live.driven_car import DrivenCar
from simulator.virtual_races.live.live_picture import LivePicture
from simulator.virtual_races.live.sector_times import SECTORS
from simulator.virtual_races.lock_step import PICTURE_SIZE, LockStepRuns, VirtualRun
from simulator.virtual_races.worlds import require_drivable, world_of
from simulator.world.geometry import Track
from simulator.world.world import START_BEFORE_LINE_M

MAX_LAPS, MAX_RESETS = 50, 1000  # a run ends by its time, not by these
_SPLITS = tuple((sector + 1) / SECTORS for sector in range(SECTORS - 1))
_FRAME_NS = 1_000_000_000 // FRAME_RATE_HZ


def live_conditions(conditions: Conditions, run_ms: int, cars: int = 1) -> Conditions:
    """Those of a LIVE run: it ends by its run time, or by the laps that the race's rules allow.

    Two cars drive the laps of the race: the run is a heat of it.
    """
    laps = laps_of(conditions) if cars > 1 else min(conditions.rules.max_laps or MAX_LAPS, MAX_LAPS)
    return replace(conditions, laps=laps, resets=MAX_RESETS, run_limit_ms=run_ms)


@dataclass(frozen=True, slots=True)
class LiveOutcome:
    """What was driven: the run of each car, and of two who is ahead."""

    runs: tuple[VirtualRun, ...]
    verdict: HeadToHeadVerdict | None


class LiveRun:
    """One model in its world, or two in one; penalties are served. It knows no clock: `advance` says how late it is.

    Of two the first starts in front. `asks` as that of LockStepRuns: whose model is asked now.
    """

    def __init__(
        self,
        conditions: Conditions,
        seed: int,
        models: tuple[AnyEntrant, ...],
        run_ms: int,
        asks: Callable[[int | None], None] = lambda _: None,
    ) -> None:
        """Raises BadInput for conditions that this world cannot make."""
        assert len(models) in (1, 2)
        track = require_drivable(conditions)
        self._conditions = live_conditions(conditions, run_ms, len(models))
        self._worlds, self._books = _worlds(self._conditions, track, seed, len(models))
        seeds = (seed,) * len(models)
        self._runs = LockStepRuns(self._conditions, seeds, models, self._worlds, self._books, asks)
        laps = laps_of(self._conditions)
        self._cars = tuple(
            DrivenCar(self._worlds, run, book, laps, track.length_m) for run, book in enumerate(self._books)
        )

    def advance(self, run_ns: int, speed_percents: Sequence[int]) -> LivePicture:
        """Drive up to this time of the run, each car by its multiplier. Raises BadInput if a model does not answer."""
        assert len(speed_percents) == len(self._cars)
        self._runs.speed_percent[:] = speed_percents
        while (going := self._runs.going) and self._now_ns() + _FRAME_NS <= run_ns:
            events = self._runs.frame(going)
            for run in going:
                self._cars[run].look(events, self._runs.along_m(run))
        ahead_m = None
        if len(self._cars) > 1:
            ahead_m = round(self._cars[0].reached_m - self._cars[1].reached_m, 3)
        shown = tuple(car.shown() for car in self._cars)
        return LivePicture(self._now_ns() // NS_PER_MS, not self._runs.going, shown, ahead_m)

    def finish(self) -> LiveOutcome:
        """End the run, if it is not over; what was driven."""
        for run in range(len(self._cars)):
            self._runs.stop(run)
        self._worlds.close()
        verdict = verdict_of(self._conditions, self._books) if len(self._cars) > 1 else None
        return LiveOutcome(self._runs.driven(), verdict)

    def _now_ns(self) -> int:
        """The time of the run; that of a car that is through stands still."""
        return int(self._worlds.now_ns.max())


def _worlds(conditions: Conditions, track: Track, seed: int, cars: int) -> tuple[BatchWorlds, list[RunBook]]:
    if cars > 1:
        return rival_worlds(conditions, track, (seed,), _SPLITS)
    worlds = BatchWorlds([replace(world_of(conditions, track, seed), splits=_SPLITS)], PICTURE_SIZE)
    return worlds, [RunBook(conditions, track.length_m, START_BEFORE_LINE_M, served=True)]
