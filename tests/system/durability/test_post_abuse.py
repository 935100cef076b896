"""A short campaign of abused posts and kills; `./dev bench posts` runs a long one on both stores."""

import pathlib

import pytest

from tests.system.durability.post_abuse import campaign

pytestmark = pytest.mark.slow


def test_abused_posts_are_applied_once(tmp_path: pathlib.Path) -> None:
    tally = campaign(tmp_path, 'path = "board.db"', posts=120, kills=2, seed=3)
    assert tally.clean, tally
    assert tally.abuses.total() > 10
    assert tally.kills.total() >= 1
