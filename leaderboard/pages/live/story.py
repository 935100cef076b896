"""What a commentator says of who is on the track: place, bests, what is needed to lead, earlier runs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.live.turn import TurnCar
from leaderboard.live_races.service import LiveRaceState
from leaderboard.snapshots import RacerRuns
from shared.rules.ranking import RaceRules, RunLap, lap_time_ns, successful
from shared.text import Sentence, ntext, text
from shared.units import format_ms, published_ms

_RUNS = 5
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A run of the racer in this race."""

    score: str
    words: Sentence


@dataclass(frozen=True, slots=True)
class ComingRacer:
    """Who comes soon, and with which score so far."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class LiveRacerStory:
    """The facts about a racer on the track."""

    racer: str
    facts: tuple[Sentence, ...]
    runs: tuple[EarlierRun, ...]


@dataclass(frozen=True, slots=True)
class LiveStory:
    """The facts about who is on the track, one or the two of a heat, and about those who come."""

    racers: tuple[LiveRacerStory, ...]
    coming: tuple[ComingRacer, ...]


def live_story(
    state: LiveRaceState, runs: Sequence[RacerRuns | None], coming: Sequence[tuple[str, int | None]]
) -> LiveStory:
    """The story. `runs`: of each car on the track, None before the first; `coming`: names and scores."""
    soon = tuple(ComingRacer(name, NOTHING if score_ms is None else format_ms(score_ms)) for name, score_ms in coming)
    on_track = state.queue.on_track
    if on_track is None:
        return LiveStory((), soon)
    racers = (_racer(state, car, of_car) for car, of_car in zip(on_track.cars, runs, strict=True))
    return LiveStory(tuple(racers), soon)


def _racer(state: LiveRaceState, car: TurnCar, runs: RacerRuns | None) -> LiveRacerStory:
    facts = (_place(runs), *_heats(state, car), *_bests(state, runs), _to_lead(state, car.name))
    earlier = (
        ()
        if runs is None
        else tuple(_earlier(attempt.score_ms, result.laps, state.race.rules) for attempt, result in runs.runs[:_RUNS])
    )
    return LiveRacerStory(car.name, facts, earlier)


def _heats(state: LiveRaceState, car: TurnCar) -> list[Sentence]:
    """How the racer did in the heats of this session."""
    mine = [
        each
        for each in state.queue.items
        if each.state == "done" and each.ahead and car.racer in (each.racer, each.rival)
    ]
    if not mine:
        return []
    won = sum(each.ahead == car.racer for each in mine)
    return [
        ntext("Won {won} of {n} heat so far.", "Won {won} of {n} heats so far.", n=len(mine), won=won),
    ]


def _place(runs: RacerRuns | None) -> Sentence:
    if runs is None or not runs.runs:
        return text("First run in this race.")
    if runs.row is None:
        return ntext(
            "{n} run so far, none of them qualified.", "{n} runs so far, none of them qualified.", n=len(runs.runs)
        )
    placed = runs.row.placed
    return text(
        "Place {place} of {racers} with {score}, after {runs}.",
        place=placed.rank,
        racers=runs.race.racers,
        score=format_ms(placed.score_ms),
        runs=ntext("{n} run", "{n} runs", n=len(runs.runs)),
    )


def _bests(state: LiveRaceState, runs: RacerRuns | None) -> list[Sentence]:
    rules = state.race.rules
    laps = [lap for _, result in runs.runs for lap in result.laps if successful(lap, rules)] if runs else []
    found = []
    if laps:
        best_ms = min(published_ms(lap_time_ns(lap, rules)) for lap in laps)
        found.append(text("Best lap so far: {time}.", time=format_ms(best_ms)))
    if runs is not None and runs.row is not None and runs.row.placed.rank > 1:
        found.append(text("{gap} behind the leader.", gap=format_ms(runs.row.placed.gap_ms)))
    return found


def _to_lead(state: LiveRaceState, name: str) -> Sentence:
    if not state.top:
        return text("Any run that qualifies takes the lead.")
    first = state.top[0]
    if first.name == name:
        return text("Leads the race with {score}.", score=format_ms(first.score_ms))
    rules, score = state.race.rules, format_ms(first.score_ms)
    needed = format_ms(first.score_ms - 1)
    if rules.method == "best_lap" or rules.consecutive_laps == 1:
        return text(
            "Leads with a lap of {time} or faster; {leader} has {score}.", time=needed, leader=first.name, score=score
        )
    if rules.method == "average":
        return text(
            "Leads with {laps} laps in a row of {time} on average; {leader} has {score}.",
            laps=rules.consecutive_laps,
            time=needed,
            leader=first.name,
            score=score,
        )
    return text(
        "Leads with {laps} laps in a row in {time}; {leader} has {score}.",
        laps=rules.consecutive_laps,
        time=needed,
        leader=first.name,
        score=score,
    )


def _earlier(score_ms: int | None, laps: Sequence[RunLap], rules: RaceRules) -> EarlierRun:
    times = [published_ms(lap_time_ns(lap, rules)) for lap in laps if successful(lap, rules)]
    best = format_ms(min(times)) if times else NOTHING
    return EarlierRun(
        NOTHING if score_ms is None else format_ms(score_ms),
        text("{laps}, best {best}", laps=ntext("{n} lap", "{n} laps", n=len(laps)), best=best),
    )
