"""What a farm and a leaderboard say to each other: claims of work, results, failures, nodes. As JSON over HTTP.

Before an archive is driven for the first time it is prepared: the farm reads it, brings what is to be kept of it, and
where it holds several checkpoints drives each of them on seeds of validation.

A farm asks for work for one of its nodes, gets runs with a deadline each, and posts what each of them came to. A farm
that dies says nothing: its runs are given out again after their deadline. The same message may be sent again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from shared.conditions import Conditions, check_conditions
from shared.errors import BadInput
from shared.protocol.canonical_json import canonical
from shared.protocol.farm_shows import HeatAnswer, HeatReason, HeatReport, HeatRequest, LiveTurnAnswer, LiveTurnRequest
from shared.protocol.strict_json import read_json
from shared.rules.ranking import RunLap

FARM_PATH = "/api/v1/farm"
FARM_VERSION = 1
MAX_FARM_BYTES = 65_536
MAX_WANTED = 256
MAX_TRIALS = 10  # checkpoints of one submission
PREPARATION = 0  # the number among the runs of a submission that its preparation has
MAX_WAIT_S = 20.0

_STRICT = ConfigDict(extra="forbid", strict=True)
_Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[!-~]+$")]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Sentence = Annotated[str, Field(min_length=1, max_length=500)]
Fault = Literal["model", "farm"]
Stage = Literal["preparing", "driving"]


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """A node asks for up to `wanted` runs. `canary_sha256`: of the traces of its canary, "" before it has driven it.

    `together`: with each run it also takes the others of its submission that wait, to drive them in one go; `wanted`
    then counts submissions. `wait_s`: how long the answer may wait for work if there is none.
    """

    __pydantic_config__ = _STRICT

    node: _Name
    engine: _Name
    cores: Annotated[int, Field(ge=1, le=4096)] = 1
    wanted: Annotated[int, Field(ge=0, le=MAX_WANTED)] = 1
    canary_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    together: bool = False
    wait_s: Annotated[float, Field(ge=0.0, le=MAX_WAIT_S)] = 0.0
    v: Annotated[int, Field(ge=1, le=FARM_VERSION)] = FARM_VERSION


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One run to drive: this model (or this checkpoint of it), by these conditions and this seed.

    `claim`: names it in all that is said of it. `deadline_s`: so many seconds from now it is given to another, unless
    it is extended. `attempt`: from 1.
    """

    claim: str
    submission: str
    race_id: str
    run: int
    attempt: int
    seed: int
    model_sha256: str
    checkpoint: str
    conditions: Conditions
    conditions_sha256: str
    deadline_s: float
    repetition: bool = False


@dataclass(frozen=True, slots=True)
class PreparationItem:
    """An archive to prepare. `choose`: if it holds several checkpoints, drive each by these conditions. As WorkItem."""

    claim: str
    submission: str
    race_id: str
    attempt: int
    model_sha256: str
    choose: bool
    conditions: Conditions
    conditions_sha256: str
    deadline_s: float

    @property
    def run(self) -> int:
        """Its number among the runs."""
        return PREPARATION


