"""The usual lap as a witness: a hand in the beam, a car that turned back, a crossing that the gate missed."""

import dataclasses
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.runs import usual_lap
from station.core.runs.book.lap_book import LapBook
from station.core.runs.laps import CountedCrossing
from station.core.runs.usual_lap import RECENT, missing, short
from tests.station.core.scripted_race import QUICK, Hand, S, moment, only

BEST = RaceRules(method="best_lap", consecutive_laps=1)


def over(*stamps_s: float, rules: RaceRules = BEST) -> Hand:
    """A run with crossings at these times, still on."""
    hand = Hand(rules)
    hand.drive(stamps_s)
    return hand


def end(hand: Hand, at_s: float = 100) -> list[int]:
    """The scores that were posted."""
    hand.do(e.FinishRun(author="judge", moment=moment(round(at_s * S))))
    due = [fact.result for facts in hand.facts for fact in only(facts, f.ResultDue)]
    return [result.score_ms for result in due if result.qualified]


def drop(hand: Hand, number: int, at_s: float = 50) -> tuple[f.Fact, ...]:
    return hand.do(e.DropCrossing(author="judge", reason="a hand", number=number, moment=moment(round(at_s * S))))


@pytest.mark.parametrize(
    ("laps", "odd"),
    [
        ((10, 2.5, 10.5), {1}),
        ((2.5, 10.5, 10), {0}),
        ((2.5, 10.5), {0}),
        ((10.5, 2.5), {1}),
        ((10, 2.5, 2.6, 10), {1, 2}),
        ((10, 4.9, 10, 10), {1}),
        ((10, 10.5, 9.5), set()),
        ((25, 10), set()),
        ((25, 10, 10.2), set()),  # the first lap with a crash
        ((9, 9.2, 30, 9.1), set()),
        ((10,), set()),
        ((4.1,), set()),
        ((2.5,), {0}),
        ((2.5, 2.6), set()),  # a small track of one's own
        ((3, 3.1, 3, 6.2), set()),
        ((2.5, 2.6, 10), {0, 1}),
        ((2.5, 2.6, 10, 10), {0, 1}),
        ((), set()),
        ((0, 10, 2.5, 10.5), {2}),  # one that spans two boots shows nothing
    ],
)
def test_which_laps_are_too_short_to_be_believed(laps: tuple[float, ...], odd: set[int]) -> None:
    assert short([round(lap * S) for lap in laps]) == odd


@pytest.mark.parametrize(
    ("laps", "fastest_s", "odd"),
    [
        ((2.5,), 9.0, {0}),
        ((2.5, 10.5), 9.0, {0}),
        ((10, 30), 9.0, set()),
        ((10, 10.2), 25.0, set()),
        ((5,), 9.0, set()),
    ],
)
def test_the_races_fastest_lap_helps_where_the_run_has_few(
    laps: tuple[float, ...], fastest_s: float, odd: set[int]
) -> None:
    assert short([round(lap * S) for lap in laps], round(fastest_s * S)) == odd


@QUICK
@given(st.lists(st.integers(8 * S, 15 * S), min_size=1, max_size=12))
def test_laps_of_one_car_that_vary_as_cars_do_are_never_held(laps: list[int]) -> None:
    assert short(laps) == frozenset()
    assert missing(laps) == [] or max(laps) > 1.84 * min(laps)


@pytest.mark.parametrize("stamps", [(10, 20, 22.5, 33), (10, 12.5, 23, 33), (10, 12.5, 23), (10, 20, 24.3, 35, 45)])
def test_there_and_back_is_no_best_lap_without_a_word(stamps: tuple[float, ...]) -> None:
    hand = over(*stamps)
    proposals = [fact for facts in hand.facts for fact in only(facts, f.Proposal)]
    assert [fact.kind for fact in proposals] == ["false_crossing"]
    assert all(score >= 9_000 for score in end(hand))


