"""Files of results go in at the desk after a check; a season is archived only by somebody who says so twice."""

import re
from collections.abc import Iterator

import pytest

from leaderboard.core.access import ADMIN, Grant
from leaderboard.league.moves import RaceMoves
from leaderboard.league.seasons import SeasonService
from tests.leaderboard import signed_in
from tests.leaderboard.in_process import HOST, FormBrowser, call, fields
from tests.leaderboard.league.organised import DAY_NS, NOW
from tests.leaderboard.league.test_pictures import picture
from tests.leaderboard.pages.league.test_desk import Desk, made, shown
from tests.leaderboard.sample_races import TOKEN
from tests.shared.web.test_error_pages import Answer, TestClient

BOARD = b"Alias,RankingScore,LapCount\nAda,9000,3\nBen,8500,3\n"
NEW = {"race": "", "format": "league", "name": "Old Cup", "track": "Oval", "timing_method": "AVG_LAP_TIME",
       "minimum_laps": "3", "venue": "virtual", "season": "", "kind": "virtual", "penalties": "included"}  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    opened = Desk(tmp_path_factory.mktemp("desk"))
    yield opened
    opened.board.close()


def upload(browser: FormBrowser, content: bytes, values: dict[str, str], path: str = "/desk/import") -> Answer:
    """Send the form of the page that was opened last, with a file."""
    found = re.search(r'name="csrf" value="(\w+)"', browser.page)
    assert found is not None
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (values | {"csrf": found[1]}).items()
    )
    file = '--x\r\nContent-Disposition: form-data; name="file"; filename="board.csv"\r\nContent-Type: text/csv\r\n\r\n'
    headers = {"origin": f"http://{HOST}", "content-type": "multipart/form-data; boundary=x", "accept": "text/html"}
    return browser._request("POST", path, headers, (parts + file).encode() + content + b"\r\n--x--\r\n")


def test_a_board_is_checked_and_then_imported_as_it_was(desk: Desk) -> None:
    desk.olga.get("/desk/import")
    checked = upload(desk.olga, BOARD, NEW | {"go": "import"})  # a file is checked first, whichever button sends it
    assert checked.status_code == 200, shown(checked)
    assert "The file can be imported. Rows: 2; ranked: 2; racers: 2." in shown(checked)
    assert "old-cup" not in [race["race_id"] for race in fields(call(desk.app, "GET", "/api/v1/races"))]
    token = re.search(r'name="checked" value="(\w+)"', checked.text)
    assert token is not None
    done = desk.olga.submit("/desk/import", **(NEW | {"checked": token[1], "go": "import"}))
    assert (done.status_code, done.headers["location"]) == (303, "/races/old-cup")
    assert [(line.racer, line.score_ms) for line in desk.board.standings("old-cup")] == [("Ben", 8500), ("Ada", 9000)]
    desk.olga.get("/desk/import")
    again = desk.olga.submit("/desk/import", **(NEW | {"checked": token[1], "go": "import"}))
    assert (again.status_code, "no longer here: choose it again" in shown(again)) == (422, True)
    twice = upload(desk.olga, BOARD, NEW | {"go": "check", "race": "old-cup"})
    assert "This file is in the race already" in shown(twice)


def test_a_wrong_file_is_refused_by_line_and_a_wrong_field_beside_it(desk: Desk) -> None:
    desk.olga.get("/desk/import")
    refused = upload(desk.olga, b"Alias,RankingScore\nAda,soon\n", NEW | {"name": "New Cup", "go": "check"})
    assert refused.status_code == 422
    assert re.search(r"line 2 .*RankingScore", shown(refused))
    wrong = upload(desk.olga, BOARD, NEW | {"name": "", "minimum_laps": "11", "format": "x", "go": "check"})
    assert wrong.status_code == 422
    for name in ("name", "minimum_laps", "format"):
        assert f'id="{name}-error"' in wrong.text
    missing = desk.olga.submit("/desk/import", **(NEW | {"name": "New Cup", "go": "check"}))
    assert (missing.status_code, "Choose a file first." in shown(missing)) == (422, True)
    elsewhere = upload(desk.olga, BOARD, NEW | {"race": "nowhere", "go": "check"})
    assert (elsewhere.status_code, "Choose one of the list." in shown(elsewhere)) == (422, True)


