"""The road to the leaderboard: the real board behind a network and a server that fail by seed.

It does what HTTP would do with a post: refuse, lose the answer after the effect, deliver twice, deliver long
after the sender gave up. The driver with its signatures, their check and the board on SQLite are the product's.
"""

import base64
import json
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leaderboard import signature
from leaderboard.board import LeaderboardService
from leaderboard.config import LeaderboardLimits
from leaderboard.signature import BadSignature
from leaderboard.store.database import open_store
from shared.protocol.results import RESULT_PATH, PostDeferred, PostOutcome, Result
from shared.units import NS_PER_MS, NS_PER_S
from simulator.races.physical.fault_table import Bad
from simulator.races.physical.virtual_time import UTC_AT_START_NS, Universe
from station.sync.http_exchange import Reply
from station.sync.schedule import AnswerLost
from station.sync.webhook import WebhookLeaderboard

URL = "https://leaderboard.hall"
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
TOLERANCE_S = LeaderboardLimits().tolerance_s
NO_REASON = b"<html>Internal Server Error</html>"
# Who answers in the leaderboard's place: the hall's login page, its firewall, a proxy before a vendor that deploys.
PORTALS = (
    Reply(302, {"location": "http://login.hall/"}, b""),
    Reply(200, {}, b"<html>Please accept the terms</html>"),
    Reply(403, {}, b"<html>Blocked</html>"),
    Reply(404, {}, b'{"status":404,"error":"Not Found"}'),
    Reply(404, {}, b'{"error":"no Route matched with those values"}'),
    Reply(400, {}, b'{"error":"Request blocked by security policy"}'),
    Reply(423, {}, b"{}"),
    Reply(511, {}, b"<html>Log in</html>"),
)


@dataclass(frozen=True, slots=True)
class Post:
    """A request on its way."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Applied:
    """One post that reached the board, when, and what it answered."""

    webhook_id: str
    payload: bytes
    status: int
    body: bytes
    at_utc_ns: int


class Vendor:
    """The leaderboard's process and machine; `log` holds every post that reached the board, repeats too."""

    def __init__(self, universe: Universe, path: pathlib.Path, bad: Bad) -> None:
        self.log: list[Applied] = []
        self._universe, self._path, self._bad = universe, path, bad
        self._down_until_ns = 0
        self.board: LeaderboardService = LeaderboardService(open_store(path))

    def utc_ns(self) -> int:
        """Its clock is right; only the hall's clock is stepped."""
        return UTC_AT_START_NS + self._universe.now_ns

    def away(self, for_ns: int) -> None:
        """Nobody answers."""
        self._down_until_ns = max(self._down_until_ns, self._universe.now_ns + for_ns)

    def restart(self) -> None:
        """The process is killed between two posts and opens its store again."""
        self.board.close()
        self.board = LeaderboardService(open_store(self._path))

    @property
    def is_down(self) -> bool:
        return self._universe.now_ns < self._down_until_ns

    def take(self, request: Post) -> Reply:
        """A post arrives: the signature first, as the HTTP shell does it, then the board."""
        said, body = request.headers, request.body
        signed = (said["webhook-id"], said["webhook-timestamp"], said["webhook-signature"])
        try:
            webhook_id = signature.check([KEY], *signed, body, self.utc_ns(), TOLERANCE_S)
        except BadSignature as error:
            return Reply(401, {}, json.dumps({"error": str(error)}).encode())
        at_utc_ns = self.utc_ns()
        status, answer = self.board.apply(webhook_id, body, at_utc_ns)
        self.log.append(Applied(webhook_id, body, status, answer, at_utc_ns))
        return Reply(status, {}, answer)

    def take_late(self, request: Post) -> None:
        """A request that hung somewhere arrives after all."""
        if not self.is_down:
            self.take(request)


class Network:
    """What lies between: hands posts to the board, or fails as networks and servers do. In the place of `Exchange`."""

    def __init__(self, universe: Universe, vendor: Vendor, bad: Bad) -> None:
        self._universe, self._vendor, self._bad = universe, vendor, bad

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply | PostDeferred:
        """One POST."""
        assert (method, path) == ("POST", RESULT_PATH)
        request = Post(headers, body)
        if self._vendor.is_down:
            return PostDeferred("The leaderboard cannot be reached: no connection.")
        if self._bad.strikes("portal"):
            return self._bad.source("portal").choice(PORTALS)
        if self._bad.strikes("leaderboard_500"):
            return Reply(500, {}, NO_REASON)
        if self._bad.strikes("leaderboard_timeout"):
            self._hang(request)
            return AnswerLost("no answer in time")
        reply = self._vendor.take(request)
        if self._bad.strikes("duplicate_post"):
            self._vendor.take(request)
        if self._bad.strikes("leaderboard_500_after_apply"):
            return Reply(500, {}, NO_REASON)
        return reply

    def _hang(self, request: Post) -> None:
        rng = self._bad.source("leaderboard_timeout")
        if rng.random() < 0.5:
            delay_ns = rng.randint(100 * NS_PER_MS, 40 * NS_PER_S)
            self._universe.after(delay_ns, lambda: self._vendor.take_late(request))


class Road(WebhookLeaderboard):
    """The product's driver on that network; `step` is called around each post (the process may die there)."""

    def __init__(self, network: Network, utc_ns: Callable[[], int], step: Callable[[str], None]) -> None:
        super().__init__(URL, SECRET, {}, utc_s=lambda: utc_ns() / NS_PER_S, exchange=network)
        self._step = step

    def post(self, result: Result) -> PostOutcome:
        self._step("before the post")
        answer = super().post(result)
        self._step("after the post")
        return answer
