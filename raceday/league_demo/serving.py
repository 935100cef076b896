"""The demo's leaderboard: the real application on a real socket, over a clock that can be set while it is filled."""

import contextlib
import pathlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests
from fastapi import FastAPI

from leaderboard.app import create_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig, SecretFiles
from leaderboard.credentials import Credentials
from leaderboard.services import LeaderboardServices
from raceday.league_demo.driving import STATION
from shared.access.pass_code_hashing import PassCodeHasher
from shared.errors import OperatorError
from shared.protocol.live import LiveMessage, encode_live
from shared.protocol.results import RESULT_PATH, Result, encode_result
from shared.units import NS_PER_S
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import BackgroundServer, CountingServer, listen, server_config
from shared.webhooks import signed_headers

TITLE = "Raceday League"
_CONNECTIONS = 256
_POST_S = 30.0


class DemoClock:
    """The leaderboard's clock: it stands where it is set, and goes on with the machine's own once it may go on."""

    def __init__(self, utc_ns: int) -> None:
        self._at_utc_ns = utc_ns
        self._since_ns: int | None = None

    def __call__(self) -> int:
        """The time, in ns since 1970."""
        return self._at_utc_ns + (0 if self._since_ns is None else time.monotonic_ns() - self._since_ns)

    def set(self, utc_ns: int) -> None:
        """Stand at this time."""
        self._at_utc_ns, self._since_ns = utc_ns, None

    def go_on(self) -> None:
        """Go on from here."""
        self._since_ns = time.monotonic_ns()


@dataclass(frozen=True, slots=True, repr=False)
class DemoStation:
    """A station of the demo: it signs what it posts with the secret that the leaderboard knows it by."""

    url: str
    key: bytes
    clock: DemoClock
    session: requests.Session

    def post(self, result: Result) -> int:
        """Post a result; returns the status: 201 applied, 200 applied before. Raises OperatorError for others."""
        answer = self._post(RESULT_PATH, result.webhook_id, encode_result(result))
        if answer.status_code not in (200, 201):
            raise OperatorError(f"the leaderboard refused a result of {result.racer}: {answer.text[:300]}")
        return answer.status_code

    def send_live(self, message: LiveMessage) -> int:
        """Send what happens on the track; returns the status."""
        path = f"/api/v1/races/{message.race_id}/live"
        return self._post(path, message.webhook_id, encode_live(message)).status_code

    def _post(self, path: str, webhook_id: str, body: bytes) -> requests.Response:
        headers = signed_headers(self.key, webhook_id, self.clock() / NS_PER_S, body)
        headers["content-type"] = "application/json"
        return self.session.post(f"{self.url}{path}", data=body, headers=headers, timeout=_POST_S)


@dataclass(frozen=True, slots=True, repr=False)
class DemoLeaderboard:
    """The leaderboard that serves: its address, its services and clock, and a station that may post to it."""

    url: str
    app: FastAPI
    services: LeaderboardServices
    clock: DemoClock
    station: DemoStation


@contextlib.contextmanager
def served(
    folder: pathlib.Path, clock: DemoClock, port: int = 0, hasher: PassCodeHasher | None = None
) -> Iterator[DemoLeaderboard]:
    """A leaderboard over a new store in `folder`, on the loopback interface. Raises OperatorError."""
    listening = listen("127.0.0.1", port, "demo")
    board = open_board(folder / "league.db")
    key = secrets.token_bytes(32)
    config = LeaderboardConfig(title=TITLE, secrets=SecretFiles(claim_file=str(folder / "claim.code")))
    credentials = Credentials((key,), secrets.token_urlsafe(32), {key: STATION})
    app, feed = create_app(board, credentials, config, clock, hasher)
    limits = ConnectionLimits(_CONNECTIONS, max_idle_each=_CONNECTIONS)
    server = BackgroundServer("league", CountingServer(server_config(app), limits), listening, feed.close)
    server.start()
    url = f"http://127.0.0.1:{server.port}"
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between us and ourselves
            yield DemoLeaderboard(url, app, app.state.services, clock, DemoStation(url, key, clock, session))
    finally:
        server.close()