def test_only_organisers_import_and_only_admins_archive(desk: Desk) -> None:
    assert desk.rita.get("/desk/import").status_code == 403
    desk.rita.get("/desk")
    assert desk.rita.submit("/desk/import", **NEW).status_code == 403
    assert FormBrowser(desk.app).get("/desk/import").headers["location"].startswith("/sign-in")


def test_a_season_is_archived_by_somebody_who_means_it(desk: Desk) -> None:
    admin = desk.person("astrid", Grant("admin"))
    season = {"name": "Season 27", "stage": "published", "zone": "UTC"}
    admin.get("/desk/seasons/new")
    assert admin.submit("/desk/seasons/new", **season).status_code == 303
    race_id = made(desk, name="Last Race", season_id="season-27", go="publish", opens="", closes="")
    here = "/desk/seasons/season-27/archive"
    assert desk.olga.get(here).status_code == 403
    assert "is not final: finish it, or delete it." in shown(admin.get(here))
    RaceMoves(desk.store, desk.board.changed).move(ADMIN, race_id, "close", NOW)
    RaceMoves(desk.store, desk.board.changed).move(ADMIN, race_id, "final", NOW)
    assert "1 race is kept as it is." in shown(admin.get(here))
    unsure = admin.submit(here)
    assert (unsure.status_code, "Say that you mean it" in shown(unsure)) == (422, True)
    assert SeasonService(desk.store).season(ADMIN, "season-27").stage == "published"
    assert admin.submit(here, sure="yes").headers["location"] == "/seasons/season-27"
    assert SeasonService(desk.store).season(ADMIN, "season-27").stage == "archived"
    assert 'href="/seasons/season-27/calendar"' in desk.rita.get("/seasons/season-27").text


def test_events_and_pictures_of_seasons_change_by_the_api(desk: Desk) -> None:
    season, event = {"name": "Api Season"}, {"name": "Finals", "season_id": "api-season", "place": "Hall 1"}
    assert call(desk.app, "POST", "/api/v1/seasons", season, TOKEN).status_code == 201
    assert call(desk.app, "POST", "/api/v1/events", event, TOKEN).status_code == 201
    path, change = (
        "/api/v1/events/finals",
        {"place": "Hall 2", "starts_at": "2027-05-01T09:00", "zone": "Europe/Berlin"},
    )
    changed = call(desk.app, "PATCH", path, change | {"edition": 1}, TOKEN)
    assert changed.status_code == 200, changed.text
    assert (fields(changed)["place"], fields(changed)["starts_at"]) == ("Hall 2", "2027-05-01T07:00:00Z")
    assert call(desk.app, "PATCH", path, {"name": "F", "edition": 1}, TOKEN).status_code == 409
    assert call(desk.app, "PATCH", path, {"season_id": "nowhere"}, TOKEN).status_code == 422
    assert call(desk.app, "PATCH", "/api/v1/events/nothing", {}, TOKEN).status_code == 404
    assert call(desk.app, "PATCH", path, {}).status_code == 401
    picture_path, headers = "/api/v1/seasons/api-season/picture", {"authorization": f"Bearer {TOKEN}"}
    client = TestClient(desk.app)
    given = client.request("PUT", picture_path, headers, "192.0.2.9", picture())
    assert given.status_code == 200, given.text
    assert desk.rita.get(fields(given)["picture"]).headers["content-type"] == "image/webp"
    assert client.request("PUT", picture_path, headers, "192.0.2.9", b"<svg/>").status_code == 422
    assert fields(call(desk.app, "DELETE", picture_path, None, TOKEN))["picture"] is None


def test_a_series_that_slept_makes_its_races_when_somebody_looks(desk: Desk) -> None:
    race_id = made(desk, name="Pattern", go="draft")
    series = {"name": "Weekly", "name_pattern": "Week {n}", "every": "week", "days": "7", "zone": "Europe/Berlin",
              "first": "2027-02-01T18:00", "total": "9"}  # fmt: skip
    desk.olga.get(f"/desk/races/{race_id}/series")
    assert desk.olga.submit(f"/desk/races/{race_id}/series", **series).status_code == 303
    before, desk.now_utc_ns = desk.now_utc_ns, NOW + 60 * DAY_NS  # the opener does not run in these tests
    try:
        found = fields(call(desk.app, "GET", "/api/v1/series/weekly", None, TOKEN))
        assert found["next_number"] > 3
        later = signed_in.browser(desk.app, desk.store, "account-olga", desk.now_utc_ns)
        assert "Week 3" in shown(later.get("/desk"))
    finally:
        desk.now_utc_ns = before
