"""The read-only API for other people's screens: its shapes, ETags, CORS, and nothing that is not public."""

import json
import re
from dataclasses import replace

import pytest
import requests

from station.views.queue_view import QueueLine, QueueView
from station.web.app import create_app
from tests.shared.web.test_error_pages import TestClient
from tests.station.exports.sample_results import UTC, sample
from tests.station.web.conftest import Served
from tests.station.web.sample_views import VIEW, FakeStation
from tests.station.web.signed_in import cheap_access

QUEUE = QueueView(
    (QueueLine("Ada", 1, UTC, called=True), QueueLine("Bob", 2, UTC + 300_000_000_000, 4)), UTC, 240_000_000_000
)
PATHS = (
    "/api/v1/event",
    "/api/v1/races",
    "/api/v1/races/autumn-summit",
    "/api/v1/races/autumn-summit/standings",
    "/api/v1/races/autumn-summit/runs/run-1",
    "/api/v1/now",
    "/api/v1/queue",
    "/api/v1/queue.ics",
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    station = FakeStation(results={"autumn-summit": sample()})
    station.view = replace(VIEW, queue=QUEUE)
    return TestClient(create_app(station, cheap_access(tmp_path_factory.mktemp("access"))))


@pytest.mark.parametrize("path", PATHS)
def test_everybody_may_read_and_an_unchanged_answer_is_not_sent_again(client: TestClient, path: str) -> None:
    answer = client.get(path, {"origin": "https://overlay.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    if "etag" in answer.headers:
        again = client.get(path, {"if-none-match": f'"other", W/{answer.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")


def test_the_results_have_places_runs_and_laps(client: TestClient) -> None:
    race = client.get("/api/v1/races/autumn-summit").json()
    assert (race["official_by"], race["official_at"]) == ("Ruth", "2026-03-05T14:13:07.123Z")
    assert race["places"][0]["score_ms"] == 9412
    assert race["runs"][0]["laps"][0] == {
        "number": 1,
        "lap_ms": 12412,
        "track_ms": 10412,
        "penalty_ms": 2000,
        "off_tracks": 1,
        "collisions": 0,
        "resets": 0,
        "counts": True,
        "in_score": False,
        "ended_at": "2026-03-05T14:03:19.535Z",
    }
    assert client.get("/api/v1/races/autumn-summit/standings").json() == race["places"]
    assert client.get("/api/v1/races/autumn-summit/runs/run-1").json() == race["runs"][0]


def test_what_is_on_now_and_who_is_next(client: TestClient) -> None:
    now = client.get("/api/v1/now").json()
    assert (now["race_id"], now["runs"][0]["racer"], now["runs"][0]["lap"]) == ("race-1", "Ada Lovelace", 7)
    assert [line["racer"] for line in now["queue"]] == ["Ada", "Bob"]
    assert client.get("/api/v1/queue").json()[1] == {
        "place": 2,
        "racer": "Bob",
        "starts_at": "2026-03-05T14:08:07.123Z",
        "late_min": 4,
        "called": False,
    }
    calendar = client.get("/api/v1/queue.ics?racer=BOB").text
    assert calendar.count("BEGIN:VEVENT") == 1
    assert "DTSTART:20260305T140807Z" in calendar


@pytest.mark.parametrize("path", ["/api/v1/races/nowhere", "/api/v1/races/autumn-summit/runs/run-99"])
def test_what_is_not_there_is_said(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("There is no r")


def test_nothing_but_the_public_part_is_shown(client: TestClient) -> None:
    """No addresses, no hashes, no codes of racers, no technical states."""
    secret = re.compile(r"[0-9a-f]{40}|sha256|\b\d+\.\d+\.\d+\.\d+\b|broker|beam|mqtt", re.IGNORECASE)
    for path in PATHS:
        assert secret.search(client.get(path).text) is None, path


def test_openapi_describes_the_public_addresses_alone(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    described = {path.replace("{race_id}", "autumn-summit").replace("{run_id}", "run-1") for path in document["paths"]}
    assert described == {*PATHS, "/api/v1/now/stream"}
    assert all(set(methods) == {"get"} for methods in document["paths"].values())
    assert "ApiResults" in json.dumps(document["components"])


def test_the_stream_sends_the_state_after_each_change(served: Served) -> None:
    with requests.get(f"{served.url}/api/v1/now/stream", stream=True, timeout=30) as answer:
        assert answer.headers["access-control-allow-origin"] == "*"
        lines = answer.iter_lines()
        first = next(json.loads(line[6:]) for line in lines if line.startswith(b'data: {"version'))
        served.station.show(queue=QUEUE)
        second = next(json.loads(line[6:]) for line in lines if line.startswith(b'data: {"version'))
    assert second["version"] == first["version"] + 1
    assert [line["racer"] for line in second["queue"]] == ["Ada", "Bob"]
