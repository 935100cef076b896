"""The archive: every run of every race, also those that memory no longer holds; rulings as a history; traces."""

import pathlib
import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.service.archive.run_pages import begin_page, finish_page
from station.service.archive.trace_reader import StoredTrace
from station.views.command_answers import Accepted
from station.views.runs.run_archive import RunPage
from tests.station.core.scripted_race import Hand, S, moment
from tests.station.service.archive.test_undo import RuledRace
from tests.station.service.station_rig import Rig, WireCar

RULES = RaceRules(method="best_lap", consecutive_laps=1)
T = TypeVar("T")


def asked(rig: Rig, ask: Callable[[], T]) -> T:
    """The answer to a question, while the station's thread works."""
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(ask()))
    thread.start()
    while thread.is_alive():
        rig.station.pump()
        thread.join(0.001)
    return found[0]


def page(rig: Rig, run_id: str) -> RunPage:
    found = asked(rig, lambda: rig.station.run_page(run_id))
    assert found is not None
    return found


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Rig:
    """A run with a hand time, a crossing too soon and a void lap that was restored; its race is no longer open."""
    rig = Rig(tmp_path / "station.db", RULES)
    car = WireCar(rig)
    rig.open()
    rig.go()
    for number in range(4):
        rig.cross(9.0)
        car.lap(number + 1, rig.clock.now_ns(), 9 * S if number else None)
    rig.give(e.HandTime(author="Ruth"))
    rig.cross(1.2)
    assert isinstance(rig.give(e.FinishRun(author="Ruth")), Accepted)
    for command in (
        e.VoidLap(author="Ruth", device="tablet", number=1, reason="cut the corner"),
        e.RestoreLap(author="Sam", device="desk", number=1, reason="the video"),
    ):
        assert isinstance(rig.give(command), Accepted)
    return rig


def test_the_page_of_a_run_shows_every_witness_on_one_time_base(rig: Rig) -> None:
    trace = page(rig, "run-1").trace
    (lane,) = trace.beams
    assert (lane.gate, lane.sensor, len(lane.pulses)) == ("start", "beam", 5)
    assert [pulse.begin_ms for pulse in lane.pulses] == [each.at_ms for each in trace.crossings]
    assert [(each.state, each.lap) for each in trace.crossings] == [
        *(("counted", lap) for lap in range(4)),
        ("flagged", None),
    ]
    assert trace.crossings[0].at_ms == 0.0
    assert "sooner than" in trace.crossings[4].why
    assert len(trace.reports) == 4
    assert all(trace.from_ms < each.at_ms < trace.to_ms for each in trace.reports)
    assert [each.author for each in trace.hand_times] == ["Ruth"]


def test_the_history_shows_who_did_what_with_before_and_after_and_survives_a_power_cut(rig: Rig) -> None:
    told = page(rig, "run-1").rulings
    assert [(each.author, each.device, each.words, each.reason) for each in told[-2:]] == [
        ("Ruth", "tablet", "Void lap 1", "cut the corner"),
        ("Sam", "desk", "Restore lap 1", "the video"),
    ]
    effects = [each.effect for each in told[-2:]]
    assert [effect and (effect.before.lap_counts, effect.after.lap_counts) for effect in effects] == [
        (True, False),
        (False, True),
    ]
    rig.restart()
    assert page(rig, "run-1").rulings == told


def test_the_audit_has_every_command_and_survives_a_power_cut(rig: Rig) -> None:
    acts = asked(rig, rig.station.audit)
    voided = next(each for each in acts if each.words == "Void lap 1")
    assert (voided.person, voided.device, voided.subject, voided.reason) == (
        "Ruth",
        "tablet",
        "run-1",
        "cut the corner",
    )
    assert "does not count" in voided.after
    assert "does not count" not in voided.before
    rig.restart()
    assert asked(rig, rig.station.audit) == acts


def test_the_list_holds_the_runs_of_all_races(rig: Rig) -> None:
    rig.setup = type(rig.setup)("station-1", rig.setup.gates, e.OpenRace(e.NEVER, "race-2", "The next", RULES))
    rig.restart()
    rig.open("Ben")
    listed = asked(rig, rig.station.run_list)
    assert [(run.run_id, run.race_name, run.racer, run.phase) for run in listed] == [
        ("run-2", "The next", "Ben", "armed"),
        ("run-1", "A race", "Ann", "finished"),
    ]
    assert (listed[1].laps, listed[1].flagged, listed[1].voided, listed[1].rulings) == (3, 1, 0, 5)
    assert page(rig, "run-1").laps == rig.station._restored.engine.races["race-1"].runs["run-1"].book.laps()
    assert asked(rig, lambda: rig.station.run_page("run-9")) is None


def test_a_run_out_of_memory_stays_in_the_list_and_its_laps_come_from_the_journal(rig: Rig) -> None:
    before = page(rig, "run-1")
    race = rig.station._restored.engine.races["race-1"]
    race.registry._reach = 0
    race.standings.score("run-1", "Ann", None)  # it holds no place, which would spare it
    for other in ("Ben", "Cem"):
        rig.open(other)
        assert isinstance(rig.give(e.AbandonRun(author="Ruth", reason="no car")), Accepted)
    evicted = page(rig, "run-1")
    assert evicted.summary.evicted
    assert evicted.laps == before.laps
    assert evicted.rulings == before.rulings
    assert evicted.trace.beams == before.trace.beams
    assert [run.evicted for run in asked(rig, rig.station.run_list)][-1]


def test_a_trace_of_nothing_is_empty() -> None:
    hand = RuledRace()
    hand.open()
    request = begin_page(hand.engine, hand.index, "run-1")
    assert request is not None
    shown = finish_page(hand.engine, hand.index, request, StoredTrace())
    assert (shown.trace.beams, shown.crossings, shown.laps) == ((), (), ())


@pytest.mark.slow
def test_all_of_a_thousand_runs_are_listed() -> None:
    hand: Hand = RuledRace()
    for number in range(1000):
        begin = 100 * number + 10
        hand.drive([begin + 6 * lap for lap in range(11)], f"Racer {number % 200}")
        hand.do(e.FinishRun(author="judge", moment=moment((begin + 90) * S)))
    assert isinstance(hand, RuledRace)
    assert len(hand.index.summaries(hand.engine)) == 1000
