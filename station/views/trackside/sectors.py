"""The sectors of laps, each beside the best of the racer and of all: the bar of mini-sectors. Called after a commit."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from station.core.engine import Engine
from station.core.moment import clock_of
from station.core.race.race import Race
from station.core.runs.run import Run
from station.core.runs.sectors import SplitCrossing, sector_times

SectorLevel = Literal["best", "own", "slower", "pending", "unknown"]
Times = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class SectorView:
    """One sector of a lap. `level`: "best" of all in the race, the racer's "own" best, or "slower" than that.

    "pending": the car has still to drive it; "unknown": a split gate missed the car, or cannot tell whose pass it was.
    """

    number: int
    sector_ns: int | None
    level: SectorLevel


def split_gates(engine: Engine) -> tuple[str, ...]:
    """The names of the split gates, in the order in which a car meets them: as the station's config lists them."""
    return tuple(name for name, gate in engine.gates.items() if gate.spec.kind == "split")


def lap_sectors(run: Run, gates: Sequence[str]) -> tuple[Times, ...]:
    """The sector times of each lap that has ended, in ns; empty if there are no split gates."""
    if not gates:
        return ()
    starts, splits = [segment.start for segment in run.book.segments], _splits_by_lap(run)
    return tuple(
        sector_times(start, end, splits[number], gates) for number, (start, end) in enumerate(pairwise(starts))
    )


class SectorBests:
    """The best time of each sector in the open race, by racer and of all; only laps that count are compared."""

    def __init__(self) -> None:
        self._key: tuple[str, tuple[str, ...]] = ("", ())
        self._runs: dict[str, tuple[str, Times]] = {}  # run id -> racer, best of each sector

    def update(self, race: Race, gates: tuple[str, ...], run_ids: Collection[str]) -> None:
        """Reads the laps of these runs again, or of all runs if the race or its gates are not those of before."""
        if (race.info.race_id, gates) != self._key:
            self._key, self._runs = (race.info.race_id, gates), {}
            run_ids = tuple(race.runs)
        for run_id in run_ids if gates else ():
            if (run := race.runs.get(run_id)) is not None:
                self._runs[run_id] = run.racer, _best_of_run(run, gates)

    def of_race(self) -> Times:
        """The best time of each sector in the race; None: no lap that counts has one."""
        return _best([times for _, times in self._runs.values()])

    def of_racer(self, racer: str) -> Times:
        """The racer's best time of each sector."""
        return _best([times for whose, times in self._runs.values() if whose == racer])

    def views(self, racer: str, times: Times, *, on: bool = False) -> tuple[SectorView, ...]:
        """The sectors of one of the racer's laps; `on`: it is the lap in progress, whose later sectors are pending."""
        overall, own = self.of_race(), self.of_racer(racer)
        last = max((number for number, each in enumerate(times) if each is not None), default=-1)
        return tuple(
            SectorView(number + 1, each, _level(each, _at(overall, number), _at(own, number), on and number > last))
            for number, each in enumerate(times)
        )


def run_sectors(
    run: Run, gates: tuple[str, ...], bests: SectorBests
) -> tuple[tuple[SectorView, ...], tuple[SectorView, ...]]:
    """The sectors of the run's lap in progress, and of its last finished lap; empty where there is none."""
    if not gates or not run.book.segments:
        return (), ()
    finished = lap_sectors(run, gates)
    last = bests.views(run.racer, finished[-1]) if finished else ()
    if run.phase != "running":
        return (), last
    current = sector_times(run.book.segments[-1].start, None, _splits_by_lap(run)[-1], gates)
    return bests.views(run.racer, current, on=True), last


def _splits_by_lap(run: Run) -> list[list[SplitCrossing]]:
    """The run's passes of split gates after each of its counted crossings."""
    groups: list[list[SplitCrossing]] = [[] for _ in run.book.segments]
    starts: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, segment in enumerate(run.book.segments):
        starts[clock_of(segment.start.boot)].append((segment.start.at_ns, number))
    for split in run.splits:
        known = starts[clock_of(split.boot)]
        if place := bisect_right(known, (split.at_ns, len(groups))):
            groups[known[place - 1][1]].append(split)
    return groups


def _best_of_run(run: Run, gates: tuple[str, ...]) -> Times:
    if run.phase == "finished" and not run.counts:
        return ()
    laps = zip(run.book.laps(), lap_sectors(run, gates), strict=True)
    return _best([times for lap, times in laps if lap.valid])


def _best(laps: Sequence[Times]) -> Times:
    count = max((len(times) for times in laps), default=0)
    return tuple(
        min((each for times in laps if (each := _at(times, number)) is not None), default=None)
        for number in range(count)
    )


def _at(times: Times, number: int) -> int | None:
    return times[number] if number < len(times) else None


def _level(time_ns: int | None, overall_ns: int | None, own_ns: int | None, pending: bool) -> SectorLevel:
    if time_ns is None:
        return "pending" if pending else "unknown"
    if overall_ns is None or time_ns <= overall_ns:
        return "best"
    return "own" if own_ns is None or time_ns <= own_ns else "slower"
