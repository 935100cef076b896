"""A submission: a racer's model that is to be driven in a virtual race. Made by the store, read by everybody."""

from dataclasses import dataclass
from typing import Literal

from leaderboard.core.submissions.states import SubmissionState

SubmissionActor = Literal["racer", "official", "farm", "leaderboard"]

_PREFIX = "submission-"


@dataclass(frozen=True, slots=True)
class ModelSubmission:
    """One model in one race. `number` orders all submissions by arrival; `sentence`: what is said of its state.

    `checkpoint`: which of the archive's is to be driven, "" for the platform's choice. `queued_utc_ns`: since when it
    waits (None: it never did). `round`: how often it was put into the queue, so that a rerun is told from what ran
    before. `request_id`: the sender's own, by which a repeated request is known; "" without one.
    """

    submission_id: str
    race_id: str
    account_id: str
    racer: str
    model_sha256: str
    model_name: str
    checkpoint: str
    state: SubmissionState
    sentence: str
    state_utc_ns: int
    submitted_utc_ns: int
    queued_utc_ns: int | None = None
    round: int = 1
    request_id: str = ""
    number: int = 0

    @property
    def result_id(self) -> str:
        """The id of the result that it becomes on the board. A rerun is a higher revision of the same result."""
        return f"{_PREFIX}{self.submission_id}"


@dataclass(frozen=True, slots=True)
class SubmissionStep:
    """A state that a submission took. `who`: as the audit names people and programs."""

    state: SubmissionState
    sentence: str
    at_utc_ns: int
    who: str


def who_of(submission: ModelSubmission, step: SubmissionStep) -> SubmissionActor:
    """Who gave it that state, as its racer is told: which official it was is for the audit."""
    if step.who == submission.account_id:
        return "racer"
    if step.who.partition(":")[0] == "farm":
        return "farm"
    return "leaderboard" if step.who == "system" else "official"


def submission_of_result(result_id: str) -> str | None:
    """The id of the submission that a result comes from; None for any other result."""
    return result_id.removeprefix(_PREFIX) if result_id.startswith(_PREFIX) else None
