"""Car reports as witnesses: on the gate's clock or the car's own, late, repeated, missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.core import facts as f
from station.core import inputs as e
from tests.station.core.scripted_race import BOOT, MS, QUICK, Hand, S, moment, only

OFFSET = 77_000 * S  # the car's clock minus the gate's


def confirmed(hand: Hand) -> list[bool]:
    return [lap.confirmed for lap in hand.laps]


def car_reports(
    hand: Hand, at_ns: int, lap_ns: int | None, late_ns: int = 100 * MS, offset: int = OFFSET
) -> tuple[f.Fact, ...]:
    boot = BOOT if not offset else "car-boot"
    return hand.report(at_ns + offset, lap_ns, at_ns + late_ns, boot)


@pytest.mark.parametrize("offset", [0, OFFSET, -3 * S])
def test_each_report_confirms_its_lap(offset: int) -> None:
    hand = Hand()
    hand.drive([1])
    car_reports(hand, 1 * S + 20 * MS, None, offset=offset)
    for number, at_s in enumerate((9, 18, 26), 1):
        hand.cross(at_s * S)
        lap_ns = hand.lap_times[-1] + 30 * MS
        facts = car_reports(hand, at_s * S + 50 * MS, lap_ns, offset=offset)
        assert only(facts, f.LapConfirmed)[0].lap.number == number
        assert only(facts, f.LapConfirmed)[0].difference_ns == 30 * MS
    assert confirmed(hand) == [True] * 3


def test_reports_ahead_of_the_gate_wait_for_it() -> None:
    hand = Hand()
    hand.drive([1])
    car_reports(hand, 1 * S, None, offset=0)
    car_reports(hand, 9 * S - 200 * MS, 8 * S - 200 * MS, late_ns=10 * MS, offset=0)
    assert only(hand.cross(9 * S), f.LapConfirmed)


def test_a_backlog_confirms_all_at_once() -> None:
    hand = Hand()
    stamps = [1.0, 9.0, 17.5, 25.25, 34.0]
    hand.drive(stamps)
    last = None
    for at_s in stamps:
        at_ns = round(at_s * S)
        hand.report(at_ns + OFFSET, None if last is None else at_ns - last, 60 * S)
        last = at_ns
    assert confirmed(hand) == [True] * 4


def test_a_repeat_changes_nothing() -> None:
    hand = Hand()
    hand.drive([1, 9])
    report = e.CarReport("car-1", "car-boot", 1, 9 * S, BOOT, moment(9 * S), 8 * S)
    assert only(hand.do(report), f.LapConfirmed)
    assert hand.do(report) == ()


def test_another_duration_confirms_nothing() -> None:
    hand = Hand()
    hand.drive([1, 9])
    assert not only(car_reports(hand, 9 * S, 5 * S, offset=0), f.LapConfirmed)
    assert confirmed(hand) == [False]


def test_the_report_of_the_last_lap_may_come_after_the_run() -> None:
    hand = Hand()
    hand.drive([1, 9, 18])
    hand.do(e.FinishRun(author="judge", moment=moment(19 * S)))
    car_reports(hand, 18 * S, 9 * S, offset=0)
    assert confirmed(hand) == [False, True]


def test_a_missed_crossing_is_proposed_and_confirmed_once_added() -> None:
    hand = Hand()
    hand.drive([1, 9])
    car_reports(hand, 1 * S, None)
    car_reports(hand, 9 * S, 8 * S)
    car_reports(hand, 17 * S, 8 * S)  # the gate is blind here
    facts = hand.cross(25 * S)
    proposal = only(facts, f.Proposal)[0]
    assert (proposal.kind, proposal.run_id) == ("missed_crossing", "run-1")
    assert abs(proposal.at_ns - 17 * S) < 100 * MS
    car_reports(hand, 25 * S, 8 * S)
    assert confirmed(hand) == [True, False]
    hand.do(e.AddCrossing(author="judge", at_ns=proposal.at_ns, moment=moment(30 * S)))
    assert confirmed(hand) == [True, True, True]


def test_a_false_crossing_is_proposed() -> None:
    hand = Hand()
    hand.drive([1, 9])
    car_reports(hand, 1 * S, None)
    car_reports(hand, 9 * S, 8 * S)
    hand.cross(13 * S)  # a hand in the beam
    hand.cross(17 * S)
    facts = car_reports(hand, 17 * S, 8 * S)
    proposals = only(facts, f.Proposal)
    assert [(p.kind, p.at_ns) for p in proposals] == [("false_crossing", 13 * S)]
    hand.do(e.DropCrossing(author="judge", number=2, moment=moment(20 * S)))
    assert hand.lap_times == [8 * S, 8 * S]
    assert confirmed(hand) == [True, True]


def test_a_car_that_never_reports_costs_nothing() -> None:
    hand = Hand()
    hand.drive([1, 9, 17, 25])
    hand.do(e.FinishRun(author="judge", moment=moment(30 * S)))
    assert confirmed(hand) == [False] * 3
    assert hand.run.score is not None


def test_reports_of_a_car_without_a_run_are_kept_and_mean_nothing() -> None:
    hand = Hand()
    facts = hand.do(e.CarReport("car-9", "x", 1, 5 * S, "x", moment(5 * S)))
    assert facts == (f.CarReportStored("car-9", "x", 1, ""),)


@QUICK
@given(
    laps=st.lists(st.integers(4000, 20_000), min_size=3, max_size=12),
    offset=st.one_of(st.just(0), st.integers(-(10**15), 10**15)),
    noise=st.lists(st.integers(-60, 60), min_size=13, max_size=13),
    lost=st.sets(st.integers(0, 12), max_size=3),
)
def test_reports_confirm_only_what_agrees(laps: list[int], offset: int, noise: list[int], lost: set[int]) -> None:
    """Whatever is lost, a lap is only confirmed by its own report within the tolerance, never by another lap's."""
    hand = Hand()
    stamps = [S]
    for lap_ms in laps:
        stamps.append(stamps[-1] + lap_ms * MS)
    hand.drive([stamps[0] / S])
    last = None
    for index, at_ns in enumerate(stamps):
        if index:
            hand.cross(at_ns)
        car_ns = at_ns + offset + noise[index] * MS
        if index not in lost:
            boot = BOOT if offset == 0 else "car-boot"
            facts = hand.report(car_ns, None if last is None else car_ns - last, at_ns + 100 * MS, boot)
            for fact in only(facts, f.LapConfirmed):
                assert abs(fact.difference_ns) <= 400 * MS
            last = car_ns
    assert len(hand.laps) == len(laps)
    if not lost:
        assert confirmed(hand) == [True] * len(laps)


