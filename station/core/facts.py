"""What comes out of the core: facts, in the order in which they became true. They are stored with their input.

An input that yields no facts changed nothing and is not stored.
"""

from dataclasses import dataclass
from typing import Literal

from shared.messages import RunPhase
from shared.ranking import Placed
from shared.results import Result
from station.core.events import CarOrder, Mode, Moment, NoteKind, later

Source = Literal["gate", "official", "system_b"]
ProposalKind = Literal["missed_crossing", "false_crossing", "doubtful_crossing"]


@dataclass(frozen=True, slots=True)
class Crossing:
    """One pass through one gate. `number` counts all crossings of the station; `direction` -1 is reverse.

    `transponder`: the id that the decoder read.
    """

    number: int
    gate: str
    sensor: str
    at_ns: int
    boot: str
    uncertainty_ns: int
    direction: Literal[-1, 0, 1] = 0
    transponder: str = later("")


@dataclass(frozen=True, slots=True)
class CrossingMeasured:
    """What the later edges say about a crossing: how long the beam was blocked, how fast the car was.

    `odd` is empty, or why this does not look like a car. It classifies and never moves the stamp.
    """

    crossing: int
    width_ns: int
    speed_mmps: int | None = None
    odd: str = ""


@dataclass(frozen=True, slots=True)
class EdgeIgnored:
    """The edge is kept but makes no crossing."""

    gate: str
    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class EdgesLost:
    """The gate's count has a gap: so many edges never reached us."""

    gate: str
    boot: str
    count: int


@dataclass(frozen=True, slots=True)
class GateStuck:
    """A sensor is blocked for longer than any car; `stuck` False: it is free again."""

    gate: str
    sensor: str
    stuck: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class SystemsPaired:
    """Both timing systems saw this pass; A's stamp minus B's, each on its own clock."""

    run_id: str
    crossing: int
    crossing_b: int
    difference_ns: int


@dataclass(frozen=True, slots=True)
class SystemsCompared:
    """The run's differences A-B so far: their median, how far the worst one is off it, and how many."""

    run_id: str
    median_ns: int
    max_off_ns: int
    count: int


@dataclass(frozen=True, slots=True)
class SystemReplaced:
    """A missed the pass: B's crossing counts, `correction_ns` (the mean of `count` differences) added to its stamp.

    `count` 0: A has not even begun the run, and B times all of it by its own stamps.
    """

    crossing: int
    boot: str
    at_ns: int
    correction_ns: int
    spread_ns: int
    count: int


@dataclass(frozen=True, slots=True)
class GateJudged:
    """A gate's driver fell ill, or is well again."""

    gate: str
    healthy: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class GateNoted:
    """A gate's driver noticed something of its device: kept for whoever has to explain a time."""

    gate: str
    kind: NoteKind
    sentence: str
    count: int
    utc_ns: int


@dataclass(frozen=True, slots=True)
class GateOverridden:
    """An official armed a run on a gate that was not fit."""

    gate: str
    why: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class EpochBegan:
    """Test mode or race mode from now on."""

    epoch: int
    mode: Mode
    author: str


@dataclass(frozen=True, slots=True)
class Attributed:
    """Whose crossing it was; with several cars on the track also why, and how sure (0: there was no choice)."""

    crossing: int
    run_id: str
    car: str
    why: str = later("")
    sure_percent: int = later(0)


@dataclass(frozen=True, slots=True)
class Unattributed:
    """A crossing that counts for nobody; kept."""

    crossing: int
    why: str


@dataclass(frozen=True, slots=True)
class CrossingFlagged:
    """Sooner than any lap can be: kept and shown, ends no lap until an official counts it (AddCrossing)."""

    crossing: int
    run_id: str
    at_ns: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Lap:
    """One lap as it stands now. `ended_ns` on the clock of `boot`; `ended_utc_ns` for display and for ties.

    `lap_ns` is 0 for a lap that spans two boots: it is void by rule. `reason` says why it is not valid, or
    what an official did. `confirmed` once the car's own report agrees.
    """

    run_id: str
    number: int
    lap_ns: int
    ended_ns: int
    boot: str
    ended_utc_ns: int
    uncertainty_ns: int
    source: Source = "gate"
    valid: bool = True
    confirmed: bool = False
    off_tracks: int = 0
    collisions: int = 0
    resets: int = 0
    penalty_ns: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LapDone:
    """A lap ended just now."""

    lap: Lap


@dataclass(frozen=True, slots=True)
class LapConfirmed:
    """The car's own report agrees with this lap; `difference_ns` is car minus gate."""

    lap: Lap
    car_lap_ns: int | None
    difference_ns: int


