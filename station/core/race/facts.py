"""What became of a run's start, of the race's pause and of a run's submission."""

from dataclasses import dataclass

from station.core.moment import Fact


@dataclass(frozen=True, slots=True)
class RunStaged(Fact):
    """The start lights began at `at_ns` on the clock of `boot`; the start is given at `go_ns`."""

    run_id: str
    boot: str
    at_ns: int
    go_ns: int
    by_hand: bool
    author: str


@dataclass(frozen=True, slots=True)
class StartCancelled(Fact):
    """The start lights went out without a start, for this reason."""

    run_id: str
    why: str


@dataclass(frozen=True, slots=True)
class FalseStart(Fact):
    """The car crossed the line `early_ns` before the start: the start is cancelled."""

    run_id: str
    crossing: int
    early_ns: int


@dataclass(frozen=True, slots=True)
class RunRelaunched(Fact):
    """The start was taken back before the car crossed the line."""

    run_id: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class RacePaused(Fact):
    """The race is paused; `run_ids`: the runs whose time limits stand still."""

    race_id: str
    run_ids: tuple[str, ...]
    author: str
    reason: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class RaceContinued(Fact):
    """The pause is over; it lasted `paused_ns`."""

    race_id: str
    paused_ns: int
    author: str


@dataclass(frozen=True, slots=True)
class RunDidNotFinish(Fact):
    """The run ended because it did not finish."""

    run_id: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class SubmissionPending(Fact):
    """The run is over and waits to be submitted: by the station at `due_utc_ns`, or by an official (None)."""

    run_id: str
    due_utc_ns: int | None


@dataclass(frozen=True, slots=True)
class RunSubmitted(Fact):
    """The run's result counts from now on."""

    run_id: str
    author: str


@dataclass(frozen=True, slots=True)
class RunDiscarded(Fact):
    """The run does not count any more."""

    run_id: str
    author: str
    reason: str