def test_the_lap_after_a_doubtful_crossing_is_held_too_and_the_official_decides_for_both() -> None:
    hand = over(10, 20, 22.5, 31.5, 41.5)  # 9.0 s from the doubtful crossing would be the best
    assert [lap.valid for lap in hand.laps] == [True, False, False, True]
    assert end(hand) == [10_000]
    facts = drop(hand, 2, 110)
    assert [lap.lap_ns for lap in hand.laps] == [10 * S, round(11.5 * S), 10 * S]
    assert all(lap.valid for lap in hand.laps)
    assert hand.run.proposals == []
    assert only(facts, f.LapsRecomputed)


@pytest.mark.parametrize("how", ["dismiss", "restore"])
def test_a_short_lap_counts_once_an_official_says_so(how: str) -> None:
    hand = over(10, 20, 22.5, 33)
    end(hand)
    at = moment(120 * S)
    order: e.Command = e.RestoreLap(author="judge", number=2, moment=at)
    if how == "dismiss":
        order = e.DismissProposal(author="judge", at_ns=round(22.5 * S), moment=at)
    posted = only(hand.do(order), f.ResultDue)
    assert [fact.result.score_ms for fact in posted] == [2_500]
    assert [fact.result.revision for fact in posted] == [2]
    assert hand.run.proposals == []


def test_a_lap_that_only_looked_short_counts_again_by_itself() -> None:
    hand = over(1, 31, 40)  # the first one with a crash
    assert [lap.valid for lap in hand.laps] == [True, False]
    facts = hand.cross(50 * S)
    assert [lap.valid for lap in hand.laps] == [True, True, True]
    assert [(fact.lap.number, fact.held) for fact in only(facts, f.LapHeld)] == [(2, False)]
    assert hand.run.proposals == []


@pytest.mark.parametrize(
    ("stamps", "number", "why"),
    [
        ((10, 14.9, 25.4, 55.4, 77.4), 2, "much shorter than the usual lap (22.000)"),
        ((10, 12.5, 17.4, 27.4, 37.4), 2, "much shorter than the usual lap (10.000)"),
        ((10, 32, 62, 64.5, 73.5, 77.8), 4, "it began at a crossing that is in doubt"),
    ],
)
def test_a_held_lap_is_reported_again_when_another_of_its_crossings_is_in_doubt(
    stamps: tuple[float, ...], number: int, why: str
) -> None:
    hand = over(*stamps[:-1])
    before = hand.laps[number - 1]
    reported = [fact.lap for fact in only(hand.cross(round(stamps[-1] * S)), f.LapHeld) if fact.lap.number == number]
    assert [(lap.held, lap.reason) for lap in reported] == [(True, f"{why}: an official is asked")]
    assert before.held
    assert before.reason != reported[0].reason
    assert reported == [hand.laps[number - 1]]


@QUICK
@given(st.lists(st.sampled_from([2.5, 3.0, 4.3, 4.9, 9.0, 10.0, 10.5, 20.0, 22.0, 30.0]), min_size=1, max_size=12))
def test_the_last_report_of_each_lap_is_the_lap_as_it_stands(laps_s: list[float]) -> None:
    """Pages and boards show the laps as last reported in facts, which must be as the engine has them now."""
    reported: dict[int, f.Lap] = {}
    hand = over(*itertools.accumulate(laps_s, initial=10.0))
    for fact in itertools.chain.from_iterable(hand.facts):
        if isinstance(fact, f.LapCompleted | f.LapHeld):
            reported[fact.lap.number] = fact.lap
    assert tuple(reported[number] for number in sorted(reported)) == hand.laps


def test_a_lap_in_doubt_fills_no_run() -> None:
    hand = over(10, 20, 22.5, 33, rules=RaceRules(method="best_lap", consecutive_laps=1, max_laps=3))
    assert hand.run.on
    hand.cross(43 * S)
    assert hand.run.phase == "finished"


def test_a_lone_lap_is_held_against_the_race() -> None:
    hand = over(10, 20, 30)
    end(hand, 35)
    hand.open("Ben", at_ns=50 * S, car="car-2")
    hand.go(50 * S)
    hand.cross(60 * S)
    hand.cross(round(62.5 * S))
    assert [lap.valid for lap in hand.laps] == [False]
    assert len(end(hand)) == 1, "only Ann's"


