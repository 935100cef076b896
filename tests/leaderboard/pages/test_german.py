"""The board in German: its pages, and what its stream sends."""

import pytest

from leaderboard.board import LeaderboardService
from leaderboard.pages.render import LeaderboardPages
from shared.protocol.results import encode_result
from shared.text.reader import reading
from tests.english_left import english_left, texts_of
from tests.leaderboard.pages.test_pages import home
from tests.leaderboard.sample_races import laps, result


@pytest.fixture
def pages() -> LeaderboardPages:
    return LeaderboardPages("Raceday")


def test_no_english_is_left_on_the_board(board: LeaderboardService, pages: LeaderboardPages) -> None:
    with reading("de"):
        empty = pages.race(board.snapshot("cup"), 1, live=True)
    for number in range(3):
        one = result(f"r{number}", f"racer {number}", laps=laps((9500 + number, 9400, 9600), off_tracks=(0, 0, 1)))
        board.apply(one.webhook_id, encode_result(one), 1)
    with reading("de"):
        documents = [
            empty,
            pages.index(home(board, 1)),
            pages.race(board.snapshot("cup"), 1, live=True),
            pages.racer(board.racer_runs("cup", "racer 1"), 1),
            pages.missing("There is no such page."),
        ]
        content = pages.live_content(board.snapshot("cup"), 1)
    for document in documents:
        assert '<html lang="de">' in document
        assert english_left(texts_of(document), "de") == []
    drawn = [*content.rows.values(), *content.parts.values()]
    assert english_left([text for each in drawn for text in texts_of(each)], "de") == []
