"""Uncounted crossings reach the officials, each with its reason, newest first, also after a restart."""

import pathlib
from dataclasses import replace

import pytest

from station.core import inputs as e
from station.gates.mock import MockGate
from station.service.inbox import QueuedInput
from station.views.race_views import UncountedCrossing
from station.views.runs.uncounted_crossings import MAX_LISTED
from station.web.pages.registry import PAGES, TOPICS
from station.web.presenters.uncounted_crossings import MAX_LINES as ON_THE_PAGE
from station.web.render import Pages
from tests.station.service.station_rig import MS, Rig, S


def whys(rig: Rig) -> list[str]:
    return [each.why for each in rig.station.snapshot().uncounted]


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Rig:
    return Rig(tmp_path / "station.db")


def test_each_reason_newest_first(rig: Rig) -> None:
    rig.cross(1)
    rig.give(e.SetMode(author="judge", mode="test"))
    rig.cross(2)
    rig.give(e.SetMode(author="judge", mode="race"))
    rig.open()
    rig.cross(2)
    rig.go()
    rig.cross(2)
    assert whys(rig) == ["the start has not been given", "it was made in test mode", "no run is on"]
    newest, *_, oldest = rig.station.snapshot().uncounted
    assert (newest.gate, newest.sensor, newest.crossing) == ("start", "beam", 3)
    assert newest.utc_ns - oldest.utc_ns == 4 * S + 400 * MS


def test_they_are_there_again_after_a_kill_and_few(rig: Rig) -> None:
    for _ in range(MAX_LISTED + 5):
        rig.cross(2)
    before = rig.station.snapshot().uncounted
    assert [each.crossing for each in before] == list(range(MAX_LISTED + 5, 5, -1))
    rig.restart()
    assert rig.station.snapshot().uncounted == before


def test_a_transponder_that_is_nobodys_is_named(rig: Rig) -> None:
    rig.station._inbox.put(QueuedInput(e.Edge("start", "beam", True, 11 * S, 1, "device:1", transponder="4711")))
    rig.settle()
    [listed] = rig.station.snapshot().uncounted
    assert (listed.transponder, listed.why) == ("4711", "no run is on")


@pytest.mark.parametrize(("gate", "sensor", "why"), [
    ("start", "gpio22", "the gate has no sensor 'gpio22'"),
    ("elsewhere", "beam", "the station has no such gate"),
])  # fmt: skip
def test_edges_of_a_sensor_that_nobody_named_are_said(rig: Rig, gate: str, sensor: str, why: str) -> None:
    for broken in (True, False):
        rig.station._inbox.put(QueuedInput(e.Edge(gate, sensor, broken, 11 * S, 2 - broken, "timer")))
    rig.settle()
    [listed] = rig.station.snapshot().uncounted
    assert (listed.crossing, listed.gate, listed.sensor, listed.why) == (0, gate, sensor, why)


def test_backwards_through_a_gate_in_line(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path / "station.db")
    spec = e.GateSpec("start", ("front", "rear"), layout="in_line")
    rig.setup = replace(rig.setup, gates=(spec,))
    rig.gate = MockGate("start", ("front", "rear"), {}, rig.clock)
    rig.restart()
    rig.open()
    rig.go()
    for sensor in ("rear", "front"):
        rig.gate.edge(sensor, True)
        rig.wait(20 * MS)
    assert whys(rig) == ["it went backwards through the gate"]


def test_on_race_control_and_nowhere_else(rig: Rig) -> None:
    pages = Pages(PAGES, TOPICS)
    assert "None so far" in pages.page("operate", rig.station.snapshot())
    view = replace(
        rig.station.snapshot(),
        uncounted=tuple(UncountedCrossing(n, "start", "<b>", n * S, "no run is on", "47") for n in range(MAX_LISTED)),
    )
    page = pages.page("operate", view)
    assert page.count("No run is on.") == ON_THE_PAGE
    assert "start, &lt;b&gt;, transponder 47" in page
    assert "Uncounted crossings" not in pages.page("live", view)
    assert "uncounted" not in pages.render(view, "live").parts
