"""Chooses which row of the outbox is posted next, and when. Pure: time and randomness are arguments.

Every row is posted until an answer settles it, always under the same `webhook-id`, so a repeat is harmless:

  pending     not posted yet, or answered "later": it waits until it is due
  in-flight   posted just now, no answer yet
  unknown     posted, and the answer was lost (a timeout, a reset, a crash): it may have been applied; post again
  confirmed   the leaderboard has it
  rejected    the leaderboard will never accept it: a person must look into it
  kept        not for this leaderboard: a run without a score, where it takes only those that have one

Two rules order the posts. Revisions of one result are sent in rising order, each settled before the next is sent, so
an older one never overwrites a newer one. A failure also delays every other row: at a leaderboard that does not answer,
ten waiting results make one attempt, not ten.

Called by syncer.py.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from shared.protocol.results import AnswerLost, PostAccepted, PostDeferred, PostOutcome, PostRejected
from shared.text import text
from shared.units import seconds_to_ns

State = Literal["pending", "in-flight", "unknown", "confirmed", "rejected", "kept"]
SETTLED: frozenset[State] = frozenset({"confirmed", "rejected", "kept"})

BACKOFF_S: tuple[float, ...] = (0.0, 2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 240.0, 300.0)
MAX_WAIT_S = 3600.0  # a leaderboard may ask for a longer wait than our own cap, but not for a day
MAX_UNRECOGNISED_WAIT_S = 300.0  # the limit for answers that are not recognisably the leaderboard's
MAX_LEADERBOARD_WAIT_S = 60.0  # a long wait requested for one row delays the others no longer than this


@dataclass(frozen=True, slots=True)
class PostedWithOtherScore(PostAccepted):
    """The leaderboard has the result, with another score than the station's `ours_ms`: a person must look into it."""

    ours_ms: int | None = None


@dataclass(frozen=True, slots=True)
class NotPosted:
    """The result stays at the station, which decided so by itself: the leaderboard was sent nothing."""

    reason: str


SyncAnswer = PostOutcome | NotPosted


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One row of the station's outbox: `payload` is the canonical JSON of a Result.

    `webhook_id`, as `Result.webhook_id`, is the idempotency key of this revision.
    """

    seq: int
    result_id: str
    revision: int
    payload: bytes
    webhook_id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "webhook_id", f"{self.result_id}.{self.revision}")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a row has come; it is not posted before `not_before_ns` on the clock that `Syncer.step` is given."""

    state: State = "pending"
    attempts: int = 0
    not_before_ns: int = 0


_NEW = Progress()


@dataclass(frozen=True, slots=True)
class LeaderboardBackoff:
    """How the leaderboard answers at the moment: after `failures` in a row, no row is due before `not_before_ns`."""

    failures: int = 0
    not_before_ns: int = 0


@dataclass(frozen=True, slots=True)
class ScheduledPost:
    """The row to post next, and the earliest instant to do so."""

    row: OutboxRow
    at_ns: int


@dataclass(frozen=True, slots=True)
class AfterAnswer:
    """What follows from an answer: the row's progress, how long it waits (ns), and the backoff for all rows."""

    progress: Progress
    wait_ns: int
    backoff: LeaderboardBackoff


def score_mismatch(posted: PostedWithOtherScore) -> str:
    """What differs and what to do about it, as the end of a sentence."""
    there = text("no score") if posted.score_ms is None else f"{posted.score_ms} ms"
    here = "none" if posted.ours_ms is None else f"{posted.ours_ms} ms"
    return text(
        "the leaderboard counts {what} where the station has {here}: compare the race's rules there and here.",
        what=there,
        here=here,
    )


def next_post(
    rows: Iterable[OutboxRow], progress: Mapping[str, Progress], backoff: LeaderboardBackoff
) -> ScheduledPost | None:
    """The unsettled row that is due first; None if nothing is left to post.

    Of rows that the leaderboard's backoff delays to the same instant, the one that has been due for longest (a row that
    was never posted: for ever), then the oldest. By age alone, a few old rows that something on the way never lets
    through (a firewall that dislikes a name) would be due again at each such instant, and no other would be posted.
    """
    first: ScheduledPost | None = None
    first_key: tuple[int, int, int] | None = None
    for row in first_revisions(rows, progress):
        own_ns = progress.get(row.webhook_id, _NEW).not_before_ns
        at_ns = max(backoff.not_before_ns, own_ns)
        key = (at_ns, own_ns, row.seq)
        if first_key is None or key < first_key:
            first, first_key = ScheduledPost(row, at_ns), key
    return first