@dataclass(frozen=True, slots=True)
class LapRuled:
    """An official changed what this lap counts."""

    lap: Lap
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class LapsRecast:
    """A ruling added or dropped a crossing: these are the run's laps now, all of them."""

    run_id: str
    laps: tuple[Lap, ...]
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Incident:
    """Off-track, collision or reset, in lap `number` (0: before lap 1)."""

    run_id: str
    number: int
    kind: Literal["off_track", "collision", "reset"]
    author: str


@dataclass(frozen=True, slots=True)
class RunOpened:
    """Phase armed."""

    run_id: str
    race_id: str
    racer: str
    car: str
    model: str
    model_sha256: str
    attempt: int
    throttle_percent: int | None = None


@dataclass(frozen=True, slots=True)
class RunReleased:
    """The start was given: the next start/finish crossing begins lap 1."""

    run_id: str
    author: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """Phase running: lap 1 began at this crossing."""

    run_id: str
    crossing: int
    at_ns: int
    boot: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class RunClock:
    """The run's start on a clock of the station that did not see it (another boot): for the time limit only."""

    run_id: str
    boot: str
    started_ns: int


@dataclass(frozen=True, slots=True)
class RunFinished:
    """Phase finished. `counts` False: abandoned."""

    run_id: str
    reason: str
    laps: int
    counts: bool
    utc_ns: int


@dataclass(frozen=True, slots=True)
class RunReassigned:
    """The run is another racer's now."""

    run_id: str
    racer: str
    was: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Qualified:
    """The run has a score (again, after a ruling); None: it has none (any more)."""

    run_id: str
    racer: str
    score_ms: int | None
    first_lap: int = 0
    last_lap: int = 0


@dataclass(frozen=True, slots=True)
class ResultDue:
    """To be posted. The store adds the journal's head to its evidence in the same transaction."""

    result: Result


@dataclass(frozen=True, slots=True)
class StandingChanged:
    """The race's standing, best first."""

    race_id: str
    lines: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class CarHeard:
    """A car's report was kept; its acknowledgement may go out."""

    car: str
    boot: str
    seq: int
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The witnesses disagree with the gate: an official should decide. `at_ns` on the gate's clock.

    Of a doubtful crossing `run_id` is the likeliest run, `sure_percent` how likely, `others` the runs that it may also
    be; it counts for none until `GiveCrossing` says whose `crossing` it was. Of a false one `crossing` is its number.
    """

    run_id: str
    kind: ProposalKind
    at_ns: int
    witness: str
    sentence: str
    crossing: int = later(0)
    sure_percent: int = later(0)
    others: tuple[str, ...] = later(())


@dataclass(frozen=True, slots=True)
class PassUnseen:
    """A car passed the gate by its own report, or by a gap of several laps, and there is no crossing of it."""

    run_id: str
    car: str
    at_ns: int
    witness: str


@dataclass(frozen=True, slots=True)
class ProposalDismissed:
    """An official looked, and it is not so."""

    run_id: str
    kind: ProposalKind
    at_ns: int
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tapped:
    """An official's hand at `moment`; `off_ns` from the nearest crossing of the run, if there is one."""

    run_id: str
    moment: Moment
    author: str
    off_ns: int | None


@dataclass(frozen=True, slots=True)
class CarOrdered:
    """The service shall bring the car there: `resume` is reset, arm and start in a row, `rearm` reset and arm."""

    car: str
    run_id: str
    action: CarOrder | Literal["resume", "rearm"]
    throttle_percent: int | None = None


@dataclass(frozen=True, slots=True)
class StationBooted:
    """The station's process started (or its gates were rebuilt)."""

    station: str
    boot: str


@dataclass(frozen=True, slots=True)
class ClockNoted:
    """A monotonic/UTC pair was kept. `used` False while a run is on: its laps keep one scale."""

    boot: str
    used: bool


@dataclass(frozen=True, slots=True)
class RaceOpened:
    """Runs from now on belong to this race."""

    race_id: str


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The state table moved."""

    run_id: str
    phase: RunPhase


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """Nothing changed; the sentence says why."""

    command: str
    sentence: str


Fact = (
    Crossing
    | CrossingMeasured
    | EdgeIgnored
    | EdgesLost
    | GateStuck
    | SystemsPaired
    | SystemsCompared
    | SystemReplaced
    | GateJudged
    | GateNoted
    | GateOverridden
    | EpochBegan
    | Attributed
    | Unattributed
    | CrossingFlagged
    | LapDone
    | LapConfirmed
    | LapRuled
    | LapsRecast
    | Incident
    | RunOpened
    | RunReleased
    | RunStarted
    | RunClock
    | RunFinished
    | RunReassigned
    | Qualified
    | ResultDue
    | StandingChanged
    | CarHeard
    | Proposal
    | PassUnseen
    | ProposalDismissed
    | Tapped
    | CarOrdered
    | StationBooted
    | ClockNoted
    | RaceOpened
    | PhaseChanged
    | CommandRefused
)
