"""The road to the leaderboard: the real board behind a network and a server that fail by seed.

It does what HTTP would do with a post: refuse, lose the answer after the effect, deliver twice, deliver long
after the sender gave up. The board itself is the product's, on SQLite.
"""

import pathlib
from collections.abc import Callable
from dataclasses import dataclass

from leaderboard.board import Board
from leaderboard.store.open import open_store
from shared.results import Answer, Later, Posted, Rejected, Result, decode_posted, encode_result
from shared.units import NS_PER_MS, NS_PER_S
from simulator.races.faults import Bad
from simulator.races.universe import UTC_AT_START_NS, Universe
from station.sync.outbox import AnswerLost


@dataclass(frozen=True, slots=True)
class Applied:
    """One post that reached the board, and what it answered."""

    webhook_id: str
    payload: bytes
    status: int
    body: bytes


class Vendor:
    """The leaderboard's process and machine; `log` holds every post that reached the board, repeats too."""

    def __init__(self, universe: Universe, path: pathlib.Path, bad: Bad) -> None:
        self.log: list[Applied] = []
        self._universe, self._path, self._bad = universe, path, bad
        self._down_until_ns = 0
        self.board: Board = Board(open_store(path))

    def utc_ns(self) -> int:
        """Its clock is right; only the hall's clock is stepped."""
        return UTC_AT_START_NS + self._universe.now_ns

    def away(self, for_ns: int) -> None:
        """Nobody answers."""
        self._down_until_ns = max(self._down_until_ns, self._universe.now_ns + for_ns)

    def restart(self) -> None:
        """The process is killed between two posts and opens its store again."""
        self.board.close()
        self.board = Board(open_store(self._path))

    @property
    def is_down(self) -> bool:
        return self._universe.now_ns < self._down_until_ns

    def apply(self, webhook_id: str, payload: bytes) -> Applied:
        status, body = self.board.apply(webhook_id, payload, self.utc_ns())
        applied = Applied(webhook_id, payload, status, body)
        self.log.append(applied)
        return applied

    def apply_late(self, webhook_id: str, payload: bytes) -> None:
        """A request that hung somewhere arrives after all."""
        if not self.is_down:
            self.apply(webhook_id, payload)


class FaultyRoad:
    """A driver of `raceday.leaderboards` for the syncer; `step` is called around each post (a crash may be there)."""

    def __init__(self, universe: Universe, vendor: Vendor, bad: Bad, step: Callable[[str], None]) -> None:
        self._universe, self._vendor, self._bad, self._step = universe, vendor, bad, step

    def post(self, result: Result) -> Answer:
        self._step("before the post")
        answer = self._post(result.webhook_id, encode_result(result))
        self._step("after the post")
        return answer

    def close(self) -> None:
        """Nothing is held open."""

    def _post(self, webhook_id: str, payload: bytes) -> Answer:
        if self._vendor.is_down:
            return Later("The leaderboard cannot be reached: no connection.")
        if self._bad.strikes("leaderboard_500"):
            return Later("The leaderboard answered 500: no reason given.")
        if self._bad.strikes("leaderboard_timeout"):
            self._hang(webhook_id, payload)
            return AnswerLost("The connection broke before the leaderboard's answer was complete.")
        applied = self._vendor.apply(webhook_id, payload)
        if self._bad.strikes("duplicate_post"):
            self._vendor.apply(webhook_id, payload)
        if self._bad.strikes("leaderboard_500_after_apply"):
            return Later("The leaderboard answered 500: no reason given.")
        return _answer(applied)

    def _hang(self, webhook_id: str, payload: bytes) -> None:
        rng = self._bad.source("leaderboard_timeout")
        if rng.random() < 0.5:
            delay_ns = rng.randint(100 * NS_PER_MS, 40 * NS_PER_S)
            self._universe.after(delay_ns, lambda: self._vendor.apply_late(webhook_id, payload))


def _answer(applied: Applied) -> Posted | Rejected | Later:
    if applied.status in (200, 201):
        return decode_posted(applied.body)
    if applied.status in (429, 503):
        return Later(f"The leaderboard answered {applied.status}.")
    return Rejected(applied.body.decode(), applied.status)
