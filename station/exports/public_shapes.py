"""What the read-only API shows, as documented types: the visitor's part of a view, and the results of a race.

No addresses, hashes, codes or technical states: what stands here may be on any screen. Times of laps are milliseconds
as published, times of day RFC 3339 text. OpenAPI is made from these types; fields are only ever added.
"""

from dataclasses import dataclass
from typing import Literal

from shared.protocol.messages import RunPhase
from shared.rules.ranking import RaceRules
from shared.units import NS_PER_MS, published_ms
from station.core.event.records import Direction, RaceState
from station.exports.results_csv import utc_text
from station.views.event_view import RaceLine
from station.views.race_views import RunView, StandingLine
from station.views.results.race_results import LapResult, PlaceResult, RaceResults, RunResult
from station.views.views import View

ApiVersion = Literal[1]


@dataclass(frozen=True, slots=True)
class ApiRace:
    """A race. `active`: runs belong to it now. `ranked`: how many racers have a place."""

    race_id: str
    name: str
    track: str
    direction: Direction
    state: RaceState
    active: bool
    rules: RaceRules
    rules_version: int
    ranked: int
    runs: int


@dataclass(frozen=True, slots=True)
class ApiEvent:
    """The event that is on, with its races in the order in which they were created."""

    name: str
    track: str
    time_zone: str
    races: tuple[ApiRace, ...]


@dataclass(frozen=True, slots=True)
class ApiPlace:
    """A place. `gap_ms`: to the leader; `interval_ms`: to the place above.

    `tied`: the uncertainty of the times cannot tell it from another.
    """

    rank: int
    racer: str
    score_ms: int
    gap_ms: int
    interval_ms: int
    tied: bool
    runs: int
    flag: str = ""
    team: str = ""
    colour: str = ""
    best_lap_ms: int | None = None
    set_at: str = ""


@dataclass(frozen=True, slots=True)
class ApiLap:
    """A lap: `lap_ms` with its penalties, `track_ms` as it was driven. `counts`: it is successful by the rules."""

    number: int
    lap_ms: int
    track_ms: int
    penalty_ms: int
    off_tracks: int
    collisions: int
    resets: int
    counts: bool
    in_score: bool
    ended_at: str


@dataclass(frozen=True, slots=True)
class ApiRun:
    """A run with its laps; `score_ms` None: it has no score."""

    run_id: str
    racer: str
    car: str
    model: str
    attempt: int
    phase: RunPhase
    counts: bool
    score_ms: int | None
    best_lap_ms: int | None
    finished_at: str
    laps: tuple[ApiLap, ...]


@dataclass(frozen=True, slots=True)
class ApiResults:
    """A race with its places and runs. `official_by` "": the results are provisional."""

    race_id: str
    name: str
    event: str
    track: str
    direction: Direction
    state: RaceState
    rules: RaceRules
    rules_version: int
    official_by: str
    official_at: str
    uncertainty_ns: int
    places: tuple[ApiPlace, ...]
    runs: tuple[ApiRun, ...]


@dataclass(frozen=True, slots=True)
class ApiLiveRun:
    """A run on the track, or the last one. `lap_elapsed_ms`: of the lap in progress when the state was made.

    `provisional_score_ms`: what its laps make so far.
    """

    run_id: str
    racer: str
    car: str
    attempt: int
    phase: RunPhase
    lap: int
    lap_elapsed_ms: int | None
    left_ms: int | None
    laps_ms: tuple[int, ...]
    last_lap_ms: int | None
    best_lap_ms: int | None
    provisional_score_ms: int | None


@dataclass(frozen=True, slots=True)
class ApiQueueLine:
    """A racer who waits: `starts_at` is predicted, `late_min` is against the first prediction."""

    place: int
    racer: str
    starts_at: str
    late_min: int
    called: bool


@dataclass(frozen=True, slots=True)
class ApiState:
    """What a screen shows at one moment. `version` grows with each change; `at`: the station's time of day."""

    version: int
    at: str
    race_id: str
    race: str
    runs: tuple[ApiLiveRun, ...]
    standings: tuple[ApiPlace, ...]
    queue: tuple[ApiQueueLine, ...]


