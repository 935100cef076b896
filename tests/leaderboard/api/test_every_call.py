"""Schemathesis over the whole OpenAPI document: no 5xx, no answer, type or body that is not declared.

Each call is made with generated documents, as an admin, as an organiser in a browser, and as nobody; where the address
names a thing, it is one that is there, half of the time. `python -m tests.leaderboard.api.test_every_call 100` tries
each call a hundred times.
"""

import pathlib
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig, SubmissionSettings
from leaderboard.core.access import Grant
from leaderboard.credentials import Credentials
from shared.access.pass_code_hashing import Argon2idHasher
from shared.protocol.results import encode_result
from shared.webhooks import parse_secret
from tests.leaderboard.in_process import call, fields
from tests.leaderboard.sample_races import SECRET, TOKEN, race, result
from tests.leaderboard.signed_in import account, browser

NOW = 1_800_000_000_000_000_000
EXAMPLES = 2
schemathesis.serializer.alias("video/mp4", "application/octet-stream")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeaderboardService]:
    opened = open_board(tmp_path_factory.mktemp("calls") / "board.db")
    yield opened
    opened.close()


def _app(board: LeaderboardService) -> FastAPI:
    key = parse_secret(SECRET)
    credentials = Credentials((key,), TOKEN, {key: ""})
    assert board.store.path is not None
    config = LeaderboardConfig(submissions=SubmissionSettings(folder=str(board.store.path.with_name("models"))))
    app, _ = create_app(board, credentials, config, lambda: NOW, Argon2idHasher(8, 1, 1))
    return app


def _world(app: FastAPI, board: LeaderboardService) -> dict[str, list[str]]:
    """Things that are there, by the name of the part of an address that names them."""
    for race_id, more in (("cup", {}), ("hidden", {"visibility": "private"}), ("live", {"live": True})):
        board.create_race(race(race_id, season_id="league", **more), 1)
        for number, racer in enumerate(("anna", "bo"), 1):
            posted = result(f"{race_id}-{number}", racer, (9000 + number,) * 3, race_id=race_id)
            board.apply(posted.webhook_id, encode_result(posted), NOW)
    made = fields(call(app, "POST", "/api/v1/seasons", {"name": "League", "season_id": "league"}, TOKEN))
    assert made["season_id"] == "league", made
    receiver = {"url": "https://hooks.example/a", "kinds": ["race.final"], "race_id": "cup"}
    receiver_id = fields(call(app, "POST", "/api/v1/notices", receiver, TOKEN))["receiver_id"]
    return {
        "race_id": ["cup", "hidden", "live"],
        "season_id": ["league"],
        "racer": ["anna", "bo"],
        "alias": ["org", "anna"],
        "attempt_id": ["cup-1", "hidden-2"],
        "receiver_id": [receiver_id],
        "role": ["official", "admin"],
        "version": ["1"],
    }


def _headers(app: FastAPI, board: LeaderboardService) -> list[dict[str, str]]:
    """An admin's key, an organiser's browser, and nobody."""
    organiser = browser(app, board.store, account(board.store, "org", Grant("organiser")), NOW)
    organiser.get("/")
    cookies = "; ".join(f"{name}={value}" for name, value in organiser.cookies.items())
    token = organiser.page.partition('name="csrf-token" content="')[2].partition('"')[0]
    signed_in = {"cookie": cookies, "origin": "http://board.test", "host": "board.test", "x-csrf-token": token}
    return [{"authorization": f"Bearer {TOKEN}"}, signed_in, {}]


def try_every_call(board: LeaderboardService, examples: int) -> int:
    """Make every call so often as each caller; how many calls there are. Raises what schemathesis found."""
    app = _app(board)
    there = _world(app, board)
    callers = _headers(app, board)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = []
    for each in schema.get_all_operations():
        assert isinstance(each, Ok), each
        operations.append(each.ok())
    for operation in operations:
        _try(operation, there, callers, examples)
    return len(operations)


def _try(operation: Any, there: dict[str, list[str]], callers: list[dict[str, str]], examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), data=st.data())
    def calls(case: Any, data: st.DataObject) -> None:
        for name in case.path_parameters or {}:
            if name in there and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(there[name]))
        for headers in callers:
            response = case.call(headers=headers)
            case.validate_response(response, checks=CHECKS)

    calls()


@pytest.mark.slow
def test_every_call_answers_as_declared(board: LeaderboardService) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert try_every_call(board, EXAMPLES) > 80


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        opened = open_board(pathlib.Path(name) / "board.db")
        try_every_call(opened, int(sys.argv[1]) if len(sys.argv) > 1 else 100)
        opened.close()
