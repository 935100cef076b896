"""Heats of LIVE virtual races: two models in one world, both runs on the board, who won in queue and bracket."""

import json
import pathlib
from collections.abc import Iterator

import pytest

from leaderboard.accounts.data import traces
from leaderboard.accounts.data.traces import RacerTrace
from leaderboard.build import open_board
from leaderboard.core.access import ADMIN
from leaderboard.core.errors import Conflict, Gone
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import COUNTDOWN_NS, QueueItem
from leaderboard.core.seasons.bracket import HeatResult
from leaderboard.evaluations.brackets.live_heats import LiveBrackets
from leaderboard.evaluations.live.live_turns import LiveTurns
from leaderboard.live_races import rows as live_rows
from leaderboard.live_races.feeds import MemoryFeeds
from leaderboard.live_races.service import LiveRaces
from leaderboard.seasons.brackets import BracketService, WantedBracket
from leaderboard.store.tables import HEAT_RUNS
from shared.conditions import ENGINE
from shared.errors import Refused
from shared.protocol.farm import LiveHeatReport, RunFailure, RunReport
from shared.protocol.farm_shows import HeatReason, LiveTurn, LiveTurnRequest
from shared.protocol.live import LiveMessage, RivalCar
from shared.rules.ranking import RunLap
from shared.units import NS_PER_S
from tests.leaderboard.evaluations.virtual_league import PracticeFarm, VirtualLeague, farm_key, virtual

RACERS = ("leo", "mia", "kim", "zoe")
TRACES = ("ab" * 32, "cd" * 32)
OUTCOME = "mia wins: first over the line, by 0.250 s"


class LiveCup:
    """A LIVE head-to-head race of four, who have submitted, and of tom, who has not."""

    def __init__(self, league: VirtualLeague) -> None:
        self.league = league
        league.open_race(virtual("final", live=True, race_type="head_to_head"))
        for racer in RACERS:
            league.submit(racer, race_id="final")
        self.live = LiveRaces(league.store, MemoryFeeds())
        self.turns = LiveTurns(league.store, self.live, league.told.append)
        self.brackets = BracketService(league.store)

    @property
    def queue(self) -> LiveQueue:
        return self.live.state("final", self.league.now_utc_ns).queue

    def heat(self, first: str = "leo", second: str = "mia") -> QueueItem:
        return self.live.heats.add(ADMIN, "final", first, second, self.league.now_utc_ns).items[-1]

    def launch(self, item_id: str = "") -> None:
        item = self.queue.item(item_id) if item_id else None
        again = item is not None and item.state not in ("pending", "called")
        launch = self.live.relaunch if again else self.live.launch
        launch(ADMIN, "final", self.queue.version, self.league.now_utc_ns, item_id)

    def claim(self) -> LiveTurn | None:
        return self.turns.claim(farm_key(), LiveTurnRequest("n1", ENGINE), self.league.now_utc_ns).turn

    def driven(self, item_id: str = "", pass_s: float = 40) -> LiveTurn:
        """Launch a heat and let it be driven."""
        self.launch(item_id)
        turn = self.claim()
        assert turn is not None
        self.league.pass_s(COUNTDOWN_NS / NS_PER_S + pass_s)
        return turn

    def report(self, turn: LiveTurn, winner: int | None = 1, farm: str = "farm-1", by_ms: int = 250) -> bytes:
        runs = tuple(
            RunReport(
                tuple(RunLap(n, 9 * NS_PER_S, n * 9 * NS_PER_S + (side != winner) * by_ms * 10**6) for n in (1, 2, 3)),
                TRACES[side],
                turn.conditions_sha256,
                900,
            )
            for side in (0, 1)
        )
        reason: HeatReason = "level" if winner is None else "first_to_finish"
        report = LiveHeatReport((runs[0], runs[1]), winner, reason, None if winner is None else by_ms)
        return self.turns.report_heat(farm_key(farm), turn.turn, turn.launch, report, self.league.now_utc_ns)


@pytest.fixture
def cup(tmp_path: pathlib.Path) -> Iterator[LiveCup]:
    board = open_board(tmp_path / "board.db")
    yield LiveCup(VirtualLeague(board.store, tmp_path / "models"))
    board.close()


