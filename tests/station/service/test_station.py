"""The station with a real journal, a mock gate and a mock link: order, durability, and what is published when."""

import itertools
import pathlib
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.link.interface import Delivery, Subscription
from shared.link.mock import MockLink
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from station.commands.replay import check
from station.core import inputs as e
from station.views.command_answers import Accepted, Declined
from station.views.views import View
from station.web.presenters.health import alarms
from tests.station.full_disk import full_disk
from tests.station.service.station_rig import MS, Rig, S, WireCar, orders, rules


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "station.db")
    yield rig
    rig.station.close()


def laps_ms(view: View) -> list[int]:
    return [lap.lap_ns // MS for lap in view.run.laps] if view.run else []


def test_a_race_from_the_first_command_to_the_result(rig: Rig) -> None:
    car = WireCar(rig)
    rig.open()
    rig.go()
    rig.cross(1.0)
    last_ns = rig.clock.now_ns() - 200 * MS
    for seq in (1, 2, 3):
        rig.cross(8.0)
        at_ns = rig.clock.now_ns() - 200 * MS
        car.lap(seq, at_ns + 10 * MS, at_ns - last_ns + 5 * MS)
        last_ns = at_ns
    view = rig.station.snapshot()
    assert view.run is not None
    assert (view.run.phase, view.run.finished_reason) == ("finished", "all laps done")
    assert laps_ms(view) == [8200] * 3
    assert [lap.confirmed for lap in view.run.laps] == [True] * 3
    assert [(line.rank, line.racer, line.score_ms, line.runs) for line in view.standing] == [(1, "Ann", 8200, 1)]
    assert rig.station.journal.due == 1
    assert view.store.head == rig.station.journal.head.hex
    assert [ack.seq for ack in car.collect(m.LapAck) if isinstance(ack, m.LapAck)] == [1, 2, 3]
    check(rig.station.journal)


def test_refusals_are_answered_and_change_nothing(rig: Rig) -> None:
    answer = rig.give(e.FinishRun(author="judge"))
    assert isinstance(answer, Declined)
    assert "`finish` cannot be done while the run is idle" in answer.sentence
    assert rig.give(e.OpenRun(author="judge", racer="Ann", car="car-1", run_id="heat-7")) == Accepted(
        4, "heat-7", "car-1", "arm"
    )


def test_the_wire_hears_of_runs_and_laps_after_the_commit(rig: Rig) -> None:
    received: list[m.Body] = []

    def receive(delivery: Delivery) -> None:
        received.append(delivery.message.body)
        delivery.ack()

    page = MockLink(rig.broker, "screen-1", "screen", "station")
    page.start([Subscription(BY_BODY[kind]) for kind in (m.RunStatus, m.OfficialLap, m.GateHealth)], receive)
    rig.open()
    rig.go()
    rig.cross(1.0)
    rig.cross(8.0)
    statuses = [(body.phase, body.laps) for body in received if isinstance(body, m.RunStatus)]
    assert [phase for phase, _ in itertools.groupby(statuses)] == [("armed", 0), ("running", 0), ("running", 1)]
    laps = [body for body in received if isinstance(body, m.OfficialLap)]
    assert [(lap.number, lap.lap_ns, lap.valid) for lap in laps] == [(1, 8_200 * MS, True)]
    assert any(isinstance(body, m.GateHealth) and body.alive for body in received)


def test_a_killed_station_loses_no_crossing_while_the_gate_remembers(rig: Rig) -> None:
    rig.open()
    rig.go()
    rig.cross(1.0)
    rig.cross(8.0)
    rig.gate.detach()
    for _ in range(2):  # nobody listens
        rig.clock.advance(rig.clock.now_ns() + 8 * S)
        rig.gate.pass_by()
    rig.restart()
    rig.wait(200 * MS)
    view = rig.station.snapshot()
    assert laps_ms(view) == [8200, 8200 - 200 + 200, 8000]
    assert view.run is not None
    assert view.run.phase == "finished"
    check(rig.station.journal)


def test_edges_are_taken_before_the_time_is(tmp_path: pathlib.Path) -> None:
    """After a restart the time limit is over, while edges from before its end are still in the queue."""
    rig = Rig(tmp_path / "station.db", rules(max_laps=None, time_limit_s=30.0))
    rig.open()
    rig.go()
    rig.cross(1.0)
    rig.cross(8.0)
    rig.gate.detach()
    rig.clock.advance(rig.clock.now_ns() + 8 * S)
    rig.gate.pass_by()
    rig.clock.advance(rig.clock.now_ns() + 60 * S)
    rig.restart()
    rig.settle()
    view = rig.station.snapshot()
    assert len(laps_ms(view)) == 2
    assert view.run is not None
    assert view.run.finished_reason == "time is up"
    rig.station.close()


def test_a_report_is_acknowledged_only_once_it_is_kept_and_again_when_it_comes_again(tmp_path: pathlib.Path) -> None:
    with full_disk() as disk:
        rig = Rig(tmp_path / "station.db")
        car = WireCar(rig)
        disk.full = True
        car.lap(1, rig.clock.now_ns(), None)
        rig.wait(2 * S)
        assert car.collect(m.LapAck) == []
        disk.full = False
        rig.wait(1 * S)
        assert len(car.collect(m.LapAck)) == 1
        records = rig.station.journal.head.seq
        car.lap(1, rig.clock.now_ns(), None)
        assert len(car.collect(m.LapAck)) == 1
        assert rig.station.journal.head.seq == records
        rig.station.close()


def test_a_full_disk_is_said_and_lost_is_nothing(tmp_path: pathlib.Path) -> None:
    with full_disk() as disk:
        rig = Rig(tmp_path / "station.db")
        rig.open()
        rig.go()
        rig.cross(1.0)
        rig.cross(8.0)
        before = rig.station.snapshot()
        disk.full = True
        rig.cross(8.0)
        during = rig.station.snapshot()
        assert not during.store.ok
        assert "disk is full" in during.store.sentence
        assert during.store.held == 2  # the two edges
        assert laps_ms(during) == laps_ms(before) == [8200]  # what is not stored is not shown
        declined = rig.give(e.OffTrack(author="marshal"))
        assert isinstance(declined, Declined)
        assert "cannot be stored" in declined.sentence
        rig.cross(8.0)
        assert rig.station.snapshot().store.held == 4
        disk.full = False
        rig.wait(1 * S)
        after = rig.station.snapshot()
        assert after.store.ok
        assert laps_ms(after) == [8200, 8200, 8200]
        assert after.run is not None
        assert after.run.laps[1].off_tracks == 0
        check(rig.station.journal)
        rig.station.close()


def test_leases_go_to_the_car_of_the_run_and_to_no_other(rig: Rig) -> None:
    ours, other = WireCar(rig), WireCar(rig, "car-2")

    def grants() -> list[list[str]]:
        for car in (ours, other):
            car.beat("disarmed")
        return [[b.grant for b in car.collect(m.Lease) if isinstance(b, m.Lease)] for car in (ours, other)]

    assert grants() == [["none"], ["none"]]
    rig.open()
    assert grants() == [["drive"], ["none"]]
    rig.give(e.AbandonRun(author="judge"))
    assert grants() == [["none"], ["none"]]


def test_a_lease_answers_its_beat(rig: Rig) -> None:
    car = WireCar(rig)
    rig.open()
    car.beat("disarmed")
    assert car.collect(m.Lease) == [m.Lease(car.boot, 1, "drive", "run-1", 500)]


def test_orders_lead_the_car_and_end_when_it_is_there(rig: Rig) -> None:
    car = WireCar(rig)
    rig.open()
    car.beat("disarmed")
    assert "arm" in orders(car.collect(m.DriveOrder))
    car.beat("ready")
    assert orders(car.collect(m.DriveOrder)) == []
    rig.go()
    assert orders(car.collect(m.DriveOrder)) == ["start"]
    for _ in range(6):
        car.beat("ready")
    repeats = [order for order in car.collect(m.DriveOrder) if isinstance(order, m.DriveOrder)]
    assert 0 < len(repeats) < 6
    assert len({order.order_id for order in repeats}) == 1
    assert repeats[-1].heartbeat > 1
    car.beat("driving")
    car.collect(m.DriveOrder)
    car.beat("driving")
    assert orders(car.collect(m.DriveOrder)) == []


def test_a_trip_is_shown_and_left_only_by_resume(rig: Rig) -> None:
    car = WireCar(rig)
    rig.open()
    car.beat("ready")
    rig.go()
    car.state(m.CarState(True, "driving", model="m"))
    car.beat("driving")
    rig.cross(1.0)
    car.state(m.CarState(True, "tripped", "The frames stopped.", "m"))
    for _ in range(6):
        car.beat("tripped")
    car.collect(m.DriveOrder)
    car.beat("tripped")
    assert orders(car.collect(m.DriveOrder)) == []
    alarms = [view.alarm for view in rig.station.snapshot().cars]
    assert alarms == ["car-1 stopped itself: The frames stopped. Resume it when it is safe."]
    rig.give(e.ResumeRun(author="judge"))
    modes: list[m.CarMode] = ["tripped", "disarmed", "ready", "driving", "driving"]
    for mode in modes:
        car.beat(mode)
    assert [action for action, _ in itertools.groupby(orders(car.collect(m.DriveOrder)))] == ["reset", "arm", "start"]
    for _ in range(5):
        car.beat("tripped")
    assert orders(car.collect(m.DriveOrder)) == []


def test_an_emergency_stop_goes_out_though_the_disk_is_full(tmp_path: pathlib.Path) -> None:
    with full_disk() as disk:
        rig = Rig(tmp_path / "station.db")
        car = WireCar(rig)
        rig.open()
        car.beat("driving")
        disk.full = True
        ticket = rig.station.offer(e.OrderCar(author="judge", car="car-1", action="estop"))
        rig.broker.run_until(rig.clock.now_ns())
        assert orders(car.collect(m.DriveOrder)) == ["estop"]
        rig.settle()
        assert isinstance(ticket.answer, Declined)
        assert "The emergency stop was sent" in ticket.answer.sentence
        car.collect(m.Lease)
        car.beat("driving")
        assert [b.grant for b in car.collect(m.Lease) if isinstance(b, m.Lease)] == ["none"]
        rig.station.close()


def test_a_car_that_drives_without_a_run_is_told_to_stop(rig: Rig) -> None:
    car = WireCar(rig)
    car.beat("driving")
    assert orders(car.collect(m.DriveOrder)) == ["stop"]


def test_an_order_that_is_not_followed_is_given_up_and_said(rig: Rig) -> None:
    car = WireCar(rig)
    rig.open()
    for _ in range(170):
        car.beat("disarmed")
    assert "did not arm" in rig.station.snapshot().cars[0].alarm
    car.collect(m.DriveOrder)
    car.beat("disarmed")
    assert orders(car.collect(m.DriveOrder)) == []


def test_silence_of_a_car_in_mid_run_is_an_alarm(rig: Rig) -> None:
    car = WireCar(rig)
    rig.open()
    car.beat("ready")
    rig.go()
    car.state(m.CarState(True, "driving", model="m"))
    car.beat("driving")
    rig.wait(1 * S)
    assert rig.station.snapshot().cars[0].alarm == ""
    rig.wait(3 * S)
    assert "silent" in rig.station.snapshot().cars[0].alarm


def test_waiters_are_woken_by_a_change_and_not_without(rig: Rig) -> None:
    version = rig.station.snapshot().version
    assert rig.station.wait_for_change(version, 0.0) is None
    found: list[View | None] = []
    waiter = threading.Thread(target=lambda: found.append(rig.station.wait_for_change(version, 10.0)))
    waiter.start()
    rig.open()
    waiter.join(10.0)
    assert found[0] is not None
    assert found[0].version > version


def test_a_restart_shows_what_was_there(rig: Rig) -> None:
    rig.open()
    rig.go()
    rig.cross(1.0)
    rig.cross(8.0)
    before = rig.station.snapshot()
    rig.restart()
    after = rig.station.snapshot()
    assert (after.run, after.standing, after.race) == (before.run, before.standing, before.race)


@pytest.mark.parametrize("between", ["", "race-2"])
def test_other_rules_for_a_race_with_runs_are_said_and_the_race_goes_on_as_it_was(rig: Rig, between: str) -> None:
    rig.open()
    rig.give(e.AbandonRun(author="judge"))
    assert rig.setup.race is not None
    first = rig.setup.race
    if between:
        rig.setup = replace(rig.setup, race=replace(first, race_id=between))
        rig.restart()
    rig.setup = replace(rig.setup, race=replace(first, rules=rules(max_laps=9)))
    rig.restart()
    sentence = (
        "The race race-1 has runs under other rules: give the new race another id. "
        "The station continues with race-1 as it was."
    )
    view = rig.station.snapshot()
    assert (rig.station.notice, view.notice) == (sentence, sentence)
    assert sentence in alarms(view)
    assert view.race is not None
    assert (view.race.race_id, view.race.rules) == ("race-1", first.rules)
    rig.open()
    rig.go()


def test_a_station_closes_all_that_it_has_whatever_one_of_them_raises(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This once happened: a failure at the start was followed by one at the end, and nothing else was closed."""
    closed: list[str] = []

    def closing(name: str) -> None:
        closed.append(name)
        raise RuntimeError(name)

    with monkeypatch.context() as spoiled:
        spoiled.setattr(rig.gate, "close", lambda: closing("gate"))
        spoiled.setattr(rig.link, "close", lambda: closing("link"))
        spoiled.setattr(rig.station.journal, "close", lambda: closed.append("journal"))
        with pytest.raises(RuntimeError):
            rig.station.close()
    assert closed == ["gate", "link", "journal"]


def test_a_run_that_is_on_goes_on_though_the_config_names_another_race(rig: Rig) -> None:
    rig.open()
    assert rig.setup.race is not None
    rig.setup = replace(rig.setup, race=replace(rig.setup.race, race_id="race-2"))
    rig.restart()
    assert "finish it first" in rig.station.notice
    assert rig.station.snapshot().race.race_id == "race-1"  # type: ignore[union-attr]
    rig.go()


@pytest.mark.parametrize("boot", ["\ud800", "a\nb", "\x00"])
def test_a_boot_that_no_machine_has_is_not_kept(rig: Rig, boot: str) -> None:
    records = rig.station.journal.head.seq
    car = WireCar(rig)
    car.boot = boot
    car.lap(1, rig.clock.now_ns(), None)
    assert car.collect(m.LapAck) == []
    assert rig.station.journal.head.seq == records
    check(rig.station.journal)


def test_quiet_time_is_not_journaled(rig: Rig) -> None:
    records = rig.station.journal.head.seq
    for _ in range(100):
        rig.wait(100 * MS)
    assert rig.station.journal.head.seq == records


def test_what_the_car_says_of_its_model_is_journaled_posted_and_held_against_the_entry(rig: Rig) -> None:
    car = WireCar(rig)
    car.state(m.CarState(True, "disarmed", model="fast-v3", model_sha256="ab" * 32))
    records = rig.station.journal.head.seq
    car.state(m.CarState(True, "ready", model="fast-v3", model_sha256="ab" * 32))
    assert rig.station.journal.head.seq == records, "only what is new is kept"
    assert isinstance(rig.give(e.OpenRun(author="judge", racer="Ann", car="car-1", model="slow-v1")), Accepted)
    car.beat("ready")
    view = rig.station.snapshot().run
    assert view is not None
    assert (view.model, view.model_differs) == ("fast-v3", True)
    refused = rig.give(e.StartRun(author="judge"))
    assert isinstance(refused, Declined)
    assert "car-1 reports the model fast-v3 (abababababab), Ann's entry says the model slow-v1" in refused.sentence
    assert isinstance(rig.give(e.EnterModel(author="judge", model="fast-v3", reason="swapped")), Accepted)
    car.beat("ready")
    rig.go()
    for _ in range(4):
        rig.cross(8.0)
    posted = [record for record in rig.station.journal.records() if b'"ResultDue"' in record.facts]
    assert b'"model":"fast-v3"' in posted[-1].facts
    assert b'"model_by":"car"' in posted[-1].facts
    check(rig.station.journal)


def test_a_station_that_starts_anew_hears_its_cars_again(rig: Rig) -> None:
    car = WireCar(rig)
    car.state(m.CarState(True, "disarmed", model="fast-v3", model_sha256="ab" * 32))
    rig.open()
    rig.restart()
    rig.settle()
    view = rig.station.snapshot().run
    assert view is not None
    assert (view.model, view.model_note) == ("fast-v3", "")
    check(rig.station.journal)


def test_a_ruling_is_answered_with_what_it_did(rig: Rig) -> None:
    rig.open()
    rig.go()
    for _ in range(4):
        rig.cross(8.0)
    answer = rig.give(e.AddPenalty(author="judge", reason="pushed", number=1, seconds=1.5))
    assert isinstance(answer, Accepted)
    assert answer.effect is not None
    assert answer.effect.sentence == "Lap 1: 8.200 → 9.700. Score: 8.200 → 8.700. Place: 1, as before."
