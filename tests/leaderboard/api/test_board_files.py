"""A standing as files for caches: a version never changes, the newest one's name is valid for a second."""

import dataclasses
from typing import Any

import pytest

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from shared.protocol.results import encode_result
from tests.leaderboard.sample_races import TOKEN, race, result
from tests.shared.web.test_error_pages import TestClient


@pytest.fixture
def client(board: LeaderboardService) -> TestClient:
    app, _ = create_app(board, Credentials((), TOKEN), LeaderboardConfig(), lambda: 10**18)
    return TestClient(app)


def post(board: LeaderboardService, racer: str, times_ms: tuple[int, ...], race_id: str = "cup") -> None:
    one = result(f"{race_id}-{racer}-{times_ms}", racer, times_ms, race_id=race_id)
    assert board.apply(one.webhook_id, encode_result(one), 1).status == 201


def test_a_version_is_the_same_for_ever_and_the_newest_is_named(board: LeaderboardService, client: TestClient) -> None:
    post(board, "anna", (9000,) * 3)
    latest = client.get("/board/cup/latest.json")
    assert latest.headers["cache-control"] == "public, max-age=1"
    first: dict[str, Any] = latest.json()
    assert first["address"] == f"/board/cup/v{first['version']}.json"
    named = client.get(first["address"])
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert [row["racer"] for row in named.json()["standings"]] == ["anna"]
    post(board, "tom", (8000,) * 3)
    assert client.get(first["address"]).content == named.content
    second = client.get("/board/cup/latest.json").json()
    assert second["version"] == first["version"] + 1
    assert [row["racer"] for row in client.get(second["address"]).json()["standings"]] == ["tom", "anna"]


def test_what_was_never_asked_for_is_gone_and_what_is_to_come_is_unknown(
    board: LeaderboardService, client: TestClient
) -> None:
    post(board, "anna", (9000,) * 3)
    assert client.get("/board/cup/v1.json").status_code == 410
    assert client.get("/board/cup/v99.json").status_code == 404
    for path in ("/board/none/latest.json", "/board/none/v1.json"):
        assert client.get(path).status_code == 404
    assert client.get("/board/cup/v0.json").status_code == 422


def test_a_private_race_is_nowhere_and_kept_by_nobody(board: LeaderboardService, client: TestClient) -> None:
    board.create_race(dataclasses.replace(race("private-1"), visibility="private"), 1)
    post(board, "anna", (9000,) * 3, "private-1")
    nobody = [client.get(f"/board/{race_id}/latest.json") for race_id in ("private-1", "never-one")]
    assert [answer.status_code for answer in nobody] == [404, 404]
    assert nobody[0].text.replace("private-1", "never-one") == nobody[1].text
    admin = {"authorization": f"Bearer {TOKEN}"}
    latest = client.get("/board/private-1/latest.json", headers=admin)
    assert latest.headers["cache-control"] == "private, no-store"
    assert client.get(latest.json()["address"], headers=admin).headers["cache-control"] == "private, no-store"
    assert client.get(latest.json()["address"]).status_code == 404
