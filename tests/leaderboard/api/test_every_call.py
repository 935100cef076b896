"""Schemathesis over the whole OpenAPI document: no 5xx, no answer, type or body that is not declared.

Each call is made with generated documents, as an admin, as an organiser in a browser, and as nobody; where the address
names a thing, it is one that is there, half of the time. `./dev bench schemathesis` tries each call much more often.
"""

import contextlib
import pathlib
import warnings
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig, SubmissionSettings
from leaderboard.core.access import Grant
from leaderboard.credentials import Credentials
from shared.access.pass_code_hashing import Argon2idHasher
from shared.protocol.results import encode_result
from shared.webhooks import parse_secret
from tests.generated_calls import CallWorld, GeneratedCaller, try_every_call
from tests.leaderboard.in_process import call, fields
from tests.leaderboard.sample_races import SECRET, TOKEN, race, result
from tests.leaderboard.signed_in import account, browser

NOW = 1_800_000_000_000_000_000
EXAMPLES = 2


def _app(board: LeaderboardService) -> FastAPI:
    key = parse_secret(SECRET)
    credentials = Credentials((key,), TOKEN, {key: ""})
    assert board.store.path is not None
    config = LeaderboardConfig(submissions=SubmissionSettings(folder=str(board.store.path.with_name("models"))))
    app, _ = create_app(board, credentials, config, lambda: NOW, Argon2idHasher(8, 1, 1))
    return app


def _world(app: FastAPI, board: LeaderboardService) -> dict[str, list[str]]:
    """Things that are there, by the name of the part of an address that names them."""
    for race_id, more in (("cup", {}), ("hidden", {"visibility": "private"}), ("live", {"live": True})):
        board.create_race(race(race_id, season_id="league", **more), 1)
        for number, racer in enumerate(("anna", "bo"), 1):
            posted = result(f"{race_id}-{number}", racer, (9000 + number,) * 3, race_id=race_id)
            board.apply(posted.webhook_id, encode_result(posted), NOW)
    made = fields(call(app, "POST", "/api/v1/seasons", {"name": "League", "season_id": "league"}, TOKEN))
    assert made["season_id"] == "league", made
    receiver = {"url": "https://hooks.example/a", "kinds": ["race.final"], "race_id": "cup"}
    receiver_id = fields(call(app, "POST", "/api/v1/notices", receiver, TOKEN))["receiver_id"]
    return {
        "race_id": ["cup", "hidden", "live"],
        "season_id": ["league"],
        "racer": ["anna", "bo"],
        "alias": ["org", "anna"],
        "attempt_id": ["cup-1", "hidden-2"],
        "receiver_id": [receiver_id],
        "role": ["official", "admin"],
        "version": ["1"],
    }


def _callers(app: FastAPI, board: LeaderboardService) -> list[GeneratedCaller]:
    """An admin's key, an organiser's browser, and nobody."""
    organiser = browser(app, board.store, account(board.store, "org", Grant("organiser")), NOW)
    organiser.get("/")
    cookies = "; ".join(f"{name}={value}" for name, value in organiser.cookies.items())
    token = organiser.page.partition('name="csrf-token" content="')[2].partition('"')[0]
    signed_in = {"cookie": cookies, "origin": "http://board.test", "host": "board.test", "x-csrf-token": token}
    return [GeneratedCaller({"authorization": f"Bearer {TOKEN}"}), GeneratedCaller(signed_in), GeneratedCaller({})]


@contextlib.contextmanager
def board_calls(folder: pathlib.Path) -> Iterator[CallWorld]:
    """The leaderboard's app with its own document, who calls it, and what is there."""
    board = open_board(folder / "board.db")
    app = _app(board)
    there = _world(app, board)
    yield CallWorld(app, _callers(app, board), there, document="/openapi.json")
    board.close()


@pytest.mark.slow
def test_every_call_answers_as_declared(tmp_path: pathlib.Path) -> None:
    with warnings.catch_warnings(), board_calls(tmp_path) as world:
        warnings.simplefilter("ignore")
        assert try_every_call(world, EXAMPLES).operations > 80
