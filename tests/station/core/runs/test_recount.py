"""Transponders with wrong owners for a while: after the last correction, all laps are as if they never had them."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from tests.station.core.attribution.test_transponders import Loop, worn
from tests.station.core.attribution.test_wrong_owner import due, finished, replays
from tests.station.core.scripted_race import QUICK, S, moment, only

OPEN = RaceRules(consecutive_laps=1)
NUMBERS = (1111111, 2222222, 13499724, 4444444, 5555555, 6666666)  # two of each car
FORMS = ("{:d}", "{:010d}", "{:X}", "0x{:x}")


@dataclass(frozen=True)
class Day:
    """What is read, which owners an official names, and when each run is finished; times in hundredths of a second."""

    cars: int
    wired: tuple[tuple[int, str], ...]  # a transponder (its index in NUMBERS), and its owner by the config
    read: tuple[tuple[int, int], ...]
    assigned: tuple[tuple[int, int, str, str], ...]
    over: tuple[int | None, ...]
    min_lap_s: float
    lockout_ns: int


def owner(tag: int) -> str:
    return f"car-{tag // 2 + 1}"


@st.composite
def days(draw: st.DrawFn) -> Day:
    cars = draw(st.integers(2, 3))
    tags = [tag for tag in range(2 * cars) if tag % 2 == 0 or draw(st.booleans())]
    owners = st.sampled_from([*(f"car-{n + 1}" for n in range(cars)), "car-9", ""])
    read: set[tuple[int, int]] = set()
    for car in range(cars):
        at = draw(st.integers(200, 900))
        for _ in range(draw(st.integers(1, 5))):
            for tag in [tag for tag in tags if tag // 2 == car]:
                if draw(st.integers(0, 4)):
                    read.add((at + draw(st.integers(0, 20)), tag))
            at += draw(st.integers(250, 1200))
    end = max((at for at, _ in read), default=0) + 200
    wired = [(tag, draw(owners)) for tag in tags if draw(st.booleans())]
    assigned = []
    for tag in tags:
        # A wrong owner in the config is no mistake once the right owner's run is over: the car had another one then.
        first = st.integers(150, end - 1 if dict(wired).get(tag, owner(tag)) != owner(tag) else end + 900)
        when = [draw(first), *sorted(draw(st.lists(st.integers(end, end + 900), max_size=3, unique=True)))]
        when = sorted({*when})
        wrong = [(at, tag, draw(owners)) for at in when[:-1]]
        assigned += [(*each, draw(st.sampled_from(FORMS))) for each in [*wrong, (when[-1], tag, owner(tag))]]
    return Day(
        cars,
        tuple((tag, whose) for tag, whose in wired if whose),
        tuple(sorted(read)),
        tuple(sorted(assigned)),
        tuple(draw(st.none() | st.integers(end, end + 800)) for _ in range(cars)),
        draw(st.sampled_from([0.1, 2.0])),
        draw(st.sampled_from([300_000_000, S])),
    )


def raced(day: Day, *, known: bool) -> tuple[Loop, list[list[f.Lap]]]:
    """The day with the right owners from the start (`known`), or as they became known."""
    wired = [(tag, owner(tag)) for tag in range(2 * day.cars)] if known else day.wired
    rules = RaceRules(consecutive_laps=1, min_lap_s=day.min_lap_s)
    transponders = [e.Transponder(str(NUMBERS[tag]), car=whose) for tag, whose in wired]
    loop = Loop(*transponders, e.Transponder("999", car="car-8"), cars=3, rules=rules, lockout_ns=day.lockout_ns)
    runs = [loop.on(name, f"car-{n + 1}", 1 + n / 10) for n, name in enumerate(("Ann", "Bob", "Cid")[: day.cars])]
    happens: list[tuple[int, int, int, str, str]] = [(at, 0, tag, "", "") for at, tag in day.read]
    happens += [] if known else [(at, 1, tag, whose, form) for at, tag, whose, form in day.assigned]
    happens += [(at, 2, car, "", "") for car, at in enumerate(day.over) if at is not None]
    for at, kind, which, whose, form in sorted(happens):
        if kind == 0:
            loop.read(str(NUMBERS[which]), at / 100)
        elif kind == 1:
            loop.whose(form.format(NUMBERS[which]), car=whose, at_s=at / 100)
        else:
            finished(loop, runs[which], at / 100)
    assert loop.engine.race is not None
    return loop, [list(loop.engine.race.runs[run].book.laps()) for run in runs]


@pytest.mark.slow
@settings(QUICK, max_examples=2 * QUICK.max_examples)
@given(days())
def test_after_the_last_correction_all_laps_are_as_if_the_owners_had_been_known(day: Day) -> None:
    loop, laps = raced(day, known=False)
    _, truth = raced(day, known=True)
    assert [[lap.lap_ns for lap in each] for each in laps] == [[lap.lap_ns for lap in each] for each in truth]
    assert [[lap.ended_ns for lap in each] for each in laps] == [[lap.ended_ns for lap in each] for each in truth]
    assert replays(loop)


def two(*known: e.Transponder, rules: RaceRules = OPEN, **spec: object) -> tuple[Loop, str, str]:
    loop = Loop(*(known or worn("999", car="car-9")), cars=2, rules=rules, **spec)
    return loop, loop.on(), loop.on("Bob", "car-2", 1.1)


BOB = worn("2222222", car="car-2")


def test_what_came_too_soon_after_the_wrong_one_counts_after_all() -> None:
    loop, ann, bob = two(*BOB)
    loop.read("1111111", 3)
    loop.read("2222222", 3.5)
    loop.whose("1111111", car="car-2", at_s=10.9)
    loop.read("1111111", 12)
    assert only(loop.read("2222222", 13), f.CrossingFlagged)
    new_facts = loop.whose("1111111", car="car-1", at_s=16)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([9], [9.5])
    assert only(new_facts, f.TransponderAssigned)[0].crossings == 2
    assert {fact.run_id: fact.crossing for fact in only(new_facts, f.Attributed)}[bob] == 4
    loop.read("1111111", 21)
    loop.read("2222222", 22)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([9, 9], [9.5, 9])
    assert loop.engine.race is not None
    assert not loop.engine.race.runs[bob].book.flagged
    assert replays(loop)


@pytest.mark.parametrize("known", [(), BOB], ids=["both unknown_transponders", "Bob's known"])
@pytest.mark.parametrize("over", [False, True])
def test_what_was_taken_for_the_same_cars_other_transponder_counts_after_all(
    known: tuple[e.Transponder, ...], over: bool
) -> None:
    loop, ann, bob = two(*known)
    loop.read("1111111", 3)
    loop.read("2222222", 3.5)
    loop.whose("1111111", car="car-2", at_s=4)
    if not known:
        loop.whose("2222222", car="car-2", at_s=5)
    loop.read("1111111", 12)
    assert only(loop.read("2222222", 12.5), f.Unattributed)
    loop.read("1111111", 21.2)
    loop.read("2222222", 21)
    loop.read("2222222", 30)
    loop.read("1111111", 30.5)
    if over:
        finished(loop, bob, 32)
    new_facts = loop.whose("1111111", car="car-1", at_s=35)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([9, 9.2, 9.3], [9, 8.5, 9])
    assert only(new_facts, f.TransponderAssigned)[0].crossings == 4
    if over:
        assert due(loop, "Bob")[-1] == (2, 8_500)
    assert replays(loop)


@pytest.mark.parametrize("owner", ["car-3", ""])
def test_what_is_neither_cars_goes_from_both(owner: str) -> None:
    loop, ann, bob = two(*worn("2222222", car="car-2"))
    loop.read("1111111", 3)
    loop.whose("1111111", car="car-2", at_s=4)
    for at_s in (12.0, 21.0):
        loop.read("1111111", at_s)
        loop.read("2222222", at_s + 0.4)
    loop.whose("1111111", car=owner, at_s=25)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([], [9])
    assert replays(loop)


def test_its_next_pass_is_no_twin_of_the_wrong_ones_last() -> None:
    loop, _, bob = two(*BOB)
    loop.read("2222222", 3)
    loop.whose("1111111", car="car-2", at_s=4)
    loop.read("1111111", 11.9)
    loop.whose("1111111", car="car-1", at_s=12)
    loop.read("2222222", 12.1)
    assert loop.laps_of(bob) == [9.1]


def test_the_first_reading_of_a_pass_is_its_time_also_when_its_owner_is_named_later() -> None:
    loop, _, bob = two(*BOB)
    for at_s in (3.0, 12.0, 22.0):
        loop.read("1111111", at_s)
        loop.read("2222222", at_s + (0.05 if at_s < 20 else 0.01))
    assert loop.laps_of(bob) == [9, 9.96]
    loop.whose("1111111", car="car-2", at_s=25)
    assert loop.laps_of(bob) == [9, 10]


def test_what_an_official_ruled_stays() -> None:
    loop, _, bob = two(*BOB)
    loop.read("2222222", 3, 12, 15)
    loop.do(e.DropCrossing(author="judge", number=2, run_id=bob, moment=moment(16 * S)))  # a hand, at 15
    loop.whose("1111111", car="car-2", at_s=17)
    loop.read("1111111", 20.9)
    loop.read("2222222", 21)
    loop.do(e.AddCrossing(author="judge", at_ns=round(21.3 * S), run_id=bob, moment=moment(22 * S)))
    loop.do(e.OffTrack(author="judge", run_id=bob, moment=moment(23 * S), at_ns=22 * S))
    loop.read("2222222", 31)
    loop.do(e.VoidLap(author="judge", number=1, run_id=bob, moment=moment(33 * S)))
    loop.whose("1111111", car="car-1", at_s=35)
    assert loop.laps_of(bob) == [9, 9.3, 9.7]
    assert loop.engine.race is not None
    laps = loop.engine.race.runs[bob].book.laps()
    assert [lap.off_tracks for lap in laps] == [0, 0, 1]
    assert [lap.valid for lap in laps] == [False, True, True]
    assert replays(loop)


def test_a_start_signal_begins_lap_1_for_whoever_is_named_later() -> None:
    rules = RaceRules(consecutive_laps=1, lap_1_from="signal")
    loop, ann, bob = two(*BOB, rules=rules)
    loop.whose("1111111", car="car-2", at_s=2)
    for at_s in (10.0, 20.0):
        loop.read("1111111", at_s)
        loop.read("2222222", at_s + 0.5)
    finished(loop, ann, 24)
    finished(loop, bob, 25)
    loop.whose("1111111", car="car-1", at_s=35)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([9, 10], [9.4, 10])
    assert replays(loop)


def test_the_limits_hold_for_what_comes_back() -> None:
    rules = RaceRules(consecutive_laps=1, max_laps=2, time_limit_s=25.0)
    loop, ann, bob = two(*BOB, rules=rules)
    loop.whose("1111111", car="car-2", at_s=2)
    for at_s in (10.0, 19.0):
        loop.read("1111111", at_s)
        loop.read("2222222", at_s + 0.5)
    loop.whose("1111111", car="car-1", at_s=22)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([9], [9])
    loop.read("1111111", 34.9)
    loop.read("2222222", 35.6)  # 26.1 s after its first one
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([9, 15.9], [9])
    assert loop.engine.race is not None
    assert {run.finished_reason for run in loop.engine.race.runs.values()} == {"all laps done", "time is up"}
    assert replays(loop)


def test_a_journal_of_the_second_edition_is_judged_as_it_was() -> None:
    loop, ann, bob = two()
    loop.booted(*BOB, edition=2)
    loop.read("2222222", 3)
    loop.whose("1111111", car="car-2", at_s=4)
    loop.read("1111111", 12)
    loop.read("2222222", 12.5, 21)
    loop.whose("1111111", car="car-1", at_s=25)
    assert (loop.laps_of(ann), loop.laps_of(bob)) == ([], [18])
    assert replays(loop)
