"""Several runs on the track at once, through the engine: each run stands for itself, and gets its own crossings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.core.runs.run import Run
from tests.station.core.scripted_race import BOOT, MS, QUICK, Hand, S, moment, only

DUE_NS = 50_200 * MS
CARS = {"run-1": "car-1", "run-2": "car-2", "run-3": "car-3"}


class Field(Hand):
    """A scripted race of several cars."""

    def __init__(self, cars: int = 3, rules: RaceRules | None = None, *known: e.Transponder) -> None:
        super().__init__(rules)
        if known:
            self.do(e.Booted(moment(0), "station-1", (e.GateSpec("start"),), known))
        self.do(e.OpenRace(moment(1), "race-1", "A race", rules or RaceRules(), cars_on_track=cars))
        self.report_counts: dict[str, int] = {}

    def start(self, number: int, at_ns: int = 0) -> tuple[f.Fact, ...]:
        self.open(f"racer-{number}", f"run-{number}", at_ns, f"car-{number}")
        return self.do(e.StartRun(author="judge", run_id=f"run-{number}", moment=moment(at_ns)))

    def passes(self, number: int, at_ns: int, reported: bool = True, by_gate: bool = True) -> tuple[f.Fact, ...]:
        """The car crosses the line; its report is 20 ms off and arrives 80 ms later."""
        facts: tuple[f.Fact, ...] = self.cross(at_ns) if by_gate else ()
        car, boot = f"car-{number}", f"car-{number}-boot"
        self.report_counts[car] = self.report_counts.get(car, 0) + 1
        if reported:
            stated_ns = at_ns + 20 * MS + 1000 * S * number
            report = e.CarReport(
                car, boot, self.report_counts[car], stated_ns, boot, moment(at_ns + 100 * MS), None, 30 * MS
            )
            facts += self.do(report)
        return facts

    def read(self, transponder: str, at_ns: int) -> tuple[f.Fact, ...]:
        """A decoder reads a transponder at the line."""
        self.seq += 1
        return self.do(e.Edge("start", "beam", True, at_ns, self.seq, BOOT, transponder=transponder))

    def of(self, run_id: str) -> Run:
        assert self.engine.race is not None
        return self.engine.race.runs[run_id]

    def stamps(self, run_id: str) -> list[int]:
        return [segment.start.at_ns for segment in self.of(run_id).book.segments]


def racing(rounds: int = 4, **rules: object) -> tuple[Field, list[f.Fact]]:
    """Three cars with laps of 9 s, three seconds from one to the next."""
    field, facts = Field(rules=RaceRules(**rules)), []  # type: ignore[arg-type]
    for number in (1, 2, 3):
        field.start(number)
    for lap in range(rounds):
        for number in (1, 2, 3):
            at_ns = (10 + 9 * lap + 3 * number) * S
            facts += [*field.passes(number, at_ns), *field.tick(at_ns + 2500 * MS)]
    return field, [*facts, *field.tick((40 + 9 * rounds) * S)]


def test_three_cars_each_get_their_own_laps() -> None:
    field, facts = racing()
    assert only(facts, f.Proposal) == []
    for run_id in CARS:
        assert [lap.lap_ns for lap in field.of(run_id).book.laps()] == [9 * S] * 3
    given_to = only(facts, f.Attributed)
    assert len(given_to) == 12
    assert all(CARS[fact.run_id] == fact.car and fact.sure_percent >= 99 and fact.why for fact in given_to)


def test_each_run_ends_and_is_ruled_by_itself() -> None:
    field, facts = racing(max_laps=3)
    assert [fact.run_id for fact in only(facts, f.RunFinished)] == ["run-1", "run-2", "run-3"]
    assert [order.car for order in only(facts, f.CarOrdered)] == ["car-1", "car-2", "car-3"]
    assert len(only(facts, f.ResultDue)) == 3
    field.do(e.VoidLap(author="judge", number=1, run_id="run-2", moment=moment(80 * S)))
    assert [field.of(run_id).score is None for run_id in CARS] == [False, True, False]


def test_with_several_on_a_command_must_name_its_run() -> None:
    field = Field()
    field.start(1)
    assert only(field.do(e.OffTrack(author="judge", moment=moment(1))), f.Incident)
    field.start(2)
    (refusal,) = only(field.do(e.FinishRun(author="judge", moment=moment(2))), f.CommandRefused)
    assert refusal.sentence == "`finish` must name its run in `run_id`: run-1 (racer-1), run-2 (racer-2) are on."
    field.do(e.FinishRun(author="judge", run_id="run-1", moment=moment(2)))
    assert [run.run_id for run in (field.of("run-1"), field.of("run-2")) if run.on] == ["run-2"]
    assert only(field.do(e.FinishRun(author="judge", moment=moment(2))), f.RunFinished)


@pytest.mark.parametrize(
    ("racer", "car", "sentence"),
    [
        ("racer-9", "car-1", "car-1 is on the track already, in run-1."),
        ("racer-1", "car-9", "racer-1 is on the track already, in run-1."),
    ],
)
def test_nobody_is_on_the_track_twice(racer: str, car: str, sentence: str) -> None:
    field = Field()
    field.start(1)
    assert only(field.open(racer, "run-9", 0, car), f.CommandRefused)[0].sentence == sentence


def test_no_more_than_the_race_allows() -> None:
    field = Field(2)
    field.start(1)
    field.start(2)
    refusal = only(field.open("racer-3", "run-3", 0, "car-3"), f.CommandRefused)[0]
    assert refusal.sentence == "2 runs are on: the race allows no more at a time (`cars_on_track`)."


def test_one_run_alone_is_counted_at_once_as_ever() -> None:
    alone, single = Field(), Hand()
    for hand in (alone, single):
        hand.drive([1, 9, 17, 25])
    assert alone.facts[3:] == single.facts[2:]


def doubtful() -> tuple[Field, f.Proposal]:
    """A car passes between the times when cars 1 and 2 are due, and reports nothing."""
    field, _ = racing()
    facts = [*field.passes(1, DUE_NS, reported=False), *field.tick(59 * S)]
    (proposal,) = only(facts, f.Proposal)
    return field, proposal


def test_what_is_doubtful_counts_for_nobody_until_it_is_given() -> None:
    field, proposal = doubtful()
    assert proposal.kind == "doubtful_crossing"
    assert DUE_NS not in field.stamps("run-1")
    facts = field.do(e.AssignCrossing(author="judge", number=proposal.crossing, run_id="run-1", moment=moment(60 * S)))
    assert only(facts, f.Attributed) == [f.Attributed(proposal.crossing, "run-1", "car-1", "given by judge", 100)]
    assert field.stamps("run-1")[-1] == DUE_NS
    assert all(run.proposals == [] for run in (field.of(run_id) for run_id in CARS))
    again = e.AssignCrossing(author="judge", number=proposal.crossing, run_id="run-2", moment=moment(61 * S))
    assert "is not in doubt" in only(field.do(again), f.CommandRefused)[0].sentence


def test_what_was_proposed_can_be_dismissed() -> None:
    field, proposal = doubtful()
    facts = field.do(
        e.DismissProposal(author="judge", at_ns=proposal.at_ns, run_id=proposal.run_id, moment=moment(60 * S))
    )
    assert [fact.kind for fact in only(facts, f.ProposalDismissed)] == ["doubtful_crossing"]
    assert field.of(proposal.run_id).proposals == []
    again = e.DismissProposal(author="judge", at_ns=proposal.at_ns, run_id=proposal.run_id, moment=moment(60 * S))
    assert "Nothing is proposed" in only(field.do(again), f.CommandRefused)[0].sentence


def test_a_first_crossing_that_is_given_later_begins_the_run_there() -> None:
    field, _ = racing(rounds=1)
    assert field.engine.race is not None
    crossing = f.Crossing(99, "start", "beam", 4 * S, BOOT, 1000)
    field.engine.race.doubtful[99] = crossing
    facts = field.do(e.AssignCrossing(author="judge", number=99, run_id="run-1", moment=moment(60 * S)))
    assert [fact.at_ns for fact in only(facts, f.RunStarted)] == [4 * S]
    assert [lap.lap_ns for lap in field.of("run-1").book.laps()] == [9 * S]


def late_word() -> tuple[Field, list[f.Fact], f.Proposal]:
    """Car 1 passes two seconds early, car 2 in its shadow; only car 2's report arrives in time."""
    field, _ = racing()
    field.cross(47 * S)
    field.passes(2, 47 * S + 60 * MS, by_gate=False)
    sure = list(field.tick(49 * S + 600 * MS))
    field.report_counts["car-1"] += 1
    stated_ns = 47 * S + 20 * MS + 1000 * S
    boot, seq = "car-1-boot", field.report_counts["car-1"]
    field.do(e.CarReport("car-1", boot, seq, stated_ns, boot, moment(53 * S), None, 30 * MS))
    (proposal,) = only(field.tick(57 * S), f.Proposal)
    return field, sure, proposal


