"""Two timing systems: differences of clocks that share no zero, replacement times, and what is only proposed."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from tests.station.core.scripted_race import MS, QUICK, UTC, Hand, S, moment, only

A, B = e.GateSpec("start"), e.GateSpec("spare", system="B")
ZERO_NS = 7_000 * S  # B's clock began long before A's


class Two(Hand):
    """A scripted race with both systems. `offset_ns`: how much later B stamps than A, apart from its clock's zero."""

    def __init__(self, laps: int = 20) -> None:
        super().__init__(RaceRules(max_laps=laps), A, B)
        self.seq_b = 0
        self.do(e.ClockPair(e.Moment("boot-b", ZERO_NS, UTC + 30 * MS)))  # paired no better than this
        self.open()
        self.go()

    def cross_b(self, at_ns: int, offset_ns: int = 0) -> tuple[f.Fact, ...]:
        self.seq_b += 2
        stamp = ZERO_NS + at_ns + offset_ns
        first = self.do(e.Edge("spare", "beam", True, stamp, self.seq_b, "boot-b"))
        return first + self.do(e.Edge("spare", "beam", False, stamp + 100 * MS, self.seq_b + 1, "boot-b"))

    def both(self, at_ns: int, offset_ns: int = 0) -> None:
        self.cross(at_ns)
        self.cross_b(at_ns, offset_ns)


def test_a_run_says_how_far_its_systems_are_apart() -> None:
    hand = Two(laps=3)
    for number, off_us in enumerate((0, 10, -20, 30)):
        hand.both((1 + 8 * number) * S, off_us * 1000)
    newest = only(hand.facts[-2], f.SystemsCompared)
    assert newest == [f.SystemsCompared("run-1", -ZERO_NS - 5_000, 25_000, 4)]
    assert hand.lap_times == [8 * S] * 3


def test_what_a_misses_counts_by_b_and_is_flagged() -> None:
    hand = Two(laps=6)
    for number in range(5):
        hand.both((1 + 8 * number) * S, offset_ns=number * 1000)
    hand.cross_b(41 * S, offset_ns=5000)
    assert hand.run.book.done == 4
    [replaced] = only(hand.tick(42 * S + 100 * MS), f.ReplacementTime)
    assert (replaced.count, replaced.spread_ns) == (5, 4000)
    lap = hand.laps[-1]
    assert (lap.lap_ns, lap.source, lap.valid) == (8 * S + 3000, "system_b", True)
    assert lap.reason == "timed by system B, corrected"
    assert lap.uncertainty_ns == 1000 + 1000 + 4000
    assert abs(lap.lap_ns - 8 * S) <= lap.uncertainty_ns
    hand.both(49 * S)
    assert [lap.source for lap in hand.laps] == ["gate"] * 4 + ["system_b"] * 2


def test_a_later_crossing_of_a_shows_it_at_once() -> None:
    hand = Two()
    for number in range(4):
        hand.both((1 + 8 * number) * S)
    hand.cross_b(33 * S)
    facts = hand.cross(41 * S)
    assert [lap.lap_ns for lap in hand.laps] == [8 * S] * 5
    assert [type(fact).__name__ for fact in facts if isinstance(fact, f.ReplacementTime | f.LapCompleted)] == [
        "ReplacementTime",
        "LapCompleted",
        "LapCompleted",
    ]


def test_too_few_differences_or_an_unlikely_time_are_only_proposed() -> None:
    hand = Two()
    hand.both(1 * S)
    hand.cross_b(9 * S)
    [proposal] = only(hand.tick(11 * S), f.Proposal)
    assert (proposal.kind, proposal.witness) == ("missed_crossing", "system B")
    assert abs(proposal.at_ns - 9 * S) <= MS
    for number in range(2, 7):
        hand.both((1 + 8 * number) * S)
    hand.cross_b(52 * S)  # three seconds into a lap of eight: a hand in B's beam
    assert [p.at_ns for p in only(hand.tick(54 * S), f.Proposal)] == [52 * S]
    assert hand.run.book.done == 5


def test_what_only_b_sees_outside_a_run_means_nothing() -> None:
    hand = Two(laps=3)
    for number in range(4):
        hand.both((1 + 8 * number) * S)
    hand.cross_b(40 * S)
    assert only(hand.tick(42 * S), f.Unattributed)[0].why == "only system B saw it, and no run is on"
    assert hand.tick(50 * S) == ()