def first_revisions(rows: Iterable[OutboxRow], progress: Mapping[str, Progress]) -> Iterable[OutboxRow]:
    """For each result the lowest revision that is not settled: the only one that may be sent now."""
    lowest: dict[str, OutboxRow] = {}
    for row in rows:
        if progress.get(row.webhook_id, _NEW).state in SETTLED:
            continue
        earlier = lowest.setdefault(row.result_id, row)
        if row.revision < earlier.revision:
            lowest[row.result_id] = row
    return lowest.values()


def due_now(progress: Progress) -> Progress:
    """The progress after an official's "send now": due at once, and pending again if it was rejected or kept."""
    return replace(
        progress, state="pending" if progress.state in ("rejected", "kept") else progress.state, not_before_ns=0
    )


def sent(progress: Progress) -> Progress:
    """The progress when an attempt begins."""
    return replace(progress, state="in-flight", attempts=progress.attempts + 1)


def begun(progress: Progress, now_ns: int) -> Progress:
    """The progress until the answer is stored: if it never is (disk full, crash), the row is posted again at once."""
    return answered(sent(progress), AnswerLost("not stored"), 0, now_ns)


def after_answer(
    progress: Progress, answer: SyncAnswer, backoff: LeaderboardBackoff, rng: random.Random, now_ns: int
) -> AfterAnswer:
    """When the row, and all rows, may be sent next, now that an attempt has ended with `answer`."""
    row_wait_ns, leaderboard_wait_ns = wait_for(answer, progress.attempts, backoff, rng)
    return AfterAnswer(
        answered(progress, answer, row_wait_ns, now_ns),
        row_wait_ns,
        backoff_after(backoff, answer, leaderboard_wait_ns, now_ns),
    )


def answered(progress: Progress, answer: SyncAnswer, wait_ns: int, now_ns: int) -> Progress:
    """The progress when an attempt ends with `answer`; `wait_ns` is what `wait_for` chose."""
    match answer:
        case PostAccepted():
            return replace(progress, state="confirmed")
        case PostRejected():
            return replace(progress, state="rejected")
        case NotPosted():
            return replace(progress, state="kept")
        case AnswerLost():
            return replace(progress, state="unknown", not_before_ns=now_ns + wait_ns)
        case PostDeferred():
            return replace(progress, state="pending", not_before_ns=now_ns + wait_ns)


def backoff_after(backoff: LeaderboardBackoff, answer: SyncAnswer, wait_ns: int, now_ns: int) -> LeaderboardBackoff:
    """The backoff after `answer`: none if it settled the result; after "later" nothing is sent for `wait_ns`.

    If a long wait was requested, another row is tried after a minute, the next after two, and so on.
    """
    if isinstance(answer, PostDeferred):
        failures = backoff.failures + 1
        if (answer.after_s or 0.0) > MAX_LEADERBOARD_WAIT_S:
            wait_ns = min(wait_ns, failures * seconds_to_ns(MAX_LEADERBOARD_WAIT_S))
        return LeaderboardBackoff(failures, now_ns + wait_ns)
    return LeaderboardBackoff()


def wait_for(answer: SyncAnswer, attempts: int, backoff: LeaderboardBackoff, rng: random.Random) -> tuple[int, int]:
    """How long the row, and all rows, wait after `answer`, in ns. What the leaderboard asks for is a minimum."""
    if not isinstance(answer, PostDeferred):
        return 0, 0
    requested_s = min(max(answer.after_s or 0.0, 0.0), MAX_WAIT_S)
    row_s = max(requested_s, backoff_s(attempts, rng))
    leaderboard_s = max(requested_s, backoff_s(backoff.failures + 1, rng))
    return seconds_to_ns(row_s), seconds_to_ns(leaderboard_s)


def backoff_s(failures: int, rng: random.Random) -> float:
    """The wait in seconds after `failures` attempts without success, drawn from 0 to that step's ceiling.

    The random draw ("full jitter") spreads the requests of many stations.
    """
    ceiling = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
    return rng.uniform(0.0, ceiling)
