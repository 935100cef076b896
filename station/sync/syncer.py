"""The sync loop: picks the next due row, posts it, and records the answer. One step is one attempt at most.

Called by `raceday sync` (commands/sync.py), built by build.py. It reads rows from outbox_reader.py, lets schedule.py
choose, posts through a driver of `raceday.leaderboards` (webhook.py) and records everything in attempts.py:

    syncer = build(settings, data_dir, clock, log).syncer
    run(syncer, clock, stop)  # calls syncer.step(now_ns) until `stop` is set
"""

import random
import threading
from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from shared.clock import Clock
from shared.errors import BadInput, StorageError
from shared.protocol.results import (
    AnswerLost,
    PostDeferred,
    PostOutcome,
    PostRejected,
    Result,
    decode_result,
)
from shared.text import text
from shared.units import NS_PER_S
from station.store.event_files.race_offers import RaceOffers
from station.sync.attempts import AttemptStore
from station.sync.log_sentences import answer_sentence
from station.sync.operator.send_requests import SendRequest
from station.sync.race_checks import RaceChecks, driver_failed, no_races, race_of
from station.sync.schedule import (
    SETTLED,
    LeaderboardBackoff,
    NotPosted,
    OutboxRow,
    Progress,
    ScheduledPost,
    SyncAnswer,
    after_answer,
    backoff_after,
    begun,
    due_now,
    next_post,
    wait_for,
)

UNQUALIFIED_SINCE = 2  # the version of the contract that has runs without a score
POLL_S = 0.25  # a committed row is noticed within this time


class Leaderboard(Protocol):
    """A driver of `raceday.leaderboards`."""

    def post(self, result: Result) -> PostOutcome:
        """Sends the result once, and returns what became of it."""

    def close(self) -> None:
        """Releases what the driver holds open."""


@runtime_checkable
class ContractReader(Protocol):
    """A driver that can say which version of the contract its leaderboard reads; others are sent version 1 only."""

    @property
    def contract(self) -> int | None:
        """The version, as far as it is known without asking."""

    def ask_contract(self, race_id: str) -> int | PostDeferred:
        """The version, or why it cannot be asked now; `race_id`: a race that the leaderboard may have."""


class OutboxSource(Protocol):
    """Where the outbox rows come from."""

    def new_rows(self) -> list[OutboxRow]:
        """The rows committed since the last call; the first call returns all. Raises StorageError."""


def _no_requests() -> list[SendRequest]:
    return []


def _never() -> bool:
    return False


def _nothing_to_acknowledge() -> None:
    """Does nothing: the default if there are no requests."""


