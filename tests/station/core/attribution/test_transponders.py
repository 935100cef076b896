"""Whose transponder it is, however its id is written; unknown ones are asked about; two on a car make one crossing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.transponder_ids import plain_id, reading, same_number
from station.core.attribution.transponders import MAX_UNKNOWN
from station.core.engine import Engine
from station.store.encoding import decode_input, encode_facts, encode_input
from tests.station.core.scripted_race import BOOT, QUICK, Hand, S, moment, only

RULES = RaceRules(consecutive_laps=1, max_laps=3)


class Loop(Hand):
    """A scripted race with a decoder's loop and known transponders."""

    def __init__(self, *known: e.Transponder, cars: int = 1, rules: RaceRules = RULES, **spec: object) -> None:
        super().__init__(rules)
        self.spec = e.GateSpec("start", sensors=("loop",), **spec)  # type: ignore[arg-type]
        self.booted(*known)
        self.do(e.OpenRace(moment(1), "race-1", "A race", rules, cars_on_track=cars))

    def booted(self, *known: e.Transponder, edition: int = e.EDITION) -> None:
        self.do(e.Booted(moment(0), "station-1", (self.spec,), known, edition))

    def on(self, racer: str = "Ann", car: str = "car-1", at_s: float = 1.0, started: bool = True) -> str:
        opened = only(self.open(racer, at_ns=round(at_s * S), car=car), f.RunOpened)[0]
        if started:
            self.do(e.StartRun(author="judge", run_id=opened.run_id, moment=moment(round(at_s * S))))
        return opened.run_id

    def read(self, transponder: str, *at_s: float) -> list[f.Fact]:
        new_facts: list[f.Fact] = []
        for at in at_s:
            self.seq += 1
            new_facts += self.do(
                e.Edge("start", "loop", True, round(at * S), self.seq, f"{BOOT}/x.1", transponder=transponder)
            )
        return new_facts

    def whose(self, transponder: str, car: str = "", racer: str = "", at_s: float = 500) -> tuple[f.Fact, ...]:
        at = moment(round(at_s * S))
        return self.do(
            e.AssignTransponder(
                author="judge", transponder=transponder, car=car, racer=racer, reason="looked", moment=at
            )
        )

    def laps_of(self, run_id: str) -> list[float]:
        assert self.engine.race is not None
        return [lap.lap_ns / S for lap in self.engine.race.runs[run_id].book.laps()]


def worn(*ids: str, car: str = "car-1") -> tuple[e.Transponder, ...]:
    return tuple(e.Transponder(each, car=car) for each in ids)


@pytest.mark.parametrize(
    ("known", "read"),
    [
        ("13499724", "13499724"),
        ("CDFD4C", "13499724"),
        ("cdfd4c", "13499724"),
        ("0xCDFD4C", "13499724"),
        ("00CDFD4C", "13499724"),
        ("cd:fd:4c", "13499724"),
        ("CD-FD-4C", "13499724"),
        ("\uff23\uff24\uff26\uff24\uff14\uff23", "13499724"),  # full width
        ("0013499724", "13499724"),
        ("13 499 724", "13499724"),
        ("13.499.724", "13499724"),
        ("123456", "1193046"),  # digits that are hexadecimal after all
        ("0x123456", "1193046"),
        ("13499724", "CDFD4C"),
        ("13499724", "00cdfd4c"),
        ("1193046", "123456"),
        ("058003700abc", "058003700ABC"),
        ("58003700ABC", "058003700abc"),
        ("e2000017221101021890 5c7a", "E20000172211010218905C7A"),
        ("E2:00:00:17:22:11:01:02:18:90:5C:7A", "E20000172211010218905C7A"),
        ("7", "7"),
        ("07", "7"),
        ("fl-94890", "FL94890"),
    ],
)
def test_one_id_in_every_notation(known: str, read: str) -> None:
    loop = Loop(*worn(known))
    run = loop.on()
    new_facts = loop.read(read, 10, 20, 31)
    assert loop.laps_of(run) == [10.0, 11.0]
    attributed = only(new_facts, f.Attributed)
    assert all(read in fact.why and fact.sure_percent == 100 for fact in attributed)
    assert all((known in fact.why) == (known != read) or known in read for fact in attributed)


