"""A private race is to everyone else a race that never was: over every route of the app that names a race."""

import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from shared.protocol.results import encode_result
from tests.leaderboard.in_process import FormBrowser
from tests.leaderboard.sample_races import TOKEN, race, result
from tests.leaderboard.signed_in import account, browser
from tests.shared.web.test_error_pages import TestClient

NOW = 1_700_000_000_000_000_000
# All of one length, as answers name them.
PRIVATE, NEVER, PUBLIC = "secret-cup-4f2a", "absent-cup-9d1c", "public-cup-77aa"
DRAFT, BINNED = "drafts-cup-1a2b", "binned-cup-3c4d"
ADMIN = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeaderboardService]:
    """A private race that holds a result, and a public one."""
    folder: pathlib.Path = tmp_path_factory.mktemp("private")
    board = open_board(folder / "board.db")
    for race_id, visibility in ((PRIVATE, "private"), (PUBLIC, "public")):
        board.create_race(race(race_id, visibility=visibility, name="Cup of friends"), NOW)
        one = result(f"of-{race_id}", "anna", race_id=race_id)
        assert board.apply(one.webhook_id, encode_result(one), NOW).status == 201
    board.create_race(race(DRAFT, stage="draft"), NOW)
    board.create_race(race(BINNED, stage="deleted", deleted_utc_ns=NOW), NOW)
    yield board
    board.close()


@pytest.fixture(scope="module")
def app(board: LeaderboardService) -> Iterator[FastAPI]:
    """The whole application over both."""
    made, feed = create_app(board, Credentials((b"k" * 32,), TOKEN), LeaderboardConfig(), lambda: NOW)
    yield made
    feed.close()


@pytest.fixture(scope="module")
def client(app: FastAPI) -> TestClient:
    return TestClient(app)


def every_route(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        included = getattr(route, "original_router", None)  # FastAPI resolves included routers when they are asked
        if included is not None:
            yield from every_route(included.routes)


def calls(app: FastAPI) -> list[tuple[str, str]]:
    """Every method and address that names a race, except those that stations sign; other parts are of the race."""
    routes = [route for route in every_route(app.routes) if "{race_id}" in route.path]
    unsigned = [route for route in routes if "results" not in route.tags]
    return sorted((method, route.path) for route in unsigned for method in route.methods or ())


def address(path: str, race_id: str) -> str:
    return re.sub(r"\{\w+(:\w+)?\}", "anna", path.replace("{race_id}", race_id))


def answered(
    client: TestClient | FormBrowser, method: str, url: str, race_id: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body; the id itself is blanked out, as each answer repeats what was asked for."""
    if isinstance(client, FormBrowser):
        answer = client.get(url) if method == "GET" else client.call(method, url)
    else:
        answer = client.request(method, url, headers={"accept": "text/html"})
    headers = {name: value.replace(race_id, "ID") for name, value in answer.headers.items() if name != "set-cookie"}
    return answer.status_code, headers, _TOKENS.sub(b"", answer.content).replace(race_id.encode(), b"ID")


_TOKENS = re.compile(rb'(name="csrf(?:-token)?" (?:value|content))="[^"]*"')


def test_every_address_of_a_private_race_is_that_of_none(
    app: FastAPI, board: LeaderboardService, client: TestClient
) -> None:
    found = calls(app)
    assert ("GET", "/races/{race_id}/live") in found
    assert ("GET", "/api/v1/races/{race_id}/standings") in found
    assert ("DELETE", "/api/v1/races/{race_id}/entries/{racer:path}") in found
    stranger = browser(app, board.store, account(board.store, "stranger"), NOW)
    stranger.get("/")
    for method, path in found:
        for reader in (client, stranger):
            never = answered(reader, method, address(path, NEVER), NEVER)
            assert never[0] in (404, 403), (method, path, never)
            for hidden in (PRIVATE, DRAFT, BINNED):
                assert answered(reader, method, address(path, hidden), hidden) == never, (method, path, hidden)


def test_both_take_the_same_statements(app: FastAPI, client: TestClient) -> None:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        counted: list[list[str]] = []
        for race_id in (PRIVATE, NEVER):
            said.clear()
            client.get(f"/api/v1/races/{race_id}/standings")
            counted.append(list(said))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert counted[0] == counted[1]
    assert any("FROM races" in statement for statement in counted[0])


def test_lists_leave_it_out(client: TestClient) -> None:
    listed = client.get("/api/v1/races")
    assert [each["race"]["race_id"] for each in listed.json()] == [PUBLIC]
    assert client.get("/healthz").json()["races"] == 1
    page = client.get("/")
    assert PUBLIC in page.text
    assert PRIVATE not in page.text
    everything = client.get("/api/v1/races", headers=ADMIN).json()
    assert {each["race"]["race_id"] for each in everything} == {PUBLIC, PRIVATE, DRAFT, BINNED}


def test_it_exists_for_those_who_may_know_of_it(client: TestClient) -> None:
    for path in (f"/races/{PRIVATE}", f"/races/{PRIVATE}/racers/anna", f"/api/v1/races/{PRIVATE}/standings"):
        assert client.get(path, headers=ADMIN).status_code == 200