class Syncer:
    """Posts rows in order, one attempt per step; everything that must survive a restart is in `attempts`.

    `log` gets a sentence for the operator's log whenever something is settled or goes wrong.
    """

    def __init__(
        self,
        source: OutboxSource,
        attempts: AttemptStore,
        leaderboard: Leaderboard,
        rng: random.Random,
        utc_ns: Callable[[], int],
        log: Callable[[str], None],
        *,
        retry_rejected: bool = False,
        requests: Callable[[], list[SendRequest]] = _no_requests,
        acknowledge: Callable[[], None] = _nothing_to_acknowledge,
        offers: Callable[[], RaceOffers] = no_races,
        unqualified_runs: bool = True,
        paused: Callable[[], bool] = _never,
    ) -> None:
        """`requests` returns officials' requests until `acknowledge` is called; `offers` reads the races that the
        station holds. While `paused`, nothing is sent.

        `unqualified_runs`: post runs without a score too, to a leaderboard that takes them.
        `retry_rejected`: post rejected rows again: the operator has fixed the cause (a secret, a race, a clock).
        """
        self._source = source
        self._attempts = attempts
        self._leaderboard = leaderboard
        self._rng = rng
        self._utc_ns = utc_ns
        self._log = log
        self._open_rows: dict[str, OutboxRow] = {}
        self._races: dict[str, str] = {}  # of open rows, as far as it was asked
        self._new_requests, self._acknowledge = requests, acknowledge
        self._paused = paused
        self._checks = RaceChecks(leaderboard, offers, attempts, utc_ns, log, self._on_ready)
        self._requests: list[SendRequest] = []  # read, and not acknowledged yet
        if retry_rejected:
            attempts.reopen(None, "--retry-rejected", utc_ns())
        self._progress = attempts.progress()
        self._unqualified_runs = unqualified_runs
        self._kept_rows: dict[str, OutboxRow] = {}  # not for the leaderboard as it was
        self._rejected_rows: dict[str, OutboxRow] = {}  # an official may ask to send them again
        self._backoff = LeaderboardBackoff()
        self._logged_problem = ""

    def step(self, now_ns: int) -> int | None:
        """Posts the row that is due at `now_ns`, if any; returns when the next one is due, None if nothing waits."""
        try:
            self._read_new_rows()
            if self._paused():
                return None
            self._apply_requests()
            self._open_kept()
            post = self._next_post()
            due = post is not None and post.at_ns <= now_ns
            # So that officials learn what is wrong before a result is rejected.
            self._checks.check(now_ns, race_of(post.row.payload) if post is not None and due else "")
            post = self._next_post()  # the check may have told that its race is not there, or is there now
            if post is not None and post.at_ns <= now_ns:
                self._attempt(post.row, now_ns)
                post = self._next_post()
        except StorageError as error:
            # Nothing is acknowledged before it is stored; once the disk accepts records again, sync continues here.
            self._log_problem(str(error))
            self._hold_back(PostDeferred(str(error)), now_ns)
            return self._backoff.not_before_ns
        self._logged_problem = ""
        return post.at_ns if post is not None else None

    @property
    def waiting(self) -> int:
        """How many rows are not settled."""
        return len(self._open_rows)

    def _read_new_rows(self) -> None:
        for row in self._source.new_rows():
            state = self._progress.get(row.webhook_id, Progress()).state
            if state not in SETTLED:
                self._open_rows[row.webhook_id] = row
            elif state == "rejected":
                self._rejected_rows[row.webhook_id] = row
            elif state == "kept":
                self._kept_rows[row.webhook_id] = row

    def _open_kept(self) -> None:
        """Makes the rows that were kept wait again, once the leaderboard reads a contract that has them."""
        if not self._kept_rows or not self._unqualified_runs or not isinstance(self._leaderboard, ContractReader):
            return
        if (self._leaderboard.contract or 1) >= UNQUALIFIED_SINCE:
            self._open_rows |= self._kept_rows
            self._progress |= {key: due_now(self._progress.get(key, Progress())) for key in self._kept_rows}
            self._kept_rows.clear()

    def _apply_requests(self) -> None:
        """Applies officials' requests: waiting rows become due at once, and rejected ones too if that is requested."""
        self._requests = self._requests or self._new_requests()
        if not self._requests:
            return
        while self._requests:
            self._apply_request(self._requests[0])  # if the disk refuses, the request stays in the list
            del self._requests[0]
        self._acknowledge()

    def _apply_request(self, request: SendRequest) -> None:
        if request.rejected:
            self._open_again(frozenset((request.webhook_id,)) if request.webhook_id else None, request.author)
        self._progress |= {
            webhook_id: due_now(self._progress.get(webhook_id, Progress()))
            for webhook_id in self._open_rows
            if not request.webhook_id or webhook_id == request.webhook_id
        }
        self._backoff = LeaderboardBackoff()
        self._checks.ask_again(tested=request.test)
        who = text(" by {author}", author=request.author) if request.author else ""
        self._log(f"Asked{who} to send {request.webhook_id or 'everything that waits'} now.")

    def _open_again(self, webhook_ids: frozenset[str] | None, author: str) -> None:
        """Makes rejected rows wait again (None: all of them); noted on disk, with who wanted it."""
        if webhook_ids is not None and not webhook_ids:
            return
        for webhook_id in self._attempts.reopen(webhook_ids, author, self._utc_ns()):
            if webhook_id in self._rejected_rows:
                self._open_rows[webhook_id] = self._rejected_rows.pop(webhook_id)
                self._progress[webhook_id] = due_now(self._progress.get(webhook_id, Progress()))

    def _on_ready(self, race_id: str) -> None:
        """The leaderboard is ready for a race that it was not ready for: what it refused of it is sent again."""
        ids = frozenset(key for key, row in self._rejected_rows.items() if race_of(row.payload) == race_id)
        self._open_again(ids, text("sync, since the leaderboard is ready"))

    def _next_post(self) -> ScheduledPost | None:
        posted: Iterable[OutboxRow] = self._open_rows.values()
        if missing := self._checks.missing():
            posted = [row for row in posted if self._race_of(row) not in missing]
        return next_post(posted, self._progress, self._backoff)

    def _race_of(self, row: OutboxRow) -> str:
        """The race of a row that is open; read once, as thousands may wait."""
        if row.webhook_id not in self._races:
            self._races[row.webhook_id] = race_of(row.payload)
        return self._races[row.webhook_id]

    def _attempt(self, row: OutboxRow, now_ns: int) -> None:
        attempt_id = self._attempts.begin(row, self._utc_ns())
        progress = self._progress[row.webhook_id] = begun(self._progress.get(row.webhook_id, Progress()), now_ns)
        answer = self._post(row)
        self._attempts.finish(attempt_id, answer, self._utc_ns())
        after = after_answer(progress, answer, self._backoff, self._rng, now_ns)
        self._progress[row.webhook_id], self._backoff = after.progress, after.backoff
        if after.progress.state in SETTLED:
            del self._open_rows[row.webhook_id]
            self._races.pop(row.webhook_id, None)
        if isinstance(answer, NotPosted):
            self._kept_rows[row.webhook_id] = row
        if isinstance(answer, PostRejected):
            self._rejected_rows[row.webhook_id] = row
            self._checks.ask_soon(race_of(row.payload), now_ns)  # it may be gone
        self._log(answer_sentence(row, answer, after.wait_ns))

    def _post(self, row: OutboxRow) -> SyncAnswer:
        try:
            result = decode_result(row.payload)
        except BadInput as error:
            return PostRejected(text("This outbox row cannot be posted: {error}", error=error), 0)
        try:
            withheld = self._withheld(result) if result.v >= UNQUALIFIED_SINCE else None
            return self._leaderboard.post(result) if withheld is None else withheld
        except Exception as error:  # a driver's bug may depend on this row: it is sent again, and the others continue
            return AnswerLost(driver_failed(error))

    def _withheld(self, result: Result) -> NotPosted | PostDeferred | None:
        """Why a result that only version 2 of the contract has is not posted, or not now; None: it is."""
        if not self._unqualified_runs:
            return NotPosted(text("runs without a score are not posted ([sync] `unqualified_runs`)."))
        reader = self._leaderboard
        version = reader.ask_contract(result.race_id) if isinstance(reader, ContractReader) else 1
        if isinstance(version, PostDeferred):
            return version
        return None if version >= UNQUALIFIED_SINCE else NotPosted(_ONLY_QUALIFIED)

    def _hold_back(self, answer: PostDeferred, now_ns: int) -> None:
        _, wait_ns = wait_for(answer, 0, self._backoff, self._rng)
        self._backoff = backoff_after(self._backoff, answer, max(wait_ns, NS_PER_S), now_ns)

    def _log_problem(self, sentence: str) -> None:
        """Logs each problem once, not four times a second."""
        if sentence != self._logged_problem:
            self._log(sentence)
        self._logged_problem = sentence


_ONLY_QUALIFIED = text("the leaderboard takes only runs with a score.")


def run(
    syncer: Syncer,
    clock: Clock,
    stop: threading.Event,
    gives_way: Callable[[], bool] = lambda: False,
    after_step: Callable[[int], None] = lambda _now_ns: None,
) -> None:
    """Steps until `stop` is set or `gives_way()`; new rows are noticed within `POLL_S`."""
    while not stop.is_set() and not gives_way():
        due_ns = syncer.step(clock.now_ns())
        after_step(clock.now_ns())
        wait_s = POLL_S if due_ns is None else min(POLL_S, (due_ns - clock.now_ns()) / NS_PER_S)
        if wait_s > 0:
            stop.wait(wait_s)


def run_once(syncer: Syncer, clock: Clock, stop: threading.Event) -> int:
    """Posts what is due now, until nothing is; returns how many rows still wait."""
    while not stop.is_set():
        due_ns = syncer.step(clock.now_ns())
        if due_ns is None or due_ns > clock.now_ns():
            break
    return syncer.waiting
