"""What a ruling changes: the lap, the score and the place before and after. Called by station.py around the engine.

Figures are the published ones (truncated to ms). While a run is on, its place is the one that its score would have now.
`preview` works on a copy of the one run, so that an official sees the effect before the ruling is done.
"""

from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter

from shared.rules.ranking import RaceRules, RunLap, lap_time_ns
from shared.text import joined, text
from shared.units import format_ms, published_ms
from station.core import inputs as e
from station.core.engine import Engine
from station.core.race.race import Race
from station.core.ruling_handlers import race_of, try_ruling
from station.core.runs.incidents import incident_lap
from station.core.runs.phases import INCIDENTS, RULINGS
from station.core.runs.run import Run
from station.views.command_answers import RulingEffect, RunFigures
from station.views.projection import score_ms

# Which model was driven changes no lap.
_line_score_ms = attrgetter("score_ms")
LAP_RULINGS = tuple(kind for kind in (*INCIDENTS, *RULINGS) if kind is not e.EnterModel)


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run's figures at one moment, and the published times of all its laps in ms (None: it has none)."""

    figures: RunFigures
    laps_ms: tuple[int | None, ...]


def run_snapshot(engine: Engine, command: e.Input) -> RunSnapshot | None:
    """The run that a ruling is about as it is now; None if it is not a ruling, or about no run."""
    if not isinstance(command, LAP_RULINGS):
        return None
    race = race_of(engine, command)
    return None if race is None else _snapshot(race, command)


def preview(engine: Engine, command: e.Command) -> RulingEffect:
    """What the ruling would change; nothing is changed. Raises Refused as the ruling itself would."""
    trial = try_ruling(engine, command)
    effect = ruling_effect(run_snapshot(engine, command), _snapshot(trial, command))
    assert effect is not None, "a ruling that can be tried is about a run"
    return effect


def ruling_effect(before: RunSnapshot | None, after: RunSnapshot | None) -> RulingEffect | None:
    """The effect of one ruling, from the run before and after it; None if there is none."""
    if before is None or after is None:
        return None
    was, now = before.figures, after.figures
    first, laps_before, laps_after = _changed_laps(before.laps_ms, after.laps_ms)
    parts = []
    if len(laps_before) != len(laps_after):
        parts.append(
            text(
                "Laps from {first}: {before} → {after}.", first=first, before=_all(laps_before), after=_all(laps_after)
            )
        )
    elif was.lap is not None and was.lap == now.lap and was.lap_ms is not None and now.lap_ms is not None:
        parts.append(text("Lap {number}: {change}.", number=was.lap, change=_change(_lap(was), _lap(now))))
    if was.racer != now.racer:
        parts.append(text("Racer: {before} → {after}.", before=was.racer, after=now.racer))
    parts.append(text("Score: {change}.", change=_change(_figure(was.score_ms), _figure(now.score_ms))))
    parts.append(text("Place: {change}.", change=_change(_rank(was.place), _rank(now.place))))
    return RulingEffect(was, now, joined(parts), first, laps_before, laps_after)


def _snapshot(race: Race, command: e.Command) -> RunSnapshot | None:
    run_id = getattr(command, "run_id", "")
    run = race.runs.get(run_id) if run_id else race.run
    if run is None:
        return None
    number = _number(run, command)
    laps = run.book.laps()
    laps_ms = tuple([_lap_ms(lap, run.rules) for lap in run.book.ranked()])
    lap = laps[number - 1] if number is not None and 1 <= number <= len(laps) else None
    lap_ms = None if lap is None or number is None else laps_ms[number - 1]
    score = score_ms(run)
    counts = lap is not None and lap.valid
    place = None if run.disqualified and run.on else _place(race, run, score)
    return RunSnapshot(RunFigures(run.run_id, run.racer, number, lap_ms, counts, score, place), laps_ms)


def _changed_laps(
    before: tuple[int | None, ...], after: tuple[int | None, ...]
) -> tuple[int, tuple[int | None, ...], tuple[int | None, ...]]:
    """The number of the first lap whose time differs, and the laps that differ before and after."""
    if before == after:
        return 0, (), ()
    shorter = min(len(before), len(after))
    same = next((place for place in range(shorter) if before[place] != after[place]), shorter)
    tail = 0
    while tail < shorter - same and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return same + 1, before[same : len(before) - tail], after[same : len(after) - tail]


def _number(run: Run, command: e.Command) -> int | None:
    """The number of the lap that the command is about; None if it is about none."""
    if isinstance(command, e.OffTrack | e.Collision | e.CarReset):
        return incident_lap(run, command)
    if isinstance(command, e.VoidLap | e.RestoreLap | e.AddPenalty | e.DropCrossing | e.TakeBack | e.ReplaceCrossing):
        return command.number
    return None


def _lap_ms(lap: RunLap, rules: RaceRules) -> int | None:
    return published_ms(lap_time_ns(lap, rules)) if lap.lap_ns else None


def _place(race: Race, run: Run, score: int | None) -> int | None:
    own = race.standings.line_of(run.racer)
    if run.phase == "finished" or (own is not None and (score is None or own.score_ms <= score)):
        return None if own is None else own.rank
    if score is None:
        return None
    return 1 + bisect_right(race.standings.lines(), score, key=_line_score_ms)  # they are in the order of their scores


def _lap(figures: RunFigures) -> str:
    figure = _figure(figures.lap_ms)
    return figure if figures.lap_counts else text("{figure} (does not count)", figure=figure)


def _all(laps_ms: tuple[int | None, ...]) -> str:
    return joined([_figure(lap_ms) for lap_ms in laps_ms] or ["–"], ", ")


def _figure(milliseconds: int | None) -> str:
    return text("none") if milliseconds is None else format_ms(milliseconds)


def _rank(place: int | None) -> str:
    return text("none") if place is None else str(place)


def _change(before: str, after: str) -> str:
    return text("{figure}, as before", figure=before) if before == after else joined((before, after), " → ")
