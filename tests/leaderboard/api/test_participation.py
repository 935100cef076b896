"""The calls about entries and invitations, in process: what each answers to whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from tests.leaderboard.by_hand import close_race
from tests.leaderboard.in_process import FormBrowser, call
from tests.leaderboard.sample_races import TOKEN, race
from tests.leaderboard.signed_in import account, browser

NOW = 1_700_000_000_000_000_000


@dataclass
class Club:
    """A private race of Olga's, and browsers in which people are signed in."""

    app: FastAPI
    board: LeaderboardService
    olga: FormBrowser
    nils: FormBrowser
    number: int = 0

    @property
    def race_id(self) -> str:
        return f"cup-{self.number}"

    @property
    def cup(self) -> str:
        return f"/api/v1/races/{self.race_id}"

    def ask(self, who: FormBrowser, method: str, path: str, document: object = None) -> tuple[int, Any]:
        answer = who.call(method, path, document)
        return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Club]:
    """The application, which all tests share."""
    board = open_board(tmp_path_factory.mktemp("club") / "board.db")
    app, feed = create_app(board, Credentials((), TOKEN), LeaderboardConfig(), lambda: NOW)
    people = [browser(app, board.store, account(board.store, alias, now_utc_ns=NOW), NOW) for alias in ("olga", "nils")]
    for each in people:
        each.get("/")
    yield Club(app, board, people[0], people[1])
    feed.close()
    board.close()


@pytest.fixture
def club(everything: Club) -> Club:
    """A race of its own for each test."""
    everything.number += 1
    made = race(everything.race_id, visibility="private", owner="account-olga", entry="registered")
    everything.board.create_race(made, NOW)
    return everything


def test_from_the_link_to_the_entry_and_out_again(club: Club) -> None:
    assert club.ask(club.olga, "GET", f"{club.cup}/invitation")[0] == 404
    status, made = club.ask(club.olga, "POST", f"{club.cup}/invitation", {"max_uses": 3})
    assert status == 201
    assert made["url"].startswith("http://board.test/join/")
    assert (made["generation"], made["uses"], made["max_uses"], made["ended"]) == (1, 0, 3, None)
    assert club.ask(club.olga, "POST", f"{club.cup}/invitation") == (200, made | {"max_uses": None})
    join = f"/api/v1/join/{made['url'].rsplit('/', 1)[1]}"
    assert club.ask(club.nils, "GET", club.cup)[0] == 404
    entry = {"race_id": club.race_id, "racer": "nils", "name": "Nils", "account": True, "joined_by": "link"}
    assert club.ask(club.nils, "POST", join) == (200, entry | {"state": "invited"})
    assert club.ask(club.nils, "GET", club.cup)[0] == 200
    assert club.ask(club.nils, "POST", f"{club.cup}/entries") == (201, entry | {"state": "entered"})
    assert club.ask(club.nils, "POST", f"{club.cup}/entries", {}) == (200, entry | {"state": "entered"})
    assert club.ask(club.nils, "DELETE", f"{club.cup}/entries/nils") == (200, entry | {"state": "withdrawn"})
    assert club.ask(club.olga, "DELETE", f"{club.cup}/entries/nils") == (200, entry | {"state": "removed"})
    assert club.ask(club.nils, "GET", club.cup)[0] == 404
    assert club.ask(club.nils, "POST", join)[0] == 403
    assert club.ask(club.olga, "POST", f"{club.cup}/entries/nils/restore") == (200, entry | {"state": "withdrawn"})
    assert club.ask(club.nils, "GET", club.cup)[0] == 200


def test_dead_links_say_of_what(club: Club) -> None:
    old = club.ask(club.olga, "POST", f"{club.cup}/invitation")[1]["url"]
    new = club.ask(club.olga, "POST", f"{club.cup}/invitation/reset")[1]
    assert new["generation"] == 2
    status, said = club.ask(club.nils, "POST", f"/api/v1/join/{old.rsplit('/', 1)[1]}")
    assert (status, said["status"], said["type"]) == (410, 410, "about:blank")
    assert said["error"] == "The organiser replaced this link by another: ask for the new one."
    close_race(club.board, club.race_id, True, NOW)
    status, said = club.ask(club.nils, "POST", f"/api/v1/join/{new['url'].rsplit('/', 1)[1]}")
    assert (status, said["error"]) == (410, "This race is over, and its invitations with it.")
    shown = club.ask(club.olga, "GET", f"{club.cup}/invitation")[1]
    assert (shown["ended"], shown["sentence"]) == ("race_over", said["error"])
    assert club.ask(club.nils, "POST", "/api/v1/join/nothing")[0] == 404


