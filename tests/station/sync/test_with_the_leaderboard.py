"""Sync and the real leaderboard's application in one process: races are created, compared, changed; results follow."""

import dataclasses
import pathlib
import random

import pytest

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig, RaceSettings
from leaderboard.core.race import RaceRecord
from leaderboard.credentials import Credentials
from shared.protocol.races import RaceOffer
from shared.protocol.results import PostDeferred, encode_result
from shared.rules.ranking import RaceRules
from shared.units import NS_PER_S
from shared.web.http_exchange import Reply
from shared.webhooks import parse_secret
from station.store.event_files.race_offers import RaceOffers
from station.sync.attempts import AttemptStore
from station.sync.operator.reconciliation import compare
from station.sync.race_checks import CHECK_AGAIN_NS
from station.sync.schedule import OutboxRow
from station.sync.syncer import Syncer
from station.sync.webhook import WebhookLeaderboard
from tests.leaderboard.sample_races import SECRET, result
from tests.shared.web.test_error_pages import TestClient
from tests.station.sync.test_syncer import Rows

NOW_S = 1_700_000_000.0


class AppTransport:
    """An `HttpTransport` into the leaderboard's application; `away`: there is no network."""

    def __init__(self, client: TestClient) -> None:
        self.client, self.away = client, False

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply | PostDeferred:
        if self.away:
            return PostDeferred("The leaderboard cannot be reached: no connection.")
        answer = self.client.request(method, path, headers, content=body)
        return Reply(answer.status_code, dict(answer.headers), answer.content)


class Event:
    """A station's outbox and race, and the leaderboard that they go to."""

    def __init__(self, folder: pathlib.Path, *, from_stations: bool = True) -> None:
        key = parse_secret(SECRET)
        self.board: LeaderboardService = open_board(folder / "board.db")
        config = LeaderboardConfig(races=RaceSettings(from_stations=from_stations))
        app, _ = create_app(
            self.board, Credentials((key,), "token", {key: "station-1"}), config, lambda: int(NOW_S) * NS_PER_S
        )
        self.network = AppTransport(TestClient(app))
        self.driver = WebhookLeaderboard("https://board.example", SECRET, {}, lambda: NOW_S, self.network)
        self.rows, self.attempts, self.logged = Rows([]), AttemptStore(folder / "sync.db"), list[str]()
        self.race = RaceOffer("cup", "Cup", "Oval", RaceRules(), station="station-1")
        self.sync = Syncer(
            self.rows,
            self.attempts,
            self.driver,
            random.Random(1),
            lambda: 7,
            self.logged.append,
            offers=lambda: RaceOffers("cup", (self.race,)),
        )
        self.now_ns = 0

    def finish(self, racer: str, times_ms: tuple[int, ...], revision: int = 1) -> None:
        one = result(f"run-{racer}", racer, times_ms, self.race.rules, revision=revision)
        self.rows.rows.append(OutboxRow(len(self.rows.rows) + 1, one.result_id, one.revision, encode_result(one)))

    def settle(self) -> dict[str, int]:
        for _ in range(6):
            self.sync.step(self.now_ns)
            self.now_ns += CHECK_AGAIN_NS
        return {place.racer: place.score_ms for place in self.board.standings("cup")}


def test_a_race_begun_at_the_station_is_on_the_board_before_its_first_result(tmp_path: pathlib.Path) -> None:
    event = Event(tmp_path)
    assert event.settle() == {}
    assert (event.board.race("cup").name, event.board.race("cup").made_by) == ("Cup", "station-1")
    assert event.logged == ["The leaderboard is ready for the race 'cup'."]


def test_changed_rules_reach_the_board_before_the_corrected_results(tmp_path: pathlib.Path) -> None:
    event = Event(tmp_path)
    event.finish("anna", (9000, 9100, 9200, 7000))
    assert event.settle() == {"anna": 8433}
    event.network.away = True
    event.race = dataclasses.replace(event.race, rules=RaceRules(consecutive_laps=2), rules_version=2)
    event.finish("anna", (9000, 9100, 9200, 7000), revision=2)
    event.finish("tom", (8000, 8100))
    assert event.settle() == {"anna": 8433}
    event.network.away = False
    assert event.settle() == {"anna": 8100, "tom": 8050}
    assert not any("rejected" in line for line in event.logged)
    assert event.sync.waiting == 0


def test_operator_problem_10_network_loss_and_an_unknown_race_need_no_terminal(tmp_path: pathlib.Path) -> None:
    event = Event(tmp_path, from_stations=False)
    event.finish("anna", (9000, 9100, 9200))
    event.network.away = True
    event.sync.step(0)
    event.network.away = False
    event.sync.step(CHECK_AGAIN_NS)
    assert event.sync.waiting == 1  # told, and not rejected
    assert "did not create it (This leaderboard takes no races from stations" in event.logged[-1]
    event.board.create_race(_as_the_organiser(event.race), 1)
    assert event.settle() == {"anna": 9100}
    assert event.board.snapshot("cup").results == 1


@pytest.mark.parametrize("other", [RaceRules(consecutive_laps=2), RaceRules(min_lap_s=4.4)])
def test_other_rules_there_are_named_and_refused_results_go_once_they_are_the_same(
    tmp_path: pathlib.Path, other: RaceRules
) -> None:
    event = Event(tmp_path)
    event.board.create_race(_as_the_organiser(dataclasses.replace(event.race, rules=other)), 1)
    event.finish("anna", (9000, 9100, 9200))
    event.settle()
    assert "by other rules" in event.logged[0]
    event.board.change_rules("cup", event.race.rules)
    assert event.settle() == {"anna": 9100}


def test_theirs_is_compared_with_ours_through_their_api(tmp_path: pathlib.Path) -> None:
    event = Event(tmp_path)
    posted = [result("a", "Anna", (9000, 9100, 9200)), result("b", "Bo", (9500, 9500, 9500))]
    for number, each in enumerate(posted, 1):
        event.rows.rows.append(OutboxRow(number, each.result_id, each.revision, encode_result(each)))
    event.settle()
    shown = event.driver.standing("cup")
    assert isinstance(shown, list)
    assert compare("cup", posted, shown).differences == ()
    doctored = dataclasses.replace(posted[0], revision=3)
    assert len(compare("cup", [doctored, posted[1]], shown).differences) == 1
    assert "no standing of none (404)" in event.driver.standing("none")
    event.network.away = True
    assert "cannot be reached" in event.driver.standing("cup")


def _as_the_organiser(race: RaceOffer) -> RaceRecord:
    return RaceRecord(race.race_id, race.name, "community", race.kind, race.track, race.rules)
