"""Every route of station, car and leaderboard against bodies of 1 GB: declared, and without a declared end.

Whoever is not known has nothing read; whoever is, no more than the bound of the route. A new route is tried without
being named here.
"""

import asyncio
import pathlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message

from leaderboard.app import create_app as leaderboard_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from leaderboard.front.body_table import leaderboard_bodies
from shared.web.bodies.bounds import BodyBound, BodyBounds
from station.access.tokens import SESSION_COOKIE
from station.web.app import create_app as station_app
from station.web.body_table import STATION_BODIES
from tests.leaderboard.sample_races import TOKEN
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import cheap_access, session_of
from tests.vehicle.web.test_access import FakeModelList
from tests.vehicle.web.test_phone_control import Bench
from vehicle.core.pulses import STOCK_CALIBRATION
from vehicle.web.app import CarInfo
from vehicle.web.app import create_app as console_app
from vehicle.web.body_table import CONSOLE_BODIES
from vehicle.web.claim_codes import ClaimCodes
from vehicle.web.session_auth import COOKIE

PART = 16_384
NOW = 1_700_000_000_000_000_000
GB = 10**9
SMALL_ENOUGH = 300_000  # longer bounds are tried by the declared length alone
OPEN_AT_CAR = {"x-raceday": "console"}
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Machine:
    """An app with its table. `known`: the headers of whoever may do everything; `first`: those of all its pages."""

    app: FastAPI
    bounds: BodyBounds
    known: dict[str, str]
    first: dict[str, str]

    def routes(self) -> list[tuple[str, str]]:
        """Every method and address that may be sent a body."""
        found = [(method, each.path) for each in every_route(self.app.routes) for method in each.methods or ()]
        sent = [(method, path) for method, path in found if method not in ("GET", "HEAD")]
        return [(method, re.sub(r"\{\w+(:\w+)?\}", "x", path)) for method, path in sent]


def every_route(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        yield from every_route(getattr(getattr(route, "original_router", None), "routes", ()))


class Endless:
    """A client that sends as long as it is read; counts what was taken of it."""

    def __init__(self) -> None:
        self.taken = self.status = 0

    async def receive(self) -> Message:
        await asyncio.sleep(0)  # a stream waits for the end of its client beside its own work
        if self.status:
            return {"type": "http.disconnect"}  # it has its answer
        self.taken += PART
        return {"type": "http.request", "body": b"x" * PART, "more_body": True}

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)

    async def to(self, app: ASGIApp, method: str, path: str, headers: dict[str, str]) -> "Endless":
        named = {"host": "127.0.0.1"} | headers
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
            "query_string": b"file=x.tar.gz&race=x&format=league", "scheme": "http", "client": ("192.0.2.9", 5000),
            "server": ("127.0.0.1", 80), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }  # fmt: skip
        await app(scope, self.receive, self.send)
        return self


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    access = cheap_access(tmp_path_factory.mktemp("station"))
    app = station_app(FakeStation(), access, send=lambda _request: None)
    yield Machine(app, STATION_BODIES, {"cookie": f"{SESSION_COOKIE}={session_of(access)}"}, {})
    access.close()


@pytest.fixture(scope="module")
def leaderboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    board = open_board(tmp_path_factory.mktemp("board") / "board.db")
    app, feed = leaderboard_app(board, Credentials((b"k" * 32,), TOKEN), LeaderboardConfig(), lambda: NOW)
    yield Machine(app, leaderboard_bodies(300), {"authorization": f"Bearer {TOKEN}"}, {})
    feed.close()
    board.close()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    folder: pathlib.Path = tmp_path_factory.mktemp("car")
    claims = ClaimCodes(folder / "console.json", rounds=1)
    token = claims.claim(claims.new_code(), 1000.0)
    car = CarInfo("car-7", STOCK_CALIBRATION, "mock", "mock", folder)
    app = console_app(Bench().control, FakeModelList(), claims, car, wall_s=lambda: 1000.0, now_s=lambda: 1.0)
    return Machine(app, CONSOLE_BODIES, {"cookie": f"{COOKIE}={token}"}, OPEN_AT_CAR)


