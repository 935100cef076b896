"""A transponder assigned to the wrong car: once the right one is named, the laps are where they belong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.transponders import REMEMBERED
from station.core.engine import Engine
from station.store.encoding import decode_input, encode_input
from tests.station.core.attribution.test_transponders import RULES, Loop, worn
from tests.station.core.scripted_race import QUICK, S, moment, only

OPEN = RaceRules(consecutive_laps=1)
WRONG = worn("13499724", car="car-2")


def finished(loop: Loop, run_id: str, at_s: float) -> None:
    loop.do(e.FinishRun(author="judge", run_id=run_id, moment=moment(round(at_s * S))))


def due(loop: Loop, racer: str) -> list[tuple[int, int]]:
    """The score of each revision of the racer's result."""
    results = [fact.result for facts in loop.facts for fact in only(facts, f.ResultDue)]
    return [(each.revision, each.score_ms) for each in results if each.racer == racer]


def replays(loop: Loop) -> bool:
    again = Engine()
    return all(
        again.handle(decode_input(encode_input(i))) == facts for i, facts in zip(loop.inputs, loop.facts, strict=True)
    )


@pytest.mark.parametrize("read", ["13499724", "CDFD4C", "0013499724"])
@pytest.mark.parametrize("known", [WRONG, WRONG + worn("5")], ids=["alone", "beside its own"])
@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("cars", [1, 2])
def test_the_configs_wrong_car_is_put_right(read: str, known: tuple[e.Transponder, ...], over: bool, cars: int) -> None:
    loop = Loop(*known, cars=cars, rules=OPEN)
    run = loop.on()
    facts = loop.read(read, 2, 12, 22, 32)
    assert {fact.why for fact in only(facts, f.Unattributed)} == {
        "its transponder belongs to car-2, who is not on the track"
    }
    if over:
        finished(loop, run, 35)
    loop.whose("13499724", car="car-1")
    assert loop.laps_of(run) == [10, 10, 10]
    assert loop.engine.race is not None
    assert not loop.engine.race.doubtful
    if over:
        assert due(loop, "Ann") == [(1, 10_000)]
    assert replays(loop)


def test_each_of_its_passes_can_be_given_alone() -> None:
    loop = Loop(*WRONG)
    run = loop.on()
    for fact in only(loop.read("13499724", 2, 12, 22, 32), f.Crossing):
        give = e.AssignCrossing(author="judge", reason="seen", number=fact.number, run_id=run, moment=moment(40 * S))
        assert only(loop.do(give), f.Attributed)
    assert loop.laps_of(run) == [10, 10, 10]


def test_while_nobody_is_started_it_is_nobodys_and_no_question() -> None:
    loop = Loop(*WRONG)
    loop.on(started=False)
    facts = loop.read("13499724", 2, 12)
    assert loop.engine.race is not None
    assert not loop.engine.race.doubtful
    assert not only(facts, f.UnknownTransponder)


@pytest.mark.parametrize("over", ["", "both", "the right one", "the wrong one"])
def test_an_unknown_transponder_given_to_the_wrong_car_goes_over_to_the_right_one(over: str) -> None:
    loop = Loop(*worn("999", car="car-9"), cars=2, rules=OPEN)
    ann, bob = loop.on(), loop.on("Bob", "car-2", 1.1)
    loop.read("1", 3, 13, 23, 33)
    loop.whose("1", car="car-2", at_s=40)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([], [10, 10, 10])
    for run, names in ((ann, ("both", "the right one")), (bob, ("both", "the wrong one"))):
        if over in names:
            finished(loop, run, 45)
    facts = loop.whose("1", car="car-1", at_s=50)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([10, 10, 10], [])
    assert only(facts, f.TransponderAssigned)[0].crossings == 4
    assert bob in {fact.run_id for fact in only(facts, f.LapsRecomputed)}
    assert loop.engine.race is not None
    runs = loop.engine.race.runs
    assert runs[bob].phase == ("finished" if over in ("both", "the wrong one") else "armed")
    assert not runs[bob].begun
    if over in ("both", "the wrong one"):
        assert due(loop, "Bob") == [(1, 10_000), (2, 0)], "its result is withdrawn"
    else:
        loop.read("2", 60)
        loop.whose("2", car="car-2", at_s=61)
        loop.read("2", 71, 82)
        assert loop.laps_of(bob) == [11, 11]
    assert replays(loop)


