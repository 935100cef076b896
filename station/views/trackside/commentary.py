"""The laps behind the standings and the racers on the track: for the commentator and the lap chart. After a commit."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.rules.ranking import Placed, lap_time_ns
from shared.units import published_ms
from station.core.race.race import Race
from station.core.runs.laps import run_lap
from station.core.runs.run import Run

LEADERS = 5  # racers whose best run is shown
HISTORY = 8  # of a racer's runs, the newest


@dataclass(frozen=True, slots=True)
class LapTime:
    """A lap as published: its time in ms with penalties, and whether it counts. `held`: an official still decides."""

    number: int
    lap_ms: int
    valid: bool
    held: bool = False


@dataclass(frozen=True, slots=True)
class RunLaps:
    """A run with its laps. `on`: it is on the track. `score_ms` None: it has no score."""

    run_id: str
    racer: str
    attempt: int
    on: bool
    counts: bool
    score_ms: int | None
    laps: tuple[LapTime, ...]


@dataclass(frozen=True, slots=True)
class CommentaryView:
    """`current`: the runs on the track, or the last one. `leaders`: the best run of each of the first few racers.

    `histories`: for each run of `current` the same racer's earlier runs, the newest first.
    """

    current: tuple[RunLaps, ...] = ()
    leaders: tuple[RunLaps, ...] = ()
    histories: tuple[tuple[RunLaps, ...], ...] = ()


def commentary(race: Race, lines: Sequence[Placed]) -> CommentaryView:
    """The laps of the open race that a commentator talks about. `lines`: its standings, as they are now."""
    current = race.on_track or ([race.last] if race.last is not None else [])
    leaders = [race.runs.get(race.standings.run_behind(line.racer)) for line in lines[:LEADERS]]
    histories = tuple(
        tuple(_laps_of(each) for each in reversed(race.registry.of_racer(run.racer)) if each is not run)[:HISTORY]
        for run in current
    )
    return CommentaryView(
        tuple(_laps_of(run) for run in current), tuple(_laps_of(run) for run in leaders if run is not None), histories
    )


def _laps_of(run: Run) -> RunLaps:
    laps = tuple(
        LapTime(lap.number, published_ms(lap_time_ns(run_lap(lap), run.rules)), lap.valid, lap.held)
        for lap in run.book.laps()
    )
    score_ms = run.score.score_ms if run.counts and run.score is not None else None
    return RunLaps(run.run_id, run.racer, run.attempt, run.on, run.counts, score_ms, laps)
