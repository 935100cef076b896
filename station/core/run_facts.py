"""What became of a run: whose a crossing was, its start and end, what it is worth, what officials are asked."""

from dataclasses import dataclass
from typing import Literal

from shared.protocol.results import Result
from shared.rules.ranking import Placed
from station.core.moment import Fact, later

ProposalKind = Literal["missed_crossing", "false_crossing", "doubtful_crossing"]


@dataclass(frozen=True, slots=True)
class Attributed(Fact):
    """Whose crossing it was; with several cars on the track also why, and how sure (0: there was no choice)."""

    crossing: int
    run_id: str
    car: str
    why: str = later("")
    sure_percent: int = later(0)


@dataclass(frozen=True, slots=True)
class Unattributed(Fact):
    """A crossing that counts for no run; recorded."""

    crossing: int
    why: str


@dataclass(frozen=True, slots=True)
class UnknownTransponder(Fact):
    """Whose is it? It passed here for the `passes`th time in this race, and nobody is known to have it."""

    transponder: str
    crossing: int
    passes: int


@dataclass(frozen=True, slots=True)
class TransponderAssigned(Fact):
    """An official said whose it is ("" and "": nobody's here); `crossings` of its passes before count now."""

    transponder: str
    car: str
    racer: str
    crossings: int
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunOpened(Fact):
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
class RunReleased(Fact):
    """The start was given: the next start/finish crossing begins lap 1. `by_hand`: no order goes to the car."""

    run_id: str
    author: str
    by_hand: bool = later(False)


@dataclass(frozen=True, slots=True)
class RunStarted(Fact):
    """Phase running: lap 1 began at this crossing."""

    run_id: str
    crossing: int
    at_ns: int
    boot: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class RunClock(Fact):
    """The run's start on a clock of the station that did not see it (another boot): for the time limit only.

    `latest_ns`: only the time of day says so, and the limit strikes by when the run began at the latest.
    """

    run_id: str
    boot: str
    started_ns: int
    latest_ns: int | None = later(None)


@dataclass(frozen=True, slots=True)
class TimeUp(Fact):
    """The time limit struck, and by the race's rules the lap in progress still counts."""

    run_id: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class ModelReported(Fact):
    """What a car says that it drives; `online` False: nobody speaks for it now."""

    car: str
    online: bool
    model: str
    model_sha256: str


@dataclass(frozen=True, slots=True)
class RunModel(Fact):
    """The model that the run is driven with, as its car reports it. `was` and `was_sha256`: another one before.

    `changed`: in the middle of the run.
    """

    run_id: str
    car: str
    model: str
    model_sha256: str
    changed: bool = False
    was: str = ""
    was_sha256: str = ""


@dataclass(frozen=True, slots=True)
class ModelEntered(Fact):
    """The run's entry names this model from now on."""

    run_id: str
    model: str
    model_sha256: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunFinished(Fact):
    """Phase finished. `counts` False: abandoned."""

    run_id: str
    reason: str
    laps: int
    counts: bool
    utc_ns: int


@dataclass(frozen=True, slots=True)
class RunReassigned(Fact):
    """The run is another racer's now."""

    run_id: str
    racer: str
    was: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Qualified(Fact):
    """The run has a score (again, after a ruling); None: it has none (any more)."""

    run_id: str
    racer: str
    score_ms: int | None
    first_lap: int = 0
    last_lap: int = 0


@dataclass(frozen=True, slots=True)
class ResultDue(Fact):
    """To be posted. The store adds the journal's head to its evidence in the same transaction."""

    result: Result


@dataclass(frozen=True, slots=True)
class StandingChanged(Fact):
    """The race's standing, best first."""

    race_id: str
    lines: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Proposal(Fact):
    """The witnesses disagree with the gate: an official should decide. `at_ns` on the gate's clock.

    Of a doubtful crossing `run_id` is the likeliest run, `sure_percent` how likely, `others` the runs that it may also
    be; it counts for none until `AssignCrossing` says whose `crossing` it was. Of a false one `crossing` is its number.
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
class CrossingMissed(Fact):
    """A car passed the gate by its own report, or by a gap of several laps, and there is no crossing of it."""

    run_id: str
    car: str
    at_ns: int
    witness: str


@dataclass(frozen=True, slots=True)
class ProposalDismissed(Fact):
    """An official looked, and it is not so."""

    run_id: str
    kind: ProposalKind
    at_ns: int
    author: str
    reason: str
