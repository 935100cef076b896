"""The whole application in this process, with a few people who are signed in."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from tests.leaderboard.in_process import FormBrowser
from tests.leaderboard.sample_races import TOKEN, race
from tests.leaderboard.signed_in import account, browser

NOW = 1_800_000_000_000_000_000


@dataclass
class Venue:
    """Browsers of Olga, who organises, of Nils, and of somebody without an account; `made` counts races."""

    app: FastAPI
    board: LeaderboardService
    olga: FormBrowser
    nils: FormBrowser
    visitor: FormBrowser
    made: int = 0

    def new_race(self, **changes: object) -> str:
        """The address of the page of a new private race of Olga's."""
        self.made += 1
        values = {"visibility": "private", "owner": "account-olga", "entry": "registered", **changes}
        self.board.create_race(race(f"cup-{self.made}", **values), NOW)
        return f"/races/cup-{self.made}"


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    board = open_board(tmp_path_factory.mktemp("venue") / "board.db")
    app, feed = create_app(board, Credentials((), TOKEN), LeaderboardConfig(), lambda: NOW)
    people = [browser(app, board.store, account(board.store, alias, now_utc_ns=NOW), NOW) for alias in ("olga", "nils")]
    yield Venue(app, board, people[0], people[1], FormBrowser(app))
    feed.close()
    board.close()
