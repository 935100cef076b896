"""Pages, surroundings, search and ranks read a few lines, and say what the whole table says."""

import base64
import json
import random

import pytest
import sqlalchemy as sa

from leaderboard.board import LeaderboardService
from leaderboard.core.errors import UnknownRacer
from leaderboard.core.rank import BestAttempt
from leaderboard.snapshots import Part
from leaderboard.store.ranking import line_rows, ranks
from leaderboard.store.ranking.windows import read_cursor
from shared.errors import BadInput
from shared.protocol.results import encode_result
from tests.leaderboard.by_hand import enter
from tests.leaderboard.sample_races import race, result
from tests.leaderboard.store.random_boards import check_windows, post_at_random


def test_windows_of_random_boards_say_what_the_whole_table_says(board: LeaderboardService) -> None:
    draw = random.Random(7)
    before: list[BestAttempt] = []
    board.create_race(race("random"), 1)
    post_at_random(board, "random", draw, 40)
    for _ in range(6):
        with board._store.read() as db:
            before = line_rows.lines(db, "random", "physical")
        one = result(
            f"n{draw.random()}", draw.choice(["Tom Berg", "new", "Anna Berg"]), (8990 + draw.randrange(20),) * 3
        )
        assert board.apply(f"{one.result_id}.1", encode_result(one).replace(b'"cup"', b'"random"'), 9).status == 201
        check_windows(board, "random", before)


def test_a_name_of_an_entry_is_searched_for(board: LeaderboardService) -> None:
    one = result("a", "r-17")
    board.apply(one.webhook_id, encode_result(one), 1)
    enter(board, "cup", "r-17", "Zoë Holm", 2)
    [row] = board.snapshot("cup", 5, part=Part(search="zoe h")).rows
    assert (row.name, row.placed.rank) == ("Zoë Holm", 1)
    assert board.snapshot("cup", 5, part=Part(search="r-17")).rows == ()


def test_buckets_grow_wide_where_scores_spread_and_ranks_stay_exact(board: LeaderboardService) -> None:
    draw = random.Random(3)
    with board._store.write() as db:
        lines = []
        for number in range(1400):
            line = BestAttempt(f"r{number}", draw.randrange(3_000_000), 0, number, number, 1)
            line_rows.set_line(db, "cup", line.key, None, line)
            lines.append(line)
        width_ms = db.execute(sa.text("SELECT width_ms FROM boards")).scalar_one()
        for line in draw.sample(lines, 300):
            faster = BestAttempt(line.racer, line.score_ms // 2, 1, line.order, line.seq, 2)
            line_rows.set_line(db, "cup", line.key, line, faster)
            lines[lines.index(line)] = faster
        for line in lines[-100:]:
            line_rows.set_line(db, "cup", line.key, line, None)
        ordered = sorted(lines[:-100], key=lambda line: line.rank_key)
        for place in range(0, 1300, 37):
            assert ranks.ahead_of(db, "cup", "physical", ordered[place].rank_key) == (place, 1300)
    assert width_ms > 1


@pytest.mark.parametrize(
    "text",
    ["x", "\u00e9", "W10", "=", "a" * 2000, *(base64.urlsafe_b64encode(json.dumps(bad).encode()).decode() for bad in (
        [1, 2], [1, 2, "3"], [1, 2, True], [1, 2, -1], [1, 2, 2**70], {"a": 1}, [1.5, 2, 3]
    ))],
)  # fmt: skip
def test_what_is_no_cursor_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BadInput, match="`next`"):
        read_cursor(text)


def test_who_is_not_ranked_has_no_surroundings(board: LeaderboardService) -> None:
    enter(board, "cup", "anna", "Anna", 1)
    for racer in ("anna", "nobody"):
        with pytest.raises(UnknownRacer):
            board.snapshot("cup", part=Part(around=racer))
