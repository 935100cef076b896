"""The road to the leaderboard: the real board behind a network and a server that fail by seed.

It does what HTTP would do with a post: refuse, lose the answer after the effect, deliver twice, deliver long
after the sender gave up. The driver with its signatures, their check and the board on SQLite are the product's.
"""

import base64
import io
import json
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import requests
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError

from leaderboard import signature
from leaderboard.board import Board
from leaderboard.config import Limits
from leaderboard.signature import BadSignature
from leaderboard.store.open import open_store
from shared.results import Answer, Result
from shared.units import NS_PER_MS, NS_PER_S
from simulator.races.faults import Bad
from simulator.races.universe import UTC_AT_START_NS, Universe
from station.sync.post import WebhookLeaderboard

URL = "http://leaderboard.hall"
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
TOLERANCE_S = Limits().tolerance_s
NO_REASON = b"<html>Internal Server Error</html>"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes


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

    def take(self, request: PreparedRequest) -> Reply:
        """A post arrives: the signature first, as the HTTP shell does it, then the board."""
        said, body = request.headers, cast(bytes, request.body)
        signed = (said["webhook-id"], said["webhook-timestamp"], said["webhook-signature"])
        try:
            webhook_id = signature.check([KEY], *signed, body, self.utc_ns(), TOLERANCE_S)
        except BadSignature as error:
            return Reply(401, json.dumps({"error": str(error)}).encode())
        status, answer = self.board.apply(webhook_id, body, self.utc_ns())
        self.log.append(Applied(webhook_id, body, status, answer))
        return Reply(status, answer)

    def take_late(self, request: PreparedRequest) -> None:
        """A request that hung somewhere arrives after all."""
        if not self.is_down:
            self.take(request)


class Network(BaseAdapter):
    """What lies between: a `requests` transport that hands posts to the board, or fails as networks and servers do."""

    def __init__(self, universe: Universe, vendor: Vendor, bad: Bad) -> None:
        super().__init__()
        self._universe, self._vendor, self._bad = universe, vendor, bad

    def send(self, request: PreparedRequest, *_arguments: Any, **_options: Any) -> Response:
        """One POST. Raises what `requests` raises."""
        if self._vendor.is_down:
            refused = NewConnectionError(cast(Any, None), "Connection refused")
            raise requests.exceptions.ConnectionError(MaxRetryError(cast(Any, None), URL, refused))
        if self._bad.strikes("leaderboard_500"):
            return _response(Reply(500, NO_REASON))
        if self._bad.strikes("leaderboard_timeout"):
            self._hang(request)
            raise requests.exceptions.ReadTimeout("no answer in time")
        reply = self._vendor.take(request)
        if self._bad.strikes("duplicate_post"):
            self._vendor.take(request)
        if self._bad.strikes("leaderboard_500_after_apply"):
            return _response(Reply(500, NO_REASON))
        return _response(reply)

    def close(self) -> None:
        """Nothing is held open."""

    def _hang(self, request: PreparedRequest) -> None:
        rng = self._bad.source("leaderboard_timeout")
        if rng.random() < 0.5:
            delay_ns = rng.randint(100 * NS_PER_MS, 40 * NS_PER_S)
            self._universe.after(delay_ns, lambda: self._vendor.take_late(request))


class Road(WebhookLeaderboard):
    """The product's driver on that network; `step` is called around each post (the process may die there)."""

    def __init__(self, network: Network, utc_ns: Callable[[], int], step: Callable[[str], None]) -> None:
        super().__init__(URL, SECRET, {"read_timeout_s": 120}, utc_s=lambda: utc_ns() / NS_PER_S)
        self._session.mount(URL, network)
        self._step = step

    def post(self, result: Result) -> Answer:
        self._step("before the post")
        answer = super().post(result)
        self._step("after the post")
        return answer


def _response(reply: Reply) -> Response:
    response = Response()
    response.status_code = reply.status
    response.raw = io.BytesIO(reply.body)
    return response