def api_event(view: View) -> ApiEvent:
    """The event of this view; an event without a name while there is none."""
    event = view.event.event
    races = tuple(api_race(race) for race in view.event.races)
    return ApiEvent(event.name, event.track, event.time_zone, races) if event else ApiEvent("", "", "", races)


def api_race(race: RaceLine) -> ApiRace:
    """One race of the event."""
    return ApiRace(
        race.race_id,
        race.name,
        race.track,
        race.direction,
        race.state,
        race.active,
        race.rules,
        race.rules_version,
        race.ranked,
        race.runs,
    )


def api_results(results: RaceResults) -> ApiResults:
    """The whole race."""
    official = results.official
    return ApiResults(
        race_id=results.race_id,
        name=results.name,
        event=results.event,
        track=results.track,
        direction=results.direction,
        state=results.state,
        rules=results.rules,
        rules_version=results.rules_version,
        official_by=official.author if official else "",
        official_at=utc_text(official.utc_ns) if official else "",
        uncertainty_ns=results.uncertainty_ns,
        places=tuple(_place(place) for place in results.places),
        runs=tuple(api_run(run) for run in results.runs),
    )


def api_run(run: RunResult) -> ApiRun:
    """One run with its laps."""
    return ApiRun(
        run_id=run.run_id,
        racer=run.racer,
        car=run.car,
        model=run.model,
        attempt=run.attempt,
        phase=run.phase,
        counts=run.counts,
        score_ms=run.score_ms,
        best_lap_ms=run.best_ms,
        finished_at=utc_text(run.finished_utc_ns),
        laps=tuple(_lap(lap) for lap in run.laps),
    )


def api_state(view: View) -> ApiState:
    """What is on now: the runs on the track (else the last one), the standings and the queue."""
    shown = view.runs or ((view.run,) if view.run is not None else ())
    return ApiState(
        version=view.version,
        at=utc_text(view.clock.utc_ns),
        race_id=view.race.race_id if view.race else "",
        race=view.race.name if view.race else "",
        runs=tuple(_live(run, view.clock.now_ns) for run in shown),
        standings=tuple(_line(line) for line in view.standing),
        queue=api_queue(view),
    )


def api_queue(view: View) -> tuple[ApiQueueLine, ...]:
    """Who waits, in order."""
    return tuple(
        ApiQueueLine(line.place, line.racer, utc_text(line.start_utc_ns), line.late_min, line.called)
        for line in view.queue.lines
    )


def _line(line: StandingLine) -> ApiPlace:
    return ApiPlace(line.rank, line.racer, line.score_ms, line.gap_ms, line.interval_ms, line.tied, line.runs)


def _place(place: PlaceResult) -> ApiPlace:
    return ApiPlace(
        rank=place.rank,
        racer=place.racer,
        score_ms=place.score_ms,
        gap_ms=place.gap_ms,
        interval_ms=place.interval_ms,
        tied=place.tie == "uncertain",
        runs=place.runs,
        flag=place.flag,
        team=place.team,
        colour=place.colour,
        best_lap_ms=place.best_ms,
        set_at=utc_text(place.set_utc_ns),
    )


def _lap(lap: LapResult) -> ApiLap:
    counts = (lap.off_tracks, lap.collisions, lap.resets, lap.counts, lap.in_score)
    return ApiLap(lap.number, lap.lap_ms, lap.track_ms, lap.penalty_ms, *counts, utc_text(lap.ended_utc_ns))


def _live(run: RunView, now_ns: int) -> ApiLiveRun:
    times = tuple(published_ms(lap.lap_ns) for lap in run.laps)
    return ApiLiveRun(
        run_id=run.run_id,
        racer=run.racer,
        car=run.car,
        attempt=run.attempt,
        phase=run.phase,
        lap=run.lap_number,
        lap_elapsed_ms=None if run.lap_started_ns is None else max(0, now_ns - run.lap_started_ns) // NS_PER_MS,
        left_ms=None if run.ends_ns is None else max(0, run.ends_ns - now_ns) // NS_PER_MS,
        laps_ms=times,
        last_lap_ms=times[-1] if times else None,
        best_lap_ms=None if run.best_ns is None else published_ms(run.best_ns),
        provisional_score_ms=run.score_ms,
    )
