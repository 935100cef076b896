"""The start lights: five, one after the other, all out at GO; off on an abort; and absent lights stop nothing."""

import pathlib
from collections.abc import Iterator

import pytest
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import ManualClock
from shared.errors import ConfigError, HardwareMissing
from shared.link.mock import MockLink
from station.core import inputs as e
from station.core.race.starts import LIGHTS, lights_lit
from station.gates.gpio import pins
from station.hardware.gpio_start_lights import GpioStartLights
from station.hardware.mock import MockStartLights
from station.service.station import Station
from station.service.trackside.start_lights import IDLE_S, StartLightsRunner
from station.views.procedure_view import StagedStartView
from station.views.trackside.devices import StartLightsView
from station.views.trackside.start_sequence import next_change_ns
from tests.station.service.station_rig import MS, Rig

S = 1_000_000_000


@pytest.mark.parametrize(
    ("at_s", "lit"),
    [(9.9, 0), (10, 1), (10.999, 1), (11, 2), (12, 3), (13, 4), (14, 5), (15.5, 5), (16.2, 0), (30, 0)],
)
def test_a_light_a_second_and_all_out_at_go(at_s: float, lit: int) -> None:
    assert lights_lit(10 * S, round(16.2 * S), round(at_s * S)) == lit


@given(begun=st.integers(0, 10**15), wait_ns=st.integers(1, 20 * S), now=st.integers(-20 * S, 40 * S))
def test_nothing_changes_before_the_next_change(begun: int, wait_ns: int, now: int) -> None:
    start, now_ns = StagedStartView(begun, begun + wait_ns), begun + now

    def lit(at_ns: int) -> int:
        return lights_lit(start.staged_ns, start.go_ns, at_ns)

    change_ns = next_change_ns(start, now_ns)
    if change_ns is None:
        assert lit(now_ns) == 0 == lit(now_ns + 100 * S)
        return
    assert change_ns > now_ns
    assert lit(change_ns - 1) == lit(now_ns) != lit(change_ns)


class Track:
    """Start lights over a manual clock, and a start that a test begins and aborts."""

    def __init__(self) -> None:
        self.clock = ManualClock(10 * S)
        self.start: StagedStartView | None = None
        self.views: list[StartLightsView] = []
        self.lights = MockStartLights({})
        self.absent = False
        self.runner = StartLightsRunner(self.make, self.clock, lambda: self.start, self.views.append)

    def make(self) -> MockStartLights:
        if self.absent:
            raise HardwareMissing("GPIO5 is in use.")
        return self.lights

    def run(self, until_s: float) -> None:
        while self.clock.now_ns() < until_s * S:
            wait_ns = max(1, round(self.runner.pump() * S))
            self.clock.advance(min(round(until_s * S), self.clock.now_ns() + wait_ns))
        self.runner.pump()


def test_the_lights_follow_the_start_and_go_is_exact() -> None:
    track = Track()
    track.run(11)
    track.start = StagedStartView(11 * S, 17 * S + 123_456_789)
    track.run(17)
    assert track.lights.lit == LIGHTS
    while wait_ns := round(track.runner.pump() * S) if track.lights.lit else 0:
        if track.lights.lit:
            track.clock.advance(track.clock.now_ns() + wait_ns)
    assert track.clock.now_ns() == 17 * S + 123_456_789
    assert track.lights.shown == [0, 1, 2, 3, 4, 5, 0]


def test_an_abort_turns_them_off_at_once() -> None:
    track = Track()
    track.start = StagedStartView(11 * S, 17 * S)
    track.run(13.5)
    assert track.lights.lit == 3
    track.start = None
    track.run(13.5 + 2 * IDLE_S)
    assert (track.lights.lit, track.views[-1]) == (0, StartLightsView())


def test_absent_lights_are_told_and_join_later() -> None:
    track = Track()
    track.absent = True
    track.start = StagedStartView(11 * S, 17 * S)
    track.run(13.5)
    assert track.views == [StartLightsView(fault="The start lights do not work: GPIO5 is in use.")]
    track.absent = False
    track.run(16)
    assert (track.lights.lit, track.views[-1].fault) == (5, "")


def test_lights_that_fail_in_the_start_are_told_and_tried_again() -> None:
    track = Track()
    track.start = StagedStartView(11 * S, 30 * S)
    track.run(12.5)
    track.lights.close()  # the board was unplugged
    track.run(13.5)
    assert track.views[-1].fault.endswith("start the station again.")
    track.lights = MockStartLights({})
    track.run(16.5)
    assert (track.lights.lit, track.views[-1].fault) == (5, "")


@pytest.fixture
def factory(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockFactory]:
    factory = MockFactory()
    monkeypatch.setitem(pins._opened, ("mock", -1), factory)
    yield factory
    factory.reset()


@pytest.mark.parametrize("active_high", [True, False])
def test_leds_on_pins(factory: MockFactory, active_high: bool) -> None:
    numbers = [5, 6, 13]
    lights = GpioStartLights({"pins": numbers, "factory": "mock", "active_high": active_high})

    def lit() -> list[bool]:
        return [bool(factory.pin(number).state) == active_high for number in numbers]

    assert lit() == [False] * 3
    lights.show(2)
    assert lit() == [True, True, False]
    lights.show(5)
    assert lit() == [True] * 3
    lights.show(0)
    assert lit() == [False] * 3
    lights.close()
    lights.close()


@pytest.mark.parametrize("numbers", [[], [5, 5], [1, 2, 3, 4, 5, 6]])
def test_wrong_pins_are_one_sentence(numbers: list[int]) -> None:
    with pytest.raises(ConfigError, match="1 to 5 GPIO numbers"):
        GpioStartLights({"pins": numbers, "factory": "mock"})


def test_a_taken_pin_releases_the_others(factory: MockFactory) -> None:
    first = GpioStartLights({"pins": [6], "factory": "mock"})
    with pytest.raises(HardwareMissing, match="the start lights: GPIO6 is in use"):
        GpioStartLights({"pins": [5, 6], "factory": "mock"})
    GpioStartLights({"pins": [5], "factory": "mock"}).close()
    first.close()


def test_the_stations_lights_follow_a_start_by_command(tmp_path: pathlib.Path) -> None:
    """From the official's command to the LEDs: five lights, then out at the moment that the run is released."""
    lights = MockStartLights({})

    class LightsRig(Rig):
        def make_station(self, link: MockLink) -> Station:
            return Station(*self.parts(link), make_lights=lambda: lights)

    rig = LightsRig(tmp_path / "station.db")
    rig.open()
    runner = rig.station.lights
    assert runner is not None
    runner.pump()
    rig.give(e.StageRun(author="judge", by_hand=True, delay_ms=500))
    procedure = rig.station.snapshot().procedure.runs[0]
    assert procedure.start is not None
    for _ in range(60):
        rig.wait(100 * MS)
        runner.pump()
        if lights.lit == 0 and len(lights.shown) > 2:
            break
    assert lights.shown == [0, 1, 2, 3, 4, 5, 0]
    run = rig.station.snapshot().run
    assert run is not None
    assert run.released
    rig.station.close()
    assert lights.lit == 0
