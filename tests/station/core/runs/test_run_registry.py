"""How far back rulings reach: old runs are evicted, but standings and attempts still count them."""

import pytest

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.race.race import Race
from station.core.runs.run_registry import RunRegistry
from station.views.projection import standing_lines
from tests.station.core.scripted_race import Hand


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    """A race in which rulings reach back three runs; Ann's first run is the best of all."""
    made = Race.__init__

    def short(self: Race, *arguments: object) -> None:
        made(self, *arguments)  # type: ignore[arg-type]
        self.registry = RunRegistry(reach=3)

    monkeypatch.setattr(Race, "__init__", short)
    return Hand(RaceRules(max_laps=3))


def drive(hand: Hand, racer: str, lap_s: float, number: int) -> None:
    begun_s = 1000.0 * number
    hand.drive([begun_s + lap_s * lap for lap in range(4)], racer)


def test_rulings_reach_back_so_far_and_no_further(hand: Hand) -> None:
    for number, racer in enumerate(["Ann", "Bob", "Bob", "Bob", "Bob", "Ann"], 1):
        drive(hand, racer, 7.0 + number, number)
    race = hand.engine.race
    assert race is not None
    assert list(race.runs) == ["run-1", "run-2", "run-5", "run-6"]  # the bests of both, and the newest
    facts = hand.do(e.VoidLap(author="judge", reason="late", number=1, run_id="run-3"))
    assert isinstance(facts[0], f.CommandRefused)
    assert "too old for a ruling" in facts[0].sentence
    again = hand.open("Cid", run_id="run-3", at_ns=8_000_000_000_000)
    assert isinstance(again[0], f.CommandRefused)
    assert "already a run" in again[0].sentence


def test_standing_and_attempts_forget_nothing(hand: Hand) -> None:
    for number in range(1, 9):
        drive(hand, "Ann", 7.0 + number, number)
    race = hand.engine.race
    assert race is not None
    assert [(line.racer, line.score_ms) for line in race.standings.lines()] == [("Ann", 8000)]
    assert race.standings.runs_of("Ann") == 8
    opened = [fact for fact in hand.open("Ann", at_ns=9_000_000_000_000) if isinstance(fact, f.RunOpened)]
    assert (opened[0].run_id, opened[0].attempt) == ("run-9", 9)


def test_a_best_that_is_voided_makes_room_for_the_next_however_far_back(hand: Hand) -> None:
    for number in range(1, 7):
        drive(hand, "Ann", 7.0 + number, number)
    race = hand.engine.race
    assert race is not None
    assert list(race.runs) == ["run-1", "run-5", "run-6"]
    hand.do(e.VoidLap(author="judge", reason="short cut", number=2, run_id="run-1"))
    assert race.standings.lines()[0].score_ms == 9000
    assert race.standings.run_behind("Ann") == "run-2"
    assert standing_lines(race)[0].model == ""
