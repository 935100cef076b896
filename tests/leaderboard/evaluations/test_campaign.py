"""A season of submissions while farms and server die: each is scored once, or refused with its sentence."""

import pathlib

from leaderboard.build import open_board
from tests.leaderboard.evaluations.virtual_league import Campaign, VirtualLeague, check_campaign


def test_none_of_200_submissions_is_lost_or_doubled(tmp_path: pathlib.Path) -> None:
    board = open_board(tmp_path / "board.db")
    league = VirtualLeague(board.store, tmp_path / "models")
    check_campaign(league, Campaign(league, seed=4).run(200, 20))
    board.close()
