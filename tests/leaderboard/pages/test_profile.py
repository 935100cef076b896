"""A racer across races: what everybody sees, and what only the racer does."""

import pathlib
from collections.abc import Iterator

import pytest

from leaderboard.board import LeaderboardService
from leaderboard.store.tables import ENTRIES
from shared.access.pass_code_hashing import Argon2idHasher
from shared.protocol.results import encode_result
from tests.leaderboard import signed_in
from tests.leaderboard.in_process import FormBrowser
from tests.leaderboard.league_app import LeagueApp, league_app
from tests.leaderboard.sample_races import laps, race, result


@pytest.fixture
def world(tmp_path: pathlib.Path) -> Iterator[LeagueApp]:
    """Ada won the race "done", did not qualify in "cup", and entered the private race "secret"."""
    with league_app(tmp_path, Argon2idHasher(memory_kib=8, passes=1)) as app:
        board, now = LeaderboardService(app.store), app.now_utc_ns
        board.create_race(race("done", name="Done", closes_utc_ns=now - 10), 2)
        board.create_race(race("secret", name="Secret", visibility="private"), 3)
        signed_in.account(app.store, "ada")
        signed_in.account(app.store, "eve")
        with app.store.write() as db:
            for race_id in ("cup", "done", "secret"):
                values = {"race_id": race_id, "racer": "ada", "name": "Ada", "entered_utc_ns": 1}
                db.execute(ENTRIES.insert().values(**values, account_id="account-ada"))
        for one in (
            result("a", "ada", (9000,) * 3, race_id="done"),
            result("b", "bob", (9500,) * 3, race_id="done"),
            result("c", "ada", laps=laps((9000,)), qualified=False),
        ):
            assert board.apply(one.webhook_id, encode_result(one), now).status == 201
        yield app


def test_everybody_sees_bests_and_badges_and_only_the_racer_the_attempts(world: LeagueApp) -> None:
    page = FormBrowser(world.app).get("/racers/ADA").text
    for shown in ("2 races · 1 win · 1 podium", "Winner", "Track record: 9.000", ">Done<", ">Cup<", "of 2 racers"):
        assert shown in page
    assert "Secret" not in page
    assert "Your newest attempts" not in page
    ada = signed_in.browser(world.app, world.store, "account-ada", world.now_utc_ns)
    own = ada.get("/racers/ada").text
    for shown in ("Secret", "Your newest attempts", "1 of 3 laps in a row", "3 races"):
        assert shown in own
    eve = signed_in.browser(world.app, world.store, "account-eve", world.now_utc_ns)
    assert "Secret" not in eve.get("/racers/ada").text
    assert 'href="/racers/ada"' in eve.get("/races/done/racers/ada").text


def test_my_page_is_an_address_and_nobody_signs_in_first(world: LeagueApp) -> None:
    ada = signed_in.browser(world.app, world.store, "account-ada", world.now_utc_ns)
    assert ada.get("/me").headers["location"] == "/racers/ada"
    assert FormBrowser(world.app).get("/me").headers["location"] == "/sign-in?next=/me"
    assert FormBrowser(world.app).get("/racers/nobody").status_code == 404


def test_home_holds_the_own_races(world: LeagueApp) -> None:
    ada = signed_in.browser(world.app, world.store, "account-ada", world.now_utc_ns)
    html = ada.get("/").text
    assert html.index(">Yours</h2>") < html.index(">Cup</a>") < html.index(">Done</a>")
    assert "Open now" not in html  # each race stands once
    assert "Yours" not in FormBrowser(world.app).get("/").text


def test_a_race_leads_its_owner_to_what_is_to_do(world: LeagueApp) -> None:
    signed_in.account(world.store, "olga")
    olga = signed_in.browser(world.app, world.store, "account-olga", world.now_utc_ns)
    assert 'href="/desk/races/cup"' in olga.get("/races/cup").text
    ada = signed_in.browser(world.app, world.store, "account-ada", world.now_utc_ns)
    assert "/desk/races/cup" not in ada.get("/races/cup").text
