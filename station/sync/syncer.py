"""The sync loop: take the next due row, post it, keep the answer. One step is one attempt at most."""

import random
import threading
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from shared.clock import Clock
from shared.errors import BadInput, StorageError
from shared.protocol.results import PostAccepted, PostDeferred, PostOutcome, PostRejected, Result, decode_result
from shared.units import NS_PER_S
from station.sync.attempts import AttemptStore
from station.sync.leaderboard_check import Target
from station.sync.operator_requests import SendRequest
from station.sync.schedule import (
    SETTLED,
    AnswerLost,
    LeaderboardBackoff,
    OutboxRow,
    PostedWithOtherScore,
    Progress,
    ScheduledPost,
    answered,
    backoff_after,
    due_now,
    next_post,
    score_mismatch,
    sent,
    wait_for,
)

POLL_S = 0.25  # a committed row is noticed within this time
# The race at the leaderboard is asked for when it changes, then so often until the leaderboard is ready for it.
ASK_AGAIN_NS = 15 * NS_PER_S
NEVER_NS = 2**62


@runtime_checkable
class RaceChecker(Protocol):
    """A driver that can say whether the leaderboard knows a race; a stranger's driver need not."""

    def target(self, race_id: str) -> Target: ...


class Leaderboard(Protocol):
    """A driver of `raceday.leaderboards`."""

    def post(self, result: Result) -> PostOutcome: ...
    def close(self) -> None: ...


class OutboxSource(Protocol):
    """Where the outbox rows come from."""

    def new_rows(self) -> list[OutboxRow]: ...


def _no_wishes() -> list[SendRequest]:
    return []


def _nothing_to_note() -> None:
    """Where wishes are taken when they are read."""