def test_its_own_laps_stay_with_the_wrong_run() -> None:
    loop = Loop(*worn("2", car="car-2"), cars=2, rules=OPEN)
    ann, bob = loop.on(), loop.on("Bob", "car-2", 1.1)
    for lap in range(4):
        loop.read("1", 3 + 10 * lap)
        loop.read("2", 8 + 11 * lap)
    assert loop.laps_of(bob) == [11, 11, 11]
    loop.whose("1", car="car-2", at_s=50)
    assert len(loop.laps_of(bob)) > 3
    facts = loop.whose("1", car="car-1", at_s=51)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([10, 10, 10], [11, 11, 11])
    assert {fact.run_id for fact in only(facts, f.LapsRecomputed)} >= {bob}
    assert replays(loop)


def test_two_that_the_config_has_changed_about_are_put_right_while_both_are_on() -> None:
    loop = Loop(*worn("1", car="car-2"), *worn("2", car="car-1"), cars=2, rules=OPEN)
    ann, bob = loop.on(), loop.on("Bob", "car-2", 1.1)
    for lap in range(4):
        loop.read("1", 3 + 10 * lap)
        loop.read("2", 8 + 11 * lap)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([11, 11, 11], [10, 10, 10])
    loop.whose("1", car="car-1", at_s=50)
    loop.whose("2", car="car-2", at_s=51)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([10, 10, 10], [11, 11, 11])


def test_a_transponder_that_is_put_on_another_car_between_runs_takes_no_laps_along() -> None:
    loop = Loop(*worn("1"), cars=2, rules=OPEN)
    ann, bob = loop.on(), loop.on("Bob", "car-2", 1.1)
    loop.read("1", 3, 13, 23)
    finished(loop, ann, 30)
    finished(loop, bob, 31)
    loop.whose("1", car="car-2", at_s=32)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([10, 10], [])
    later = loop.on("Bob", "car-2", 40)
    loop.read("1", 42, 53)
    assert loop.laps_of(later) == [11]


def test_what_it_passed_in_another_race_is_forgotten() -> None:
    loop = Loop(*WRONG)
    run = loop.on()
    loop.read("13499724", 2, 12)
    finished(loop, run, 20)
    loop.do(e.OpenRace(moment(21 * S), "race-2", "Another", RULES))
    facts = loop.whose("13499724", car="car-1", at_s=22)
    assert only(facts, f.TransponderAssigned)[0].crossings == 0


def test_many_transponders_are_bounded() -> None:
    loop = Loop(*WRONG)
    loop.on()
    for n in range(2 * REMEMBERED):
        loop.read(f"{n:06d}99", 2 + n)
    assert len(loop.engine.attribution._transponders._passes) == REMEMBERED


@QUICK
@given(
    owners=st.lists(st.sampled_from(["car-1", "car-2", "car-3", ""]), max_size=4),
    own=st.booleans(),
    at=st.lists(st.integers(20, 900), min_size=1, max_size=6, unique=True),
)
def test_whoever_was_named_before_the_right_one_decides_nothing(owners: list[str], own: bool, at: list[int]) -> None:
    def driven(owners: list[str]) -> tuple[list[float], list[float]]:
        loop = Loop(*(worn("22", car="car-2") if own else worn("999", car="car-9")), cars=2, rules=OPEN)
        ann, bob = loop.on(), loop.on("Bob", "car-2", 1.1)
        for tenths in sorted(at):
            loop.read("1", tenths / 10)
        if own:
            loop.read("22", 100, 111)
        for owner in [*owners, "car-1"]:
            loop.whose("1", car=owner, at_s=120)
        return loop.laps_of(ann), loop.laps_of(bob)

    assert driven(owners) == driven([])