@dataclass(frozen=True, slots=True)
class ClaimAnswer:
    """The runs that the node is to drive. `canary`: first it drives the canary, and asks again.

    `ask_after_s`: with nothing to do, ask again then. `preparations`: archives that it is to prepare.
    """

    work: tuple[WorkItem, ...] = ()
    canary: bool = False
    ask_after_s: float = 1.0
    preparations: tuple[PreparationItem, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimExtension:
    """The run is still being driven."""

    __pydantic_config__ = _STRICT

    stage: Stage = "driving"


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run came to: its laps, in order, and the SHA-256 of its trace. `cost_ms`: processor time that it took."""

    __pydantic_config__ = _STRICT

    laps: Annotated[tuple[RunLap, ...], Field(max_length=50)]
    trace_sha256: _Sha256
    conditions_sha256: _Sha256
    cost_ms: Annotated[int, Field(ge=0, le=10**9)]
    progress_ppm: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    ended: Literal["laps", "resets", "time"] = "laps"


@dataclass(frozen=True, slots=True)
class LiveHeatReport:
    """What a heat of a LIVE race came to: the runs of both, and who is ahead (0 is the first, null if they are level).

    `by_ms` or `by_mm`: by how much.
    """

    __pydantic_config__ = _STRICT

    runs: tuple[RunReport, RunReport]
    winner: Annotated[int, Field(ge=0, le=1)] | None
    reason: HeatReason
    by_ms: Annotated[int, Field(ge=0, le=10**9)] | None = None
    by_mm: Annotated[int, Field(ge=0, le=10**9)] | None = None


@dataclass(frozen=True, slots=True)
class CheckpointTrial:
    """How a checkpoint drove on the seeds of validation, all runs together; `refused`: why it could not be driven."""

    __pydantic_config__ = _STRICT

    name: Annotated[str, Field(min_length=1, max_length=300)]
    laps: Annotated[int, Field(ge=0, le=10_000)] = 0
    progress_ppm: Annotated[int, Field(ge=0, le=10**10)] = 0
    score_ms: Annotated[int, Field(ge=1, le=10**9)] | None = None
    scored: Annotated[int, Field(ge=0, le=100)] = 0
    resets: Annotated[int, Field(ge=0, le=10**6)] = 0
    refused: Annotated[str, Field(max_length=500)] = ""


@dataclass(frozen=True, slots=True)
class PreparationReport:
    """An archive was read: how many different models it holds, and how each drove if one is to be chosen."""

    __pydantic_config__ = _STRICT

    checkpoints: Annotated[int, Field(ge=1, le=100_000)]
    conditions_sha256: _Sha256
    cost_ms: Annotated[int, Field(ge=0, le=10**9)]
    trials: Annotated[tuple[CheckpointTrial, ...], Field(max_length=MAX_TRIALS)] = ()


@dataclass(frozen=True, slots=True)
class RunFailure:
    """A run that came to nothing. `fault`: the `model`'s, which is rejected, or the `farm`'s, and it is tried again."""

    __pydantic_config__ = _STRICT

    fault: Fault
    sentence: _Sentence
    cost_ms: Annotated[int, Field(ge=0, le=10**9)] = 0


@dataclass(frozen=True, slots=True)
class ClaimReply:
    """How the submission stands after what was said of one of its runs. `deadline_s`: of a run that goes on."""

    submission: str
    state: str
    sentence: str
    deadline_s: float | None = None


T = TypeVar(
    "T",
    HeatRequest,
    HeatAnswer,
    HeatReport,
    ClaimRequest,
    ClaimAnswer,
    ClaimExtension,
    RunReport,
    PreparationReport,
    RunFailure,
    ClaimReply,
    LiveTurnRequest,
    LiveTurnAnswer,
    LiveHeatReport,
)
_KINDS = (
    HeatRequest,
    HeatAnswer,
    HeatReport,
    ClaimRequest,
    ClaimAnswer,
    ClaimExtension,
    RunReport,
    PreparationReport,
    RunFailure,
    ClaimReply,
    LiveTurnRequest,
    LiveTurnAnswer,
    LiveHeatReport,
)
_ADAPTERS: Mapping[type[Any], TypeAdapter[Any]] = MappingProxyType({kind: TypeAdapter(kind) for kind in _KINDS})


def encode(message: T) -> bytes:
    """The message as canonical JSON bytes."""
    return canonical(message).encode()


def decode(payload: bytes, kind: type[T]) -> T:
    """A message of this kind from outside, checked. Raises BadInput with one sentence."""
    try:
        read_json(payload)
        message: T = _ADAPTERS[kind].validate_json(payload, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(f"What was sent to the farm's call is not valid at {where[:60]!r}: {first['msg']}.") from None
    except ValueError as error:
        raise BadInput(f"What was sent to the farm's call is not JSON that every reader reads alike: {error}") from None
    if isinstance(message, ClaimAnswer):
        for item in (*message.work, *message.preparations):
            check_conditions(item.conditions)
    if isinstance(message, PreparationReport):
        _check_trials(message.trials)
    if isinstance(message, LiveTurnAnswer) and message.turn is not None:
        check_conditions(message.turn.conditions)
    if isinstance(message, HeatAnswer) and message.heat is not None:
        check_conditions(message.heat.conditions)
    if isinstance(message, HeatReport):
        _check_heat_runs(message)
    if isinstance(message, RunFailure) and not message.sentence.isprintable():
        raise BadInput("The sentence of a failure is one line of visible characters.")
    return message


def _check_heat_runs(report: HeatReport) -> None:
    """Raises BadInput."""
    if not report.runs:
        return
    if not {sha256 for run in report.runs for sha256 in run.traces} <= set(report.traces):
        raise BadInput("Each trace of a heat's runs is among its traces.")
    if any((run.winner is None) != (run.reason == "level") for run in report.runs):
        raise BadInput("Nobody is ahead in a run of a heat that is level, and in no other.")
    ahead = [sum(run.winner == side for run in report.runs) for side in (0, 1)]
    if report.winner != (None if ahead[0] == ahead[1] else int(ahead[1] > ahead[0])):
        raise BadInput("Who is ahead in more runs of a heat wins it, and nobody if both are in as many.")


def _check_trials(trials: tuple[CheckpointTrial, ...]) -> None:
    """Raises BadInput."""
    if not all(each.name.isprintable() and each.refused.isprintable() for each in trials):
        raise BadInput("Names of checkpoints and what is said of them are one line of visible characters.")
    if len({each.name for each in trials}) != len(trials):
        raise BadInput("Each checkpoint of an archive is tried once.")
    if trials and all(each.refused for each in trials):
        raise BadInput("Of an archive of which no checkpoint can be driven the failure is reported.")
