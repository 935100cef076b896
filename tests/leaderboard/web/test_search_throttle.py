"""A search inside names reads all names of a board: free on a small one, and bounded for everybody on a large one."""

import pathlib
from collections.abc import Iterator

import pytest

from leaderboard.core import search
from leaderboard.core.errors import RateLimited
from leaderboard.web import search_throttle
from leaderboard.web.search_throttle import AT_ONCE, SearchThrottle
from shared.access.pass_code_hashing import Argon2idHasher
from shared.protocol.results import encode_result
from shared.units import NS_PER_S
from tests.leaderboard.in_process import FormBrowser, fields
from tests.leaderboard.league_app import LeagueApp, league_app
from tests.leaderboard.sample_races import result

BURST = 4


@pytest.fixture
def league(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LeagueApp]:
    monkeypatch.setattr(search_throttle, "SEARCH_BURST", BURST)
    with league_app(tmp_path, Argon2idHasher(512, 1, 1)) as made:
        board = made.app.state.services.board
        for racer in ("Anna Berg", "Tom Berg", "Berg Berta"):
            one = result(racer, racer)
            assert board.apply(one.webhook_id, encode_result(one), 1).status == 201
        yield made


def test_searches_inside_many_names_are_bounded_by_address(league: LeagueApp, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, other = FormBrowser(league.app, "192.0.2.7"), FormBrowser(league.app, "192.0.2.8")

    def names(words: str, browser: FormBrowser = visitor) -> list[str]:
        answer = browser.get(f"/api/v1/races/cup/standings?q={words}")
        assert answer.status_code == 200, answer.text
        return sorted(row["racer"] for row in fields(answer)["standings"])

    for _ in range(BURST + 1):  # a small board: for anybody, at any time, and of any length
        assert names("g") == ["Anna Berg", "Berg Berta", "Tom Berg"]
    monkeypatch.setattr(search, "NAMES_READ_FREELY", 2)
    assert names("er") == []
    assert names("be") == ["Berg Berta"]
    for number in range(BURST):
        if number % 2:
            assert names("berg") == ["Anna Berg", "Berg Berta", "Tom Berg"]
        else:
            assert "Berg Berta" in visitor.get("/races/cup?racer=erta").text
    refused = visitor.get("/api/v1/races/cup/standings?q=berg")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert "search for how the name begins, or again in 2 seconds" in fields(refused)["detail"]
    assert visitor.get("/races/cup?racer=berg").status_code == 429
    assert visitor.get("/races/cup?racer=erg&around=1").status_code == 429
    assert names("be") == ["Berg Berta"]
    assert visitor.get("/races/cup").status_code == 200
    assert len(names("berg", other)) == 3
    league.now_utc_ns += 2 * NS_PER_S
    assert len(names("berg")) == 3


def test_few_searches_inside_many_names_run_at_once() -> None:
    throttle = SearchThrottle()
    running = [throttle.by(f"192.0.2.{number}", 1)() for number in range(AT_ONCE)]
    for each in running:
        each.__enter__()
    with pytest.raises(RateLimited, match="again in 1 second"), throttle.by("192.0.2.99", 1)():
        pass
    running[0].__exit__(None, None, None)
    with throttle.by("192.0.2.99", 1)():
        pass


def test_a_board_of_a_hall_is_small() -> None:
    assert search.is_free(20_000)
    assert not search.is_free(20_001)
