"""Random boards and what windows of them must show, for the tests on both databases."""

import random

from leaderboard.board import LeaderboardService
from leaderboard.core.rank import BestAttempt
from leaderboard.core.search import folded
from leaderboard.snapshots import Part, Snapshot
from leaderboard.store.ranking import line_rows
from leaderboard.store.ranking.ranks import ahead_of
from shared.protocol.results import encode_result
from tests.leaderboard.core.plain_standing import moves, standing
from tests.leaderboard.sample_races import result

NAMES = [
    f"{first} {last}" for first in ("Anna", "Émile", "Kenji", "Tom", "100%") for last in ("Ø_r", "Berg", "ANNAU", "x/y")
]


def post_at_random(board: LeaderboardService, race_id: str, draw: random.Random, posts: int) -> None:
    """Post results and corrections of some racers, some with a wide uncertainty, with scores that often are equal."""
    for number in range(posts):
        revision = 1 if draw.random() < 0.8 or number == 0 else 2
        of = number if revision == 1 else draw.randrange(number)
        times = (draw.choice([9000, 9001, 9003, 9500, 9500 + draw.randrange(40_000)]),) * draw.choice([2, 3, 3, 3])
        one = result(f"{race_id}-{of}", draw.choice(NAMES), times, race_id=race_id, revision=revision)
        board.apply(one.webhook_id, encode_result(one), 1 + number)


def check_windows(board: LeaderboardService, race_id: str, before: list[BestAttempt]) -> list[BestAttempt]:
    """Every page, search and surroundings are as the whole table says; its lines, to compare the next change with."""
    with board._store.read() as db:
        lines = line_rows.lines(db, race_id, "physical")
        for number, line in enumerate(lines):
            assert ahead_of(db, race_id, "physical", line.rank_key) == (number, len(lines))
    places = standing(lines, {line.seq: 40_000 for line in lines})
    arrows = moves(lines, before)
    whole = board.snapshot(race_id)
    assert [row.placed for row in whole.rows] == places == board.standings(race_id)
    assert {row.placed.racer: row.moved for row in whole.rows} == arrows
    assert whole.racers == len(lines)
    _check_pages(board, race_id, whole)
    for row in whole.rows:
        shown = board.snapshot(race_id, 5, part=Part(around=row.placed.racer))
        assert row in shown.rows
        first = max(0, row.placed.rank - 3)
        assert shown.rows == whole.rows[first : first + len(shown.rows)]
        assert len(shown.rows) >= min(3, len(lines))
    for words in ("ann", "E", "ø_", "%", "/", "mile", "nobody", " "):
        wanted = folded(words)
        found = board.snapshot(race_id, 50, part=Part(search=words)).rows
        names = {row.name for row in whole.rows if wanted and wanted in folded(row.name)}
        assert sorted(found, key=lambda row: row.placed.rank) == [row for row in whole.rows if row.name in names]
    return lines


def _check_pages(board: LeaderboardService, race_id: str, whole: Snapshot) -> None:
    pages = [board.snapshot(race_id, 4)]
    while (following := pages[-1].following) is not None:
        pages.append(board.snapshot(race_id, 4, part=Part(after=following)))
    assert tuple(row for page in pages for row in page.rows) == whole.rows
    assert all(len(page.rows) == 4 for page in pages[:-1])
