"""The race, its runs, its standings and its uncounted crossings, as the pages show them. Made by projection.py."""

from dataclasses import dataclass

from shared.protocol.messages import RunPhase
from shared.rules.ranking import RaceRules
from station.core.facts import Lap, Proposal
from station.core.runs.hand_marks import HandMark
from station.views.trackside.sectors import SectorView


@dataclass(frozen=True, slots=True)
class RaceView:
    """The race that is on. `cars_on_track`: how many runs may be on at the same time.

    `best_lap_ns`: the fastest counted lap of the race, penalties included, and `best_racer`: whose it is.
    """

    race_id: str
    name: str
    track: str
    rules: RaceRules
    cars_on_track: int = 1
    best_lap_ns: int | None = None
    best_racer: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """The run on the track, or the last one. `lap_started_ns` is on the station's clock; None: no lap is on.

    `released`: the start was given. `ends_ns`: when the time limit ends the run, on the station's clock.
    `flagged`: stamps of crossings that came too soon to end a lap (they can be counted by `add_crossing`).
    `proposals`: what officials are asked, each until it is done or dismissed: a missed crossing is counted by
    `add_crossing`, a false one dropped by `drop_crossing`, a doubtful one assigned by `assign_crossing` with its number
    (to this run or to one of `others`, by `run_id`); `dismiss` with its `at_ns` takes any of them off the list.
    `by_hand`: a person started the car, and it gets no orders; `without_agent`: it never does.
    `racer_best_ns`: the racer's fastest counted lap in all runs of the race. `model` and `model_sha256`: what the car
    reports, and until it does, what was entered; `model_differs`: the two differ, so that Start is refused.
    `sectors`: those of the lap in progress, `last_sectors` of the last finished one; empty without split gates.
    `last_lap`: the time is up, and the lap in progress still counts. `limit_unsure`: the station rebooted within the
    run, and only the time of day shows how long that took. `hand_timed`: hand times are its crossings; `hand_times`:
    all of them, as they were taken. `disqualified`: why it has no score; `official`: who declared its result official.
    """

    run_id: str
    racer: str
    car: str
    model: str
    model_sha256: str
    attempt: int
    phase: RunPhase
    released: bool
    laps: tuple[Lap, ...]
    lap_number: int
    lap_started_ns: int | None
    ends_ns: int | None
    best_ns: int | None
    score_ms: int | None
    finished_reason: str
    counts: bool
    lap_off_tracks: int
    lap_collisions: int
    lap_resets: int
    flagged: tuple[int, ...]
    proposals: tuple[Proposal, ...]
    racer_best_ns: int | None = None
    by_hand: bool = False
    entered_model: str = ""
    reported_model: tuple[str, str] | None = None
    model_note: str = ""
    model_differs: bool = False
    last_lap: bool = False
    limit_unsure: bool = False
    hand_timed: bool = False
    hand_times: tuple[HandMark, ...] = ()
    disqualified: str = ""
    official: str = ""
    without_agent: bool = False
    sectors: tuple[SectorView, ...] = ()
    last_sectors: tuple[SectorView, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownTransponderView:
    """A transponder that passed in this race and has no known owner; `assign_transponder` names one."""

    transponder: str
    passes: int


@dataclass(frozen=True, slots=True)
class StandingLine:
    """A place in the standings. `gap_ms`: to the leader; `interval_ms`: to the place above; `runs`: how many it has.

    `tied`: the uncertainties of the times cannot tell it from another line. `hand_timed`: hand times made its score.
    """

    rank: int
    racer: str
    score_ms: int
    gap_ms: int
    interval_ms: int
    tied: bool
    runs: int
    model: str
    uncertainty_ns: int = 0
    hand_timed: bool = False


@dataclass(frozen=True, slots=True)
class UncountedCrossing:
    """A crossing that counts for no run, and why. `crossing`: its number; 0: an edge that made none."""

    crossing: int
    gate: str
    sensor: str
    utc_ns: int
    why: str
    transponder: str = ""
