"""Races that stations offer, and what other rules make of the results that are there already."""

import dataclasses
import pathlib
from typing import Any

import pytest

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig, RaceSettings
from leaderboard.core.errors import Conflict
from leaderboard.core.race import RaceRecord
from leaderboard.credentials import Credentials
from shared.protocol.races import RaceOffer, encode_offer
from shared.protocol.results import encode_result
from shared.rules.ranking import RaceRules
from shared.webhooks import parse_secret, signed_headers
from tests.leaderboard.sample_races import RULES, SECRET, TOKEN, race, result
from tests.shared.web.test_error_pages import TestClient

LONGER = dataclasses.replace(RULES, consecutive_laps=2)
NOW = 1_700_000_000_000_000_000
TIMES = {"anna": (9000, 9100, 9200, 20_000), "tom": (9900, 8000, 8100), "max": (7000, 30_000, 31_000)}


def offered(rules: RaceRules = RULES, station: str = "station-1", **changes: Any) -> RaceRecord:
    return race("heat", kind="community", rules=rules, made_by=station, **changes)


def posted(board: LeaderboardService, rules: RaceRules = RULES) -> None:
    for racer, times_ms in TIMES.items():
        one = result(f"run-{racer}", racer, times_ms, rules, race_id="heat")
        assert board.apply(one.webhook_id, encode_result(one), NOW).status == 201


def scores(board: LeaderboardService) -> dict[str, int]:
    return {place.racer: place.score_ms for place in board.standings("heat")}


def test_a_station_creates_its_race_once(board: LeaderboardService) -> None:
    assert board.offer_race(offered(), NOW)
    assert not board.offer_race(offered(), NOW)
    assert board.race("heat").made_by == "station-1"


def test_a_race_that_ranks_alike_is_ready_whoever_made_it(board: LeaderboardService) -> None:
    board.create_race(race("heat"), NOW)
    assert not board.offer_race(offered(name="Another name"), NOW)
    assert board.race("heat").name == "Cup"


@pytest.mark.parametrize("maker", ["", "station-2"])
def test_the_rules_of_anothers_race_stay_and_the_difference_is_named(board: LeaderboardService, maker: str) -> None:
    board.create_race(race("heat", made_by=maker), NOW)
    with pytest.raises(Conflict, match=r"consecutive_laps: 3 there, 2 here.*off_track_penalty_s: 1 there, 0 here"):
        board.offer_race(offered(RaceRules(consecutive_laps=2)), NOW)
    assert board.race("heat").rules == RULES


def test_a_virtual_race_is_no_physical_one(board: LeaderboardService) -> None:
    board.offer_race(offered(), NOW)
    with pytest.raises(Conflict, match="physical here"):
        board.offer_race(offered(venue="virtual"), NOW)


def test_other_rules_score_every_result_again_and_back(board: LeaderboardService) -> None:
    board.offer_race(offered(), NOW)
    posted(board)
    before = scores(board)
    assert before == {"anna": 9100, "tom": 8666, "max": 22_666}
    assert not board.offer_race(offered(LONGER), NOW)
    assert scores(board) == {"anna": 9050, "tom": 8050, "max": 18_500}
    assert not board.offer_race(offered(dataclasses.replace(RULES, consecutive_laps=4)), NOW)
    assert list(scores(board)) == ["anna"]
    assert board.snapshot("heat").rows[0].moved is not None
    assert board.change_rules("heat", RULES).rules == RULES
    assert scores(board) == before


def test_a_withdrawn_result_has_no_score_by_any_rules(board: LeaderboardService) -> None:
    board.offer_race(offered(), NOW)
    posted(board)
    gone = result("run-tom", "tom", TIMES["tom"], race_id="heat", revision=2, score_ms=0)
    assert board.apply(gone.webhook_id, encode_result(gone), NOW).status == 201
    board.offer_race(offered(LONGER), NOW)
    assert set(scores(board)) == {"anna", "max"}


def test_fewer_attempts_count_by_the_rules_of_now(board: LeaderboardService) -> None:
    board.offer_race(offered(), NOW)
    posted(board)
    better = result("run-anna-2", "anna", (5000, 5000, 5000), race_id="heat", finished_utc_ns=NOW + 1)
    board.apply(better.webhook_id, encode_result(better), NOW)
    assert scores(board)["anna"] == 5000
    board.offer_race(offered(dataclasses.replace(RULES, attempts_per_racer=1)), NOW)
    assert scores(board)["anna"] == 9100


def test_offers_over_http(tmp_path: pathlib.Path) -> None:
    key = parse_secret(SECRET)

    def client(config: LeaderboardConfig, file: str) -> TestClient:
        board = open_board(tmp_path / file)
        app, _ = create_app(board, Credentials((key,), TOKEN, {key: "station-1"}), config, lambda: NOW)
        return TestClient(app)

    def put(to: TestClient, offer: RaceOffer, race_id: str = "heat", **changed: str) -> tuple[int, str]:
        body = encode_offer(offer)
        headers = signed_headers(key, offer.webhook_id, NOW / 1e9, body) | changed
        answer = to.request("PUT", f"/api/v1/races/{race_id}", content=body, headers=headers)
        return answer.status_code, answer.text

    offer = RaceOffer("heat", "Heat", "Oval", RULES, station="station-1")
    open_to_all = client(LeaderboardConfig(), "a.db")
    assert put(open_to_all, offer)[0] == 201
    assert put(open_to_all, offer)[0] == 200
    assert put(open_to_all, offer, **{"webhook-signature": "v1,AAAA"})[0] == 401
    assert put(open_to_all, offer, "other")[0] == 422
    assert put(open_to_all, dataclasses.replace(offer, station="station-2"))[0] == 422
    assert put(open_to_all, dataclasses.replace(offer, v=2))[0] == 422
    assert put(open_to_all, dataclasses.replace(offer, rules=RaceRules(consecutive_laps=99)))[0] == 422
    assert put(open_to_all, dataclasses.replace(offer, kind="virtual"))[0] == 409
    closed = client(LeaderboardConfig(races=RaceSettings(from_stations=False)), "b.db")
    status, text = put(closed, offer)
    assert status == 403
    assert "organiser" in text


def test_the_organiser_changes_the_rules_of_any_race(tmp_path: pathlib.Path) -> None:
    board = open_board(tmp_path / "board.db")
    board.create_race(race(), NOW)
    app, _ = create_app(board, Credentials((), TOKEN), LeaderboardConfig(), lambda: NOW)
    headers = {"authorization": f"Bearer {TOKEN}"}
    changed = TestClient(app).request("PATCH", "/api/v1/races/cup", headers, content=b'{"rules": {"max_laps": 5}}')
    assert changed.json()["rules"]["max_laps"] == 5
    bad = TestClient(app).request("PATCH", "/api/v1/races/cup", headers, content=b'{"rules": {"laps": 5}}')
    assert bad.status_code == 422
