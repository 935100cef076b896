"""What is read of a race on the timing thread for its results: references to what never changes, so it takes no time.

`race_results.py` works out the figures from it, on the thread of whoever asked.
"""

from dataclasses import dataclass

from shared.protocol.messages import RunPhase
from shared.rules.ranking import Placed, RaceRules
from station.core.engine import Engine
from station.core.event.records import EventInfo, RaceCard, Racer
from station.core.facts import Lap
from station.core.race.race import Race
from station.core.runs.run import Run


@dataclass(frozen=True, slots=True)
class OfficialStamp:
    """Who declared the results official, with whom ("": alone), and when."""

    author: str
    confirmed_by: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as it stands; times of day in UTC ns, 0 while there is none."""

    run_id: str
    racer: str
    car: str
    model: str
    attempt: int
    phase: RunPhase
    counts: bool
    by_hand: bool
    started_utc_ns: int
    finished_utc_ns: int
    finished_reason: str
    first_lap: int
    last_lap: int
    score_ms: int | None
    set_utc_ns: int
    laps: tuple[Lap, ...]
    hand_timed: bool = False


@dataclass(frozen=True, slots=True)
class PlaceRecord:
    """A place of the standings: the run that holds it ("" if it is older than any ruling), how many have a score."""

    placed: Placed
    run_id: str
    runs: int


@dataclass(frozen=True, slots=True)
class RaceRecordNow:
    """A race and all its runs as they stand now, oldest run first; `clock_trusted`: times of day are right."""

    card: RaceCard
    event: EventInfo | None
    rules: RaceRules
    places: tuple[PlaceRecord, ...]
    runs: tuple[RunRecord, ...]
    racers: tuple[Racer, ...]
    clock_trusted: bool
    official: OfficialStamp | None = None


def race_record(engine: Engine, race_id: str) -> RaceRecordNow | None:
    """The race of this id; None if there is none. On the timing thread."""
    card = engine.event.races.get(race_id)
    if card is None:
        return None
    race = engine.races.get(race_id)
    return RaceRecordNow(
        card=card,
        event=engine.event.events.get(card.event_id),
        rules=card.rules if race is None else race.info.rules,
        places=() if race is None else _places(race),
        runs=() if race is None else tuple(_run(run) for run in race.runs.values()),
        racers=tuple(engine.event.racers.values()),
        clock_trusted=race is None or all(race.scale.trusts(boot) for run in race.runs.values() for boot in run.boots),
        official=None if race is None or not race.official else _stamp(race),
    )


def _stamp(race: Race) -> OfficialStamp:
    return OfficialStamp(race.official, race.official_with, race.official_utc_ns)


def _places(race: Race) -> tuple[PlaceRecord, ...]:
    standings = race.standings
    return tuple(
        PlaceRecord(placed, standings.run_behind(placed.racer), standings.runs_of(placed.racer))
        for placed in standings.lines()
    )


def _run(run: Run) -> RunRecord:
    score = run.score if run.counts else None
    return RunRecord(
        run_id=run.run_id,
        racer=run.racer,
        car=run.car,
        model=run.posted_model[0],
        attempt=run.attempt,
        phase=run.phase,
        counts=run.counts,
        by_hand=run.by_hand,
        started_utc_ns=run.started_utc_ns,
        finished_utc_ns=run.finished_utc_ns,
        finished_reason=run.finished_reason,
        first_lap=score.first_lap if score else 0,
        last_lap=score.last_lap if score else 0,
        score_ms=score.score_ms if score else None,
        set_utc_ns=score.set_ns if score else 0,
        laps=run.book.laps(),
        hand_timed=run.hand_timed,
    )
