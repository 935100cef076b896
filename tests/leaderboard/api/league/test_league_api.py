"""Races, seasons, events and series over HTTP: statuses, bad input, editions, moves, pictures, the times of a zone."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from leaderboard.app import create_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from leaderboard.store.tables import METADATA
from shared.protocol.results import encode_result
from tests.leaderboard.in_process import call
from tests.leaderboard.league.organised import DAY_NS, NOW, utc
from tests.leaderboard.league.test_pictures import picture
from tests.leaderboard.sample_races import TOKEN, result
from tests.shared.web.test_error_pages import Answer, TestClient


class Api:
    """An app over a board of its own, at a time that the test sets."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.now_utc_ns = NOW
        self.board = open_board(folder / "board.db")
        config = LeaderboardConfig()
        self.app, _ = create_app(self.board, Credentials((), TOKEN), config, lambda: self.now_utc_ns)

    def __call__(self, method: str, path: str, body: object = None, key: str = TOKEN) -> Answer:
        return call(self.app, method, f"/api/v1{path}", body, key)

    def ok(self, method: str, path: str, body: object = None, key: str = TOKEN) -> Any:
        answer = self(method, path, body, key)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def race(self, race_id: str = "cup", **fields: Any) -> Any:
        return self.ok("POST", "/races", {"name": race_id.title(), "race_id": race_id, "track": "Oval"} | fields)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    made = Api(tmp_path_factory.mktemp("api"))
    yield made
    made.board.close()


@pytest.fixture
def api(made_once: Api) -> Iterator[Api]:
    """The app of the module over empty tables: to make an app takes longer than a test."""
    made_once.now_utc_ns = NOW
    yield made_once
    with made_once.board.store.write() as db:
        for table in reversed(METADATA.sorted_tables):
            db.execute(table.delete())


def test_a_race_with_all_its_settings(api: Api) -> None:
    season = api.ok(
        "POST", "/seasons", {"name": "Season 2027", "zone": "Europe/Berlin", "starts_at": "2027-01-01T00:00"}
    )
    assert (season["season_id"], season["starts_at"]) == ("season-2027", "2026-12-31T23:00:00Z")
    event = {"name": "Berlin", "season_id": "season-2027", "place": "Hall 5", "zone": "Europe/Berlin"}
    assert api.ok("POST", "/events", event)["circuit"] == "summit"
    settings: dict[str, Any] = {
        "kind": "league",
        "venue": "any",
        "season_id": "season-2027",
        "event_id": "berlin",
        "race_type": "object_avoidance",
        "direction": "clockwise",
        "live": True,
        "one_table": True,
        "zone": "Europe/Berlin",
        "description": "**Bring** water",
        "conditions_sha256": "ab" * 32,
        "attempts_per_day": 5,
        "in_work_per_racer": 1,
    }
    made = api.race(**settings, opens_at="2027-03-01T18:00", closes_at="2027-03-31T18:00")
    assert {name: made[name] for name in settings} == settings
    assert (made["opens_at"], made["closes_at"]) == ("2027-03-01T17:00:00Z", "2027-03-31T16:00:00Z")
    assert (made["state"], made["edition"], made["picture"]) == ("published", 1, None)
    assert api.ok("GET", "/races/cup", key="") == made
    assert [each["event_id"] for each in api.ok("GET", "/events?season_id=season-2027", key="")] == ["berlin"]
    assert [each["season_id"] for each in api.ok("GET", "/seasons", key="")] == ["season-2027"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"zone": "Europe/Berlin", "opens_at": "2027-03-28T02:30"}, "There is no 2027-03-28 02:30"),
        ({"zone": "Europe/Berlin", "closes_at": "2027-10-31T02:30"}, "2027-10-31T02:30+01:00"),
        ({"zone": "Berlin"}, "no time zone"),
        ({"opens_at": "2027-03-28T02:30"}, "with its zone"),
        ({"race_type": "drag"}, "race_type"),
        ({"direction": "up"}, "direction"),
        ({"visibility": "secret"}, "visibility"),
        ({"season_id": "nowhere"}, "no season 'nowhere'"),
        ({"event_id": "nowhere"}, "no event 'nowhere'"),
        ({"one_table": True}, "both venues"),
        ({"attempts_per_day": 0}, "1 to 10000"),
        ({"stage": "final"}, "stage"),
        ({"rules": {"time_limit_s": 20, "min_lap_s": 10}}, "do not fit"),
        ({"description": "a\u2066b"}, "invisible"),
        ({"owner": "me"}, "owner"),
        ({"venue": "virtual"}, "no track 'Oval': name one that ships with Raceday, such as Oval_track"),
    ],
)
def test_unfit_races_are_refused_in_a_sentence(api: Api, body: dict[str, Any], sentence: str) -> None:
    answer = api("POST", "/races", {"name": "A", "track": "Oval"} | body)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_race_becomes_virtual_only_on_a_track_that_farms_have(api: Api) -> None:
    api.race(venue="any", track="Our hall")  # its physical results may be of any track
    for change in ({"venue": "virtual"}, {"venue": "virtual", "track": "Our other hall"}):
        refused = api("PATCH", "/races/cup", change)
        assert (refused.status_code, "The virtual circuit has no track 'Our" in refused.text) == (422, True)
    assert api.ok("PATCH", "/races/cup", {"venue": "virtual", "track": "re:Invent 2018"})["venue"] == "virtual"
    elsewhere = {"venue": "virtual", "track": "Our hall", "conditions_sha256": "ab" * 32}
    assert api.ok("PATCH", "/races/cup", elsewhere)["track"] == "Our hall", "another leaderboard has it driven"


