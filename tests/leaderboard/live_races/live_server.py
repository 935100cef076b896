"""A leaderboard with a LIVE race on a port of this process, and the cookie of an official who runs it."""

import pathlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.sessions import open_session
from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.core.access import Grant
from leaderboard.credentials import Credentials
from shared.protocol.live import LiveMessage, encode_live
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import BackgroundServer, CountingServer, listening_socket, server_config
from shared.webhooks import parse_secret
from tests.leaderboard import sample_races, signed_in

TRACK = "re:Invent 2018"


@dataclass
class LiveServer:
    """The server. `session`: the value of the official's cookie `raceday_league`."""

    url: str
    board: LeaderboardService
    session: str

    def tell(self, message: LiveMessage) -> requests.Response:
        """Send a live message as a station does."""
        body = encode_live(message)
        signed = sample_races.headers(message.webhook_id, body)
        return requests.post(f"{self.url}/api/v1/races/{message.race_id}/live", data=body, headers=signed, timeout=30)


@contextmanager
def live_server(folder: pathlib.Path) -> Iterator[LiveServer]:
    """A leaderboard with the LIVE race 'cup' on a published track, ended with the block."""
    board = open_board(folder / "board.db")
    board.create_race(sample_races.race("cup", live=True, track=TRACK, name="Finals of the Winter Cup"), 1)
    account = signed_in.account(board.store, "oda", Grant("official"))
    with board.store.write() as db:
        session = open_session(db, account, "a test", time.time_ns(), SessionPeriods())
    key = parse_secret(sample_races.SECRET)
    credentials = Credentials((key,), sample_races.TOKEN, {key: ""})
    app, feed = create_app(board, credentials, LeaderboardConfig(), time.time_ns)
    listening = listening_socket("127.0.0.1", 0)
    server = BackgroundServer(
        "live-test", CountingServer(server_config(app), ConnectionLimits(200)), listening, feed.close
    )
    server.start()
    try:
        yield LiveServer(f"http://127.0.0.1:{server.port}", board, session.token)
    finally:
        server.close()
        board.close()