@pytest.mark.parametrize(
    ("known", "read"),
    [
        ("13499724", "13499725"),
        ("CDFD4C", "13499725"),
        ("10", "16"),  # a slot is no hexadecimal number
        ("100", "256"),
        ("0x123456", "123456"),  # it is hexadecimal, and 1193046
        ("E20000172211010218905C7A", "E20000172211010218905C7B"),
        ("", "0"),
    ],
)
def test_another_id_is_another_transponder(known: str, read: str) -> None:
    loop = Loop(*worn(known))
    run = loop.on()
    new_facts = loop.read(read, 10, 20, 30)
    assert loop.laps_of(run) == []
    assert [fact.passes for fact in only(new_facts, f.UnknownTransponder)] == [1, 2, 3]


def test_the_decimal_reading_wins_over_the_hexadecimal_one() -> None:
    loop = Loop(*worn("123456"), *worn("1193046", car="car-2"), cars=2)
    one, other = loop.on(), loop.on("Bob", "car-2")
    loop.read("123456", 10, 20)
    loop.read("1193046", 30, 42)
    assert (loop.laps_of(one), loop.laps_of(other)) == ([10.0], [12.0])


def test_digits_that_were_sent_as_they_stand_are_not_hexadecimal() -> None:
    loop = Loop(*worn("123456"))
    run = loop.on()
    loop.read("123456", 10, 20)
    new_facts = loop.read("1193046", 25)
    assert only(new_facts, f.UnknownTransponder)
    assert loop.laps_of(run) == [10.0]


def test_two_that_may_be_meant_are_asked_about() -> None:
    # Read 1193046: car-1's digits in hexadecimal, and car-2's hexadecimal id by its prefix.
    loop = Loop(*worn("123456"), *worn("0x123456", car="car-2"), cars=2)
    one, other = loop.on(), loop.on("Bob", "car-2")
    new_facts = loop.read("1193046", 10, 20, 30)
    assert "may be 123456 of car-1 or 0x123456 of car-2" in only(new_facts, f.Unattributed)[0].why
    assert (loop.laps_of(one), loop.laps_of(other)) == ([], [])
    loop.whose("1193046", car="car-2")
    assert (loop.laps_of(one), loop.laps_of(other)) == ([], [10.0, 10.0])


@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(0, 4))
@QUICK
def test_every_number_is_itself_in_both_notations(number: int, lower: bool, zeros: int) -> None:
    text = "0" * zeros + (f"{number:x}" if lower else f"{number:X}")
    assert plain_id("0" * zeros + str(number)) == str(number)
    if not text.isdigit():
        assert same_number(reading(text), reading(str(number)))


@pytest.mark.slow
@given(st.text())
@QUICK
def test_any_text_is_read(text: str) -> None:
    assert plain_id(plain_id(text).lower()) == plain_id(plain_id(text))
    assert not same_number(reading(text), reading(text)) or text


def test_a_stranger_is_asked_about_at_once_and_its_passes_count_when_it_is_named() -> None:
    loop = Loop(*worn("11"))
    run = loop.on()
    new_facts = loop.read("1234567", 10)
    assert only(new_facts, f.UnknownTransponder) == [f.UnknownTransponder("1234567", 1, 1)]
    loop.read("1234567", 20, 31)
    assert [(each.transponder, each.count) for each in loop.engine.unknown_transponders] == [("1234567", 3)]
    new_facts = list(loop.whose("1234567", car="car-1", at_s=35))
    assert new_facts[0] == f.TransponderAssigned("1234567", "car-1", "", 3, "judge", "looked")
    assert loop.laps_of(run) == [10.0, 11.0]
    assert loop.engine.unknown_transponders == ()
    loop.read("1234567", 43)
    assert loop.laps_of(run) == [10.0, 11.0, 12.0]
    assert loop.run.phase == "finished"
    assert [fact.result.score_ms for facts in loop.facts for fact in only(facts, f.ResultDue)] == [10_000]