def test_two_changes_at_once(api: Api) -> None:
    api.race()
    assert api.ok("PATCH", "/races/cup", {"name": "One", "edition": 1, "why": "sponsor"})["edition"] == 2
    late = api("PATCH", "/races/cup", {"name": "Two", "edition": 1})
    assert late.status_code == 409
    assert "its edition is 2 now" in late.json()["error"]
    kept = api.ok("GET", "/races/cup/editions", key="")
    assert [(each["edition"], each["settings"]["name"], each["why"]) for each in kept] == [
        (2, "One", "sponsor"),
        (1, "Cup", ""),
    ]
    assert api("PATCH", "/races/cup", {"edition": 2, "why": "nothing"}).status_code == 422
    for unfit in ("a\nb", "\0", "x" * 501):
        assert api("PATCH", "/races/cup", {"name": "Three", "why": unfit}).status_code == 422
    assert api.ok("GET", "/events?season_id=%00", key="") == []


def test_what_was_driven_under_stays(api: Api) -> None:
    api.race(rules={"off_track_penalty_s": 1})
    one = result(finished_utc_ns=NOW)
    assert api.board.apply(one.webhook_id, encode_result(one), NOW).status == 201
    for change in ({"rules": {"max_laps": 5}}, {"track": "Bowtie"}, {"venue": "any"}):
        assert "results are in" in api("PATCH", "/races/cup", change).json()["detail"]
    assert api.ok("PATCH", "/races/cup", {"attempts_per_day": 3, "closes_at": "2027-02-01T00:00:00Z"})["edition"] == 2
    assert api.ok("PATCH", "/races/cup", {"attempts_per_day": 0, "closes_at": ""})["attempts_per_day"] is None


def test_the_moves_of_a_race(api: Api) -> None:
    api.race(stage="draft")
    assert api("GET", "/races/cup", key="").status_code in (200, 404)
    told = [
        api.ok("POST", f"/races/cup/{move}")["state"] for move in ("publish", "close", "reopen", "close", "results")
    ]
    assert told == ["open", "closed", "open", "closed", "provisional"]
    assert api.ok("POST", "/races/cup/final", {"why": "all seen"})["state"] == "final"
    refused = api("POST", "/races/cup/unlock")
    assert (refused.status_code, "Say why" in refused.json()["detail"]) == (422, True)
    assert api("DELETE", "/races/cup").status_code == 422
    assert api.ok("POST", "/races/cup/unlock", {"why": "a protest"})["state"] == "provisional"
    assert api.ok("DELETE", "/races/cup")["state"] == "deleted"
    assert api("POST", "/races/cup/publish").json()["detail"] == "The race is deleted: only a draft is published."
    api.now_utc_ns += 31 * DAY_NS
    gone = api("POST", "/races/cup/restore")
    assert (gone.status_code, "30 days" in gone.json()["detail"]) == (410, True)
    api.now_utc_ns -= 5 * DAY_NS
    assert api.ok("POST", "/races/cup/restore")["state"] == "provisional"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/races"),
        ("PATCH", "/races/cup"),
        ("DELETE", "/races/cup"),
        ("POST", "/races/cup/close"),
        ("POST", "/races/cup/unlock"),
        ("PUT", "/races/cup/picture"),
        ("DELETE", "/races/cup/picture"),
        ("POST", "/seasons"),
        ("PATCH", "/seasons/s"),
        ("POST", "/events"),
        ("POST", "/series"),
    ],
)
def test_nobody_changes_anything(api: Api, method: str, path: str) -> None:
    api.race()
    api.ok("POST", "/seasons", {"name": "S"})
    assert api(method, path, key="").status_code == 401  # before the body is read
    assert api(method, path, key="wrong").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/seasons/none"),
        ("PATCH", "/seasons/none"),
        ("GET", "/series/none"),
        ("PATCH", "/series/none"),
        ("PATCH", "/races/none"),
        ("DELETE", "/races/none"),
        ("POST", "/races/none/final"),
        ("GET", "/races/none/editions"),
        ("PUT", "/races/none/picture"),
        ("GET", "/seasons/NOT%20AN%20ID"),
    ],
)
def test_what_is_not_there_is_said_to_be_not_there(api: Api, method: str, path: str) -> None:
    assert api(method, path).status_code == 404


