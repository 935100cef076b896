"""What operators of timing systems complain about, one test each: the answer, through real engine and journal."""

import json
import pathlib
import zipfile
from dataclasses import replace
from typing import Literal

import pytest

from shared.protocol import messages as m
from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.evidence.bundle import make_bundle
from station.exports.results_csv import EVENT_MANAGER, OURS, laps_csv
from station.gates.decoders.catalog import decoder
from station.views.command_answers import Accepted, Declined
from station.views.race_views import RunView
from tests.station.service.archive.test_run_archive import asked
from tests.station.service.station_rig import MS, Rig, S, WireCar

BEST = RaceRules(method="best_lap", consecutive_laps=1, min_lap_s=2.0)


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Rig:
    return Rig(tmp_path / "station.db", BEST)


def done(rig: Rig, command: e.Command) -> Accepted:
    answer = rig.give(command)
    assert isinstance(answer, Accepted), answer
    return answer


def refused(rig: Rig, command: e.Command) -> str:
    answer = rig.give(command)
    assert isinstance(answer, Declined), answer
    return answer.sentence


def run_of(rig: Rig) -> RunView:
    run = rig.station.snapshot().run
    assert run is not None
    return run


def laps_s(rig: Rig) -> list[float]:
    return [lap.lap_ns / S for lap in run_of(rig).laps]


def drive(rig: Rig, *laps: float, racer: str = "Ann") -> None:
    """Opens and starts a run whose laps take this long, each beam included."""
    rig.open(racer)
    rig.go()
    rig.cross(1.0)
    for lap in laps:
        rig.cross(lap - 0.2)


def test_01_missed_laps_are_seen_at_once_and_counted_with_a_second_witness(rig: Rig) -> None:
    drive(rig, 3.007, 2.996, 3.0)
    rig.wait(round(3.0 * S))
    done(rig, e.HandTime(author="Ruth"))
    rig.cross(2.9)
    (asked_now,) = run_of(rig).proposals
    assert asked_now.witness == "a hand time"
    done(rig, e.HandCrossing(author="Ruth", at_ns=asked_now.at_ns))
    assert len(laps_s(rig)) == 5
    assert "timed by hand" in run_of(rig).laps[3].reason


def test_02_double_and_short_laps_one_pass_is_one_crossing_and_the_official_chooses(rig: Rig) -> None:
    drive(rig, 9.0)
    rig.cross(0.5)
    assert laps_s(rig) == [9.0], "within the lockout it is the same pass"
    rig.cross(1.0)
    (flagged_ns,) = run_of(rig).flagged
    rig.cross(8.0)
    done(rig, e.AddCrossing(author="Ruth", reason="this one was the car", at_ns=flagged_ns))
    assert len(laps_s(rig)) == 3


def test_03_results_are_not_lost_when_the_process_dies(rig: Rig) -> None:
    drive(rig, 9.0, 8.0)
    before = run_of(rig).laps
    rig.restart()
    assert run_of(rig).laps == before
    rig.cross(8.5)
    done(rig, e.FinishRun(author="Ruth"))
    rig.restart()
    assert [line.score_ms for line in rig.station.snapshot().standing] == [8_000]


def test_04_a_device_that_fails_is_noticed_and_keeps_a_run_from_being_armed(rig: Rig) -> None:
    rig.gate.close()
    rig.wait(S)
    (gate,) = rig.station.snapshot().gates
    assert not gate.alive
    run = e.OpenRun(author="Ruth", racer="Ann", car="car-1")
    assert "is not ready" in refused(rig, run)
    done(rig, replace(run, hand_timed=True, reason="the gate is dead"))
    assert run_of(rig).hand_timed


def test_05_a_flaky_serial_line_loses_no_passing() -> None:
    lines = b"".join(f" 0001 C0  10:00:{at_s:07.4f} 00\r".encode() for at_s in (0.0, 3.2, 6.4))
    noisy = b"\x00\xff 00" + lines[:20] + b"\r\n" + lines
    whole, in_bytes = decoder("alge"), decoder("alge")
    expected = whole.feed(noisy)
    assert len(expected) >= 3
    assert [each for byte in noisy for each in in_bytes.feed(bytes([byte]))] == expected


def test_06_corrections_leave_a_trail_and_the_numbering_stays_right(rig: Rig) -> None:
    drive(rig, 9.0, 8.0, 7.0)
    done(rig, e.VoidLap(author="Ruth", device="tablet", number=3, reason="cut the corner"))
    middle_ns = run_of(rig).laps[0].ended_ns - 4 * S
    done(rig, e.AddCrossing(author="Sam", device="desk", at_ns=middle_ns))
    assert [lap.number for lap in run_of(rig).laps] == [1, 2, 3, 4]
    assert [lap.valid for lap in run_of(rig).laps] == [True, True, True, False]
    done(rig, e.UndoLast(author="Ruth", device="desk"))
    assert all(lap.valid for lap in run_of(rig).laps)
    page = asked(rig, lambda: rig.station.run_page("run-1"))
    assert page is not None
    trail = [(each.author, each.device, each.words, each.undone_by > 0) for each in page.rulings[-3:]]
    assert trail == [
        ("Ruth", "tablet", "Void lap 3", True),
        ("Sam", "desk", "Count a crossing that the gate missed or flagged", False),
        ("Ruth", "desk", "Restore lap 4", False),
    ]
    assert all(each.effect is not None for each in page.rulings[-3:])


