"""A station that signs in with an API key posts results of its races, and of no others, exactly once."""

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from shared.access.pass_code_hashing import Argon2idHasher
from shared.protocol.results import encode_result
from tests.leaderboard import sample_races
from tests.leaderboard.in_process import call, fields
from tests.leaderboard.league_app import LeagueApp, league_app
from tests.shared.web.test_error_pages import Answer, TestClient


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeagueApp]:
    folder: pathlib.Path = tmp_path_factory.mktemp("keys")
    with league_app(folder, Argon2idHasher(memory_kib=8, passes=1)) as made:
        yield made


def key_for(league: LeagueApp, races: list[str], scopes: list[str]) -> str:
    wish = {"name": "Station", "scopes": scopes, "races": races}
    made = call(league.app, "POST", "/api/v1/keys", wish, sample_races.TOKEN)
    assert made.status_code == 201, made.text
    return str(fields(made)["key"])


def post(league: LeagueApp, key: str, result_id: str, **changes: Any) -> Answer:
    one = sample_races.result(result_id, "anna", **changes)
    headers = {"authorization": f"Bearer {key}", "webhook-id": one.webhook_id, "content-type": "application/json"}
    return TestClient(league.app).request("POST", "/api/v1/results", headers, content=encode_result(one))


def test_a_key_posts_results_of_its_races_once(league: LeagueApp) -> None:
    new = {"race_id": "other", "name": "Other", "track": "Oval", "rules": {"off_track_penalty_s": 1}}
    assert call(league.app, "POST", "/api/v1/races", new, sample_races.TOKEN).status_code == 201
    key = key_for(league, ["cup"], ["results:write"])
    first, again = post(league, key, "by-key"), post(league, key, "by-key")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    assert post(league, key, "elsewhere", race_id="other").status_code == 403
    assert post(league, key, "nowhere", race_id="nowhere").status_code == 403
    everywhere = key_for(league, [], ["results:write"])
    assert post(league, everywhere, "elsewhere", race_id="other").status_code == 201
    assert post(league, key_for(league, ["cup"], ["races:read"]), "readers").status_code == 403
    assert post(league, "rk_" + "x" * 43, "wrong").status_code == 401
    assert post(league, sample_races.TOKEN, "admins").status_code == 401  # the admin's token signs no results
