"""Sector times: a lap divided at split gates; unknown wherever it is not certain which pass belongs to the lap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.core.runs.laps import CountedCrossing
from station.core.runs.sectors import SplitCrossing, sector_times
from tests.station.core.scripted_race import MS, Hand, S, moment, only

GATES = ("split-1", "split-2")
SPECS = (e.GateSpec("start"), *(e.GateSpec(name, kind="split") for name in GATES))


def at(at_s: float, boot: str = "boot-a") -> CountedCrossing:
    return CountedCrossing(1, round(at_s * S), boot, 0, 0)


def split(number: int, at_s: float, boot: str = "boot-a") -> SplitCrossing:
    return SplitCrossing(f"split-{number}", round(at_s * S), boot)


CASES = {
    "both gates": ([split(1, 4), split(2, 7)], 10, (4, 3, 3)),
    "the first missed the car": ([split(2, 7)], 10, (None, None, 3)),
    "the second missed the car": ([split(1, 4)], 10, (4, None, None)),
    "no gate saw it": ([], 10, (None, None, None)),
    "passed twice": ([split(1, 4), split(1, 5), split(2, 7)], 10, (None, None, 3)),
    "passes of other laps": ([split(1, -3), split(1, 4), split(2, 7), split(1, 13)], 10, (4, 3, 3)),
    "out of turn": ([split(1, 7), split(2, 4)], 10, (7, None, None)),
    "another clock": ([split(1, 4, "boot-b"), split(2, 7)], 10, (None, None, 3)),
    "a device that uses the station's clock": ([split(1, 4, "boot-a/pico"), split(2, 7)], 10, (4, 3, 3)),
    "the lap in progress": ([split(1, 4)], None, (4, None, None)),
    "the lap in progress, just begun": ([], None, (None, None, None)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_sectors_of_a_lap(name: str) -> None:
    splits, end_s, expected = CASES[name]
    times = sector_times(at(0), None if end_s is None else at(end_s), splits, GATES)
    assert times == tuple(None if each is None else each * S for each in expected)


def test_a_lap_that_ends_on_another_clock_has_no_last_sector() -> None:
    assert sector_times(at(0), at(10, "boot-b"), [split(1, 4), split(2, 7)], GATES) == (4 * S, 3 * S, None)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(-5, 25)), max_size=12), st.integers(1, 20))
def test_known_sectors_are_positive_and_all_of_them_make_the_lap(passes: list[tuple[int, int]], lap_s: int) -> None:
    gates = ("split-1", "split-2", "split-3")
    times = sector_times(at(0), at(lap_s), [split(number, at_s) for number, at_s in passes], gates)
    assert len(times) == 4
    assert all(each is None or each > 0 for each in times)
    if None not in times:
        assert sum(each or 0 for each in times) == lap_s * S


def test_splits_of_the_run_on_the_track_reach_it_and_give_the_same_facts_in_a_replay() -> None:
    hand = Hand(None, *SPECS)
    hand.open()
    hand.edge(500 * MS, gate="split-1")  # before the start: nobody's
    hand.go(1 * S)
    for at_s, gate in ((2, "start"), (6, "split-1"), (9, "split-2"), (12, "start"), (15, "split-1")):
        hand.edge(at_s * S, gate=gate)
        hand.edge(at_s * S + 100 * MS, broken=False, gate=gate)
    assert [(each.gate, each.at_ns // S) for each in hand.run.splits] == [
        ("split-1", 6),
        ("split-2", 9),
        ("split-1", 15),
    ]
    first, second = (segment.start for segment in hand.run.book.segments)
    assert sector_times(first, second, hand.run.splits, GATES) == (4 * S, 3 * S, 3 * S)
    replayed = Engine()
    assert [replayed.handle(event) for event in hand.inputs] == hand.facts
    assert replayed.run is not None
    assert replayed.run.splits == hand.run.splits


def test_with_several_cars_only_a_transponder_makes_a_split_certain() -> None:
    hand = Hand(None, *SPECS, started=False)
    owners = (e.Transponder("101", "car-1"), e.Transponder("102", "car-2"))
    hand.do(e.Booted(moment(0), "station-1", SPECS, owners))
    hand.do(e.OpenRace(moment(0), "race-1", "A race", RaceRules(), cars_on_track=2))
    for racer, car in (("Ann", "car-1"), ("Ben", "car-2")):
        hand.do(e.OpenRun(author="judge", racer=racer, car=car, run_id=car, moment=moment(0)))
        hand.do(e.StartRun(author="judge", run_id=car, moment=moment(0)))
    by_beam = hand.do(e.Edge("split-1", "beam", True, 3 * S, 1, "boot-a"))
    by_id = hand.do(e.Edge("split-1", "beam", True, 5 * S, 2, "boot-a", transponder="102"))
    assert only(by_beam, f.Attributed) == []
    assert only(by_id, f.Attributed)[0].run_id == "car-2"
    assert hand.engine.race is not None
    assert {run.car: len(run.splits) for run in hand.engine.race.on_track} == {"car-1": 0, "car-2": 1}
