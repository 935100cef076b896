"""The result contract: what the station posts to a leaderboard, and the three outcomes of a post."""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput
from shared.protocol.canonical_json import canonical
from shared.protocol.strict_json import read_json
from shared.rules.ranking import RunLap

RESULT_VERSION = 2  # the newest that is read; a run that never qualified is posted as 2, all else as 1
RESULT_PATH = "/api/v1/results"
RACES_PATH = "/api/v1/races"
# This header marks a response as the leaderboard's own, and not that of a login page or proxy in between.
CONTRACT_HEADER = "raceday-contract"
CONTRACT = "results/2"
ModelSource = Literal["", "car", "nobody"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the result comes from: enough to ask the station for the journal that made it.

    `signature` (Ed25519, hex) is the station's over record `last_seq` - 1 and `journal_head`, by `public_key`: whoever
    stores the result can later check it against the journal. Both empty: the station signs nothing. `journal` is the
    random name of that journal, "" if it has none. `clock_trusted` False: the machine's clock was not set when the run
    was driven, so the result's times of day are not right; a revision corrects them when they are known.

    `model_by`: who named the model and its hash: the car itself, or nobody (then both are empty); "" in results
    from before this field. `model_changes`: how often the car reported another model within the run.
    `by_hand`: a person started the car; the station gave it no order. `hand_timed`: an official's hand timed the run
    because the gate was dead; `uncertainty_ns` says how well. `conditions_sha256`: of a virtual run the world in which
    it was driven; a race may ask for one.
    """

    station: str
    journal_head: str
    first_seq: int
    last_seq: int
    uncertainty_ns: int
    versions: dict[str, str] = field(default_factory=dict)
    public_key: str = ""
    signature: str = ""
    journal: str = field(default="", metadata={"later": True})
    clock_trusted: bool = field(default=True, metadata={"later": True})
    model_by: ModelSource = field(default="", metadata={"later": True})
    model_changes: int = field(default=0, metadata={"later": True})
    by_hand: bool = field(default=False, metadata={"later": True})
    hand_timed: bool = field(default=False, metadata={"later": True})
    conditions_sha256: str = field(default="", metadata={"later": True})


@dataclass(frozen=True, slots=True)
class Result:
    """A run that is over (or was corrected: then `revision` is higher and the newest one counts).

    `result_id` with `revision` is stable over every attempt; it is the `webhook-id` and so the idempotency key. The id
    is unique over stations, journals and backups put back; revisions of one result rise, not always by one.
    `score_ms` is the station's own sum; the leaderboard computes it again from `laps` and its race's rules.
    `discarded`: officials took the run out (a re-run stands in its place): it is no attempt of the racer's any more,
    while a run that lost its score by rulings remains one.
    `qualified` False: the run made no score by the rules, or was disqualified at the track (`disqualified`), which
    holds whatever its laps; `score_ms` is 0. Such a run is shown and counted as an attempt, and never ranked. A
    leaderboard of version 1 reads a correction to it as a withdrawal, and refuses one that never qualified (version 2).
    """

    result_id: str
    revision: int
    race_id: str
    racer: str
    run_id: str
    car: str
    model: str
    model_sha256: str
    laps: tuple[RunLap, ...]
    score_ms: int
    finished_utc_ns: int
    evidence: Evidence
    kind: Literal["physical", "virtual"] = "physical"
    v: int = 1
    discarded: bool = field(default=False, metadata={"later": True})
    qualified: bool = field(default=True, metadata={"later": True})
    disqualified: bool = field(default=False, metadata={"later": True})

    @property
    def webhook_id(self) -> str:
        """The idempotency key of this revision."""
        return f"{self.result_id}.{self.revision}"


@dataclass(frozen=True, slots=True)
class PostAccepted:
    """The leaderboard stored it: now, or earlier under the same key."""

    score_ms: int | None
    rank: int | None
    racers: int
    best: bool = True


@dataclass(frozen=True, slots=True)
class PostRejected:
    """The leaderboard will never accept it as it is; a person must act."""

    reason: str
    status: int


@dataclass(frozen=True, slots=True)
class PostDeferred:
    """Away, busy, or its answer was lost: post the same result again, not before `after_s`."""

    reason: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class AnswerLost(PostDeferred):
    """The result was sent, but no complete answer came back: it may have been applied."""


PostOutcome = PostAccepted | PostRejected | PostDeferred

MAX_RESULT_BYTES = 19_000  # Standard Webhooks asks for less than 20 kB
_RESULT = TypeAdapter(Result)
_POSTED = TypeAdapter(PostAccepted)


def encode_result(result: Result) -> bytes:
    """The result as canonical JSON bytes, which are what is signed and what is sent."""
    return canonical(result).encode()


def decode_result(payload: bytes) -> Result:
    """A posted body as a checked Result. Raises BadInput with one sentence."""
    if len(payload) > MAX_RESULT_BYTES:
        raise BadInput(f"The result has {len(payload)} bytes; at most {MAX_RESULT_BYTES} are read.")
    try:
        read_json(payload)
        result = _RESULT.validate_json(payload, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(f"The result is not valid at {where[:60]!r}: {first['msg']}.") from None
    except ValueError as error:
        raise BadInput(f"The result is not JSON that every reader reads alike: {error}") from None
    if result.v < 1:
        raise BadInput(f"The result's version `v` is {result.v}; versions count from 1.")
    if result.v > RESULT_VERSION:
        raise BadInput(f"The result is of version {result.v}, up to {RESULT_VERSION} is read: upgrade the leaderboard.")
    return result


def encode_accepted(posted: PostAccepted) -> bytes:
    """The body of the leaderboard's answer to an applied result, as canonical JSON bytes."""
    return canonical(posted).encode()


def decode_accepted(payload: bytes) -> PostAccepted:
    """The body of such an answer as a checked PostAccepted. Raises BadInput."""
    try:
        return _POSTED.validate_json(payload, strict=True)
    except ValidationError:
        raise BadInput("The leaderboard's answer is not that of the contract (score_ms, rank, racers, best).") from None