def test_two_drive_at_once_and_what_they_drove_counts_once(cup: LiveCup) -> None:
    heat, league = cup.heat(), cup.league
    turn = cup.driven(heat.item_id)
    assert turn.rival is not None
    assert (turn.racer, turn.rival.racer) == ("leo", "mia")
    assert [turn.model_sha256, turn.rival.model_sha256] == [
        league.submission(each).model_sha256 for each in ("s00000", "s00001")
    ]
    with league.store.read() as db:
        assert all(live_rows.drives_model(db, "farm-1", side) for side in (turn.model_sha256, turn.rival.model_sha256))
    cup.live.set_speed(ADMIN, "final", league.now_utc_ns, 120, "mia")
    message = LiveMessage("final", "leo", "b", 1, rival=RivalCar("mia", sectors=(3000, None, None)), ahead_m=-0.5)
    told = cup.live.receive("key:n1", message, league.now_utc_ns)
    assert (told.racer, told.speed_percent, told.rival, told.rival_speed_percent) == ("leo", 100, "mia", 120)
    picture = cup.live.state("final", league.now_utc_ns).picture
    assert picture is not None
    assert picture.rival_levels == ("best", "pending", "pending")
    run = RunReport((), TRACES[0], turn.conditions_sha256, 1)
    with pytest.raises(Refused, match="report the runs of both"):
        cup.turns.report(farm_key(), turn.turn, turn.launch, run, league.now_utc_ns)
    with pytest.raises(Gone):
        cup.report(turn, farm="farm-2")
    answer = cup.report(turn)
    assert json.loads(answer)["sentence"] == OUTCOME
    assert cup.report(turn) == answer
    for winner, by_ms in ((0, 250), (1, 300)):
        with pytest.raises(Conflict):
            cup.report(turn, winner, by_ms=by_ms)
    done = cup.queue.item(heat.item_id)
    assert (done.state, done.ahead, done.reason) == ("done", "mia", "first over the line, by 0.250 s")
    assert sorted(league.standing("final")) == [("leo", 9000), ("mia", 9000)]
    declared = cup.live.declare(ADMIN, "final", cup.queue.version, league.now_utc_ns)
    assert declared.winner == "mia"


def test_a_heat_that_is_launched_again_is_another_and_a_level_one_has_no_winner(cup: LiveCup) -> None:
    heat = cup.heat()
    first = cup.driven(heat.item_id)
    cup.launch(heat.item_id)
    with pytest.raises(Gone):
        cup.report(first)
    second = cup.claim()
    assert second is not None
    assert second.launch == 2
    cup.league.pass_s(300)  # its time is up by the clock; the result arrives a moment later
    assert b'"level"' in cup.report(second, None)
    assert (cup.queue.item(heat.item_id).ahead, cup.queue.item(heat.item_id).reason) == ("", "level")
    failing = cup.driven(cup.heat("kim", "zoe").item_id)
    cup.turns.fail(
        farm_key(), failing.turn, failing.launch, RunFailure("model", "kim: No number."), cup.league.now_utc_ns
    )
    assert cup.queue.items[-1].reason == "kim: No number."


def test_without_a_model_of_both_nobody_drives(cup: LiveCup) -> None:
    cup.heat("leo", "tom")
    cup.launch()
    assert cup.claim() is None
    assert cup.queue.items[0].reason.startswith("tom cannot drive: There is no model of this racer")
    cup.live.add(ADMIN, "final", ["zoe"], cup.league.now_utc_ns, entries=False)
    alone = cup.driven(cup.queue.items[-1].item_id)
    assert alone.rival is None
    with pytest.raises(Refused, match="of one racer"):
        cup.report(alone)


def test_only_where_two_drive_and_only_for_who_runs_it(cup: LiveCup) -> None:
    cup.league.open_race(virtual("solo", live=True))
    with pytest.raises(Refused, match="type head to head"):
        cup.live.heats.add(ADMIN, "solo", "leo", "mia", cup.league.now_utc_ns)
    cup.live.add(ADMIN, "solo", ["leo", "mia"], cup.league.now_utc_ns, entries=False)
    with pytest.raises(Refused, match="type head to head"):
        cup.live.heats.pair(ADMIN, "solo", 1, cup.league.now_utc_ns)
    with pytest.raises(Conflict):
        cup.live.heats.pair(ADMIN, "final", 7, cup.league.now_utc_ns)


