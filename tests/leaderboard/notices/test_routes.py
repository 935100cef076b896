"""Receivers of notices through the API and the organiser's page."""

import pathlib
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.core.access import Grant
from leaderboard.credentials import Credentials
from tests.leaderboard.in_process import call, fields
from tests.leaderboard.sample_races import TOKEN, race
from tests.leaderboard.signed_in import account, browser

NEW = {"url": "https://hooks.example/a", "kinds": ["leader.changed"], "race_id": "cup"}


@pytest.fixture
def serving(tmp_path: pathlib.Path) -> Iterator[tuple[FastAPI, LeaderboardService]]:
    board = open_board(tmp_path / "board.db")
    board.create_race(race(), 1)
    app, _ = create_app(board, Credentials((), TOKEN), LeaderboardConfig(), lambda: 10**18)
    yield app, board
    board.close()


def test_the_api(serving: tuple[FastAPI, LeaderboardService]) -> None:
    app, _ = serving
    address = "/api/v1/notices"
    assert call(app, "POST", address, NEW).status_code == 401
    made = call(app, "POST", address, NEW, TOKEN)
    assert made.status_code == 201
    receiver = fields(made)
    assert receiver["secret"].startswith("whsec_")
    assert call(app, "POST", address, NEW | {"race_id": "none"}, TOKEN).status_code == 404
    assert call(app, "POST", address, NEW | {"url": "https://127.0.0.1/"}, TOKEN).status_code == 422
    assert call(app, "POST", address, NEW | {"colour": 1}, TOKEN).status_code == 422
    one = f"{address}/{receiver['receiver_id']}"
    assert call(app, "POST", f"{one}/test", None, TOKEN).status_code == 202
    assert fields(call(app, "PATCH", one, {"paused": True}, TOKEN))["paused"] is True
    (listed,) = fields(call(app, "GET", f"{address}?race_id=cup", None, TOKEN))
    assert (listed["secret"], [each["kind"] for each in listed["notices"]]) == (None, ["test"])
    assert call(app, "GET", address).status_code == 401
    assert call(app, "DELETE", one, None, TOKEN).status_code == 204
    assert call(app, "DELETE", one, None, TOKEN).status_code == 404


def test_a_private_race_is_one_that_never_was(serving: tuple[FastAPI, LeaderboardService]) -> None:
    app, board = serving
    board.create_race(race("hidden", visibility="private"), 1)
    receiver = fields(call(app, "POST", "/api/v1/notices", NEW | {"race_id": "hidden"}, TOKEN))
    stranger = browser(app, board.store, account(board.store, "eve"), 10**18)
    stranger.get("/")
    for race_id in ("hidden", "never"):
        answers = (
            stranger.call("GET", f"/api/v1/notices?race_id={race_id}"),
            stranger.call("POST", "/api/v1/notices", NEW | {"race_id": race_id}),
            stranger.get(f"/races/{race_id}/notices"),
        )
        assert [each.status_code for each in answers] == [404, 404, 404]
    for receiver_id in (receiver["receiver_id"], "never"):
        answer = stranger.call("POST", f"/api/v1/notices/{receiver_id}/test")
        assert (answer.status_code, fields(answer)["error"]) == (404, "There is no such receiver of notices.")


def test_the_page(serving: tuple[FastAPI, LeaderboardService]) -> None:
    app, board = serving
    organiser = browser(app, board.store, account(board.store, "org", Grant("organiser", "race", "cup")), 10**18)
    other = browser(app, board.store, account(board.store, "other", Grant("organiser", "race", "another")), 10**18)
    page = "/races/cup/notices"
    assert other.get(page).status_code == 403
    assert organiser.get(page).status_code == 200
    refused = organiser.submit(page, url="http://hooks.example/a", kinds="race.final")
    assert refused.status_code == 422
    assert "only sent by https" in refused.text
    assert 'value="http://hooks.example/a"' in refused.text
    made = organiser.submit(page, url="https://hooks.example/a", kinds="race.final")
    assert made.status_code == 200
    assert "whsec_" in made.text
    shown = organiser.get(page)
    assert "whsec_" not in shown.text
    assert "Takes notices" in shown.text
    action = shown.text.partition(f'action="{page}/')[2].partition('/test"')[0]
    for what, words in (
        ("test", "on its way"),
        ("pause", "Paused"),
        ("resume", "Takes notices"),
        ("remove", "No receiver"),
    ):
        assert organiser.submit(f"{page}/{action}/{what}").status_code == 303
        assert words in organiser.get(page).text
    assert organiser.submit(f"{page}/{action}/test").status_code == 404
