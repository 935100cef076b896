"""A run is armed on healthy gates in race mode, or with an official's reason; test crossings reach no race."""

import pytest

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from tests.station.core.scripted_race import UTC, Hand, S, moment, only


def report_health(hand: Hand, healthy: bool = False, gate: str = "start") -> tuple[f.Fact, ...]:
    return hand.do(e.GateReported(moment(1), gate, healthy, "The cable is out."))


def set_mode(hand: Hand, mode: e.Mode, at_ns: int) -> tuple[f.Fact, ...]:
    return hand.do(e.SetMode(author="judge", mode=mode, moment=moment(at_ns)))


def test_no_run_is_armed_on_a_gate_that_is_not_well() -> None:
    hand = Hand()
    assert only(report_health(hand), f.GateHealthChanged) == [f.GateHealthChanged("start", False, "The cable is out.")]
    assert report_health(hand) == ()
    [refused] = only(hand.open(), f.CommandRefused)
    assert refused.sentence == (
        "The gate start is not ready (The cable is out.): fix it, or give an `override_reason`."
    )
    assert hand.engine.run is None
    report_health(hand, healthy=True)
    assert only(hand.open(), f.RunOpened)
    assert not only(hand.facts[-1], f.GateOverridden)


@pytest.mark.parametrize("command", ["open", "arm"])
def test_an_official_may_override_and_that_is_kept(command: str) -> None:
    hand = Hand()
    if command == "arm":
        hand.open()
    report_health(hand)
    word = "the other gate counts"
    order: e.Command = (
        e.OpenRun(author="judge", racer="Ann", car="car-1", override_reason=word, moment=moment(2))
        if command == "open"
        else e.ArmRun(author="judge", override_reason=word, moment=moment(2))
    )
    facts = hand.do(order)
    assert only(facts, f.GateOverridden) == [f.GateOverridden("start", "The cable is out.", "judge", word)]
    assert only(facts, f.CarOrdered)


def test_a_blocked_beam_is_not_fit() -> None:
    hand = Hand()
    hand.edge(1 * S)
    hand.tick(8 * S)
    assert "blocked: beam" in only(hand.open(at_ns=9 * S), f.CommandRefused)[0].sentence
    hand.edge(10 * S, broken=False)
    assert only(hand.open(at_ns=11 * S), f.RunOpened)


def test_a_gate_that_was_taken_away_stops_nobody() -> None:
    hand = Hand(None, e.GateSpec("start"), e.GateSpec("sector-1", kind="split"))
    report_health(hand, gate="sector-1")
    assert only(hand.open(), f.CommandRefused)
    hand.do(e.Booted(moment(5), "station-1", (e.GateSpec("start"),)))
    assert only(hand.open(), f.RunOpened)


def test_test_crossings_reach_no_race() -> None:
    hand = Hand(RaceRules(max_laps=3))
    assert only(set_mode(hand, "test", 1 * S), f.ModeChanged) == [f.ModeChanged(1, "test", "judge")]
    assert "is in test mode already" in only(set_mode(hand, "test", 1 * S), f.CommandRefused)[0].sentence
    assert "go back to race mode" in only(hand.open(at_ns=2 * S), f.CommandRefused)[0].sentence
    assert only(hand.cross(3 * S), f.Unattributed)[0].why == "it was made in test mode"
    assert only(set_mode(hand, "race", 20 * S), f.ModeChanged) == [f.ModeChanged(2, "race", "judge")]
    hand.open(at_ns=20 * S)
    hand.go(20 * S)
    late = hand.cross(19 * S)  # its edge was on its way when the mode changed
    assert only(late, f.Unattributed)[0].why == "it was made in test mode"
    assert only(hand.cross(21 * S), f.RunStarted)


def test_a_late_test_edge_of_another_clock_is_known_by_its_time_of_day() -> None:
    hand = Hand()
    hand.do(e.ClockPair(e.Moment("gate-boot", 5 * S, UTC + 105 * S)))
    set_mode(hand, "test", 100 * S)
    set_mode(hand, "race", 120 * S)
    hand.open(at_ns=120 * S)
    hand.go(120 * S)
    assert only(hand.cross(19 * S, boot="gate-boot"), f.Unattributed)[0].why == "it was made in test mode"
    assert only(hand.cross(21 * S, boot="gate-boot"), f.RunStarted)


@pytest.mark.parametrize("phase", ["armed", "running"])
def test_the_mode_stays_while_a_run_is_on(phase: str) -> None:
    hand = Hand()
    hand.open()
    if phase == "running":
        hand.go()
        hand.cross(1 * S)
    assert (
        f"cannot be done while the run is {phase}" in only(set_mode(hand, "test", 2 * S), f.CommandRefused)[0].sentence
    )


def test_what_a_driver_noticed_is_kept_and_changes_nothing() -> None:
    hand = Hand()
    for number in range(12):
        note = e.GateNote("start", "missed_numbers", f"The number {number} is missing.", 1, moment=moment(number * S))
        [noted] = hand.do(note)
        assert noted == f.GateNoteStored("start", "missed_numbers", note.sentence, 1, UTC + number * S)
    notes = hand.engine.readiness.notes["start"]
    assert [noted.sentence.split()[2] for noted in notes] == ["11", "10", "9", "8", "7", "6", "5", "4"]
    assert only(hand.open(), f.RunOpened)  # a note is not a fault