def test_joining_needs_an_account(club: Club) -> None:
    token = club.ask(club.olga, "POST", f"{club.cup}/invitation")[1]["url"].rsplit("/", 1)[1]
    assert call(club.app, "POST", f"/api/v1/join/{token}").status_code == 401
    assert call(club.app, "POST", f"/api/v1/join/{token}", key=TOKEN).status_code == 401
    # Another site's page cannot join in the name of whoever visits it.
    assert club.nils.call("POST", f"/api/v1/join/{token}", **{"x-csrf-token": "x"}).status_code == 403


def test_an_organiser_lets_in_by_alias_and_registers_without_account(club: Club) -> None:
    assert club.ask(club.olga, "POST", f"{club.cup}/entries", {"alias": "nils"})[0] == 201
    assert club.ask(club.olga, "POST", f"{club.cup}/entries", {"alias": "NILS"})[0] == 200
    assert club.ask(club.olga, "POST", f"{club.cup}/entries", {"alias": "who"})[0] == 404
    status, guest = club.ask(club.olga, "POST", f"{club.cup}/entries", {"racer": "guest-1", "name": "Guest One"})
    assert (status, guest["account"], guest["state"], guest["name"]) == (201, False, "entered", "Guest One")
    assert club.ask(club.olga, "POST", f"{club.cup}/entries", {"racer": "guest-1"})[0] == 409
    assert club.ask(club.nils, "POST", f"{club.cup}/entries", {"racer": "guest-2"})[0] == 403
    status, page = club.ask(club.olga, "GET", f"{club.cup}/entries?limit=1")
    assert [each["entry"]["racer"] for each in page["participants"]] == ["guest-1"]
    rest = club.ask(club.olga, "GET", f"{club.cup}/entries?after={page['next']}")[1]
    assert ([each["entry"]["racer"] for each in rest["participants"]], rest["next"]) == (["nils"], None)
    assert page["counts"] == {"entered": 1, "invited": 1}


def test_a_name_of_somebody_without_an_account_is_confirmed(club: Club) -> None:
    club.ask(club.olga, "POST", f"{club.cup}/entries", {"racer": "Nils"})
    status, said = club.ask(club.olga, "POST", f"{club.cup}/entries", {"alias": "nils"})
    assert status == 409
    assert "whether that is you" in said["error"]
    status, entry = club.ask(club.olga, "POST", f"{club.cup}/entries", {"alias": "nils", "confirm": True})
    assert (status, entry["racer"], entry["account"], entry["state"]) == (200, "Nils", True, "entered")


@pytest.mark.parametrize(
    ("method", "path", "document", "status", "said"),
    [
        ("POST", "entries", {"name": "x"}, 422, "Give `alias`"),
        ("POST", "entries", {"alias": "a", "racer": "b"}, 422, "Give `alias`"),
        ("POST", "entries", {"confirm": True}, 422, "give the `alias`"),
        ("POST", "entries", {"racer": 5}, 422, "not valid at 'racer'"),
        ("POST", "entries", {"racer": ""}, 422, "is empty"),
        ("POST", "entries", {"other": 1}, 422, "not valid at 'other'"),
        ("GET", "entries?after=%21%21", None, 422, "`after` is not one"),
        ("GET", "entries?after=AA==", None, 422, "`after` is not one"),
        ("GET", "entries?limit=0", None, 422, "not valid"),
        ("DELETE", "entries/nobody", None, 404, "no racer 'nobody'"),
        ("POST", "entries/nobody/restore", None, 404, "no racer 'nobody'"),
        ("POST", "invitation", {"max_uses": 0}, 422, "give 1 to 10000"),
        ("POST", "invitation", {"expires_at": "2020-01-01T00:00:00Z"}, 422, "expired already"),
        ("POST", "invitation", {"expires_at": "tomorrow"}, 422, "not a time with its zone"),
    ],
)
def test_bad_input_gets_a_sentence(
    club: Club, method: str, path: str, document: object, status: int, said: str
) -> None:
    answer, body = club.ask(club.olga, method, f"{club.cup}/{path}", document)
    assert (answer, said in body["error"]) == (status, True), body