def test_a_report_that_comes_late_puts_in_doubt_what_was_given_to_another() -> None:
    field, sure, proposal = late_word()
    assert [fact.run_id for fact in only(sure, f.Attributed)] == ["run-2"]
    assert (proposal.run_id, proposal.others, proposal.kind) == ("run-2", ("run-1",), "doubtful_crossing")
    facts = field.do(e.AssignCrossing(author="judge", number=proposal.crossing, run_id="run-1", moment=moment(60 * S)))
    assert {fact.run_id for fact in only(facts, f.LapsRecomputed)} == {"run-1", "run-2"}
    assert 47 * S in field.stamps("run-1")
    assert 47 * S not in field.stamps("run-2")


def test_what_was_given_may_stay_where_it_is() -> None:
    field, _, proposal = late_word()
    before = field.stamps("run-2")
    facts = field.do(e.AssignCrossing(author="judge", number=proposal.crossing, run_id="run-2", moment=moment(60 * S)))
    assert [fact.why for fact in only(facts, f.Attributed)] == ["given by judge"]
    assert field.stamps("run-2") == before
    assert field.of("run-2").proposals == []


def test_a_missed_crossing_is_proposed_and_never_inserted() -> None:
    field, _ = racing()
    facts = [*field.passes(1, 49 * S, by_gate=False), *field.tick(57 * S)]
    (proposal,) = only(facts, f.Proposal)
    assert (proposal.run_id, proposal.kind, proposal.witness) == ("run-1", "missed_crossing", "car-1")
    assert abs(proposal.at_ns - 49 * S) < 50 * MS
    assert len(field.stamps("run-1")) == 4


