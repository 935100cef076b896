"""The results of a race as they are published: places, runs and laps with their figures, and how ties were decided.

Pure: made from what race_records.py has read. Figures are truncated to milliseconds after all sums, as everywhere.
Nothing in it is secret: no addresses, no hashes, no codes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.protocol.messages import RunPhase
from shared.rules.person_names import name_key
from shared.rules.ranking import RaceRules, lap_time_ns, successful
from shared.text import Sentence, text
from shared.units import NS_PER_MS, published_ms
from station.core.event.records import Direction, RaceKind, Racer, RaceState
from station.core.facts import Lap, Source
from station.core.runs.laps import run_lap
from station.views.results.race_records import OfficialStamp, PlaceRecord, RaceRecordNow, RunRecord

Tie = Literal["", "earlier", "uncertain"]


@dataclass(frozen=True, slots=True)
class LapResult:
    """One lap: `lap_ms` as it counts, with its penalties; `track_ms` as driven. `in_score`: it makes the score."""

    number: int
    lap_ms: int
    track_ms: int
    penalty_ms: int
    off_tracks: int
    collisions: int
    resets: int
    counts: bool
    in_score: bool
    source: Source
    confirmed: bool
    reason: str
    ended_utc_ns: int
    uncertainty_ns: int


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run: its score in ms (None: it has none), from lap `first_lap` to `last_lap`, and all its laps."""

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
    score_ms: int | None
    first_lap: int
    last_lap: int
    best_ms: int | None
    laps: tuple[LapResult, ...]
    hand_timed: bool = False


@dataclass(frozen=True, slots=True)
class PlaceResult:
    """A racer's place. `runs`: how many of his have a score. `run_id`: the one that holds the place.

    `tie`: "earlier": another has the same score, and the one who set it earlier ranks first; "uncertain": the
    uncertainty of the times cannot tell it from another; "": neither.
    """

    rank: int
    racer: str
    score_ms: int
    gap_ms: int
    interval_ms: int
    tie: Tie
    uncertainty_ns: int
    runs: int
    run_id: str
    flag: str = ""
    team: str = ""
    colour: str = ""
    car: str = ""
    model: str = ""
    best_ms: int | None = None
    set_utc_ns: int = 0


@dataclass(frozen=True, slots=True)
class RaceResults:
    """A race with its places and runs. `official`: None while they are provisional."""

    race_id: str
    name: str
    event: str
    track: str
    direction: Direction
    kind: RaceKind
    state: RaceState
    rules: RaceRules
    rules_version: int
    time_zone: str
    places: tuple[PlaceResult, ...]
    runs: tuple[RunResult, ...]
    official: OfficialStamp | None
    clock_trusted: bool

    def place_of(self, racer: str) -> PlaceResult | None:
        """The racer's place, by any spelling; None: none yet."""
        key = name_key(racer)
        return next((place for place in self.places if name_key(place.racer) == key), None)

    def runs_of(self, racer: str) -> tuple[RunResult, ...]:
        """The racer's runs, oldest first, by any spelling."""
        key = name_key(racer)
        return tuple(run for run in self.runs if name_key(run.racer) == key)

    def run(self, run_id: str) -> RunResult | None:
        """The run of this id; None: there is none in this race."""
        return next((run for run in self.runs if run.run_id == run_id), None)

    @property
    def uncertainty_ns(self) -> int:
        """The greatest uncertainty of the published scores, either way."""
        return max((place.uncertainty_ns for place in self.places), default=0)