@pytest.fixture(params=["station", "leaderboard", "console"])
def machine(request: pytest.FixtureRequest) -> Machine:
    made: Machine = request.getfixturevalue(request.param)
    return made


def lengths() -> Iterator[dict[str, str]]:
    for kind in (JSON, FORM):
        yield kind | {"content-length": str(GB)}
        yield kind | {"transfer-encoding": "chunked"}


def test_of_whoever_is_not_known_nothing_is_read(machine: Machine) -> None:
    async def call_all() -> list[tuple[str, str, int, int]]:
        calls = [(*route, length) for route in machine.routes() for length in lengths()]
        got = [(m, path, await Endless().to(machine.app, m, path, machine.first | each)) for m, path, each in calls]
        return [(method, path, each.status, each.taken) for method, path, each in got]

    called = asyncio.run(call_all())
    assert len(called) >= 4 * 11
    for method, path, status, taken in called:
        bound = machine.bounds.of(method, path)
        if bound.sender == "anybody":
            assert (status >= 400, taken <= bound.max_bytes + PART) == (True, True), (method, path, status, taken)
        elif bound.sender == "nobody":
            assert (status, taken) == (401, 0), (method, path, status, taken)
        else:
            assert (status, taken) == (401, 0), (method, path, status, taken)


def test_of_whoever_is_known_no_more_than_the_bound_is_read(machine: Machine) -> None:
    async def call_all() -> list[tuple[BodyBound, str, bool, Endless]]:
        got = []
        # Those without an end come last: who is read to the bound of leaving has left.
        for length in sorted(lengths(), key=lambda each: "content-length" not in each):
            for method, path in machine.routes():
                bound = machine.bounds.of(method, path)
                if "content-length" not in length and bound.max_bytes > SMALL_ENOUGH:
                    continue
                headers = machine.first | machine.known | length
                sent = await Endless().to(machine.app, method, path, headers)
                got.append((bound, f"{method} {path}", "content-length" in length, sent))
        return got

    for bound, call, declared, sent in asyncio.run(call_all()):
        assert sent.taken <= bound.max_bytes + PART, (call, sent.taken)
        if declared and bound.sender != "nobody" and bound.max_bytes < GB:
            assert (sent.status, sent.taken) == (413, 0), (call, sent.status)


def test_the_body_of_a_question_is_never_read(machine: Machine) -> None:
    for length in lengths():
        sent = asyncio.run(Endless().to(machine.app, "GET", "/", length))
        assert (sent.status, sent.taken) == (200, 0)


def test_every_row_of_a_table_is_a_route(machine: Machine) -> None:
    routes = machine.routes()
    for bound in machine.bounds.exceptions:
        fits = [call for call in routes if machine.bounds.of(*call) is bound]
        assert fits, f"no route is held to the row {bound.method} {bound.path}"


def test_no_page_of_another_site_has_a_body_read_at_the_car(console: Machine) -> None:
    for foreign in (
        {},
        OPEN_AT_CAR | {"origin": "http://evil.example"},
        OPEN_AT_CAR | {"sec-fetch-site": "cross-site"},
    ):
        headers = console.known | foreign | JSON | {"content-length": str(GB)}
        for method, path in console.routes():
            if method != "GET" and path != "/api/stop":
                sent = asyncio.run(Endless().to(console.app, method, path, headers))
                assert (sent.status, sent.taken) == (403, 0), path


def test_no_address_answers_a_method_that_nobody_uses(machine: Machine) -> None:
    """OWASP ASVS 5.0, 13.4.4: TRACE would show a page the cookies that no script may read."""

    async def call_all() -> list[tuple[str, str, int]]:
        paths = {re.sub(r"\{\w+(:\w+)?\}", "x", each.path) for each in every_route(machine.app.routes)}
        calls = [(method, path) for method in ("TRACE", "PROPFIND") for path in sorted(paths)]
        headers = machine.first | machine.known
        return [(m, path, (await Endless().to(machine.app, m, path, headers)).status) for m, path in calls]

    called = asyncio.run(call_all())
    assert len(called) > 2 * 10
    assert [call for call in called if call[2] not in (404, 405)] == []
