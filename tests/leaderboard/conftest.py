"""A board on a file, and a leaderboard process that the tests of one module share."""

import pathlib
from collections.abc import Iterator

import pytest

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from tests.leaderboard import sample_races


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
    # Refusals are logged (a few lines a second at most), and nothing else.
    others = [line for line in output.splitlines() if not line.startswith("leaderboard: refused (")]
    assert (code, others) == (0, [])
