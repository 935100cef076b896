"""The bar of sectors: best of all, own best, slower, still to come, unknown; only laps that count compare."""

import pathlib
from collections.abc import Iterator

import pytest

from shared.link.mock import MockLink
from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.gates.mock import MockGate
from station.service.setup import StationSetup
from station.service.station import Station
from station.views.race_views import RunView
from station.views.trackside.sectors import SectorView
from tests.station.service.station_rig import MS, Rig, S


class SplitRig(Rig):
    """A station with a start/finish gate and one split gate."""

    late_ns = 0  # how long ago the car crossed the line

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(path, RaceRules(max_laps=4, min_lap_s=0.5))

    def make_station(self, link: MockLink) -> Station:
        self.split = MockGate("split-1", ("beam",), {}, self.clock)
        specs = (e.GateSpec("start"), e.GateSpec("split-1", kind="split"))
        self.setup = StationSetup("station-1", specs, self.setup.race)
        setup, clock, link, gates, journal = self.parts(link)
        return Station(setup, clock, link, {**gates, "split-1": self.split}, journal)

    def lap(self, first_s: float, second_s: float) -> None:
        """Drives a lap from the line: `first_s` to the split gate, `second_s` from there to the line."""
        self.wait(round(first_s * S) - self.late_ns)
        self.split.pass_by()
        self.wait(200 * MS)
        self.wait(round(second_s * S) - 200 * MS)
        self.gate.pass_by()
        self.late_ns = 200 * MS
        self.wait(self.late_ns)

    def begin(self, racer: str) -> None:
        self.open(racer)
        self.go()
        self.late_ns = 0
        self.cross(1)
        self.late_ns = 200 * MS

    @property
    def shown(self) -> RunView:
        run = self.station.snapshot().run
        assert run is not None
        return run


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[SplitRig]:
    rig = SplitRig(tmp_path / "station.db")
    yield rig
    rig.station.close()


def bar(sectors: tuple[SectorView, ...]) -> list[tuple[float | None, str]]:
    return [(None if each.sector_ns is None else each.sector_ns / S, each.level) for each in sectors]


def test_the_bar_fills_as_the_car_drives(rig: SplitRig) -> None:
    rig.begin("Ann")
    assert bar(rig.shown.sectors) == [(None, "pending"), (None, "pending")]
    rig.lap(4, 6)
    assert bar(rig.shown.last_sectors) == [(4, "best"), (6, "best")]
    assert bar(rig.shown.sectors) == [(None, "pending"), (None, "pending")]
    rig.wait(round(3.8 * S) - rig.late_ns)
    rig.split.pass_by()
    rig.wait(200 * MS)
    assert bar(rig.shown.sectors) == [(3.8, "best"), (None, "pending")]


def test_best_of_all_own_best_and_slower(rig: SplitRig) -> None:
    rig.begin("Ann")
    for _ in range(4):
        rig.lap(4, 6)
    rig.begin("Ben")
    rig.lap(5, 5)
    assert bar(rig.shown.last_sectors) == [(5, "own"), (5, "best")]
    rig.lap(4.5, 7)
    assert bar(rig.shown.last_sectors) == [(4.5, "own"), (7, "slower")]
    rig.lap(4.8, 6)
    assert bar(rig.shown.last_sectors) == [(4.8, "slower"), (6, "slower")]


def test_a_voided_lap_gives_its_best_sectors_back(rig: SplitRig) -> None:
    rig.begin("Ann")
    rig.lap(3, 6)
    rig.lap(4, 6)
    assert bar(rig.shown.last_sectors)[0] == (4, "slower")
    rig.give(e.VoidLap(author="judge", reason="cut the corner", number=1))
    assert bar(rig.shown.last_sectors)[0] == (4, "best")


def test_a_missed_split_is_unknown_once_the_lap_is_over(rig: SplitRig) -> None:
    rig.begin("Ann")
    rig.cross(9.8)
    assert bar(rig.shown.last_sectors) == [(None, "unknown"), (None, "unknown")]


def test_the_sectors_are_the_same_after_a_kill(rig: SplitRig) -> None:
    rig.begin("Ann")
    rig.lap(4, 6)
    rig.lap(5, 7)
    before = rig.shown
    assert bar(before.last_sectors) == [(5, "slower"), (7, "slower")]
    rig.split.detach()
    rig.restart()
    assert (rig.shown.sectors, rig.shown.last_sectors) == (before.sectors, before.last_sectors)


def test_a_station_without_split_gates_shows_no_sectors(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path / "station.db")
    rig.open()
    rig.go()
    rig.cross(1)
    rig.cross(10)
    run = rig.station.snapshot().run
    assert run is not None
    assert (run.sectors, run.last_sectors) == ((), ())
    rig.station.close()
