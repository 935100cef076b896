"""The best laps of a race and of each racer, updated as laps are made, ruled on and undone."""

import pytest

from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.views.best_laps import BestLap, BestLaps
from tests.station.core.scripted_race import UTC, Hand, S, moment

RULES = RaceRules(max_laps=3, off_track_penalty_s=2.0)


@pytest.fixture
def hand() -> Hand:
    made = Hand(RULES)
    made.drive([0, 10, 19, 29], racer="Ann")
    made.drive([100, 108, 118, 128], racer="Bob")
    made.drive([200, 208, 218, 228], racer="Ann")
    return made


def best_laps_of(hand: Hand) -> BestLaps:
    bests = BestLaps()
    assert hand.engine.race is not None
    bests.update(hand.engine.race, ())
    return bests


def test_the_earlier_of_two_equal_laps_leads(hand: Hand) -> None:
    bests = best_laps_of(hand)
    assert bests.of_race() == BestLap(8 * S, UTC + 108 * S, "Bob")
    assert (bests.of_racer("Ann"), bests.of_racer("Bob"), bests.of_racer("Eve")) == (8 * S, 8 * S, None)


def test_a_ruling_moves_them(hand: Hand) -> None:
    bests = best_laps_of(hand)
    for command in (
        e.VoidLap(author="judge", reason="cut", number=1, run_id="run-2", moment=moment(300 * S)),
        e.AddPenalty(author="judge", reason="pushed", number=1, seconds=1.5, run_id="run-3", moment=moment(301 * S)),
    ):
        hand.do(command)
    assert hand.engine.race is not None
    bests.update(hand.engine.race, ["run-2", "run-3", "run-9"])
    assert bests.of_race() == BestLap(9 * S, UTC + 19 * S, "Ann")
    assert bests.of_racer("Bob") == 10 * S


def test_an_abandoned_run_and_another_race_hold_none(hand: Hand) -> None:
    hand.open("Eve", at_ns=400 * S)
    hand.go(400 * S)
    hand.cross(401 * S)
    hand.cross(406 * S)
    hand.do(e.AbandonRun(author="judge", moment=moment(407 * S)))
    bests = best_laps_of(hand)
    assert bests.of_racer("Eve") is None
    hand.do(e.OpenRace(moment(500 * S), "race-2", "Another", RULES))
    assert hand.engine.race is not None
    bests.update(hand.engine.race, ())
    assert bests.of_race() is None
