"""A leaderboard with a racer or two, an official and an organiser signed in, in process: for tests of attempts."""

import contextlib
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.core.access import Grant
from leaderboard.credentials import Credentials
from shared.protocol.results import encode_result
from tests.leaderboard.in_process import FormBrowser
from tests.leaderboard.sample_races import TOKEN, race, result
from tests.leaderboard.signed_in import account, browser

NOW = 1_700_000_000_000_000_000  # 2023-11-14, 22:13 in London
ROLES = {"otto": "official", "olga": "organiser"}


@dataclass
class Hall:
    """A leaderboard with people in it, and a race of its own for each test."""

    app: FastAPI
    board: LeaderboardService
    people: dict[str, FormBrowser]
    number: int = 0

    @property
    def race_id(self) -> str:
        return f"cup-{self.number}"

    def new_race(self, **changes: Any) -> str:
        self.number += 1
        self.board.create_race(race(self.race_id, **changes), NOW)
        return f"/api/v1/races/{self.race_id}"

    def post(self, racer: str, name: str, *times_ms: int, kind: str = "physical", at_s: int = 0) -> str:
        one = result(f"{self.race_id}/{name}", racer, times_ms, race_id=self.race_id, kind=kind)
        changed: dict[str, Any] = {"qualified": False, "v": 2} if one.score_ms == 0 else {}
        one = result(
            f"{self.race_id}/{name}",
            racer,
            times_ms,
            race_id=self.race_id,
            kind=kind,
            finished_utc_ns=NOW + at_s * 10**9,
            **changed,
        )
        assert self.board.apply(one.webhook_id, encode_result(one), NOW).status == 201
        return one.result_id

    def ask(self, who: str, method: str, path: str, document: object = None) -> tuple[int, Any]:
        answer = self.people[who].call(method, path, document)
        return answer.status_code, answer.json()

    def places(self) -> list[tuple[str, int]]:
        return [(line.racer, line.score_ms) for line in self.board.standings(self.race_id)]


@contextlib.contextmanager
def open_hall(folder: pathlib.Path) -> Iterator[Hall]:
    """The leaderboard over a store in this folder."""
    board = open_board(folder / "board.db")
    app, feed = create_app(board, Credentials((), TOKEN), LeaderboardConfig(), lambda: NOW)
    people = {}
    for alias in ("anna", "ben", "otto", "olga"):
        grants = [Grant(ROLES[alias])] if alias in ROLES else []  # type: ignore[arg-type]
        people[alias] = browser(app, board.store, account(board.store, alias, *grants, now_utc_ns=NOW), NOW)
        people[alias].get("/")
    yield Hall(app, board, people)
    feed.close()
    board.close()