class Syncer:
    """Posts rows in order, one attempt a step; all that it must remember is in `attempts`.

    `tell` gets a sentence for the operator's log whenever something is settled or goes wrong.
    """

    def __init__(
        self,
        source: OutboxSource,
        attempts: AttemptStore,
        leaderboard: Leaderboard,
        rng: random.Random,
        utc_ns: Callable[[], int],
        tell: Callable[[str], None],
        *,
        retry_rejected: bool = False,
        wishes: Callable[[], list[SendRequest]] = _no_wishes,
        noted: Callable[[], None] = _nothing_to_note,
        race_id: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`wishes`: what officials asked for since `noted` was called. `race_id`: the race that is on.

        `retry_rejected`: the operator has mended what the leaderboard refused (a secret, a race, a clock).
        """
        self._source = source
        self._attempts = attempts
        self._leaderboard = leaderboard
        self._rng = rng
        self._utc_ns = utc_ns
        self._tell = tell
        self._open_rows: dict[str, OutboxRow] = {}
        self._wishes, self._noted, self._race_id = wishes, noted, race_id
        self._wanted: list[SendRequest] = []  # read, and not noted yet
        if retry_rejected:
            attempts.reopen(None, "--retry-rejected", utc_ns())
        self._progress = attempts.progress()
        self._rows: dict[str, OutboxRow] = {}  # those that were rejected: they may be wanted again
        self._board = LeaderboardBackoff()
        self._complaint = ""
        self._asked_race: str | None = None
        self._ask_at_ns = 0
        self._target_told = ""

    def step(self, now_ns: int) -> int | None:
        """Post the row that is due at `now_ns`, if any. The instant of the next one; None: nothing waits."""
        try:
            self._take_new_rows()
            self._fulfil()
            turn = self._next_turn()
            if turn is not None and turn.at_ns <= now_ns:
                self._attempt(turn.row, now_ns)
                turn = self._next_turn()
            else:
                self._ask_for_race(now_ns)
        except StorageError as error:
            # Nothing is acknowledged that is not kept; with space again we go on where we were.
            self._complain(str(error))
            self._hold_back(PostDeferred(str(error)), now_ns)
            return self._board.not_before_ns
        self._complaint = ""
        return turn.at_ns if turn is not None else None

    @property
    def waiting(self) -> int:
        """How many rows are not settled."""
        return len(self._open_rows)

    def _take_new_rows(self) -> None:
        for row in self._source.new_rows():
            state = self._progress.get(row.webhook_id, Progress()).state
            if state not in SETTLED:
                self._open_rows[row.webhook_id] = row
            elif state == "rejected":
                self._rows[row.webhook_id] = row

    def _fulfil(self) -> None:
        """What officials asked for: what waits is due at once, and rejected rows wait again where that was meant."""
        self._wanted = self._wanted or self._wishes()
        if not self._wanted:
            return
        while self._wanted:
            self._fulfil_one(self._wanted[0])  # if the disk refuses, it is still wanted
            del self._wanted[0]
        self._noted()

    def _fulfil_one(self, wanted: SendRequest) -> None:
        if wanted.rejected:
            only = frozenset((wanted.webhook_id,)) if wanted.webhook_id else None
            for webhook_id in self._attempts.reopen(only, wanted.author, self._utc_ns()):
                if webhook_id in self._rows:
                    self._open_rows[webhook_id] = self._rows.pop(webhook_id)
        self._progress |= {
            webhook_id: due_now(self._progress.get(webhook_id, Progress()))
            for webhook_id in self._open_rows
            if not wanted.webhook_id or webhook_id == wanted.webhook_id
        }
        self._board, self._ask_at_ns = LeaderboardBackoff(), 0
        who = f" by {wanted.author}" if wanted.author else ""
        self._tell(f"Asked{who} to send {wanted.webhook_id or 'all that waits'} now.")

    def _ask_for_race(self, now_ns: int) -> None:
        """A race that the leaderboard does not know is told before its first result, not by it."""
        race_id = self._race_id()
        if race_id != self._asked_race:
            self._asked_race, self._ask_at_ns = race_id, now_ns
        if race_id is None or now_ns < self._ask_at_ns or not isinstance(self._leaderboard, RaceChecker):
            return
        target = self._target(self._leaderboard, race_id)
        known = target.readiness in ("ready", "untold")
        self._ask_at_ns = NEVER_NS if known else now_ns + ASK_AGAIN_NS
        self._attempts.aim(target, self._utc_ns())
        if target.sentence != self._target_told:
            self._tell(target.sentence)
        self._target_told = target.sentence

    def _target(self, asker: RaceChecker, race_id: str) -> Target:
        try:
            return asker.target(race_id)
        except Exception as error:  # a stranger's driver: its bug stops neither the posts nor us
            return Target(race_id, "away", _driver_failed(error))

    def _next_turn(self) -> ScheduledPost | None:
        return next_post(self._open_rows.values(), self._progress, self._board)

    def _attempt(self, row: OutboxRow, now_ns: int) -> None:
        attempt_id = self._attempts.begin(row, self._utc_ns())
        progress = sent(self._progress.get(row.webhook_id, Progress()))
        # Should the answer not be kept (disk full, crash), the row counts as unknown and is posted again.
        self._progress[row.webhook_id] = answered(progress, AnswerLost("not kept"), 0, now_ns)
        answer = self._post(row)
        self._attempts.finish(attempt_id, answer, self._utc_ns())
        row_wait_ns, board_wait_ns = wait_for(answer, progress.attempts, self._board, self._rng)
        self._board = backoff_after(self._board, answer, board_wait_ns, now_ns)
        self._progress[row.webhook_id] = answered(progress, answer, row_wait_ns, now_ns)
        if self._progress[row.webhook_id].state in SETTLED:
            del self._open_rows[row.webhook_id]
        if isinstance(answer, PostRejected):
            self._rows[row.webhook_id] = row
            self._ask_at_ns = now_ns  # its race may be gone
        self._tell(_sentence(row, answer, row_wait_ns))

    def _post(self, row: OutboxRow) -> PostOutcome:
        try:
            result = decode_result(row.payload)
        except BadInput as error:
            return PostRejected(f"This outbox row cannot be posted: {error}", 0)
        try:
            return self._leaderboard.post(result)
        except Exception as error:  # a driver's bug may hang on this one row: the others go on, this one is sent again
            return AnswerLost(_driver_failed(error))

    def _hold_back(self, answer: PostDeferred, now_ns: int) -> None:
        _, wait_ns = wait_for(answer, 0, self._board, self._rng)
        self._board = backoff_after(self._board, answer, max(wait_ns, NS_PER_S), now_ns)

    def _complain(self, sentence: str) -> None:
        """Once for each trouble, not four times a second."""
        if sentence != self._complaint:
            self._tell(sentence)
        self._complaint = sentence


def run(syncer: Syncer, clock: Clock, stop: threading.Event) -> None:
    """Step until `stop`; new rows are noticed within `POLL_S`."""
    while not stop.is_set():
        due_ns = syncer.step(clock.now_ns())
        wait_s = POLL_S if due_ns is None else min(POLL_S, (due_ns - clock.now_ns()) / NS_PER_S)
        if wait_s > 0:
            stop.wait(wait_s)


def run_once(syncer: Syncer, clock: Clock, stop: threading.Event) -> int:
    """Post what is there now, each row at most until its first answer; the number of rows left waiting."""
    while not stop.is_set():
        due_ns = syncer.step(clock.now_ns())
        if due_ns is None or due_ns > clock.now_ns():
            break
    return syncer.waiting


def _driver_failed(error: Exception) -> str:
    said = "".join(sign for sign in str(error) if sign.isprintable())[:200]
    return f"The leaderboard's driver failed ({type(error).__name__}: {said})."


def _sentence(row: OutboxRow, answer: PostOutcome, wait_ns: int) -> str:
    match answer:
        case PostedWithOtherScore():
            return f"{row.webhook_id}: posted; {score_mismatch(answer)}"
        case PostAccepted(score_ms, rank, racers):
            return f"{row.webhook_id}: posted; rank {rank} of {racers} with {score_ms} ms."
        case PostRejected(reason, status):
            return f"{row.webhook_id}: rejected ({status}): {reason}"
        case PostDeferred(reason):
            return f"{row.webhook_id}: {reason} Again in {wait_ns / NS_PER_S:.1f} s."
