"""The real leaderboard behind a simulated network and server whose faults follow from the seed.

A post can meet what HTTP allows: refusal, an answer lost after the effect, delivery twice, or delivery long after the
sender gave up. The webhook driver, the signatures, their check and the board on SQLite are the product's.
"""

import base64
import json
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leaderboard.board import LeaderboardService
from leaderboard.config import LeaderboardLimits
from leaderboard.store.database import open_store
from shared import webhooks
from shared.protocol.results import (
    CONTRACT,
    CONTRACT_HEADER,
    RESULT_PATH,
    AnswerLost,
    PostDeferred,
    PostOutcome,
    Result,
)
from shared.units import NS_PER_MS, NS_PER_S
from shared.virtual_time import VirtualTime
from shared.web.http_exchange import Reply
from shared.webhooks import BadSignature
from simulator.races.physical.fault_table import FaultSource
from simulator.races.physical.kernel_clock import UTC_AT_START_NS
from station.sync.webhook import WebhookLeaderboard

URL = "https://leaderboard.example"
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
TOLERANCE_S = LeaderboardLimits().tolerance_s
NO_REASON = b"<html>Internal Server Error</html>"
# Answers from others in the leaderboard's place: the venue's login page, its firewall, a vendor's proxy.
PORTALS = (
    Reply(302, {"location": "http://login.example/"}, b""),
    Reply(200, {}, b"<html>Please accept the terms</html>"),
    Reply(403, {}, b"<html>Blocked</html>"),
    Reply(404, {}, b'{"status":404,"error":"Not Found"}'),
    Reply(404, {}, b'{"error":"no Route matched with those values"}'),
    Reply(400, {}, b'{"error":"Request blocked by security policy"}'),
    Reply(423, {}, b"{}"),
    Reply(511, {}, b"<html>Log in</html>"),
)


@dataclass(frozen=True, slots=True)
class ReceivedPost:
    """A request in transit."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class AppliedPost:
    """One post that reached the board, its time, and the board's answer."""

    webhook_id: str
    payload: bytes
    status: int
    body: bytes
    at_utc_ns: int


class LeaderboardHost:
    """The leaderboard's process and machine; `log` holds every post that reached the board, including repeats."""

    def __init__(self, virtual_time: VirtualTime, path: pathlib.Path, faults: FaultSource) -> None:
        self.log: list[AppliedPost] = []
        self._virtual_time, self._path, self._faults = virtual_time, path, faults
        self._down_until_ns = 0
        self.board: LeaderboardService = LeaderboardService(open_store(path))

    def utc_ns(self) -> int:
        """UTC in ns. This machine's clock is right; only the station's is stepped."""
        return UTC_AT_START_NS + self._virtual_time.now_ns

    def away(self, for_ns: int) -> None:
        """Be unreachable for `for_ns` from now."""
        self._down_until_ns = max(self._down_until_ns, self._virtual_time.now_ns + for_ns)

    def restart(self) -> None:
        """Kill the process between two posts; it opens its store again."""
        self.board.close()
        self.board = LeaderboardService(open_store(self._path))

    @property
    def is_down(self) -> bool:
        return self._virtual_time.now_ns < self._down_until_ns

    def handle(self, request: ReceivedPost) -> Reply:
        """Handle a post: check the signature first, as the HTTP shell does, then pass it to the board."""
        headers, body = request.headers, request.body
        signed = (headers["webhook-id"], headers["webhook-timestamp"], headers["webhook-signature"])
        try:
            webhook_id = webhooks.check([KEY], *signed, body, self.utc_ns(), TOLERANCE_S)
        except BadSignature as error:
            return Reply(401, {}, json.dumps({"error": str(error)}).encode())
        at_utc_ns = self.utc_ns()
        status, answer = self.board.apply(webhook_id, body, at_utc_ns)
        self.log.append(AppliedPost(webhook_id, body, status, answer, at_utc_ns))
        return Reply(status, {}, answer)

    def handle_late(self, request: ReceivedPost) -> None:
        """Handle a request that arrives after its sender gave up."""
        if not self.is_down:
            self.handle(request)


class FaultyNetwork:
    """The network in place of `Exchange`: passes posts to the board, or fails as networks and servers do."""

    def __init__(self, virtual_time: VirtualTime, leaderboard: LeaderboardHost, faults: FaultSource) -> None:
        self._virtual_time, self._leaderboard, self._faults = virtual_time, leaderboard, faults

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply | PostDeferred:
        """Send one request; return the reply, or why there is none. A GET only tells which contract is read here."""
        if method == "GET":
            down = PostDeferred("The leaderboard cannot be reached: no connection.")
            return down if self._leaderboard.is_down else Reply(200, {CONTRACT_HEADER: CONTRACT}, b"{}")
        assert (method, path) == ("POST", RESULT_PATH)
        request = ReceivedPost(headers, body)
        if self._leaderboard.is_down:
            return PostDeferred("The leaderboard cannot be reached: no connection.")
        if self._faults.occurs("portal"):
            return self._faults.source("portal").choice(PORTALS)
        if self._faults.occurs("leaderboard_500"):
            return Reply(500, {}, NO_REASON)
        if self._faults.occurs("leaderboard_timeout"):
            self._hang(request)
            return AnswerLost("no answer in time")
        reply = self._leaderboard.handle(request)
        if self._faults.occurs("duplicate_post"):
            self._leaderboard.handle(request)
        if self._faults.occurs("leaderboard_500_after_apply"):
            return Reply(500, {}, NO_REASON)
        return reply

    def _hang(self, request: ReceivedPost) -> None:
        rng = self._faults.source("leaderboard_timeout")
        if rng.random() < 0.5:
            delay_ns = rng.randint(100 * NS_PER_MS, 40 * NS_PER_S)
            self._virtual_time.after(delay_ns, lambda: self._leaderboard.handle_late(request))


class FaultyWebhook(WebhookLeaderboard):
    """The product's driver on that network; `step` is called around each post (the process may die there)."""

    def __init__(self, network: FaultyNetwork, utc_ns: Callable[[], int], step: Callable[[str], None]) -> None:
        super().__init__(URL, SECRET, {}, utc_s=lambda: utc_ns() / NS_PER_S, exchange=network)
        self._step = step

    def post(self, result: Result) -> PostOutcome:
        self._step("before the post")
        answer = super().post(result)
        self._step("after the post")
        return answer
