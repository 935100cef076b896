"""A board on a file, and a leaderboard process that the tests of one module share."""

import os
import pathlib
import re
import shutil
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.store import database
from tests.leaderboard import sample_races

LOGGED = re.compile(r"leaderboard: (refused \(|\S+ signed (up|in) by )")


@pytest.fixture(scope="session", autouse=True)
def migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """New SQLite files begin as copies of one that all migrations have made: each would take longer than its test."""
    made = tmp_path_factory.mktemp("migrated") / "board.db"
    database.open_store(made).close()
    opened = database._open_sqlite

    def open_copy(url: sa.URL) -> database.Store:
        path = pathlib.Path(str(url.database))
        is_new = not path.exists() and not path.with_name(path.name + ".lock").exists()
        if is_new and path.parent.is_dir() and os.access(path.parent, os.W_OK):
            shutil.copy(made, path)
        return opened(url)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_open_sqlite", open_copy)
        yield


@pytest.fixture
def board(tmp_path: pathlib.Path) -> Iterator[LeaderboardService]:
    """An open board with the race 'cup'."""
    opened = open_board(tmp_path / "board.db")
    opened.create_race(sample_races.race(), 1)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sample_races.Running]:
    """A leaderboard process with the race 'cup'."""
    server = sample_races.start(tmp_path_factory.mktemp("leaderboard"), "[limits]\nheartbeat_s = 0.2\n")
    server.new_race("cup")
    yield server
    code, output = server.stop()
    # Refusals are logged (a few lines a second at most) and who signed in, and nothing else.
    others = [line for line in output.splitlines() if not LOGGED.match(line)]
    assert (code, others) == (0, [])