@pytest.mark.parametrize(("rule", "laps"), [("stop", 2), ("finish_lap", 3)])
def test_07_late_laps_follow_the_rule_of_the_race(
    tmp_path: pathlib.Path, rule: Literal["stop", "finish_lap"], laps: int
) -> None:
    rules = replace(BEST, time_limit_s=20.0, at_time_limit=rule)
    rig = Rig(tmp_path / "station.db", rules)
    drive(rig, 8.0, 8.0, 8.0)
    rig.wait(2 * S)
    assert run_of(rig).phase == "finished"
    assert len(laps_s(rig)) == laps


def test_08_a_bad_configuration_is_found_before_the_race(rig: Rig) -> None:
    nonsense = e.CreateRace(author="Ruth", name="Final", rules=replace(BEST, consecutive_laps=0))
    assert "consecutive_laps" in refused(rig, nonsense)
    done(rig, e.SetMode(author="Ruth", mode="test"))
    assert "test mode" in refused(rig, e.OpenRun(author="Ruth", racer="Ann", car="car-1"))


def test_09_clocks_that_disagree_change_no_lap(rig: Rig) -> None:
    drive(rig, 9.0)
    now_ms = rig.clock.utc_ns() // MS
    done(rig, e.SetClock(author="Ruth", utc_ms=now_ms + 3_600_000))
    rig.cross(8.8)
    assert laps_s(rig) == [9.0, 9.0]


def test_10_a_lost_network_loses_nothing_and_repeats_change_nothing(rig: Rig) -> None:
    car = WireCar(rig)
    drive(rig, 9.0)
    for _ in range(3):
        car.lap(1, rig.clock.now_ns(), 9 * S)
    assert len([facts for facts in rig.facts() if b"CarReportStored" in facts]) == 1
    assert len(car.collect(m.LapAck)) == 3
    rig.link.vanish()
    rig.cross(8.8)
    assert laps_s(rig) == [9.0, 9.0], "timing needs no broker"


def test_11_what_may_still_change_is_not_announced(rig: Rig) -> None:
    drive(rig, 9.0, 9.1, 3.0, 9.2)
    view = rig.station.snapshot()
    assert [lap.held for lap in run_of(rig).laps] == [False, False, True, True]
    assert not any("3.000" in each.sentence for each in view.announcements)
    assert run_of(rig).best_ns == 9 * S


def test_12_results_are_exported_in_the_event_managers_columns(rig: Rig) -> None:
    drive(rig, 9.0, 8.0, racer="=1+1")
    done(rig, e.FinishRun(author="Ruth"))
    results = asked(rig, lambda: rig.station.race_results("race-1"))
    assert results is not None
    head, first, *_ = laps_csv(results).removeprefix("\ufeff").splitlines()
    assert head.startswith(",".join(EVENT_MANAGER))
    assert head.endswith(OURS[-1])
    assert "'=1+1" in first, "a name is no formula"


def test_13_an_event_and_a_race_need_no_file_and_no_restart(rig: Rig) -> None:
    done(rig, e.CreateEvent(author="Ruth", name="Autumn cup"))
    race_id = done(rig, e.CreateRace(author="Ruth", name="Final", rules=BEST)).race_id
    done(rig, e.AddCar(author="Ruth", car="stock-1", kind="none"))
    done(rig, e.SwitchRace(author="Ruth", race_id=race_id))
    done(rig, e.OpenRun(author="Ruth", racer="Ann", car="stock-1"))
    done(rig, e.StartRun(author="Ruth", by_hand=True))
    for _ in range(3):
        rig.cross(8.8)
    assert laps_s(rig) == [9.0, 9.0]
    assert not any(car.alarm for car in rig.station.snapshot().cars)


def test_14_a_run_under_the_wrong_name_is_given_to_who_drove_it(rig: Rig) -> None:
    drive(rig, 9.0, 8.0)
    done(rig, e.FinishRun(author="Ruth"))
    ruling = e.ReassignRun(author="Ruth", reason="wrong badge", racer="Ben", run_id="run-1")
    effect = asked(rig, lambda: rig.station.preview(ruling))
    assert (effect.before.racer, effect.after.racer, effect.after.place) == ("Ann", "Ben", 1)
    done(rig, ruling)
    assert [line.racer for line in rig.station.snapshot().standing] == ["Ben"]


def test_15_a_dispute_has_evidence_that_checks_itself(rig: Rig, tmp_path: pathlib.Path) -> None:
    drive(rig, 9.0, 8.0)
    done(rig, e.FinishRun(author="Ruth"))
    sentence = make_bundle(rig.path, "run-1", tmp_path / "run.zip")
    assert "are intact" in sentence
    with zipfile.ZipFile(tmp_path / "run.zip") as bundle:
        assert json.loads(bundle.read("run.json"))["result"]["score_ms"] == 8_000


def test_16_rounds_a_run_without_laps_uses_no_attempt_and_the_schedule_moves(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path / "station.db", replace(BEST, attempts_per_racer=1))
    for racer in ("Ann", "Ben", "Cem"):
        done(rig, e.QueueRacer(author="Ruth", racer=racer, car="car-1"))
    done(rig, e.CallNext(author="Ruth"))
    done(rig, e.MarkNoShow(author="Ruth", racer="Ann"))
    done(rig, e.MoveInQueue(author="Ruth", racer="Cem", place=1))
    rig.open("Cem")
    done(rig, e.AbandonRun(author="Ruth", reason="no battery"))
    rig.open("Cem")
    assert run_of(rig).attempt == 1, "the run without a lap was none"