def test_a_run_that_ends_waits_for_no_report() -> None:
    """Crossings that wait when an official ends a run are decided by what is known then."""
    field, _ = racing()
    field.passes(1, 49 * S)
    facts = field.do(e.FinishRun(author="judge", run_id="run-1", moment=moment(49 * S + 200 * MS)))
    assert [fact.run_id for fact in only(facts, f.Attributed)] == ["run-1"]
    assert only(facts, f.RunFinished)[0].laps == 4


KNOWN = (e.Transponder("11", car="car-1"), e.Transponder("22", racer="racer-2"))


def test_a_transponder_says_at_once_whose_crossing_it_was() -> None:
    field = Field(3, None, *KNOWN)
    for number in (1, 2):
        field.start(number)
    facts = [
        fact
        for at_s, who in ((1, "11"), (1.1, "22"), (9, "11"), (9.1, "22"))
        for fact in field.read(who, round(at_s * S))
    ]
    assert [(fact.run_id, fact.why, fact.sure_percent) for fact in only(facts, f.Attributed)] == [
        ("run-1", "its transponder 11", 100),
        ("run-2", "its transponder 22", 100),
    ] * 2
    assert [lap.lap_ns for lap in field.of("run-2").book.laps()] == [8 * S]
    assert only(field.read("33", 20 * S), f.Unattributed)[0].why == "the transponder 33 has no owner here"


def test_a_transponder_of_somebody_else_is_not_the_one_run_that_is_on() -> None:
    field = Field(1, None, *KNOWN)
    field.start(1)
    assert "who is not on the track" in only(field.read("22", 5 * S), f.Unattributed)[0].why
    assert only(field.read("11", 6 * S), f.RunStarted)


def test_each_transponder_has_a_lockout_of_its_own() -> None:
    field = Field(2, None, *KNOWN)
    stamps = [(100, "11"), (300, "22"), (500, "11"), (1150, "11"), (1250, "22")]
    facts = [fact for at_ms, who in stamps for fact in field.read(who, at_ms * MS)]
    assert [(fact.transponder, fact.at_ns // MS) for fact in only(facts, f.Crossing)] == [
        ("11", 100),
        ("22", 300),
        ("11", 1150),
    ]


_AT = st.integers(0, 120 * S)
_CAR = st.integers(1, 3)
_HAPPENS = st.one_of(
    st.tuples(st.just("pass"), _CAR, _AT),
    st.tuples(st.just("silent"), _CAR, _AT),
    st.tuples(st.just("report"), _CAR, _AT),
    st.tuples(st.just("tick"), _CAR, _AT),
    st.tuples(st.just("finish"), _CAR, _AT),
    st.tuples(st.just("give"), _CAR, _AT),
    st.tuples(st.just("read"), _CAR, _AT),
)


@QUICK
@given(st.lists(_HAPPENS, max_size=60), st.integers(0, 3))
def test_whatever_happens_ticks_without_facts_need_not_be_kept(drawn: list[tuple[str, int, int]], known: int) -> None:
    """An engine that gets only the stored inputs gives the same facts; nothing raises; every crossing is decided."""
    field = Field(3, None, *[e.Transponder(str(n), car=f"car-{n}") for n in range(1, known + 1)])
    for number in (1, 2, 3):
        field.start(number)
    for what, number, at_ns in sorted(drawn, key=lambda each: each[2]):
        match what:
            case "pass" | "silent" | "report":
                field.passes(number, at_ns, what != "silent", what != "report")
            case "tick":
                field.tick(at_ns)
            case "finish":
                field.do(e.FinishRun(author="j", run_id=f"run-{number}", moment=moment(at_ns)))
            case "give":
                field.do(e.AssignCrossing(author="j", number=number, run_id=f"run-{number}", moment=moment(at_ns)))
            case "read":
                field.read(str(number), at_ns)
    field.tick(200 * S)
    replayed = Engine()
    for event, facts in zip(field.inputs, field.facts, strict=True):
        if facts:
            assert replayed.handle(event) == facts
    every = [fact for facts in field.facts for fact in facts]
    settled: list[f.Attributed | f.Unattributed] = [*only(every, f.Attributed), *only(every, f.Unattributed)]
    assert {crossing.number for crossing in only(every, f.Crossing)} == {fact.crossing for fact in settled}
