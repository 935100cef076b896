"""Whose word on a caller's address and scheme the leaderboard takes: the one proxy's that its config names."""

import dataclasses
from collections.abc import Iterator

import pytest

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from shared.access.pass_code_hashing import Argon2idHasher
from shared.refusals import Refusals
from shared.webhooks import parse_secret
from tests.leaderboard import sample_races
from tests.leaderboard.in_process import FormBrowser

PROXY, STRANGER, CLAIMED = "192.0.2.1", "192.0.2.66", "198.51.100.5"
CASES = [
    ("", STRANGER, CLAIMED, STRANGER),  # no proxy is named: nobody is believed
    ("", PROXY, CLAIMED, PROXY),
    (PROXY, STRANGER, CLAIMED, STRANGER),  # somebody who is not the proxy says where he comes from
    (PROXY, PROXY, CLAIMED, CLAIMED),
    (PROXY, PROXY, f"10.0.0.1, {CLAIMED}", CLAIMED),  # what the caller had written stands before what the proxy adds
]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeaderboardService]:
    opened = open_board(tmp_path_factory.mktemp("proxied") / "board.db")
    yield opened
    opened.close()


@pytest.mark.parametrize(("trusted", "peer", "said", "counted"), CASES)
def test_a_caller_is_whom_the_named_proxy_says_and_nobody_else(
    board: LeaderboardService, trusted: str, peer: str, said: str, counted: str
) -> None:
    config = LeaderboardConfig()
    config = dataclasses.replace(config, server=dataclasses.replace(config.server, trusted_proxy=trusted))
    credentials = Credentials((parse_secret(sample_races.SECRET),), sample_races.TOKEN)
    app, feed = create_app(board, credentials, config, lambda: 1, Argon2idHasher(memory_kib=8, passes=1))
    try:
        refusals: Refusals = app.state.refusals
        wrong = {"authorization": "Bearer guessed-key-0000", "x-forwarded-for": said, "x-forwarded-proto": "https"}
        answer = FormBrowser(app, peer).call("GET", "/api/v1/me", None, **wrong)
        assert answer.status_code == 401
        assert [row.who for row in refusals.counts()] == [counted]
        cookies = FormBrowser(app, peer).get("/sign-in", **wrong).headers.getlist("set-cookie")
        assert ["__Host-" in line for line in cookies if "raceday_league_form" in line] == [counted == CLAIMED]
    finally:
        feed.close()