def test_a_season_is_edited_by_editions_and_hidden_as_a_draft(api: Api) -> None:
    assert api.ok("POST", "/seasons", {"name": "S27", "stage": "draft"})["edition"] == 1
    assert api("GET", "/seasons/s27", key="").status_code == 404
    assert api.ok("GET", "/seasons", key="") == []
    change = {"stage": "published", "ends_at": "2027-12-31T18:00", "zone": "Europe/Berlin", "edition": 1}
    assert api.ok("PATCH", "/seasons/s27", change)["ends_at"] == "2027-12-31T17:00:00Z"
    assert api("PATCH", "/seasons/s27", {"name": "X", "edition": 1}).status_code == 409
    assert api("PATCH", "/seasons/s27", {"starts_at": "2028-01-01T00:00"}).status_code == 422
    assert api("POST", "/seasons", {"name": "Other", "season_id": "s27"}).status_code == 409
    assert api("POST", "/events", {"name": "E", "season_id": "none"}).status_code == 422


def test_a_series_over_http(api: Api) -> None:
    body = {"name": "Open", "every": "month", "first": "2027-01-31T18:00", "zone": "Europe/Berlin", "total": 8}
    made = api.ok("POST", "/series", body | {"race": {"name": "x", "track": "Oval", "kind": "league"}})
    assert (made["series_id"], made["state"], made["next_number"]) == ("open", "running", 2)
    assert made["next_opens_at"] == "2027-02-28T17:00:00Z"
    first = api.ok("GET", "/races/open-1", key="")
    assert (first["name"], first["opens_at"], first["series_id"]) == ("Open 1", "2027-01-31T17:00:00Z", "open")
    assert api.ok("PATCH", "/series/open", {"stopped": True})["state"] == "stopped"
    assert [each["series_id"] for each in api.ok("GET", "/series")] == ["open"]
    assert api.ok("GET", "/series", key="") == []
    for change in ({"every": "year"}, {"first": "2027-03-28T02:30Z"}, {"days": 0}, {"total": 0}):
        assert (
            api("POST", "/series", body | {"series_id": "b", "race": {"name": "x", "track": "O"}} | change).status_code
            == 422
        )


def test_pictures_are_served_as_immutable_and_without_what_came_with_them(api: Api) -> None:
    api.race()

    def put(content: bytes) -> Answer:
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "image/png"}
        return TestClient(api.app).request("PUT", "/api/v1/races/cup/picture", headers, content=content)

    made = put(picture()).json()
    shown = call(api.app, "GET", made["picture"])
    assert (shown.status_code, shown.headers["content-type"], made["edition"]) == (200, "image/webp", 2)
    assert shown.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert put(b"<svg/>").status_code == 422
    assert put(b"x" * (4 * 1024 * 1024 + 1)).status_code == 413
    api.ok("PATCH", "/races/cup", {"visibility": "private"})
    assert call(api.app, "GET", made["picture"]).status_code == 404
    assert api.ok("DELETE", "/races/cup/picture")["picture"] is None
    assert call(api.app, "GET", made["picture"], key=TOKEN).status_code == 404


def test_the_contract_declares_every_answer(api: Api) -> None:
    paths = api.app.openapi()["paths"]
    for path in ("/api/v1/races/{race_id}/unlock", "/api/v1/seasons/{season_id}", "/api/v1/series", "/api/v1/events"):
        assert path in paths, path
    answers = paths["/api/v1/races/{race_id}/unlock"]["post"]["responses"]
    assert {"200", "202", "401", "403", "404", "409", "422"} <= set(answers)
    assert json.dumps(paths)
    assert utc("2027-01-04T12:00") == NOW