def test_a_hand_at_the_beam_began_lap_1_and_the_run_begins_again() -> None:
    hand = over(3, 9, 19.1, 29.3, 39.2, rules=RaceRules(time_limit_s=60.0))
    facts = drop(hand, 0)
    assert [round(lap.lap_ns / S, 1) for lap in hand.laps] == [10.1, 10.2, 9.9]
    assert [lap.number for lap in hand.laps] == [1, 2, 3]
    assert [fact.at_ns for fact in only(facts, f.RunStarted)] == [9 * S]
    assert hand.run.ends_ns("boot-a") == 69 * S
    refused = only(drop(hand, 1), f.CommandRefused)
    assert ["was given another beginning a moment ago" in fact.sentence for fact in refused] == [True]
    assert len(hand.laps) == 3
    drop(hand, 1, 60)
    assert [round(lap.lap_ns / S, 1) for lap in hand.laps] == [20.3, 9.9], "later it is meant"


def test_a_hand_before_the_car_came_leaves_the_run_armed_and_started() -> None:
    hand = over(3)
    facts = drop(hand, 0, 5)
    assert [fact.phase for fact in only(facts, f.PhaseChanged)] == ["armed"]
    assert hand.run.released
    assert not hand.run.begun
    for at_s in (9, 19, 29):
        hand.cross(at_s * S)
    assert hand.lap_times == [10 * S, 10 * S]


def test_a_dropped_start_can_be_counted_again_and_two_hands_dropped() -> None:
    hand = over(3, 6, 15, 25)
    drop(hand, 0, 26)
    drop(hand, 0, 26)
    assert hand.lap_times == [10 * S]
    hand.do(e.AddCrossing(author="judge", at_ns=6 * S, moment=moment(30 * S)))
    assert hand.lap_times == [9 * S, 10 * S]
    assert hand.run.started_utc_ns == hand.run.book.segments[0].start.utc_ns


def test_what_a_finished_run_is_worth_follows_a_dropped_start() -> None:
    hand = over(3, 9, 19.1, 29.3, 39.2, rules=RaceRules())
    assert end(hand) == [8_766]
    assert [fact.result.score_ms for fact in only(drop(hand, 0, 110), f.ResultDue)] == [10_066]


@pytest.mark.parametrize("stamps", [(3, 4.5, 14.5, 24.5), (3, 4.2, 5.4, 14.5, 24.5), (3, 4.5)])
def test_the_cars_own_first_crossing_may_have_come_too_soon_after_the_hand(stamps: tuple[float, ...]) -> None:
    hand = over(*stamps, rules=RaceRules(min_lap_s=4.4))
    drop(hand, 0)
    for at_s in [] if len(stamps) > 2 else [14.5, 24.5]:
        hand.cross(round(at_s * S))
    first_s = hand.run.book.segments[0].start.at_ns / S
    assert first_s == stamps[1]
    assert [mark.at_ns for mark in hand.run.book.flagged if mark.at_ns == 3 * S] == [3 * S]
    assert [lap.lap_ns / S for lap in hand.laps] == pytest.approx([14.5 - first_s, 10])
    assert hand.run.phase == "running"
    if stamps[1] == 4.2:  # the next is dropped too: then the car's
        drop(hand, 0)
        assert hand.run.book.segments[0].start.at_ns == round(5.4 * S)


def test_the_only_crossing_of_a_run_that_is_over_stays() -> None:
    hand = over(3)
    end(hand)
    assert "only crossing" in only(drop(hand, 0, 110), f.CommandRefused)[0].sentence


