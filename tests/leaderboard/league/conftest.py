"""A board with the league's services."""

import pathlib
from collections.abc import Iterator

import pytest

from tests.leaderboard.league.organised import Organised


@pytest.fixture
def league(tmp_path: pathlib.Path) -> Iterator[Organised]:
    opened = Organised.at(tmp_path)
    yield opened
    opened.board.close()