@QUICK
@given(st.integers(0, 10_000), st.integers(2, 30), st.booleans())
def test_each_lap_is_within_its_uncertainty_though_a_misses_some(seed: int, laps: int, drifts: bool) -> None:
    rng, hand, truth = random.Random(seed), Two(laps=1000), [1 * S]
    drift_ns = rng.randint(-400_000, 400_000) if drifts else 0  # 50 ppm of eight seconds
    for number in range(laps + 4):
        at_ns = truth[-1]
        if number > 3 and rng.random() < 0.2:
            hand.cross_b(at_ns, number * drift_ns)
        else:
            hand.both(at_ns, number * drift_ns)
        hand.tick(at_ns + 1500 * MS)
        truth.append(at_ns + rng.randint(7 * S, 9 * S))
    wanted = [b - a for a, b in itertools.pairwise(truth[:-1])]
    assert len(hand.laps) == len(wanted)
    for lap, want in zip(hand.laps, wanted, strict=True):
        assert abs(lap.lap_ns - want) <= lap.uncertainty_ns + 11 * abs(drift_ns)
    again, stored = Engine(), [(i, made) for i, made in zip(hand.inputs, hand.facts, strict=True) if made]
    assert [again.handle(event) for event, _ in stored] == [made for _, made in stored]


def b_alone(hand: Two, stamps_s: list[int]) -> None:
    for at_s in stamps_s:
        hand.cross_b(at_s * S)
        hand.tick(at_s * S + 1100 * MS)


def test_a_dead_from_the_start_leaves_the_run_to_b() -> None:
    hand = Two(laps=3)
    hand.cross_b(1 * S)
    assert hand.run.phase == "armed"  # A's crossing may still arrive
    facts = hand.tick(2 * S + 100 * MS)
    assert only(facts, f.ReplacementTime) == [f.ReplacementTime(1, "boot-b", ZERO_NS + 1 * S, 0, 0, 0)]
    assert [(fact.boot, fact.at_ns) for fact in only(facts, f.RunStarted)] == [("boot-b", ZERO_NS + 1 * S)]
    assert only(hand.cross_b(9 * S), f.LapCompleted)  # nothing waits for a second any more
    b_alone(hand, [17, 26])
    assert [lap.lap_ns for lap in hand.laps] == [8 * S, 8 * S, 9 * S]
    assert {(lap.source, lap.reason, lap.valid) for lap in hand.laps} == {("system_b", "timed by system B", True)}
    assert hand.run.phase == "finished"
    assert hand.tick(60 * S) == ()


def test_a_wakes_and_times_the_next_run() -> None:
    hand = Two(laps=3)
    b_alone(hand, [1, 9])
    for number, at_s in enumerate((17, 25)):
        hand.both(at_s * S)
        assert hand.run.book.done == 2 + number
    assert [lap.lap_ns for lap in hand.laps] == [8 * S] * 3
    assert sum(len(only(facts, f.SystemsPaired)) for facts in hand.facts) == 2
    hand.open()
    hand.go(30 * S)
    for at_s in (31, 39):
        hand.both(at_s * S)
    assert [(lap.lap_ns, lap.source) for lap in hand.laps] == [(8 * S, "gate")]


def test_a_that_was_well_yesterday_and_is_dead_today() -> None:
    hand = Two(laps=1)
    hand.both(1 * S)
    hand.both(9 * S)
    hand.open()
    hand.go(20 * S)
    b_alone(hand, [21, 29])
    assert [(lap.lap_ns, lap.source) for lap in hand.laps] == [(8 * S, "system_b")]


def test_what_b_saw_before_the_start_begins_no_run() -> None:
    hand = Two(laps=3)
    hand.do(e.AbandonRun(author="judge", moment=moment(1 * S)))
    hand.open(at_ns=2 * S)
    hand.cross_b(3 * S)  # the car is carried to the line
    [unattributed] = only(hand.go(3 * S + 300 * MS), f.Unattributed)
    assert unattributed.why == "only system B saw it, before the start"
    assert hand.tick(5 * S) == ()
    b_alone(hand, [6, 14])
    assert [lap.lap_ns for lap in hand.laps] == [8 * S]


@QUICK
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=20))
def test_no_pass_is_counted_twice_whoever_sees_it(seen: list[tuple[bool, bool]]) -> None:
    hand = Two(laps=1000)
    for number, (by_a, timed_by_b) in enumerate(seen):
        at_ns = (1 + 8 * number) * S
        if by_a:
            hand.cross(at_ns)
        if timed_by_b:
            hand.cross_b(at_ns)
        hand.tick(at_ns + 1500 * MS)
    marks = [segment.start.crossing for segment in hand.run.book.segments]
    assert len(marks) == len(set(marks))
    assert all(lap.lap_ns % (8 * S) == 0 for lap in hand.laps)
    # A lap of one pass looks short beside laps of three: it is held for an official, and nothing else is.
    assert all(lap.valid != hand.run.book.doubts.doubtful(lap.number) for lap in hand.laps)
    again = Engine()
    assert [again.handle(event) for event in hand.inputs] == hand.facts