def race_results(record: RaceRecordNow) -> RaceResults:
    """The results of what was read."""
    card = record.card
    racers = {name_key(racer.alias): racer for racer in record.racers}
    runs = tuple(_run(run, record.rules) for run in record.runs)
    by_id = {run.run_id: run for run in runs}
    set_utc_ns = {run.run_id: run.set_utc_ns for run in record.runs}
    return RaceResults(
        race_id=card.race_id,
        name=card.name,
        event=record.event.name if record.event is not None else "",
        track=card.track,
        direction=card.direction,
        kind=card.kind,
        state=card.state,
        rules=record.rules,
        rules_version=card.rules_version,
        time_zone=record.event.time_zone if record.event is not None else "",
        places=tuple(
            _place(
                each,
                tie,
                by_id.get(each.run_id),
                racers.get(name_key(each.placed.racer)),
                set_utc_ns.get(each.run_id, 0),
            )
            for each, tie in zip(record.places, _ties(record.places), strict=True)
        ),
        runs=runs,
        official=record.official,
        clock_trusted=record.clock_trusted,
    )


def tie_words(results: RaceResults) -> list[Sentence]:
    """How ties in these results were decided, one sentence each; none if there is none."""
    kinds = {place.tie for place in results.places}
    words = []
    if "earlier" in kinds:
        words.append(text("Equal scores: the one set earlier ranks first."))
    if "uncertain" in kinds:
        words.append(
            text(
                "Places marked ≈ lie closer together than the times are certain; the published scores keep their order."
            )
        )
    return words


def uncertainty_words(results: RaceResults) -> Sentence:
    """What is stated of the times: "±0.05 ms"."""
    return text("Times are certain to ±{ms} ms.", ms=f"{results.uncertainty_ns / NS_PER_MS:.3g}")


def _ties(places: Sequence[PlaceRecord]) -> list[Tie]:
    scores = [place.placed.score_ms for place in places]
    return [
        "earlier" if scores.count(each.placed.score_ms) > 1 else "uncertain" if each.placed.tied else ""
        for each in places
    ]


def _place(record: PlaceRecord, tie: Tie, run: RunResult | None, racer: Racer | None, set_utc_ns: int) -> PlaceResult:
    placed = record.placed
    return PlaceResult(
        rank=placed.rank,
        racer=placed.racer,
        score_ms=placed.score_ms,
        gap_ms=placed.gap_ms,
        interval_ms=placed.interval_ms,
        tie=tie,
        uncertainty_ns=placed.uncertainty_ns,
        runs=record.runs,
        run_id=record.run_id,
        flag=racer.flag if racer else "",
        team=racer.team if racer else "",
        colour=racer.colour if racer else "",
        car=run.car if run else "",
        model=run.model if run else "",
        best_ms=run.best_ms if run else None,
        set_utc_ns=set_utc_ns,
    )


def _run(run: RunRecord, rules: RaceRules) -> RunResult:
    laps = tuple(_lap(lap, run, rules) for lap in run.laps)
    return RunResult(
        run_id=run.run_id,
        racer=run.racer,
        car=run.car,
        model=run.model,
        attempt=run.attempt,
        phase=run.phase,
        counts=run.counts,
        by_hand=run.by_hand,
        started_utc_ns=run.started_utc_ns,
        finished_utc_ns=run.finished_utc_ns,
        finished_reason=run.finished_reason,
        score_ms=run.score_ms,
        first_lap=run.first_lap,
        last_lap=run.last_lap,
        best_ms=min((lap.lap_ms for lap in laps if lap.counts), default=None),
        laps=laps,
        hand_timed=run.hand_timed,
    )


def _lap(lap: Lap, run: RunRecord, rules: RaceRules) -> LapResult:
    ranked = run_lap(lap)
    lap_ms, track_ms = published_ms(lap_time_ns(ranked, rules)), published_ms(lap.lap_ns)
    return LapResult(
        number=lap.number,
        lap_ms=lap_ms,
        track_ms=track_ms,
        penalty_ms=lap_ms - track_ms,
        off_tracks=lap.off_tracks,
        collisions=lap.collisions,
        resets=lap.resets,
        counts=successful(ranked, rules),
        in_score=run.first_lap <= lap.number <= run.last_lap,
        source=lap.source,
        confirmed=lap.confirmed,
        reason=lap.reason,
        ended_utc_ns=lap.ended_utc_ns,
        uncertainty_ns=lap.uncertainty_ns,
    )
