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
from leaderboard.store import attempt_rows
from shared.protocol.races import RaceOffer
from shared.protocol.results import CONTRACT_HEADER, PostDeferred, encode_result
from shared.rules.ranking import RaceRules
from shared.units import NS_PER_S
from shared.web.http_exchange import Reply
from shared.webhooks import parse_secret
from station.store.event_files.race_offers import RaceOffers
from station.sync.attempts import AttemptStore
from station.sync.operator.reconciliation import compare
from station.sync.operator.status import summary
from station.sync.race_checks import CHECK_AGAIN_NS
from station.sync.schedule import OutboxRow
from station.sync.syncer import Syncer
from station.sync.webhook import WebhookLeaderboard
from tests.leaderboard.sample_races import SECRET, result
from tests.shared.web.test_error_pages import TestClient
from tests.station.sync.test_syncer import Rows

NOW_S = 1_700_000_000.0


class AppTransport:
    """An `HttpTransport` into the leaderboard's application; `away`: there is no network.

    `version`: of the contract that it says it reads, "" for what it says by itself.
    """

    def __init__(self, client: TestClient) -> None:
        self.client, self.away, self.version = client, False, ""

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply | PostDeferred:
        if self.away:
            return PostDeferred("The leaderboard cannot be reached: no connection.")
        answer = self.client.request(method, path, headers, content=body)
        version = {CONTRACT_HEADER: self.version} if self.version else {}
        return Reply(answer.status_code, dict(answer.headers) | version, answer.content)


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
        self.committed: list[OutboxRow] = []
        self.now_ns = 0
        self.start()

    def start(self, *, unqualified_runs: bool = True) -> None:
        """A new sync process over the same records, which reads the outbox from its beginning."""
        self.rows.rows.clear()
        self.rows.rows.extend(self.committed)
        self.sync = Syncer(
            self.rows,
            self.attempts,
            self.driver,
            random.Random(1),
            lambda: 7,
            self.logged.append,
            offers=lambda: RaceOffers("cup", (self.race,)),
            unqualified_runs=unqualified_runs,
        )

    def finish(self, racer: str, times_ms: tuple[int, ...], revision: int = 1) -> None:
        one = result(f"run-{racer}", racer, times_ms, self.race.rules, revision=revision)
        if one.score_ms == 0:
            one = dataclasses.replace(one, qualified=False, v=2)
        row = OutboxRow(len(self.committed) + 1, one.result_id, one.revision, encode_result(one))
        self.committed.append(row)
        self.rows.rows.append(row)

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
    event.board.change_rules("cup", event.race.rules, 1)
    assert event.settle() == {"anna": 9100}


def states(event: Event) -> dict[str, str]:
    with event.board._store.read() as db:
        return {row.racer: row.state for row in attempt_rows.attempts(db, "cup")}


def test_a_run_without_a_score_reaches_a_board_that_shows_it(tmp_path: pathlib.Path) -> None:
    event = Event(tmp_path)
    event.finish("anna", (9000, 9100))
    event.finish("tom", (8000, 8100, 8200))
    assert event.settle() == {"tom": 8100}
    assert states(event) == {"anna": "unqualified", "tom": "ranked"}
    event.finish("anna", (9000, 9100, 9200), revision=2)
    assert event.settle() == {"tom": 8100, "anna": 9100}
    assert not any("another score" in line or "rejected" in line for line in event.logged)


def test_a_board_of_version_1_is_sent_only_runs_with_a_score_and_nothing_waits_for_it(tmp_path: pathlib.Path) -> None:
    event = Event(tmp_path)
    event.network.version = "results/1"
    event.finish("anna", (9000, 9100))
    event.finish("tom", (8000, 8100, 8200))
    assert event.settle() == {"tom": 8100}
    assert (states(event), event.sync.waiting) == ({"tom": "ranked"}, 0)
    assert any("stays at the station: the leaderboard takes only runs with a score" in line for line in event.logged)
    assert summary(event.attempts.records(), 2, alive=True).pending == 0
    event.finish("anna", (9000, 9100, 9200), revision=2)  # what was kept holds no later revision back
    assert event.settle() == {"tom": 8100, "anna": 9100}
    # Another process reads what was kept; once the leaderboard is a newer one, it is posted too.
    event.start()
    event.settle()
    assert event.board.snapshot("cup").results == 2
    event.network.version = ""
    event.start()
    event.settle()
    assert (event.board.snapshot("cup").results, event.sync.waiting) == (3, 0)
    assert event.board.standings("cup")[1].score_ms == 9100, "an older revision changes nothing"


def test_a_setting_leaves_runs_without_a_score_at_the_station(tmp_path: pathlib.Path) -> None:
    event = Event(tmp_path)
    event.start(unqualified_runs=False)
    event.finish("anna", (9000, 9100))
    event.settle()
    assert (states(event), event.sync.waiting) == ({}, 0)
    assert "[sync] `unqualified_runs`" in event.logged[-1]


def test_a_station_may_post_to_a_race_that_takes_both_kinds(tmp_path: pathlib.Path) -> None:
    event = Event(tmp_path)
    event.board.create_race(dataclasses.replace(_as_the_organiser(event.race), venue="any"), 1)
    event.finish("anna", (9000, 9100, 9200))
    assert event.settle() == {"anna": 9100}
    assert event.logged[0] == "The leaderboard is ready for the race 'cup'."


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