def bracket(cup: LiveCup) -> str:
    """Of all four, whom farms have driven alone."""
    PracticeFarm(lambda: cup.league).drive_all()
    for racer in RACERS:
        cup.live.add(ADMIN, "final", [racer], cup.league.now_utc_ns, entries=False)
    for item in cup.queue.items:
        turn = cup.driven(item.item_id)
        laps = tuple(RunLap(n, 9 * NS_PER_S + RACERS.index(turn.racer), n * 9 * NS_PER_S) for n in (1, 2, 3))
        report = RunReport(laps, TRACES[0], turn.conditions_sha256, 900)
        cup.turns.report(farm_key(), turn.turn, turn.launch, report, cup.league.now_utc_ns)
    made = cup.brackets.create(ADMIN, WantedBracket("final", "Finals", 8), cup.league.now_utc_ns)
    return made.bracket.bracket_id


def test_a_bracket_is_driven_live_up_to_its_podium(cup: LiveCup) -> None:
    bracket_id, brackets = bracket(cup), LiveBrackets(cup.live, cup.brackets)
    rounds = 0
    while brackets.open_in(ADMIN, "final"):
        rounds += 1
        before = len(cup.queue.items)
        queue = brackets.add_ready(ADMIN, "final", bracket_id, cup.league.now_utc_ns)
        with pytest.raises(Refused, match="No other heat"):
            brackets.add_ready(ADMIN, "final", bracket_id, cup.league.now_utc_ns)
        for item in queue.items[before:]:
            turn = cup.driven(item.item_id)
            cup.report(turn, None if rounds == 1 else 1)
            assert cup.report(turn, None if rounds == 1 else 1)
    heats = [each for each in cup.brackets.bracket(ADMIN, bracket_id).heats if each.state == "done"]
    assert rounds == 2
    assert [(each.first, each.second, each.winner) for each in heats][:2] == [
        ("leo", "zoe", "leo"),  # level: the better seed is through
        ("mia", "kim", "mia"),
    ]
    assert (heats[-1].first, heats[-1].winner) == ("leo", "mia") or (heats[-2].first, heats[-2].winner) == (
        "leo",
        "mia",
    )
    runs = cup.league.rows(HEAT_RUNS)  # so that each is watched from the bracket
    assert len(runs) == len(heats)
    assert {(each.front_side, each.first_trace_sha256, each.second_trace_sha256) for each in runs} == {(0, *TRACES)}
    done = next(each for each in cup.queue.items if each.bracket_id)
    with pytest.raises(Refused, match="has a result in its bracket"):
        cup.launch(done.item_id)


def test_what_an_official_entered_in_the_bracket_stays(cup: LiveCup) -> None:
    bracket_id, brackets = bracket(cup), LiveBrackets(cup.live, cup.brackets)
    now = cup.league.now_utc_ns
    first, second = brackets.add_ready(ADMIN, "final", bracket_id, now).waiting
    turn = cup.driven(first.item_id)
    cup.brackets.enter(ADMIN, bracket_id, first.heat, HeatResult(first.racer), now)
    assert b"wins" in cup.report(turn, 1)  # what was driven is told; the bracket has the official's word
    assert cup.brackets.bracket(ADMIN, bracket_id).heats[first.heat - 1].winner == first.racer
    cup.brackets.enter(ADMIN, bracket_id, second.heat, HeatResult(second.racer), now)
    with pytest.raises(Refused, match="Nobody who waits can drive"):
        cup.launch()
    with pytest.raises(Refused, match="of another race"):
        brackets.add_ready(ADMIN, "solo", bracket_id, now)


def test_a_racer_who_leaves_is_forgotten_in_heats_too(cup: LiveCup) -> None:
    cup.report(cup.driven(cup.heat().item_id))
    failing = cup.driven(cup.heat("kim", "mia").item_id)
    cup.turns.fail(farm_key(), failing.turn, failing.launch, RunFailure("model", "mia: No."), cup.league.now_utc_ns)
    with cup.league.store.write() as db:
        traces.rename(db, RacerTrace("final", "", "mia", "mia"), "deleted 7", forget=True)
    first, second = cup.queue.items
    assert (first.rival, first.rival_name, first.ahead) == ("deleted 7",) * 3
    assert (second.rival, second.reason) == ("deleted 7", "deleted 7: No.")