def test_it_counts_for_a_run_that_has_ended_too() -> None:
    loop = Loop(*worn("11"))
    run = loop.on()
    loop.read("1234567", 10, 20, 29)
    loop.do(e.FinishRun(author="judge", moment=moment(40 * S)))
    loop.on("Bob", "car-2", 50)
    new_facts = loop.whose("1234567", racer="ANN", at_s=60)
    assert loop.laps_of(run) == [10.0, 9.0]
    [result] = [fact.result for fact in only(new_facts, f.ResultDue)]
    assert (result.racer, result.score_ms) == ("Ann", 9_000)
    assert only(new_facts, f.StandingChanged)[0].lines[0].racer == "Ann"
    assert loop.engine.race is not None
    assert loop.engine.race.runs[run].phase == "finished"


def test_what_lies_between_known_passes_finds_its_place() -> None:
    """Half of its passes were read by its own transponder, the others by a second, unknown one."""
    loop = Loop(*worn("11"), rules=RaceRules(consecutive_laps=1))
    run = loop.on()
    loop.read("11", 10)
    loop.read("22", 20)
    loop.read("11", 30)
    loop.read("22", 30.05)  # both in one pass
    loop.read("22", 41)
    new_facts = loop.whose("22", car="car-1")
    assert loop.laps_of(run) == [10.0, 10.0, 11.0]
    assert only(new_facts, f.TransponderAssigned)[0].crossings == 2
    assert len(only(new_facts, f.LapsRecomputed)) == 1


def test_passes_before_the_start_and_of_other_runs_do_not_count() -> None:
    loop = Loop(*worn("11"))
    loop.read("22", 5)
    first = loop.on(started=False)
    loop.read("22", 8)
    loop.do(e.StartRun(author="judge", moment=moment(9 * S)))
    loop.read("22", 10, 20)
    loop.do(e.AbandonRun(author="judge", moment=moment(25 * S)))
    second = loop.on("Bob", "car-1", 30)
    loop.read("22", 40, 52)
    loop.whose("22", car="car-1", at_s=55)
    assert (loop.laps_of(first), loop.laps_of(second)) == ([], [12.0])


def test_one_pass_alone_can_be_given() -> None:
    loop = Loop(*worn("11"))
    run = loop.on()
    loop.read("22", 10)
    new_facts = loop.do(e.AssignCrossing(author="judge", number=1, run_id=run, moment=moment(11 * S)))
    assert only(new_facts, f.RunStarted)
    loop.read("22", 20)
    loop.whose("22", car="car-1", at_s=25)
    assert loop.laps_of(run) == [10.0]


def test_the_time_limit_holds_afterwards_too() -> None:
    loop = Loop(*worn("11"), rules=RaceRules(consecutive_laps=1, time_limit_s=25.0))
    run = loop.on()
    loop.read("11", 10)
    loop.read("22", 20, 34.9, 36)
    loop.tick(40 * S)
    loop.whose("22", car="car-1", at_s=50)
    assert loop.laps_of(run) == [10.0, 14.9]


def test_nobodys_is_never_asked_about_again() -> None:
    loop = Loop(*worn("11"))
    loop.on()
    loop.read("22", 10)
    loop.whose("22")
    assert only(loop.read("22", 20), f.UnknownTransponder) == []
    assert loop.engine.unknown_transponders == ()


def test_what_was_given_outlives_a_restart_until_the_config_says_otherwise() -> None:
    loop = Loop(*worn("11"))
    run = loop.on()
    loop.whose("00022", car="car-1")
    loop.booted(*worn("11"))
    loop.read("22", 10, 20)
    assert loop.laps_of(run) == [10.0]
    loop.booted(*worn("11"), *worn("22", car="car-2"))
    assert "car-2, who is not on the track" in only(loop.read("22", 30), f.Unattributed)[0].why


@pytest.mark.parametrize(("car", "racer", "why"), [("Car 1", "", "cannot name a machine"), ("", "A\u202e", "U+202E")])
def test_a_bad_owner_is_refused(car: str, racer: str, why: str) -> None:
    loop = Loop(*worn("11"))
    loop.on()
    loop.read("22", 10)
    assert why in only(loop.whose("22", car=car, racer=racer), f.CommandRefused)[0].sentence
    assert len(loop.engine.unknown_transponders) == 1


def test_a_run_without_a_transponder_counts_as_before_and_nobody_asks() -> None:
    loop = Loop()
    run = loop.on()
    new_facts = loop.read("22", 10, 20)
    assert loop.laps_of(run) == [10.0]
    assert only(new_facts, f.UnknownTransponder) == []


