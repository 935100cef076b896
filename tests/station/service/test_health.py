"""The gates' health: checked before a run is armed, shown for each sensor, and published for all gates on one topic."""

import pathlib
import socket
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.link.interface import Delivery, Subscription
from shared.link.mock import MockLink
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from station.core import inputs as e
from station.evidence.bundle import make_bundle
from station.views.command_answers import Accepted, Declined
from station.views.gate_views import SensorView
from tests.station.service.station_rig import MS, Rig, S


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "station.db")
    yield made
    made.station.close()


def test_a_gate_that_dies_must_be_overridden(rig: Rig) -> None:
    rig.wait(S)
    rig.gate.detach()  # the driver reports that nothing is connected
    rig.wait(S)
    answer = rig.give(e.OpenRun(author="judge", racer="Ann", car="car-1"))
    assert isinstance(answer, Declined)
    assert "The gate start is not ready (The mock gate is not started.)" in answer.sentence
    rig.restart()
    rig.wait(S)
    rig.open()
    rig.station.journal.verify()


def test_an_override_is_kept(rig: Rig) -> None:
    rig.gate.detach()
    rig.wait(S)
    given = e.OpenRun(author="judge", racer="Ann", car="car-1", override_reason="hand timing")
    assert isinstance(rig.give(given), Accepted)
    assert b'"GateOverridden"' in rig.facts()[-1]
    assert b"hand timing" in rig.facts()[-1]


def test_the_edges_of_the_last_ten_seconds_are_shown(rig: Rig) -> None:
    rig.gate.pass_by()
    rig.wait(S)
    rig.wait(S)
    [sensor] = rig.station.snapshot().gates[0].each
    assert [edge.broken for edge in sensor.recent] == [True, False]
    assert sensor.recent[-1].at_ns == sensor.last_edge_ns
    assert sensor.recent[-1].utc_ns == sensor.last_utc_ns
    rig.wait(11 * S)
    rig.wait(S)
    assert rig.station.snapshot().gates[0].each[0].recent == ()


def test_each_sensor_is_shown(rig: Rig) -> None:
    rig.gate.pass_by()
    at_ns = rig.clock.now_ns() + 300 * MS
    rig.clock.advance(at_ns)
    for flicker in range(4):
        rig.gate.edge("beam", True, at_ns + flicker * MS)
        rig.gate.edge("beam", False, at_ns + flicker * MS)
    rig.wait(S)
    rig.wait(S)
    [gate] = rig.station.snapshot().gates
    last_ns = at_ns + 3 * MS
    utc_ns = rig.clock.utc_ns() - rig.clock.now_ns() + last_ns
    [sensor] = gate.each
    assert replace(sensor, recent=()) == SensorView("beam", 10, 4, last_ns, last_utc_ns=utc_ns)


def test_all_gates_are_said_on_one_topic(rig: Rig) -> None:
    received: list[m.GateHealth] = []

    def receive(delivery: Delivery) -> None:
        assert isinstance(delivery.message.body, m.GateHealth)
        received.append(delivery.message.body)
        delivery.ack()

    rig.gate.pass_by()
    rig.wait(S)
    rig.gate.detach()
    rig.wait(S)
    page = MockLink(rig.broker, "screen-1", "screen", "station")
    page.start([Subscription(BY_BODY[m.GateHealth])], receive)  # what is retained
    rig.wait(S)
    assert (received[-1].gate, received[-1].alive) == ("start", False)
    [gate] = received[-1].gates
    assert (gate.gate, gate.healthy, gate.sensors[0].edges) == ("start", False, 2)


def test_the_mode_is_shown_and_outlives_a_restart(rig: Rig) -> None:
    assert rig.station.snapshot().mode == "race"
    assert isinstance(rig.give(e.SetMode(author="judge", mode="test")), Accepted)
    assert rig.station.snapshot().mode == "test"
    rig.restart()
    assert rig.station.snapshot().mode == "test"


def test_what_a_driver_noticed_is_kept_shown_and_outlives_a_restart(rig: Rig) -> None:
    rig.gate.add_note("missed_numbers", "The numbers 3 to 5\x00 are missing.", 3)
    rig.wait(S)
    assert b'["GateNoteStored"' in rig.facts()[-1]
    rig.wait(S)
    shown = rig.station.snapshot().gates[0].notes
    assert [(note.kind, note.count, note.sentence) for note in shown] == [
        ("missed_numbers", 3, "The numbers 3 to 5 are missing.")
    ]
    rig.restart()
    rig.wait(S)
    assert rig.station.snapshot().gates[0].notes == shown
    rig.station.journal.verify()


def test_the_notes_are_in_the_protest_bundle(rig: Rig, tmp_path: pathlib.Path) -> None:
    rig.open()
    rig.go()
    rig.gate.add_note("restart", "The decoder was restarted.")
    for _ in range(4):
        rig.cross(10.0)
    run_id = rig.station.snapshot().run
    assert run_id is not None
    make_bundle(rig.path, run_id.run_id, tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        notes = bundle.read("gate_notes.csv").decode()
    assert "start,restart,0," in notes
    assert notes.rstrip().endswith("The decoder was restarted.")


def test_a_service_manager_that_missed_the_line_is_told_again(
    tmp_path: pathlib.Path, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    rig.wait(S)  # nobody listens
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as manager:
        manager.bind(str(tmp_path / "notify"))
        rig.wait(S)
        assert manager.recv(4096) == b"STATUS=gates: start ready"


def test_the_service_manager_is_told_which_gates_are_ready(
    tmp_path: pathlib.Path, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        rig.wait(S)
        assert manager.recv(4096) == b"STATUS=gates: start ready"
        rig.wait(S)
        with pytest.raises(BlockingIOError):  # only what has changed
            manager.recv(4096)
        rig.gate.detach()
        rig.wait(S)
        assert manager.recv(4096) == b"STATUS=gates: start not ready: The mock gate is not started."
