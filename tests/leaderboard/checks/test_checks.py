"""`raceday leaderboard check` finds each row that was altered behind the leaderboard's back, and repairs it."""

import dataclasses
import pathlib
import random
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from leaderboard import cli
from leaderboard.attempts.service import AttemptService
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.checks import CHECKS
from leaderboard.commands.checking import check
from leaderboard.core.access import ADMIN
from leaderboard.store import race_rows
from leaderboard.store.tables import LINES
from shared.protocol.results import encode_result
from tests.leaderboard.checks.corruptions import CORRUPTIONS
from tests.leaderboard.exchange.boards import brought, league, numbered, rows_of
from tests.leaderboard.sample_races import race, result, write_config
from tests.leaderboard.store.random_boards import post_at_random

PLANTED = 1000


def disagreeing(db: sa.Connection) -> Iterator[str]:
    """What the checks say of the race."""
    return (sentence for each in CHECKS for sentence in each.find(db, race_rows.race(db, "cup")))


@pytest.fixture
def posted(board: LeaderboardService) -> LeaderboardService:
    """A board with results, corrections and racers who have none that counts."""
    post_at_random(board, "cup", random.Random(5), 40)
    return board


def test_each_corruption_is_found(posted: LeaderboardService) -> None:
    draw = random.Random(1)
    with posted.store.write() as db:
        assert list(disagreeing(db)) == []
        for number in range(PLANTED):
            db.exec_driver_sql("SAVEPOINT planted")
            what = CORRUPTIONS[number % len(CORRUPTIONS)](db, draw)
            assert any(disagreeing(db)), what
            db.exec_driver_sql("ROLLBACK TO SAVEPOINT planted")
        assert list(disagreeing(db)) == []


def test_a_repair_makes_all_of_it_anew(posted: LeaderboardService, capsys: pytest.CaptureFixture[str]) -> None:
    before = [row.placed for row in posted.snapshot("cup").rows]
    draw = random.Random(2)
    with posted.store.write() as db:
        for corrupt in CORRUPTIONS:
            corrupt(db, draw)
    assert check(posted.store, None, repair=False) == 1
    assert check(posted.store, "cup", repair=True) == 0
    assert capsys.readouterr().out.endswith(", 0 do so after the repair\n")
    assert [row.placed for row in posted.snapshot("cup").rows] == before
    assert check(posted.store, None, repair=False) == 0


def test_the_command_says_what_disagrees(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(write_config(tmp_path))
    board = open_board(tmp_path / "leaderboard.db")
    board.create_race(race(), 1)
    post_at_random(board, "cup", random.Random(3), 10)
    assert cli.main(["check", "--config", config]) == 0  # beside the one that is open
    assert "1 races: everything agrees" in capsys.readouterr().out
    with board.store.write() as db:
        db.execute(sa.update(LINES).values(attempts=77))
    board.close()
    assert cli.main(["check", "cup", "--config", config]) == 1
    assert "is wrong in attempts" in capsys.readouterr().out
    assert cli.main(["check", "--repair", "--config", config]) == 0
    assert cli.main(["check", "--config", config]) == 0


def test_imported_lines_kinds_and_all_states_of_attempts_agree_and_survive_a_repair(board: LeaderboardService) -> None:
    brought(board.store, rows_of(*numbered([9000, 9100, 9100])), league("published"))
    board.create_race(race("mixed", venue="any", attempts_per_day=3), 1)
    for number, name in enumerate(("anna", "ben", "cleo") * 4):
        kind = "virtual" if number % 2 else "physical"
        laps = (9000 + number,) * (2 if number % 5 == 4 else 3)
        one = result(f"m-{number}", name, laps, kind=kind, race_id="mixed", finished_utc_ns=number)
        one = one if len(laps) == 3 else dataclasses.replace(one, v=2, score_ms=0, qualified=False)
        assert board.apply(one.webhook_id, encode_result(one), 50).status == 201
    attempts = AttemptService(board.store, board.changed)
    first = next(each for each in attempts.attempts(ADMIN, "mixed").attempts if each.state == "ranked")
    attempts.disqualify(ADMIN, first.result.result_id, "left the track", 60)
    races = ("published", "mixed")
    shown = [board.snapshot(each, table=table).rows for each in races for table in board.race(each).tables()]
    assert check(board.store, None, repair=False) == 0
    with board.store.write() as db:
        db.execute(sa.update(LINES).values(attempts=77))
        db.execute(sa.delete(LINES).where(LINES.c.race_id == "mixed", LINES.c.kind == "virtual"))
    assert check(board.store, None, repair=False) == 1
    assert check(board.store, None, repair=True) == 0
    again = [board.snapshot(each, table=table).rows for each in races for table in board.race(each).tables()]
    assert [[row.placed for row in rows] for rows in again] == [[row.placed for row in rows] for rows in shown]