@pytest.mark.parametrize(
    ("stamps", "proposed_s"),
    [
        ((0, 3.007, 6.003, 9.003, 15.159), [12.081]),
        ((0, 10, 20, 50.6, 60), [30.2, 40.4]),
        ((0, 20.2, 30.2, 40.3), [10.1]),
        ((0, 10, 30.1), [20.05]),
        ((0, 10, 20, 35, 45), []),
        ((0, 3.2, 6.4, 9.6, 66.5), []),
    ],
)
def test_a_missed_crossing_is_asked_for_by_the_usual_lap_alone(
    stamps: tuple[float, ...], proposed_s: list[float]
) -> None:
    hand = over(*[at_s + 1 for at_s in stamps])
    every = [fact for facts in hand.facts for fact in only(facts, f.Proposal)]
    proposals = [fact for fact in every if fact.kind == "missed_crossing"]
    open_now = [proposal for proposal in hand.run.proposals if proposal.kind != "long_lap"]
    assert len(open_now) == len(proposed_s), "the proposal about the short first lap is withdrawn"
    assert [fact.at_ns / S - 1 for fact in proposals] == pytest.approx(proposed_s, abs=0.001)
    for fact in proposals:
        hand.do(e.AddCrossing(author="judge", at_ns=fact.at_ns, moment=moment(100 * S)))
    assert all(proposal.kind == "long_lap" for proposal in hand.run.proposals)
    assert len(hand.laps) == len(stamps) - 1 + len(proposed_s)


def test_an_older_race_is_judged_as_it_was() -> None:
    hand = Hand()
    hand.do(e.OpenRace(moment(0), "old", "An old race", BEST, officiating=0))
    hand.drive((10, 20, 22.5, 33))
    assert [lap.valid for lap in hand.laps] == [True, True, True]
    assert "has no lap 0" in only(drop(hand, 0), f.CommandRefused)[0].sentence
    assert end(hand) == [2_500]


def quick_and_slow(laps: list[int], fastest_ns: int | None) -> None:
    """The product finds the same as a check of each lap by itself."""
    known = sorted(lap for lap in laps if lap)
    slow = {
        index
        for index, lap in enumerate(laps)
        if lap and not (fastest_ns is not None and 2 * lap >= fastest_ns) and usual_lap._odd(lap, known, fastest_ns)
    }
    assert usual_lap.short(laps, fastest_ns) == slow


@QUICK
@given(
    st.lists(st.integers(0, 40_000_000_000), max_size=12),
    st.one_of(st.none(), st.integers(1_000_000_000, 40_000_000_000)),
)
def test_the_quick_look_finds_what_the_slow_one_finds(laps: list[int], fastest_ns: int | None) -> None:
    quick_and_slow(laps, fastest_ns)


def test_the_quick_look_finds_what_the_slow_one_finds_on_every_threshold() -> None:
    """Laps that are a half, two fifths or the whole of one another, or of the shortest lap on a published track."""
    rng = random.Random(7)
    lengths = [0, *(part * S // 10 + off_ns for part in (16, 20, 32, 40, 50, 80, 100) for off_ns in (-1, 0, 1))]
    for _ in range(2_000):
        laps = rng.choices(lengths, k=rng.randint(0, 6))
        quick_and_slow(laps, rng.choice([None, *lengths[1:]]))


def test_a_long_run_costs_no_more_a_crossing_and_keeps_what_was_in_doubt_early() -> None:
    """Laps of ten seconds, one of two early on: it stays in doubt, however many come after it."""
    book = LapBook("run-1", RaceRules(min_lap_s=1.0), doubts=True)
    at_ns = 0
    for number in range(4 * RECENT):
        at_ns += 2_000_000_000 if number == 5 else 10_000_000_000
        book.add(CountedCrossing(number + 1, at_ns, "boot", at_ns, 0))
    assert book.doubts.held == {5}
    assert len(book.doubts.recent(book.done)[1]) == RECENT
    book.drop(3)  # its number moves with it
    assert book.doubts.held == {4}
    book.approve(4)
    assert book.doubts.held == frozenset()


def test_a_lap_is_worked_out_once_until_something_of_it_changes() -> None:
    hand = Hand()
    hand.drive([1, 9, 18, 26])
    before = hand.laps
    assert hand.laps is before
    hand.cross(34 * S)
    assert all(lap is old for lap, old in zip(hand.laps[:3], before, strict=True))
    assert len(hand.laps) == 4
    hand.do(e.AddPenalty(author="judge", number=2, seconds=3.0, moment=moment(35 * S)))
    assert hand.laps[1] == dataclasses.replace(before[1], penalty_ns=3 * S, reason="+3 s by judge")
