"""An organiser runs a season with forms alone, without a script: rules, teams, racers, divisions, a bracket."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.core.access import ADMIN, Grant
from leaderboard.pages.titles.rules_form import values_of
from leaderboard.seasons.services import SeasonServices
from leaderboard.store import audit, season_rows
from tests.leaderboard.in_process import FormBrowser
from tests.leaderboard.pages.league.test_desk import shown
from tests.leaderboard.seasons.sample_season import RULES, SIXTH_MONTH, app_of, fill
from tests.leaderboard.signed_in import account, browser

SEASON = "/desk/seasons/cup-2027"


@dataclass
class SeasonDesk:
    """The application over the sample season, with an organiser of it and a racer."""

    app: FastAPI
    board: LeaderboardService
    seasons: SeasonServices
    olga: FormBrowser
    rita: FormBrowser

    def team_id(self, name: str) -> str:
        with self.board.store.read() as db:
            return next(team.team_id for team in season_rows.teams(db, "cup-2027") if team.name == name)

    def member(self, racer: str) -> season_rows.SeasonMember | None:
        with self.board.store.read() as db:
            return season_rows.member(db, "cup-2027", racer)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeasonDesk]:
    board = open_board(tmp_path_factory.mktemp("season") / "board.db")
    seasons, app = fill(board), app_of(board)
    people = []
    for alias, grants in (("olga", (Grant("organiser", "season", "cup-2027"),)), ("rita", ())):
        people.append(browser(app, board.store, account(board.store, alias, *grants), SIXTH_MONTH))
        people[-1].get("/desk")
    yield SeasonDesk(app, board, seasons, *people)
    board.close()


def test_rules_are_tried_before_they_are_saved(desk: SeasonDesk) -> None:
    page = desk.olga.get(f"{SEASON}/rules")
    edition = re.search(r'name="edition" value="(\d+)"', page.text)
    assert edition is not None
    assert "The standing as it would be" in shown(page)
    assert f'name="listed" type="text" value="{", ".join(map(str, RULES.points.listed))}"' in page.text
    wanted = values_of(RULES) | {"edition": edition[1], "listed": "100, 1", "participation": "0", "drop_worst": "0"}
    tried = desk.olga.submit(f"{SEASON}/rules", **(wanted | {"go": "preview"}))
    assert tried.status_code == 200
    assert "Points by place: 100, 1." in shown(tried)
    assert re.search(r"now \d", shown(tried))  # somebody would be elsewhere
    results = desk.seasons.standings.results(ADMIN, "cup-2027", SIXTH_MONTH)
    assert results.rules == RULES
    wrong = desk.olga.submit(f"{SEASON}/rules", **(wanted | {"listed": "1, 100", "go": "save"}))
    assert wrong.status_code == 422
    assert 'value="1, 100"' in wrong.text
    assert 'id="listed-error"' in wrong.text
    saved = desk.olga.submit(f"{SEASON}/rules", **(wanted | {"go": "save"}))
    assert (saved.status_code, saved.headers["location"]) == (303, f"{SEASON}/rules")
    assert "The rules of Cup 2027 are saved." in shown(desk.olga.get(f"{SEASON}/rules"))
    assert desk.seasons.standings.results(ADMIN, "cup-2027", SIXTH_MONTH).rules.points.listed == (100, 1)
    stale = desk.olga.submit(f"{SEASON}/rules", **(wanted | {"listed": "7, 3", "go": "save"}))
    assert stale.status_code == 409
    assert "Somebody changed this meanwhile" in shown(stale)
    now = desk.seasons.standings.results(ADMIN, "cup-2027", SIXTH_MONTH).season.edition
    back = desk.olga.submit(f"{SEASON}/rules", **(values_of(RULES) | {"edition": str(now), "go": "save"}))
    assert back.status_code == 303


def test_teams_are_added_renamed_and_removed(desk: SeasonDesk) -> None:
    desk.olga.get(f"{SEASON}/people")
    assert desk.olga.submit(f"{SEASON}/teams", team="Green").status_code == 303
    page = desk.olga.get(f"{SEASON}/people")
    assert "The team Green is added." in shown(page)
    team_id = desk.team_id("Green")
    twice = desk.olga.submit(f"{SEASON}/teams", team="green")
    assert (twice.status_code, "The season has a team 'Green' already." in shown(twice).replace("&#39;", "'")) == (
        409,
        True,
    )
    taken = desk.olga.submit(f"{SEASON}/team", team_id=team_id, name="Red", go="rename")
    assert taken.status_code == 409
    assert f'id="refused-{team_id}"' in taken.text
    assert desk.olga.submit(f"{SEASON}/team", team_id=team_id, name="Mint", go="rename").status_code == 303
    assert desk.team_id("Mint") == team_id
    assert desk.olga.submit(f"{SEASON}/members", racers="Newcomer\nAnother One", team_id=team_id).status_code == 303
    assert desk.member("newcomer") == season_rows.SeasonMember("Newcomer", "", "", team_id)
    assert desk.olga.submit(f"{SEASON}/team", team_id=team_id, go="remove", name="").status_code == 303
    assert desk.member("Newcomer") == season_rows.SeasonMember("Newcomer")
    empty = desk.olga.submit(f"{SEASON}/members", racers=" \n", team_id="")
    assert (empty.status_code, 'id="racers-error"' in empty.text) == (422, True)


def test_a_racer_changes_team_name_and_division_by_hand(desk: SeasonDesk) -> None:
    page = desk.olga.get(f"{SEASON}/people?q=kenji")
    assert f'href="{SEASON}/racer?racer=Kenji"' in page.text
    assert "Anna" not in shown(page)
    page = desk.olga.get(f"{SEASON}/racer?racer=Kenji")
    blue = desk.team_id("Blue &amp; Co".replace("&amp;", "&"))
    wanted = {"asked": "Kenji", "racer": "Kenji", "team_id": blue, "region": "Asia", "category": "open", "go": "save"}
    assert desk.olga.submit(f"{SEASON}/racer", **wanted).status_code == 303
    assert desk.member("Kenji") == season_rows.SeasonMember("Kenji", "Asia", "open", blue)
    renamed = wanted | {"racer": "Kenji Two"}
    assert desk.olga.submit(f"{SEASON}/racer", **renamed).status_code == 303
    assert desk.member("Kenji") is None
    taken = desk.olga.submit(f"{SEASON}/racer", **(wanted | {"asked": "Kenji Two", "racer": "Anna"}))
    assert (taken.status_code, 'role="alert"' in taken.text) == (409, True)
    assert desk.olga.submit(f"{SEASON}/racer", **(renamed | {"asked": "Kenji Two", "go": "remove"})).status_code == 303
    assert desk.member("Kenji Two") is None
    unsaid = desk.olga.submit(f"{SEASON}/division", asked="Kenji", division="pro", why="")
    assert (unsaid.status_code, 'id="why-error"' in unsaid.text) == (422, True)
    unknown = desk.olga.submit(f"{SEASON}/division", asked="Kenji", division="gold", why="good")
    assert (unknown.status_code, 'id="division-error"' in unknown.text) == (422, True)
    assert desk.olga.submit(f"{SEASON}/division", asked="Kenji", division="pro", why="won elsewhere").status_code == 303
    with desk.board.store.read() as db:
        assert season_rows.division_of(db, "cup-2027", "Kenji") == "pro"
        assert "won elsewhere" in [row.why for row in audit.rows(db, season_id="cup-2027")]


def test_a_bracket_is_made_from_a_race(desk: SeasonDesk) -> None:
    here = "/desk/races/round-4/bracket"
    assert "Make a bracket" in shown(desk.olga.get("/desk"))
    assert re.search(r"\d+ racers are ranked\.", shown(desk.olga.get(here)))
    wanted = {"name": "Cup of Four", "size": "64", "elimination": "single", "third": "yes"}
    refused = desk.olga.submit(here, **wanted)
    assert (refused.status_code, 'id="size-error"' in refused.text) == (422, True)
    assert desk.olga.submit(here, **(wanted | {"size": "9"})).status_code == 422
    unnamed = desk.olga.submit(here, **(wanted | {"name": ""}))
    assert (unnamed.status_code, 'id="name-error"' in unnamed.text) == (422, True)
    made = desk.olga.submit(here, **(wanted | {"size": "8", "elimination": "double"}))
    assert made.status_code == 303
    bracket = desk.seasons.brackets.bracket(ADMIN, made.headers["location"].rpartition("/")[2]).bracket
    assert (bracket.name, bracket.settings.size, bracket.settings.elimination) == ("Cup of Four", 8, "double")
    assert "The bracket Cup of Four is made." in shown(desk.olga.get(made.headers["location"]))


def test_nobody_else_reaches_the_forms(desk: SeasonDesk) -> None:
    pages = (f"{SEASON}/rules", f"{SEASON}/people", f"{SEASON}/racer?racer=Anna", "/desk/races/round-4/bracket")
    for path in pages:
        assert desk.rita.get(path).status_code == 403, path
        assert FormBrowser(desk.app).get(path).headers["location"].startswith("/sign-in"), path
    desk.rita.get("/desk")
    before = desk.seasons.standings.results(ADMIN, "cup-2027", SIXTH_MONTH)
    for path in ("rules", "teams", "team", "members", "racer", "division"):
        fields = values_of(RULES) | {"edition": "2", "team": "Mine", "racers": "Me", "asked": "Anna", "racer": "Anna"}
        fields |= {"team_id": desk.team_id("Red"), "name": "Mine", "division": "pro", "why": "mine"}
        assert desk.rita.submit(f"{SEASON}/{path}", **fields).status_code == 403, path
    assert desk.rita.submit("/desk/races/round-4/bracket", name="Mine", elimination="single").status_code == 403
    after = desk.seasons.standings.results(ADMIN, "cup-2027", SIXTH_MONTH)
    assert (after.rules, after.teams, after.members, after.divisions) == (
        before.rules, before.teams, before.members, before.divisions
    )  # fmt: skip


def test_the_forms_and_their_refusals_speak_german(desk: SeasonDesk) -> None:
    page = desk.olga.get(f"{SEASON}/rules?lang=de")
    assert "Wie die Wertung aussähe" in shown(page)
    edition = re.search(r'name="edition" value="(\d+)"', page.text)
    assert edition is not None
    wrong = values_of(RULES) | {"edition": edition[1], "divisions": "pro"}
    refused = desk.olga.submit(f"{SEASON}/rules?lang=de", **wrong)
    assert "Eine Division allein ist keine" in shown(refused)
