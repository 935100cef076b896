"""However the time of day steps: laps, limits, ends and their times are those of a clock that never stepped."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.runs.run import Run
from station.core.timing.utc_scale import UtcScale
from station.views.projection import run_view
from tests.station.core.scripted_race import BOOT, MS, THOROUGH, UTC, Hand, S, corners, only

DAYS = 10 * 86_400 * S
STEPS = [0, 3 * S, -3 * S, 9_900 * MS, -9_900 * MS, 30 * S, -30 * S, 3_600 * S, DAYS, -DAYS]
SOME = corners(STEPS, 0, 30 * S, -DAYS)
JUMPS = corners([step for step in STEPS if abs(step) > 10 * S], 30 * S, -DAYS)
DEVICE, DEVICE_B = "device:a.1", "device:b.1"
FAR = 5_000 * S  # the device has run for this much longer than the station
BEGIN = e.Moment(BOOT, 0, UTC)


@dataclass
class Stepped:
    """A station whose time of day steps: it is off by `off_ns`. Device "a" is the gate's, "b" system B's."""

    rules: RaceRules = field(default_factory=RaceRules)
    off_ns: int = 0
    trusted: bool = True
    gates: tuple[e.GateSpec, ...] = (e.GateSpec("start"),)
    paired: bool = True

    def __post_init__(self) -> None:
        self.hand = Hand(started=False)
        self.do(e.Booted(self.at(0), "station-1", self.gates, clock_trusted=self.trusted))
        self.do(e.OpenRace(self.at(0), "race-1", "A race", self.rules))
        for boot in (DEVICE, DEVICE_B) if self.paired else ():
            self.do(e.ClockPair(e.Moment(boot, FAR, UTC + self.off_ns), self.trusted))

    def do(self, event: e.Input) -> tuple[f.Fact, ...]:
        return self.hand.do(event)

    def at(self, at_ns: int) -> e.Moment:
        return e.Moment(BOOT, at_ns, UTC + self.off_ns + at_ns)

    def step(self, off_ns: int, at_ns: int) -> None:
        """The time of day is off by `off_ns` from now on, and the station pairs its clocks."""
        self.off_ns = off_ns
        self.do(e.ClockPair(self.at(at_ns), self.trusted))

    def start(self, at_ns: int, racer: str = "Ann") -> None:
        self.do(e.OpenRun(author="judge", racer=racer, car="car-1", moment=self.at(at_ns)))
        self.do(e.StartRun(author="judge", moment=self.at(at_ns)))

    def cross(self, at_ns: int, boot: str = DEVICE, gate: str = "start") -> tuple[f.Fact, ...]:
        """A car crosses at `at_ns` of the station's clock; the device stamps it."""
        own_ns = at_ns if boot == BOOT else FAR + at_ns
        facts = self.hand.edge(own_ns, boot=boot, gate=gate)
        return facts + self.hand.edge(own_ns + 100 * MS, broken=False, boot=boot, gate=gate)

    def ticks(self, begin_ns: int, end_ns: int, every_ns: int = S) -> None:
        for at_ns in range(begin_ns, end_ns, every_ns):
            self.do(e.Tick(self.at(at_ns)))

    def finish(self, at_ns: int) -> None:
        self.do(e.FinishRun(author="judge", moment=self.at(at_ns)))

    @property
    def run(self) -> Run:
        return self.hand.run

    @property
    def all_facts(self) -> list[f.Fact]:
        return [fact for facts in self.hand.facts for fact in facts]

    @property
    def results(self) -> list[f.ResultDue]:
        return only(self.all_facts, f.ResultDue)


