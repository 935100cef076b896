"""What became of a run: its crossings, its start and end, its score and result, and what officials are asked."""

from dataclasses import dataclass
from typing import Literal

from shared.protocol.results import Result
from shared.rules.ranking import Placed
from station.core.moment import Fact, later

ProposalKind = Literal["missed_crossing", "false_crossing", "doubtful_crossing", "long_lap", "paused_lap"]


@dataclass(frozen=True, slots=True)
class Attributed(Fact):
    """The run that a crossing belongs to. `why` and `sure_percent` are set where there was a choice (else "" and 0)."""

    crossing: int
    run_id: str
    car: str
    why: str = later("")
    sure_percent: int = later(0)


@dataclass(frozen=True, slots=True)
class Unattributed(Fact):
    """A crossing that counts for no run, and why; it is recorded all the same."""

    crossing: int
    why: str


@dataclass(frozen=True, slots=True)
class UnknownTransponder(Fact):
    """A transponder without a known owner passed, for the `passes`th time in this race: an official is asked."""

    transponder: str
    crossing: int
    passes: int


@dataclass(frozen=True, slots=True)
class TransponderAssigned(Fact):
    """An official named the owner (car and racer "": none here); `crossings`: how many earlier passes count now."""

    transponder: str
    car: str
    racer: str
    crossings: int
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunOpened(Fact):
    """A run was opened; its phase is armed. `by_hand`: its car has no agent, so that a person starts it.

    `replaces`: the run that this one replaces once it is submitted, "" if none.
    """

    run_id: str
    race_id: str
    racer: str
    car: str
    model: str
    model_sha256: str
    attempt: int
    throttle_percent: int | None = None
    by_hand: bool = later(False)
    replaces: str = later("")
    hand_timed: bool = later(False)


@dataclass(frozen=True, slots=True)
class RunReleased(Fact):
    """The start was given: the car may go. `by_hand`: a person starts the car, and it gets no order."""

    run_id: str
    author: str
    by_hand: bool = later(False)


@dataclass(frozen=True, slots=True)
class RunStarted(Fact):
    """Lap 1 begins at this crossing (0: with the start signal); again if a ruling gives it another beginning."""

    run_id: str
    crossing: int
    at_ns: int
    boot: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class RunClock(Fact):
    """The run's start, converted to the clock of a later boot of the station: for the time limit only.

    `latest_ns`: only the time of day gives the start, so the limit counts from the latest possible start instead.
    """

    run_id: str
    boot: str
    started_ns: int
    latest_ns: int | None = later(None)


@dataclass(frozen=True, slots=True)
class TimeUp(Fact):
    """The time limit was reached, and by the race's rules the lap in progress still counts."""

    run_id: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class ModelReported(Fact):
    """The model that a car reports it drives with; `online` False: the car is gone."""

    car: str
    online: bool
    model: str
    model_sha256: str


@dataclass(frozen=True, slots=True)
class RunModel(Fact):
    """The model that the run is driven with, as its car reports it.

    `changed`: it changed in the middle of the run; `was` and `was_sha256` are the one before.
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
    """An official changed the model of the run's entry."""

    run_id: str
    model: str
    model_sha256: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunFinished(Fact):
    """The run is over, with this many finished `laps`. `counts` False: it was abandoned."""

    run_id: str
    reason: str
    laps: int
    counts: bool
    utc_ns: int


@dataclass(frozen=True, slots=True)
class RunReassigned(Fact):
    """The run is another racer's now; `was`: the racer before."""

    run_id: str
    racer: str
    was: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Qualified(Fact):
    """The run's score, when it is over and after each ruling: the laps from `first_lap` to `last_lap` make it.

    `score_ms` None: it has no score.
    """

    run_id: str
    racer: str
    score_ms: int | None
    first_lap: int = 0
    last_lap: int = 0


@dataclass(frozen=True, slots=True)
class ResultDue(Fact):
    """A result to be posted. The store adds the journal's head to its evidence in the same transaction."""

    result: Result


@dataclass(frozen=True, slots=True)
class StandingChanged(Fact):
    """The race's standings changed; `lines` are the places from the best racer to the last."""

    race_id: str
    lines: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Proposal(Fact):
    """The witnesses disagree with the gate: an official should decide. `at_ns` is on the gate's clock.

    For a doubtful crossing, `run_id` is the likeliest run, `sure_percent` how likely it is, and `others` are the other
    candidates; it counts for none until `AssignCrossing` gives it to a run. For a false one, `crossing` is its number.
    `uncertainty_ns`: how far the time of a missed crossing may be off. `long_lap`: a lap so long that the usual lap
    gives no times; either the car stood still in it, or crossings were missed.
    """

    run_id: str
    kind: ProposalKind
    at_ns: int
    witness: str
    sentence: str
    crossing: int = later(0)
    sure_percent: int = later(0)
    others: tuple[str, ...] = later(())
    uncertainty_ns: int = later(0)


@dataclass(frozen=True, slots=True)
class CrossingMissed(Fact):
    """A car passed the gate, by its own report or by a gap of several laps, but the gate has no crossing of it."""

    run_id: str
    car: str
    at_ns: int
    witness: str


@dataclass(frozen=True, slots=True)
class ProposalDismissed(Fact):
    """An official rejected a proposal."""

    run_id: str
    kind: ProposalKind
    at_ns: int
    author: str
    reason: str