def test_two_transponders_of_one_car_in_one_pass_are_one_crossing() -> None:
    loop = Loop(*worn("11", "12"), lockout_ns=S)
    run = loop.on()
    for at_s in (10.0, 20.0, 31.0):
        loop.read("12", at_s)
        new_facts = loop.read("11", at_s + 0.03)
        assert only(new_facts, f.Unattributed)[0].why == "the same car's other transponder in the same pass"
        assert only(new_facts, f.CrossingFlagged) == []
    assert loop.laps_of(run) == [10.0, 11.0]
    loop.read("11", 42.03)  # the other one was missed
    assert loop.laps_of(run) == [10.0, 11.0, 11.03]


def test_the_cars_transponder_and_the_one_that_its_racer_carries_are_one_crossing() -> None:
    loop = Loop(e.Transponder("11", car="car-1"), e.Transponder("12", racer="ANN"), lockout_ns=S)
    run = loop.on()
    for at_s in (10.0, 20.0):
        loop.read("11", at_s)
        assert only(loop.read("12", at_s + 0.05), f.CrossingFlagged) == []
    assert loop.laps_of(run) == [10.0]


def test_two_cars_side_by_side_are_two_crossings() -> None:
    loop = Loop(*worn("11", "12"), *worn("21", car="car-2"), cars=2)
    one, other = loop.on(), loop.on("Bob", "car-2")
    for at_s in (10.0, 20.0):
        for n, each in enumerate(("11", "21", "12")):
            loop.read(each, at_s + n * 0.02)
    assert (loop.laps_of(one), loop.laps_of(other)) == ([10.0], [10.0])


def test_a_second_system_that_reads_both_sees_one_pass_too() -> None:
    hand = Loop(*worn("11", "12"))
    second = e.GateSpec("b", sensors=("loop",), system="B")
    hand.do(e.Booted(moment(0), "station-1", (hand.spec, second), worn("11", "12")))
    run = hand.on()
    for at_s in (10.0, 20.0, 30.0):
        for gate, boot, off in (("start", f"{BOOT}/x.1", 0.0), ("b", f"{BOOT}/y.1", 0.01)):
            for n, transponder in enumerate(("11", "12")):
                number = hand.engine.last_seq_by_boot(gate).get(boot, 0) + 1
                at_ns = round((at_s + off + 0.02 * n) * S)
                hand.do(e.Edge(gate, "loop", True, at_ns, number, boot, transponder=transponder))
        hand.tick(round((at_s + 5) * S))
    assert hand.laps_of(run) == [10.0, 10.0]


def test_strangers_are_bounded_and_forgotten_with_the_race() -> None:
    loop = Loop(*worn("11"))
    for n in range(2 * MAX_UNKNOWN):
        loop.read(str(1000 + n), 10 + n)
    assert len(loop.engine.unknown_transponders) == MAX_UNKNOWN
    loop.do(e.OpenRace(moment(999 * S), "race-2", "Another", RULES))
    assert loop.engine.unknown_transponders == ()


def test_all_of_it_replays_and_an_old_journal_compares_letter_by_letter() -> None:
    loop = Loop(*worn("cdfd4c", "12"))
    loop.engine, loop.inputs, loop.facts = Engine(), [], []
    loop.booted(*worn("cdfd4c", "12"), edition=1)
    loop.do(e.OpenRace(moment(1), "race-1", "A race", RULES))
    run = loop.on()
    new_facts = loop.read("13499724", 10, 20)
    assert [fact.why for fact in only(new_facts, f.Unattributed)] == ["the transponder 13499724 has no owner here"] * 2
    loop.booted(*worn("cdfd4c", "12"))
    loop.read("13499724", 30, 40)
    loop.read("7", 45)
    loop.whose("7", car="car-1")
    assert loop.laps_of(run) == [10.0, 5.0]
    engine = Engine()
    for event, facts in zip(loop.inputs, loop.facts, strict=True):
        again = decode_input(encode_input(event))
        assert again == event
        if isinstance(event, e.Booted) and event.edition == 1:
            again = decode_input(
                encode_input(replace(event, edition=9)).replace(b',"edition":9', b"").replace(b'"edition":9,', b"")
            )
            assert again == event
        assert encode_facts(engine.handle(again)) == encode_facts(facts)