@pytest.mark.parametrize("boot", [BOOT, DEVICE, f"{BOOT}/pico-1"])
@pytest.mark.parametrize("off_ns", SOME)
def test_a_step_within_a_run_moves_no_time_limit(off_ns: int, boot: str) -> None:
    rig = Stepped(RaceRules(time_limit_s=60.0))
    rig.start(5 * S)
    rig.step(off_ns, 6 * S)
    for lap in range(8):
        at_ns = 10 * S + lap * 10_100 * MS
        rig.cross(at_ns, boot)
        rig.ticks(at_ns + S // 5, at_ns + 10 * S)
    assert [lap.lap_ns for lap in rig.run.book.laps()] == [10_100 * MS] * 5
    assert [fact.reason for fact in only(rig.all_facts, f.RunFinished)] == ["time is up"]
    assert rig.run.finished_utc_ns - rig.run.started_utc_ns == 60 * S


@pytest.mark.parametrize("off_ns", SOME)
def test_a_small_step_before_the_run_is_one_of_all_clocks(off_ns: int) -> None:
    """The time limit and lap 1 from the signal both compare the station's clock with the gate's."""
    rig = Stepped(RaceRules(time_limit_s=60.0, lap_1_from="signal"))
    rig.step(off_ns, 2 * S)
    rig.step(off_ns + off_ns // 2, 3 * S)
    rig.start(5 * S)
    for lap in range(1, 8):
        at_ns = 5 * S + lap * 10 * S
        rig.cross(at_ns)
        rig.ticks(at_ns + S // 5, at_ns + 10 * S)
    assert [lap.lap_ns for lap in rig.run.book.laps()] == [10 * S] * 6
    assert [fact.reason for fact in only(rig.all_facts, f.RunFinished)] == ["time is up"]


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("off_ns", SOME)
def test_after_test_mode_a_gate_with_a_clock_of_its_own_times(off_ns: int, trusted: bool) -> None:
    rig = Stepped(off_ns=off_ns, trusted=trusted)
    rig.do(e.SetMode(author="judge", mode="test", moment=rig.at(S)))
    rig.do(e.SetMode(author="judge", mode="race", moment=rig.at(3 * S)))
    rig.trusted = True
    rig.step(0, 4 * S)
    rig.start(5 * S)
    for at_s in (2, 10, 20, 30):
        rig.cross(at_s * S)
    assert [lap.lap_ns for lap in rig.run.book.laps()] == [10 * S] * 2
    assert [fact.why for fact in only(rig.all_facts, f.Unattributed)] == ["it was made in test mode"]


@pytest.mark.parametrize("first", [DEVICE, BOOT])
@pytest.mark.parametrize("off_ns", SOME)
def test_a_step_makes_system_b_count_nothing_that_a_saw(off_ns: int, first: str) -> None:
    rig = Stepped(gates=(e.GateSpec("start"), e.GateSpec("b", system="B")))
    rig.start(5 * S)
    for lap in range(8):
        if lap == 4:
            rig.step(off_ns, 42 * S)
        at_ns = 10 * S + lap * 10 * S
        rig.hand.edge(FAR + at_ns + 20 * MS, boot=DEVICE_B, gate="b")
        rig.do(e.Tick(rig.at(at_ns + 30 * MS)))
        rig.cross(at_ns, first)
    assert [(lap.lap_ns, lap.source) for lap in rig.run.book.laps()] == [(10 * S, "gate")] * 7
    assert not only(rig.all_facts, f.ReplacementTime)


@pytest.mark.parametrize("off_ns", SOME)
def test_a_step_does_not_make_system_b_lead_a_run_that_a_begins(off_ns: int) -> None:
    rig = Stepped(gates=(e.GateSpec("start"), e.GateSpec("b", system="B")))
    rig.start(5 * S)
    rig.step(off_ns, 6 * S)
    for at_s in (10, 20, 30):
        rig.hand.edge(FAR + at_s * S + 20 * MS, boot=DEVICE_B, gate="b")
        rig.do(e.Tick(rig.at(at_s * S + 30 * MS)))
        rig.cross(at_s * S)
    assert [(lap.lap_ns, lap.source) for lap in rig.run.book.laps()] == [(10 * S, "gate")] * 2


RULES = [RaceRules(), RaceRules(max_laps=3), RaceRules(time_limit_s=35.0)]


@pytest.mark.parametrize("rules", RULES, ids=["finished by hand", "laps done", "time up"])
@pytest.mark.parametrize("boot", [BOOT, DEVICE])
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("off_ns", JUMPS)
def test_a_jump_in_the_middle_of_a_run_is_corrected_once(
    off_ns: int, trusted: bool, boot: str, rules: RaceRules
) -> None:
    rig = Stepped(rules, off_ns, trusted)
    for number, racer in enumerate(("Ann", "Bob")):
        begin_ns = 9 * S + number * 60 * S
        rig.start(begin_ns, racer)
        for lap in range(4):
            rig.cross(begin_ns + S + lap * 10_100 * MS, boot)
            rig.ticks(begin_ns + S + lap * 10_100 * MS + S // 5, begin_ns + (lap + 1) * 10_100 * MS)
            if lap == 1:
                rig.trusted = True
                rig.step(0, begin_ns + 12 * S)
        rig.ticks(begin_ns + 36 * S, begin_ns + 38 * S)
        if rig.run.on:
            rig.finish(begin_ns + 41 * S)
        rig.do(e.ClockPair(rig.at(begin_ns + 45 * S)))
    last = {due.result.racer: due.result for due in rig.results}
    for number, racer in enumerate(("Ann", "Bob")):
        begin_ns = UTC + 10 * S + number * 60 * S
        ends = [begin_ns + lap * 10_100 * MS for lap in (1, 2, 3)]
        assert [lap.ended_ns for lap in last[racer].laps] == ends
        over = 40 * S if rules == RULES[0] else 35 * S if rules == RULES[2] else 30_300 * MS
        assert last[racer].finished_utc_ns == begin_ns + over
        assert last[racer].evidence.clock_trusted
    assert len(rig.results) <= 3
    assert race_places(rig) == ["Ann", "Bob"]


def race_places(rig: Stepped) -> list[str]:
    assert rig.hand.engine.race is not None
    return [placed.racer for placed in rig.hand.engine.race.standings.lines()]


@pytest.mark.parametrize("ends", ["finished", "abandoned", "laps done"])
@pytest.mark.parametrize("off_ns", JUMPS)
def test_a_jump_that_is_told_once_in_a_run_is_taken_when_it_is_over(off_ns: int, ends: str) -> None:
    rig = Stepped(RaceRules(max_laps=3) if ends == "laps done" else RaceRules(), off_ns)
    for number, racer in enumerate(("Ann", "Bob")):
        begin_ns = 10 * S + number * 60 * S
        rig.start(begin_ns - S, racer)
        for lap in range(4):
            rig.cross(begin_ns + lap * 10 * S)
            if (number, lap) == (0, 1):
                rig.step(0, begin_ns + 12 * S)
        if ends == "finished":
            rig.finish(begin_ns + 40 * S)
        if ends == "abandoned":
            rig.do(e.AbandonRun(author="judge", moment=rig.at(begin_ns + 40 * S)))
        assert rig.run.started_utc_ns == UTC + begin_ns
        assert rig.run.finished_utc_ns == UTC + begin_ns + (30 * S if ends == "laps done" else 40 * S)
    revisions = [due.result.revision for due in rig.results]
    assert revisions == ([] if ends == "abandoned" else [1, 2, 1])
    assert rig.hand.engine.handle(e.Tick(rig.at(200 * S))) == ()


def test_a_clock_that_stepped_there_and_back_within_a_run_corrects_nothing() -> None:
    rig = Stepped()
    rig.start(5 * S)
    rig.step(DAYS, 6 * S)
    rig.step(2 * S, 7 * S)
    rig.cross(10 * S)
    rig.finish(20 * S)
    assert not only(rig.all_facts, f.ClockCorrected)


@pytest.mark.parametrize("off_ns", SOME)
def test_the_ruling_that_fills_a_run_ends_it_at_its_time(off_ns: int) -> None:
    rig = Stepped(RaceRules(max_laps=3), off_ns)
    rig.start(5 * S)
    for at_s in (10, 20, 40):
        rig.cross(at_s * S)
    rig.step(0, 41 * S)
    rig.do(e.AddCrossing(author="judge", at_ns=FAR + 30 * S, moment=rig.at(45 * S)))
    assert rig.run.finished_utc_ns - rig.run.started_utc_ns == 35 * S
    rig.do(e.ClockPair(rig.at(46 * S)))
    assert abs(rig.run.finished_utc_ns - UTC - 45 * S) <= 10 * S
    assert rig.run.finished_utc_ns - rig.run.started_utc_ns == 35 * S


@pytest.mark.parametrize("off_ns", JUMPS)
@pytest.mark.parametrize("trusted", [True, False])
def test_a_run_of_a_clock_that_nobody_paired_is_corrected_with_the_stations(off_ns: int, trusted: bool) -> None:
    rig = Stepped(RaceRules(max_laps=3), off_ns, trusted, paired=False)
    rig.start(5 * S)
    for lap in range(4):
        rig.cross(10 * S + lap * 10 * S)
    rig.trusted = True
    rig.step(0, 60 * S)
    assert [due.result.finished_utc_ns for due in rig.results] == [
        UTC + off_ns + FAR + 40 * S,
        UTC + FAR + 40 * S,
    ]
    assert [due.result.evidence.clock_trusted for due in rig.results] == [trusted, True]
    # A late pair shows how far the device had counted.
    rig.do(e.ClockPair(e.Moment(DEVICE, FAR + 61 * S, UTC + 61 * S)))
    assert rig.results[-1].result.finished_utc_ns == UTC + 40 * S
    assert rig.results[-1].result.revision == 3


@pytest.mark.parametrize("off_ns", SOME)
def test_a_gate_that_comes_after_a_jump_is_put_on_the_runs_scale(off_ns: int) -> None:
    rig = Stepped(RaceRules(time_limit_s=60.0), paired=False)
    rig.start(5 * S)
    rig.step(off_ns, 6 * S)
    rig.do(e.ClockPair(e.Moment(DEVICE, FAR + 7 * S, UTC + off_ns + 7 * S)))
    for lap in range(8):
        at_ns = 10 * S + lap * 10 * S
        rig.cross(at_ns)
        rig.ticks(at_ns + S // 5, at_ns + 10 * S)
    assert [lap.lap_ns for lap in rig.run.book.laps()] == [10 * S] * 6
    rig.do(e.ClockPair(rig.at(100 * S)))
    assert abs(rig.run.finished_utc_ns - off_ns - UTC - 70 * S) <= 10 * S


def test_a_device_that_outlives_the_station_is_put_right_when_the_new_boot_knows_the_time() -> None:
    rig = Stepped(RaceRules(max_laps=3), -DAYS, trusted=False)
    rig.start(5 * S)
    for lap in range(4):
        rig.cross(10 * S + lap * 10 * S)
    rig.do(e.Booted(e.Moment("boot-b", S, UTC - 2 * DAYS), "station-1", rig.gates, clock_trusted=False))
    rig.do(e.ClockPair(e.Moment(DEVICE, FAR + 101 * S, UTC - 2 * DAYS), False))
    rig.do(e.ClockPair(e.Moment("boot-b", 3 * S, UTC + 103 * S), True))
    assert rig.results[-1].result.finished_utc_ns == UTC + 40 * S
    assert rig.results[-1].result.evidence.clock_trusted


def test_a_wrong_time_of_day_that_began_the_limit_on_another_clock_is_worked_out_anew() -> None:
    rig = Stepped(RaceRules(time_limit_s=60.0))
    rig.start(5 * S)
    rig.cross(10 * S)
    rig.ticks(11 * S, 12 * S)
    rig.do(e.Booted(e.Moment("boot-b", S, UTC - DAYS + 15 * S), "station-1", rig.gates, clock_trusted=False))
    rig.do(e.Tick(e.Moment("boot-b", 2 * S, UTC - DAYS + 16 * S)))
    rig.do(e.ClockPair(e.Moment("boot-b", 3 * S, UTC + 17 * S), True))
    rig.do(e.Tick(e.Moment("boot-b", 4 * S, UTC + 18 * S)))
    assert rig.run.ends_ns("boot-b") == 56 * S  # its zero was 14 s after ours, so the run began at its -4 s


@pytest.mark.parametrize("off_ns", SOME)
def test_the_lap_clock_on_the_page_goes_by_the_scale(off_ns: int) -> None:
    rig = Stepped()
    rig.start(5 * S)
    rig.cross(10 * S)
    rig.step(off_ns, 11 * S)
    now = rig.at(12 * S)
    shown = e.Moment(BOOT, now.at_ns, rig.hand.engine.time_of_day(BOOT, now.at_ns))
    assert run_view(rig.run, shown).lap_started_ns == 10 * S


def test_journals_of_the_first_edition_are_judged_by_what_the_clock_said() -> None:
    scale = UtcScale()
    scale.corrects = False
    scale.booted(BEGIN, run_is_on=False, trusted=True)
    scale.add_pair(e.Moment(DEVICE, FAR, UTC), run_is_on=False)
    assert scale.of_moment(e.Moment(BOOT, S, UTC + DAYS)) == UTC + DAYS
    scale.add_pair(e.Moment(BOOT, 0, UTC + 5 * S), run_is_on=False)
    assert scale.utc_ns(DEVICE, FAR) == UTC
    scale.meet("device:new.1")
    assert scale.boots == {BOOT, DEVICE}


STEP = st.tuples(st.integers(0, 95), st.sampled_from(STEPS) | st.integers(-DAYS, DAYS))


@pytest.mark.slow
@THOROUGH
@given(
    steps=st.lists(STEP, max_size=6),
    gaps=st.lists(st.integers(6_000, 14_000), min_size=3, max_size=6),
    boot=st.sampled_from((BOOT, DEVICE, f"{BOOT}/pico-1")),
    rules=st.sampled_from(
        [*RULES, RaceRules(time_limit_s=30.0, at_time_limit="finish_lap"), RaceRules(lap_1_from="signal")]
    ),
    tested=st.booleans(),
    began=st.tuples(st.sampled_from(STEPS), st.booleans()),
)
def test_a_clock_that_steps_times_as_one_that_never_does(
    steps: list[tuple[int, int]],
    gaps: list[int],
    boot: str,
    rules: RaceRules,
    tested: bool,
    began: tuple[int, bool],
) -> None:
    def driven(steps: list[tuple[int, int]], off_ns: int, trusted: bool) -> Stepped:
        rig = Stepped(rules, off_ns, trusted)
        due = sorted(steps)
        crossings = [(10_000 + sum(gaps[:n])) * MS for n in range(len(gaps) + 1)]
        end_ns = crossings[-1] // S * S + 2 * S
        for at_ns in range(S, end_ns + S, S):
            while due and due[0][0] * S <= at_ns:
                rig.trusted = True
                rig.step(due.pop(0)[1], at_ns)
            if tested and at_ns in (2 * S, 3 * S):
                rig.do(e.SetMode(author="j", mode="test" if at_ns == 2 * S else "race", moment=rig.at(at_ns)))
            if at_ns == 5 * S:
                rig.start(at_ns)
            while crossings and crossings[0] < at_ns + S:
                rig.cross(crossings.pop(0), boot)
            rig.do(e.Tick(rig.at(at_ns + 500 * MS)))
        if rig.run.on:
            rig.finish(end_ns)
        rig.trusted = True
        rig.step(0, end_ns + 10 * S)
        return rig

    stepped, steady = driven(steps, *began), driven([], 0, True)
    again = type(stepped.hand.engine)()
    assert [again.handle(event) for event in stepped.hand.inputs] == stepped.hand.facts
    off_ns = stepped.run.started_utc_ns - steady.run.started_utc_ns
    assert abs(off_ns) <= 10 * S * (len(steps) + 1)  # a small step corrects nothing that is over
    assert [lap.lap_ns for lap in stepped.run.book.laps()] == [lap.lap_ns for lap in steady.run.book.laps()]
    assert [lap.ended_utc_ns - off_ns for lap in stepped.run.book.laps()] == [
        lap.ended_utc_ns for lap in steady.run.book.laps()
    ]
    assert stepped.run.finished_reason == steady.run.finished_reason
    assert stepped.run.finished_utc_ns - off_ns == steady.run.finished_utc_ns
    assert [type(fact) for fact in stepped.all_facts if isinstance(fact, f.Unattributed | f.CrossingFlagged)] == [
        type(fact) for fact in steady.all_facts if isinstance(fact, f.Unattributed | f.CrossingFlagged)
    ]
