"""The answer to a ruling says what it changed: the lap, the score and the place, before and after."""

import pytest

from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.views.command_answers import RulingEffect
from station.views.ruling_effect import ruling_effect, run_snapshot
from station.web.command_parser import parse_command
from tests.station.core.scripted_race import Hand, S, moment

RULES = RaceRules(method="best_lap", consecutive_laps=1)


def ruled(hand: Hand, command: e.Command) -> RulingEffect:
    before = run_snapshot(hand.engine, command)
    hand.do(command)
    found = ruling_effect(before, run_snapshot(hand.engine, command))
    assert found is not None
    return found


def three() -> Hand:
    """Ann with 10.0 s, Ben with 11.0 s, and Cem with 9.5 s, whose run is the last."""
    hand = Hand(RULES)
    for number, (racer, lap_s) in enumerate((("Ann", 10.0), ("Ben", 11.0), ("Cem", 9.5))):
        begin = 10 + 50 * number
        hand.drive((begin, begin + lap_s, begin + 2 * lap_s + 2), racer)
        hand.do(e.FinishRun(author="judge", moment=moment((begin + 40) * S)))
    return hand


def penalty(seconds: float) -> e.AddPenalty:
    return e.AddPenalty(author="judge", reason="pushed", number=1, seconds=seconds, moment=moment(200 * S))


def test_a_penalty_says_lap_score_and_place() -> None:
    found = ruled(three(), penalty(1.5))
    assert (found.before.lap_ms, found.after.lap_ms) == (9_500, 11_000)
    assert (found.before.score_ms, found.after.score_ms) == (9_500, 11_000)
    assert (found.before.place, found.after.place) == (1, 3)
    assert found.sentence == "Lap 1: 9.500 → 11.000. Score: 9.500 → 11.000. Place: 1 → 3."


def test_what_stays_is_said_too() -> None:
    found = ruled(three(), penalty(0.2))
    assert found.sentence == "Lap 1: 9.500 → 9.700. Score: 9.500 → 9.700. Place: 1, as before."


def test_a_void_lap_and_a_run_that_loses_its_score() -> None:
    hand = three()
    void = e.VoidLap(author="judge", reason="cut", number=1, moment=moment(200 * S))
    assert ruled(hand, void).sentence == ("Lap 1: 9.500 → 9.500 (does not count). Score: 9.500 → 11.500. Place: 1 → 3.")
    void = e.VoidLap(author="judge", reason="cut", number=2, moment=moment(201 * S))
    assert "Score: 11.500 → none. Place: 3 → none." in ruled(hand, void).sentence


def test_while_the_run_is_on_its_place_is_where_it_would_stand() -> None:
    hand = three()
    hand.drive((210, 219, 229), "Dee")
    off = e.OffTrack(author="marshal", moment=moment(225 * S), at_ns=215 * S)
    assert ruled(hand, off).sentence == "Lap 1: 9.000, as before. Score: 9.000, as before. Place: 1, as before."
    late = e.AddPenalty(author="judge", number=1, seconds=1.2, moment=moment(226 * S))
    assert ruled(hand, late).sentence == "Lap 1: 9.000 → 10.200. Score: 9.000 → 10.000. Place: 1 → 3."


def test_what_is_no_ruling_has_no_effect_to_tell() -> None:
    hand = three()
    assert run_snapshot(hand.engine, e.HandTime(author="judge", moment=moment(1))) is None
    assert run_snapshot(Hand(RULES).engine, penalty(1.0)) is None, "no run yet"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1,5", 1.5), ("1.5", 1.5), (" 2 s", 2.0), ("-0,25", -0.25), ("−3", -3.0), ("0,500", 0.5), (1.5, 1.5), (2, 2.0)],
)
def test_seconds_are_read_as_people_write_them(written: object, seconds: float) -> None:
    command = parse_command({"command": "add_penalty", "number": 1, "seconds": written})
    assert isinstance(command, e.AddPenalty)
    assert command.seconds == seconds
