"""A whole sync on virtual time, half of whose rows get raw answers: the other half must go on. Over real sockets.

The syncer, its schedule, its store and its HTTP are the product's. Called by test_answered_rows.py and the campaign.
"""

import collections
import pathlib
import random
from dataclasses import dataclass, field

from shared.protocol.results import PostAccepted, PostOutcome, Result
from shared.units import NS_PER_S
from shared.web.http_exchange import HttpExchange, Timeouts
from station.sync.attempts import AttemptStore
from station.sync.schedule import OutboxRow
from station.sync.syncer import Syncer
from station.sync.webhook import WebhookLeaderboard, checked_address
from tests.station.sync import raw_answers
from tests.station.sync.fault_server import SECRET
from tests.station.sync.sample_results import row

WELL = b"HTTP/1.1 201 Created\r\nraceday-contract: results/1\r\ncontent-length: %d\r\n\r\n%s" % (
    len(raw_answers.WELL),
    raw_answers.WELL,
)
MOST_RAW = 30  # answers to one row; then it is answered well
MOST_ESCAPED = 20  # then it ends: what always raises is never settled
LONGEST_WAIT_S = 61.0  # of a good row for the trouble of others: the schedule's bound, and a second


@dataclass(slots=True)
class AnsweredTally:
    """What came of raw answers. `waits_s`: of each good row, since the good one before it (virtual time)."""

    raw: int = 0
    kinds: collections.Counter[str] = field(default_factory=collections.Counter)
    good: int = 0
    held_up: int = 0
    not_settled: int = 0
    waits_s: list[float] = field(default_factory=list)
    escaped: list[str] = field(default_factory=list)


class HalfHostileLeaderboard:
    """The product's driver at a server that answers some rows raw, and the others by the contract."""

    def __init__(self, seed: int, tally: AnsweredTally) -> None:
        self._rng, self._tally, self._answerer = random.Random(seed), tally, raw_answers.Answerer()
        self._answerer.start()
        address = checked_address(f"http://127.0.0.1:{self._answerer.port}")
        exchange = HttpExchange(address, Timeouts(2.0, 0.1))
        self._board = WebhookLeaderboard(address.geturl(), SECRET, {}, exchange=exchange)
        self._check = raw_answers.AnswerChecker()
        self._times: collections.Counter[str] = collections.Counter()
        self.good = 0  # rows that got the contract's answer at once, and were accepted

    def post(self, result: Result) -> PostOutcome:
        text, manner = WELL, "close"
        key = result.webhook_id
        raw = result.result_id.startswith("raw") and self._times[key] < MOST_RAW
        if raw:
            self._times[key] += 1
            text, manner = raw_answers.answer_text(self._rng), raw_answers.manner_of(self._rng)
        self._answerer.next = text, manner
        try:
            answer = self._board.post(result)
            if raw:
                self._check(text, answer)
        except Exception as error:  # the syncer would make a lost answer of it, and nobody would know
            self._tally.escaped.append(f"{type(error).__name__}: {error}")
            raise
        if raw:
            self._tally.raw += 1
            self._tally.kinds[type(answer).__name__] += 1
        elif isinstance(answer, PostAccepted):
            self.good += result.result_id.startswith("good")
        return answer

    def close(self) -> None:
        self._answerer.listening.close()


class AllRows:
    """An outbox that has all its rows from the start."""

    def __init__(self, rows: list[OutboxRow]) -> None:
        self._rows = rows

    def new_rows(self) -> list[OutboxRow]:
        rows, self._rows = self._rows, []
        return rows


def answer_raw(folder: pathlib.Path, count: int, seed: int) -> AnsweredTally:
    """At least `count` raw answers, in rounds of twenty rows and as many good ones between them."""
    tally, round_number = AnsweredTally(), 0
    while tally.raw < count and len(tally.escaped) < MOST_ESCAPED:
        round_number += 1
        path = folder / f"sync-{round_number}.db"
        _one_round(path, seed * 1_000_003 + round_number, tally)
        path.unlink()
    return tally


def _one_round(path: pathlib.Path, seed: int, tally: AnsweredTally) -> None:
    names = [f"{kind}-{number}" for number in range(20) for kind in ("raw", "good")]
    rows = [row(seq, name) for seq, name in enumerate(names, 1)]
    leaderboard, attempts = HalfHostileLeaderboard(seed, tally), AttemptStore(path)
    syncer = Syncer(AllRows(rows), attempts, leaderboard, random.Random(seed), lambda: 7, lambda _line: None)
    now_ns = posted_ns = 0
    due_ns: int | None = 0
    while due_ns is not None and len(tally.escaped) < MOST_ESCAPED:
        now_ns = max(now_ns, due_ns)
        good = leaderboard.good
        due_ns = syncer.step(now_ns)
        if leaderboard.good > good:
            tally.waits_s.append((now_ns - posted_ns) / NS_PER_S)
            tally.held_up += now_ns - posted_ns > LONGEST_WAIT_S * NS_PER_S
            posted_ns = now_ns
    states = {record.webhook_id: record.state for record in attempts.records()}
    tally.good += leaderboard.good
    tally.not_settled += sum(states.get(each.webhook_id) not in ("confirmed", "rejected") for each in rows)
    attempts.close()
    leaderboard.close()