@pytest.mark.parametrize(("off_ms", "agrees"), [(330, True), (-330, True), (331, False), (-331, False)])
def test_durations_agree_within_the_stated_tolerance(off_ms: int, agrees: bool) -> None:
    hand = Hand()
    hand.drive([1, 9])
    car_reports(hand, 9 * S, 8 * S + off_ms * MS, offset=0)  # 0.3 s, and the report's own 30 ms
    assert confirmed(hand) == [agrees]


@pytest.mark.parametrize(("off_ms", "meets"), [(1530, True), (-1530, True), (1531, False), (-1531, False)])
def test_stamps_of_one_clock_meet_within_the_stated_tolerance(off_ms: int, meets: bool) -> None:
    hand = Hand()
    hand.drive([1, 9])
    car_reports(hand, 9 * S + off_ms * MS, 8 * S, late_ns=5 * S, offset=0)
    assert confirmed(hand) == [meets]


def test_two_stamps_make_a_duration_where_the_car_gives_none() -> None:
    hand = Hand()
    hand.drive([1, 9])
    car_reports(hand, 1 * S + 40 * MS, None, offset=0)
    facts = car_reports(hand, 9 * S + 10 * MS, None, offset=0)
    assert only(facts, f.LapConfirmed)[0].difference_ns == -30 * MS


def test_a_car_whose_clock_drifts_is_followed() -> None:
    hand = Hand()
    hand.drive([1])
    for number in range(1, 61):
        at_ns = (1 + 30 * number) * S
        hand.cross(at_ns)
        drifted = round(at_ns * 1.001)  # 1.8 s in half an hour
        car_reports(hand, drifted, round(30 * S * 1.001), late_ns=3 * S)
    assert confirmed(hand) == [True] * 60


def test_a_gate_that_boots_in_mid_run_is_met_again() -> None:
    hand = Hand()
    hand.drive([1, 9])
    car_reports(hand, 1 * S, None)
    car_reports(hand, 9 * S, 8 * S)
    hand.seq = 0
    for at_s in (17, 25, 33):  # the gate's new clock starts at 10
        hand.cross((at_s - 10) * S, boot="boot-b")
        car_reports(hand, at_s * S, 8 * S)
    assert confirmed(hand) == [True, False, True, True]
    assert not hand.laps[1].valid


def test_an_offset_that_was_guessed_wrong_is_dropped() -> None:
    """The car's first report is about a lap that it drove elsewhere, as long as the first one here."""
    hand = Hand()
    hand.drive([1, 9])
    hand.report(5_000 * S, 8 * S, 9 * S + 100 * MS)
    at_s, stamps = 9, []
    for lap_s in (11, 14, 12, 17, 13, 15, 10, 16):
        at_s += lap_s
        hand.cross(at_s * S)
        stamps.append(car_reports(hand, at_s * S, lap_s * S))
    assert confirmed(hand)[-3:] == [True] * 3


def test_a_second_report_of_the_same_passing_is_no_missed_crossing() -> None:
    hand = Hand()
    hand.drive([1, 9])
    car_reports(hand, 9 * S, 8 * S, offset=0)
    car_reports(hand, 9 * S + 300 * MS, 8 * S, offset=0)
    facts = hand.cross(17 * S)
    assert not only(facts, f.Proposal)


def test_a_report_before_the_run_is_no_missed_crossing() -> None:
    hand = Hand()
    car_reports(hand, 1 * S, None, offset=0)
    hand.drive([10, 18, 26])
    car_reports(hand, 5 * S, 4 * S, offset=0)
    assert not [fact for facts in hand.facts for fact in only(facts, f.Proposal)]
