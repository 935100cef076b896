"""Turns of LIVE virtual races: given to one node a launch, reported once, ended by officials; only they count."""

import dataclasses
import pathlib
from collections.abc import Iterator

import pytest

from leaderboard.build import open_board
from leaderboard.core.access import ADMIN
from leaderboard.core.errors import Conflict, Gone, NotAllowed
from leaderboard.core.live.turn import COUNTDOWN_NS, QueueItem
from leaderboard.evaluations.live.live_turns import LiveTurns
from leaderboard.live_races import rows as live_rows
from leaderboard.live_races.feeds import MemoryFeeds
from leaderboard.live_races.service import LiveRaces
from shared.conditions import ENGINE
from shared.protocol.farm import RunFailure, RunReport
from shared.protocol.farm_shows import LiveTurn, LiveTurnRequest
from shared.protocol.live import LiveMessage
from shared.rules.ranking import RunLap
from shared.units import NS_PER_S
from tests.leaderboard.evaluations.virtual_league import PracticeFarm, VirtualLeague, farm_key, virtual

TRACE = "ab" * 32


class LiveFinal:
    """A LIVE race 'final' of leo and mia, who have submitted, and of tom, who has not."""

    def __init__(self, league: VirtualLeague) -> None:
        self.league, self.told = league, list[str]()
        league.open_race(virtual("final", live=True))
        for racer in ("leo", "mia"):
            league.submit(racer, race_id="final")
        self.live = LiveRaces(league.store, MemoryFeeds())
        self.turns = LiveTurns(league.store, self.live, self.told.append)
        self.live.add(ADMIN, "final", ["leo", "mia", "tom"], league.now_utc_ns, entries=False)

    def item(self, racer: str) -> QueueItem:
        items = self.live.state("final", self.league.now_utc_ns).queue.items
        return next(each for each in items if each.racer == racer)

    def launch(self, racer: str) -> None:
        version = self.live.state("final", self.league.now_utc_ns).queue.version
        item = self.item(racer)
        again = item.state not in ("pending", "called")
        launch = self.live.relaunch if again else self.live.launch
        launch(ADMIN, "final", version, self.league.now_utc_ns, item.item_id)

    def claim(self, node: str = "n1", farm: str = "farm-1", engine: str = ENGINE) -> LiveTurn | None:
        asked = LiveTurnRequest(node, engine)
        return self.turns.claim(farm_key(farm), asked, self.league.now_utc_ns).turn

    def report(self, turn: LiveTurn, lap_s: float, farm: str = "farm-1") -> bytes:
        laps = tuple(RunLap(number, round(lap_s * NS_PER_S), round(number * lap_s * NS_PER_S)) for number in (1, 2, 3))
        report = RunReport(laps, TRACE, turn.conditions_sha256, 900)
        now = self.league.now_utc_ns
        return self.turns.report(farm_key(farm), turn.turn, turn.launch, report, now)


@pytest.fixture
def final(tmp_path: pathlib.Path) -> Iterator[LiveFinal]:
    board = open_board(tmp_path / "board.db")
    yield LiveFinal(VirtualLeague(board.store, tmp_path / "models"))
    board.close()


def test_one_node_drives_a_launch_and_its_result_is_on_the_board_once(final: LiveFinal) -> None:
    league = final.league
    assert final.claim() is None  # nothing is launched
    final.launch("leo")
    assert final.claim(engine="another") is None
    seen = final.live.state("final", league.now_utc_ns).queue.version
    turn = final.claim()
    assert turn is not None
    assert final.claim("n2") is None
    assert (
        final.live.state("final", league.now_utc_ns).queue.version == seen
    )  # an official's press is as good as before
    assert (turn.racer, turn.launch, turn.starts_in_ms, turn.run_ms) == ("leo", 1, 10_000, 180_000)
    assert turn.conditions.sha256 == turn.conditions_sha256
    assert turn.model_sha256 == league.submission("s00000").model_sha256
    with league.store.read() as db:
        assert live_rows.drives_model(db, "farm-1", turn.model_sha256)
        assert not live_rows.drives_model(db, "farm-2", turn.model_sha256)
    with pytest.raises(Gone):
        final.report(turn, 9.0)  # the countdown is not over
    league.pass_s(10)
    told = final.live.receive("key:n1", LiveMessage("final", "leo", "b", 1), league.now_utc_ns)
    assert (told.turn, told.launch, told.speed_percent) == (turn.turn, 1, 100)
    league.pass_s(40)
    with pytest.raises(Gone):
        final.report(turn, 9.0, farm="farm-2")
    answer = final.report(turn, 9.0)
    assert b"It scored 9.000: place 1 of 1." in answer
    assert final.report(turn, 9.0) == answer
    with pytest.raises(Conflict):
        final.report(turn, 8.0)
    assert (final.item("leo").state, league.standing("final"), final.told[0]) == ("done", [("leo", 9000)], "final")


def test_an_official_ends_a_run_and_launches_it_again(final: LiveFinal) -> None:
    league = final.league
    final.launch("mia")
    first = final.claim()
    assert first is not None
    league.pass_s(COUNTDOWN_NS / NS_PER_S + 20)
    final.launch("mia")
    with pytest.raises(Gone):
        final.report(first, 9.0)
    second = final.claim("n2")
    assert second is not None
    assert (second.launch, second.seed) == (2, first.seed)
    league.pass_s(200)  # its time is up by the clock; the result arrives a moment later
    final.report(second, 9.5)
    final.launch("leo")
    third = final.claim()
    assert third is not None
    assert third.seed == first.seed  # the same car and the same light for everybody
    failure = RunFailure("model", "The model answered no number.")
    for _ in range(2):
        final.turns.fail(farm_key(), third.turn, third.launch, failure, league.now_utc_ns)
    leo = final.item("leo")
    assert (leo.state, leo.reason) == ("failed", "The model answered no number.")
    assert league.standing("final") == [("mia", 9500)]


def test_who_has_no_model_fails_with_the_reason_and_late_nodes_get_nothing(final: LiveFinal) -> None:
    final.launch("tom")
    assert final.claim() is None
    tom = final.item("tom")
    assert (tom.state, tom.reason.startswith("There is no model of this racer")) == ("failed", True)
    final.launch("leo")
    final.league.pass_s(187)
    assert final.claim() is None  # three seconds are left
    key = dataclasses.replace(farm_key(), key_scopes=frozenset({"live:write"}))
    with pytest.raises(NotAllowed):
        final.turns.claim(key, LiveTurnRequest("n1", ENGINE), final.league.now_utc_ns)


def test_what_is_submitted_to_a_live_race_is_tried_and_counts_for_nothing(final: LiveFinal) -> None:
    PracticeFarm(lambda: final.league).drive_all()
    assert final.league.standing("final") == []
    tried = final.league.submission("s00000")
    assert tried.state == "scored"
    assert tried.sentence.startswith("It was tried and made ")
    final.launch("leo")
    turn = final.claim()
    assert turn is not None
    assert turn.model_sha256 == tried.model_sha256
