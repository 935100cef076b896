"""A sensor's time is replaced only by what another witness gave, with its uncertainty, and can be had back."""

import pytest

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from tests.station.core.scripted_race import MS, Hand, S, moment, only

RULES = RaceRules(method="best_lap", consecutive_laps=1)
LATER = moment(200 * S)


def replaced(hand: Hand, witness: str, number: int = 2, run_id: str = "") -> tuple[f.Fact, ...]:
    return hand.do(
        e.ReplaceCrossing(
            author="Ruth",
            reason="a hand in the beam",
            number=number,
            witness=witness,  # type: ignore[arg-type]
            run_id=run_id,
            moment=LATER,
        )
    )


def witnessed() -> Hand:
    """Laps of 10 s by the gate, each with the car's report 40 ms earlier, and a hand time 0.2 s after the second."""
    hand = Hand(RULES)
    hand.drive((10,))
    for number in range(1, 5):
        at_ns = (10 + 10 * number) * S
        hand.cross(at_ns)
        if number == 2:
            hand.do(e.HandTime(author="Ruth", moment=moment(at_ns + 200 * MS)))
        hand.report(at_ns - 40 * MS + 500 * S, 10 * S, at_ns + 300 * MS)
    hand.do(e.FinishRun(author="Ruth", moment=moment(60 * S)))
    return hand


def test_a_hand_time_replaces_the_sensors_with_its_own_uncertainty_and_gives_it_back() -> None:
    hand = witnessed()
    (fact,) = only(replaced(hand, "hand"), f.CrossingReplaced)
    assert (fact.number, fact.witness, fact.by_ns, fact.uncertainty_ns) == (2, "hand", 200 * MS, 100 * MS)
    assert [lap.lap_ns for lap in hand.laps] == [10 * S, 10 * S + 200 * MS, 10 * S - 200 * MS, 10 * S]
    assert [lap.source for lap in hand.laps] == ["gate", "hand", "hand", "gate"]
    assert hand.laps[1].reason == "timed by hand"
    (back,) = only(replaced(hand, "gate"), f.CrossingReplaced)
    assert back.by_ns == -200 * MS
    assert [lap.source for lap in hand.laps] == ["gate"] * 4
    assert hand.lap_times == [10 * S] * 4


def test_the_cars_report_is_a_witness_as_good_as_its_clock() -> None:
    hand = witnessed()
    (fact,) = only(replaced(hand, "car", 3), f.CrossingReplaced)
    assert abs(fact.by_ns) < 100 * MS
    assert fact.uncertainty_ns >= 25 * MS
    assert hand.laps[2].source == "car"


def test_system_b_is_a_witness_by_the_other_passes() -> None:
    hand = Hand(RULES, e.GateSpec("start"), e.GateSpec("backup", system="B"))
    hand.open(at_ns=S)
    hand.go(S)
    for number in range(6):
        at_ns = (10 + 10 * number) * S
        hand.edge(at_ns)
        hand.do(e.Edge("backup", "beam", True, at_ns + 3 * MS + (number == 2) * MS, number + 1, "boot-b"))
    (fact,) = only(replaced(hand, "system_b"), f.CrossingReplaced)
    assert (fact.witness, fact.by_ns, fact.uncertainty_ns) == ("system_b", MS, 0)
    assert hand.laps[1].source == "system_b"


@pytest.mark.parametrize(
    ("witness", "number", "why"),
    [
        ("hand", 1, "Nobody took a hand time"),
        ("system_b", 2, "System B has no crossing"),
        ("gate", 2, "its own source already"),
        ("hand", 9, "has no crossing 9"),
        ("car", 0, "The car reported nothing"),
    ],
)
def test_a_witness_that_gave_nothing_replaces_nothing(witness: str, number: int, why: str) -> None:
    hand = witnessed()
    before = hand.laps
    assert why in only(replaced(hand, witness, number), f.CommandRefused)[0].sentence
    assert hand.laps == before


def test_the_first_crossing_moves_the_runs_start_with_it() -> None:
    hand = Hand(RULES)
    hand.drive((10,))
    hand.do(e.HandTime(author="Ruth", moment=moment(10 * S - 150 * MS)))
    hand.cross(20 * S)
    facts = replaced(hand, "hand", 0)
    assert [fact.at_ns for fact in only(facts, f.RunStarted)] == [10 * S - 150 * MS]
    assert hand.laps[0].lap_ns == 10 * S + 150 * MS


def test_a_replay_gives_the_same_facts() -> None:
    hand = witnessed()
    for witness in ("hand", "car", "gate", "hand"):
        replaced(hand, witness)
    again = Engine()
    assert [again.handle(event) for event in hand.inputs] == hand.facts
