"""The calls and pages of seasons and brackets over HTTP, in this process: the answers, to whom, and the refusals."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.core.access import ADMIN, Grant
from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.seasons.rules import QualifyingRace
from leaderboard.league.seasons import SeasonService
from leaderboard.seasons.services import SeasonServices
from leaderboard.store import audit
from tests.leaderboard.in_process import FormBrowser, call, fields
from tests.leaderboard.sample_races import TOKEN, race
from tests.leaderboard.seasons.sample_season import (
    DAY_NS,
    NOW,
    ONE_LAP,
    RACERS,
    RULES,
    SIXTH_MONTH,
    app_of,
    fill,
    post,
)
from tests.leaderboard.signed_in import account, browser

SEASON = "/api/v1/seasons/cup-2027"


@dataclass
class Filled:
    """The application over the sample season; all tests of this file share it, and none undoes what another needs."""

    app: FastAPI
    board: LeaderboardService
    seasons: SeasonServices

    def get(self, path: str, key: str = "") -> Any:
        answer = call(self.app, "GET", path, key=key)
        assert answer.status_code == 200, answer.text
        return fields(answer)

    def refused(self, method: str, path: str, document: object = None, key: str = TOKEN) -> tuple[int, str]:
        answer = call(self.app, method, path, document, key)
        return answer.status_code, fields(answer)["detail"]

    def person(self, alias: str, *grants: Grant) -> FormBrowser:
        account_id = account(self.board.store, alias, *grants, now_utc_ns=SIXTH_MONTH)
        made = browser(self.app, self.board.store, account_id, SIXTH_MONTH)
        made.get("/seasons")
        return made


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    board = open_board(tmp_path_factory.mktemp("season") / "board.db")
    seasons = fill(board)
    yield Filled(app_of(board), board, seasons)
    board.close()


def test_a_standing_is_read_page_by_page(filled: Filled) -> None:
    whole = filled.get(f"{SEASON}/standings?limit=1000")
    rows: list[Any] = []
    cursor = ""
    while True:
        page = filled.get(f"{SEASON}/standings?limit=7&cursor={cursor}")
        rows += page["standings"]
        if not (cursor := page["next"]):
            break
    assert rows == whole["standings"]
    assert (whole["racers"], len(whole["races"]), whole["to_come"], whole["next"]) == (len(RACERS), 6, 3, "")
    assert [each["over"] for each in whole["races"]] == [True] * 5 + [False]
    for row in rows:
        counted = [each["points"] for each in row["races"] if each and each["counted"]]
        assert row["points"] == pytest.approx(sum(counted), abs=0.05)  # thirds are cut off where they are shown
        assert row["started"] == sum(each is not None for each in row["races"])


def test_regions_and_kinds_are_standings_of_their_own(filled: Filled) -> None:
    europe = filled.get(f"{SEASON}/standings?region=Europe&category=student")["standings"]
    assert {row["racer"] for row in europe} == set(RACERS[:8])
    assert europe[0]["races"][0] is None or europe[0]["races"][0]["place"] <= 8
    assert filled.get(f"{SEASON}/standings?kind=virtual")["standings"] == []
    status, sentence = filled.refused("GET", f"{SEASON}/standings?region=Mars")
    assert (status, sentence) == (422, "This season has no region 'Mars': it has Africa, Asia, Europe.")
    assert filled.refused("GET", f"{SEASON}/standings?cursor=%C3%BC")[0] == 422
    assert filled.refused("GET", f"{SEASON}/standings?cursor=enp6")[1].startswith("The racer at this cursor is no")


def test_chances_teams_prizes_and_records(filled: Filled) -> None:
    chances = filled.get(f"{SEASON}/chances")
    assert [each["racer"] for each in chances] == [
        row["racer"] for row in filled.get(f"{SEASON}/standings?limit=1000")["standings"]
    ]
    assert {each["can_win"] for each in chances} == {True, False}
    assert not any(each["has_won"] for each in chances)
    teams = filled.get(f"{SEASON}/teams")
    assert [(team["rank"], len(team["members"])) for team in teams] == [(1, 3), (2, 3), (3, 2)]
    assert sum(member["counted"] for member in teams[0]["members"]) == 2
    prizes = filled.get(f"{SEASON}/prizes")
    cars = [each["racer"] for each in prizes if each["kind"] == "car"]
    assert len(cars) == len(set(cars)) == 10  # two for each race that is over
    assert any(each["passed_over"] for each in prizes)
    records = filled.get("/api/v1/records")
    assert [(each["track"], each["method"], each["laps"]) for each in records] == [
        ("Bowtie", "best_lap", 1),
        ("Oval", "best_lap", 1),
    ]
    fastest = min(row.placed.score_ms for n in (1, 3, 5) for row in filled.board.snapshot(f"round-{n}").rows)
    assert records[1]["score_ms"] == fastest
    assert filled.get("/api/v1/records?track=Oval") == records[1:]


def test_organisers_set_rules_and_two_at_once_are_told(filled: Filled) -> None:
    now = filled.get(f"{SEASON}/rules")
    changed = now["rules"] | {"qualify_places": 4}
    body = {"edition": now["edition"], "rules": changed}
    answer = call(filled.app, "PUT", f"{SEASON}/rules", body, TOKEN)
    assert (answer.status_code, fields(answer)["edition"]) == (200, now["edition"] + 1)
    body["rules"] = now["rules"]
    status, sentence = filled.refused("PUT", f"{SEASON}/rules", body)
    assert (status, sentence.split(":")[0]) == (409, "Somebody changed this meanwhile")
    again = {"edition": now["edition"] + 1, "rules": now["rules"]}
    assert call(filled.app, "PUT", f"{SEASON}/rules", again, TOKEN).status_code == 200
    rising = {"edition": 9, "rules": {"points": {"listed": [18, 25]}}}
    status, sentence = filled.refused("PUT", f"{SEASON}/rules", rising)
    assert (status, sentence) == (
        422,
        "Points that never fall: place 2 would get 25, place 1 only 18. Give no place more than the one before it.",
    )
    with filled.board.store.read() as db:
        assert [row.what for row in audit.rows(db, season_id="cup-2027", limit=2)] == ["season.edit"] * 2


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("PUT", f"{SEASON}/rules", {"edition": 1, "rules": {}}),
        ("POST", f"{SEASON}/teams", {"name": "Mine"}),
        ("PATCH", f"{SEASON}/teams/00", {"name": "Mine"}),
        ("DELETE", f"{SEASON}/teams/00", None),
        ("DELETE", f"{SEASON}/members/Anna", None),
        ("PUT", f"{SEASON}/members", [{"racer": "Anna"}]),
        ("POST", f"{SEASON}/divisions", {"racer": "Anna", "division": "pro"}),
        ("POST", "/api/v1/brackets", {"race_id": "round-5", "name": "Mine"}),
    ],
)
def test_only_organisers_change_a_season(filled: Filled, method: str, path: str, document: object) -> None:
    assert filled.refused(method, path, document, key="")[0] == 401
    which = f"{method}-{path.rpartition('/')[2]}"
    racer = filled.person(f"racer-{which}")
    assert racer.call(method, path, document).status_code == 403
    other = filled.person(f"other-{which}", Grant("organiser", "season", "another"))
    assert other.call(method, path, document).status_code == 403


def test_teams_and_members(filled: Filled) -> None:
    assert filled.refused("POST", f"{SEASON}/teams", {"name": "RED"}) == (409, "The season has a team 'Red' already.")
    made = fields(call(filled.app, "POST", f"{SEASON}/teams", {"name": "Late"}, TOKEN))
    body = [{"racer": "wei", "region": "Asia", "category": "open", "team_id": made["team_id"]}]
    assert fields(call(filled.app, "PUT", f"{SEASON}/members", body, TOKEN))[0]["racer"] == "wei"
    assert [team["members"][0]["racer"] for team in filled.get(f"{SEASON}/teams") if team["name"] == "Late"] == ["Wei"]
    assert "Late" in call(filled.app, "GET", f"/seasons/cup-2027/teams/{made['team_id']}").text
    for wrong, status in (({"region": "Mars"}, 422), ({"team_id": "none"}, 404)):
        assert filled.refused("PUT", f"{SEASON}/members", [{"racer": "Uma"}, {"racer": "Wei"} | wrong])[0] == status
    assert "Uma" not in {each["racer"] for each in filled.get(f"{SEASON}/members")}  # all of them or none
    _rename_and_remove(filled, f"{SEASON}/teams/{made['team_id']}")


def _rename_and_remove(filled: Filled, team: str) -> None:
    """A team with the member Wei gets another name and goes; so does a member whose name holds a slash."""
    answer = call(filled.app, "PATCH", team, {"name": "  Later  "}, TOKEN)
    assert (answer.status_code, fields(answer)["name"]) == (200, "Later")
    assert [each["name"] for each in filled.get(f"{SEASON}/teams")].count("Later") == 1
    assert filled.refused("PATCH", team, {"name": "red"}) == (409, "The season has a team 'Red' already.")
    assert filled.refused("PATCH", team, {"name": "\u202e"})[0] == 422
    assert filled.refused("PATCH", f"{SEASON}/teams/none", {"name": "Lost"})[0] == 404
    body = [{"racer": "Zed/Zoe", "region": "Asia", "team_id": team.rpartition("/")[2]}]
    assert call(filled.app, "PUT", f"{SEASON}/members", body, TOKEN).status_code == 200
    assert call(filled.app, "DELETE", f"{SEASON}/members/zed/zoe", key=TOKEN).status_code == 204
    assert filled.refused("DELETE", f"{SEASON}/members/zed/zoe")[0] == 404
    assert "Zed/Zoe" not in {each["racer"] for each in filled.get(f"{SEASON}/members")}
    assert call(filled.app, "DELETE", team, key=TOKEN).status_code == 204
    assert filled.refused("DELETE", team)[0] == 404
    assert [each["team_id"] for each in filled.get(f"{SEASON}/members") if each["racer"] == "wei"] == [""]
    with filled.board.store.read() as db:
        told = [(row.before, row.after) for row in audit.rows(db, season_id="cup-2027", limit=4)]
    assert [[side.get("name", side.get("racer")) for side in change] for change in told] == [
        ["Later", None],
        ["Zed/Zoe", None],
        [None, "Zed/Zoe"],
        ["Late", "Later"],
    ]


def test_a_racer_is_put_into_a_division_and_may_enter_no_other(filled: Filled) -> None:
    body = {"racer": "olga", "division": "pro", "why": "won the last season"}
    assert fields(call(filled.app, "POST", f"{SEASON}/divisions", body, TOKEN))["before"] == "open"
    filled.board.create_race(race("open-only", rules=ONE_LAP, season_id="cup-2027", division="open"), NOW)
    assert post(filled.board, "open-only", "Olga", 9000, NOW) == 422
    assert post(filled.board, "open-only", "Tara", 9000, NOW) == 201
    assert filled.refused("POST", f"{SEASON}/divisions", body | {"division": "gold"}) == (
        422,
        "This season has no division 'gold': it has open, pro.",
    )


def test_a_draft_and_a_private_race_are_seen_by_nobody_else(filled: Filled) -> None:
    store = filled.board.store
    SeasonService(store).create(ADMIN, SeasonRecord("secret", "Secret", stage="draft"), NOW)
    unknown = call(filled.app, "GET", "/api/v1/seasons/nothing/standings")
    hidden = call(filled.app, "GET", "/api/v1/seasons/secret/standings")
    assert (hidden.status_code, hidden.text.replace("secret", "nothing")) == (404, unknown.text)
    assert call(filled.app, "GET", "/api/v1/seasons/secret/standings", key=TOKEN).status_code == 200
    assert "Secret" not in call(filled.app, "GET", "/seasons").text
    filled.board.create_race(
        race("hidden", name="Hidden", rules=ONE_LAP, season_id="cup-2027", track="Cellar", visibility="private"), NOW
    )
    assert post(filled.board, "hidden", "Zoe", 1_000 * 5, NOW) == 201
    for path in (f"{SEASON}/standings?limit=1000", "/seasons/cup-2027", "/api/v1/records", "/records"):
        shown = call(filled.app, "GET", path, key=TOKEN if path.startswith("/api") else "").text
        assert "Zoe" not in shown
        assert "Hidden" not in shown
        assert "Cellar" not in shown
    made = call(filled.app, "POST", "/api/v1/brackets", {"race_id": "hidden", "name": "x"}, TOKEN)
    assert made.status_code == 422  # one racer is no bracket
    assert call(filled.app, "GET", "/api/v1/brackets?race=hidden").text == "[]"


def test_a_bracket_is_run_by_calls(filled: Filled) -> None:
    made = fields(call(filled.app, "POST", "/api/v1/brackets", {"race_id": "round-4", "name": "Cup"}, TOKEN))
    assert (made["size"], len(made["heats"]), made["season_id"]) == (32, 32, "cup-2027")
    path = f"/api/v1/brackets/{made['bracket_id']}"
    heat = next(each for each in made["heats"] if each["state"] == "ready")
    outcome = {"winner": heat["second"], "first_score_ms": None, "second_score_ms": 9100, "edition": made["edition"]}
    heat_path = f"{path}/heats/{heat['number']}"
    ran = fields(call(filled.app, "POST", heat_path, outcome, TOKEN))
    assert (ran["heats"][heat["number"] - 1]["winner"], ran["edition"]) == (heat["second"], 2)
    assert filled.refused("POST", heat_path, outcome)[0] == 409
    status, sentence = filled.refused("POST", f"{heat_path}/rerun", {"why": " "})
    assert (status, sentence) == (422, "Say why the heat is run again, in one line of at most 500 characters.")
    again = fields(call(filled.app, "POST", f"{heat_path}/rerun", {"why": "a wheel came off"}, TOKEN))
    assert (again["heats"][heat["number"] - 1]["state"], again["edition"]) == ("ready", 3)
    assert filled.get(path) == again
    assert again in filled.get("/api/v1/brackets?season=cup-2027")
    three = {"race_id": "round-4", "name": "x", "size": 64, "byes": False}
    status, sentence = filled.refused("POST", "/api/v1/brackets", three)
    assert (status, sentence.split(":")[0]) == (422, f"A bracket of {len(made['seeds'])} with no byes is not possible")
    assert filled.refused("GET", "/api/v1/brackets/none") == (
        404,
        "There is no bracket 'none' on this leaderboard.",
    )
    assert filled.refused("POST", "/api/v1/brackets", {"race_id": "none", "name": "x"})[0] == 404


def test_an_official_runs_a_heat_by_form_and_others_only_read(filled: Filled) -> None:
    bracket = filled.seasons.brackets.brackets(ADMIN, race_id="round-5")[-1].bracket
    path = f"/brackets/{bracket.bracket_id}"
    reader = filled.person("reader")
    assert "Enter the result" not in reader.get(path).text
    official = filled.person("official", Grant("official", "season", "cup-2027"))
    page = official.get(path).text
    assert "Enter the result" in page
    assert "Run it again" in page
    heat = next(h for h in filled.seasons.brackets.bracket(ADMIN, bracket.bracket_id).heats if h.state == "ready")
    number, winner = heat.plan.number, heat.first or ""
    wrong = official.submit(f"{path}/heats/{number}", winner=winner, first="9.5", second="9.1")
    assert (wrong.status_code, "lower wins" in wrong.text) == (422, True)
    done = official.submit(f"{path}/heats/{number}", winner=winner, first="9.1", second="9.5")
    assert (done.status_code, done.headers["location"]) == (303, f"{path}#heat-{number}")
    assert "The result is entered." in official.get(path).text
    official.submit(f"{path}/heats/{number}/rerun", why="a wheel came off")
    assert filled.seasons.brackets.bracket(ADMIN, bracket.bracket_id).heats[number - 1].state == "ready"
    assert reader.submit(f"{path}/heats/{number}", winner=winner).status_code == 403


@pytest.mark.parametrize("path", ["", "/teams", "/prizes"])
def test_every_page_reads_in_german_too(filled: Filled, path: str) -> None:
    page = call(filled.app, "GET", f"/seasons/cup-2027{path}?lang=de").text
    assert 'lang="de"' in page
    assert page.count("<h1>") == 1


def test_what_if(filled: Filled) -> None:
    leader = filled.get(f"{SEASON}/standings?limit=1")["standings"][0]
    page = call(filled.app, "GET", f"/seasons/cup-2027?racer={leader['racer']}&place=1").text
    chance = filled.get(f"{SEASON}/chances")[0]
    assert f"would have {chance['max_points']:g} points in the end" in page
    assert "There is no racer" in call(filled.app, "GET", "/seasons/cup-2027?racer=nobody").text


def test_pole_and_fastest_lap_count_where_the_rules_say_so(filled: Filled) -> None:
    before = filled.seasons.standings.results(ADMIN, "cup-2027", NOW)
    points = dataclasses.replace(RULES.points, pole=3, fastest_lap=2)
    rules = dataclasses.replace(RULES, points=points, qualifying=(QualifyingRace("round-1", "round-2"),))
    filled.seasons.members.set_rules(ADMIN, "cup-2027", rules, before.season.edition, NOW)
    later = filled.seasons.standings.results(ADMIN, "cup-2027", NOW + 400 * DAY_NS)
    outcomes = {each.race_id: each for each in later.outcomes()}
    assert "round-1" not in outcomes
    leader = filled.board.snapshot("round-1").rows[0].placed.racer
    assert later.spelled(outcomes["round-2"].pole) == leader
    fastest = filled.board.snapshot("round-3").rows[0].placed
    assert [later.spelled(racer) for racer in outcomes["round-3"].fastest] == [fastest.racer]
    filled.seasons.members.set_rules(ADMIN, "cup-2027", RULES, later.season.edition, NOW)
