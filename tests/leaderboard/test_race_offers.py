"""Races that stations offer, and what other rules make of the results that are there already."""

import dataclasses
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig, RaceSettings
from leaderboard.core.access import ADMIN
from leaderboard.core.errors import Conflict
from leaderboard.core.race import RaceRecord
from leaderboard.credentials import Credentials
from leaderboard.league.races import RaceService
from leaderboard.store import audit
from shared.errors import Refused
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
    assert board.change_rules("heat", RULES, NOW).rules == RULES
    assert scores(board) == before


def audited(board: LeaderboardService) -> list[tuple[str, str, dict[str, Any]]]:
    with board.store.read() as db:
        return [(row.actor, row.what, row.after) for row in reversed(audit.rows(db, race_id="heat"))]


def test_what_a_station_makes_and_changes_is_audited_and_kept_as_editions(board: LeaderboardService) -> None:
    board.offer_race(offered(), NOW)
    board.offer_race(offered(), NOW + 1)
    board.offer_race(offered(LONGER), NOW + 2)
    made, changed = audited(board)
    assert made[:2] == ("station:station-1", "race.create_community")
    assert changed[:2] == ("station:station-1", "race.edit")
    assert changed[2]["rules"]["consecutive_laps"] == 2
    assert [each.edition for each in RaceService(board.store, board.changed).editions(ADMIN, "heat")] == [2, 1]
    with pytest.raises(Conflict, match="its edition is 2 now, you saw 1"):
        RaceService(board.store, board.changed).change(ADMIN, "heat", {"name": "B"}, NOW, edition=1)


def test_rules_that_nobody_can_meet_are_refused_in_every_way_to_make_a_race(board: LeaderboardService) -> None:
    hopeless = dataclasses.replace(RULES, time_limit_s=1.0, min_lap_s=5.0)
    board.offer_race(offered(), NOW)
    ways: list[Callable[[], object]] = [
        lambda: board.create_race(race("another", rules=hopeless), NOW),
        lambda: board.offer_race(offered(hopeless), NOW),
        lambda: board.change_rules("heat", hopeless, NOW),
    ]
    for way in ways:
        with pytest.raises(Refused, match="Nobody could qualify"):
            way()
    assert board.race("heat").rules == RULES


def test_a_station_learns_nothing_of_a_private_race_that_it_did_not_make(board: LeaderboardService) -> None:
    board.create_race(race("heat", visibility="private"), NOW)
    for other in (offered(LONGER), offered(venue="virtual")):
        with pytest.raises(Conflict) as refusal:
            board.offer_race(other, NOW)
        assert str(refusal.value) == "Another race has the id 'heat' already; choose another `race_id`."
    assert not board.offer_race(offered(), NOW)


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
    hidden = open_board(tmp_path / "hidden.db")
    hidden.create_race(race("heat", name="Cup of friends", visibility="private", owner="account-olga"), NOW)
    app, _ = create_app(hidden, Credentials((key,), TOKEN, {key: "station-1"}), LeaderboardConfig(), lambda: NOW)
    status, text = put(TestClient(app), offer)
    assert (status, json.loads(text)["name"]) == (200, "Heat")
    assert "friends" not in text
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
