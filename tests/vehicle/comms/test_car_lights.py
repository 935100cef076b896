"""The lights' thread without its thread: the mode's pattern, silence, lights that are absent, and what it costs."""

import pathlib

import pytest

from shared.clock import ManualClock
from shared.errors import HardwareMissing
from shared.protocol.messages import CarHeartbeat, CarState
from vehicle.comms.car_lights import CarLights
from vehicle.core.light_patterns import DARK, LOW_BATTERY, LightColour
from vehicle.hardware.lights.mock import MockLights

MS = 1_000_000
OWN = LightColour(1, 2, 3)


class Bench:
    """Lights on the mock, and time by hand."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.now_ns = 60_000 * MS
        self.is_low = False
        self.absent = folder / "absent"
        self.built: list[MockLights] = []
        self.lights = CarLights(self._open, OWN, lambda: self.is_low, lambda: self.now_ns)

    def _open(self) -> MockLights:
        self.built.append(MockLights({"absent": str(self.absent)}, ManualClock()))
        return self.built[-1]

    def run(self, duration_ms: int) -> list[LightColour]:
        """Tick for a while, with a heartbeat each 100 ms of the mode that was said last; what was shown meanwhile."""
        before = len(self.built[-1].shown) if self.built else 0
        for _ in range(duration_ms // 50):
            self.lights.tick()
            self.now_ns += 50 * MS
        return self.built[-1].shown[before:] if self.built else []


@pytest.fixture
def bench(tmp_path: pathlib.Path) -> Bench:
    return Bench(tmp_path)


def test_nothing_is_shown_before_the_guard_has_said_its_mode(bench: Bench) -> None:
    assert bench.run(500) == [DARK]


def test_each_mode_is_shown_and_only_changes_reach_the_driver(bench: Bench) -> None:
    bench.lights.on_message(CarState(True, "driving"))
    assert bench.run(900) == [OWN]
    bench.lights.on_message(CarHeartbeat(7, "tripped"))
    red = LightColour(255, 0, 0)
    assert bench.run(800) in ([red, DARK, red, DARK], [red, DARK, red, DARK, red])


def test_after_a_second_without_the_guard_the_lights_are_dark(bench: Bench) -> None:
    bench.lights.on_message(CarState(True, "driving"))
    assert bench.run(900) == [OWN]
    assert bench.run(400) == [DARK]
    bench.lights.on_message(CarHeartbeat(8, "driving"))
    assert bench.run(100) == [OWN]


def test_a_low_battery_shows(bench: Bench) -> None:
    bench.is_low = True
    bench.lights.on_message(CarState(True, "ready"))
    assert LOW_BATTERY in bench.run(900)


def test_absent_lights_are_tried_again_and_said_once(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    bench.absent.touch()
    bench.lights.on_message(CarState(True, "driving"))
    bench.run(5_000)
    assert capfd.readouterr().err.count("no mock lights") == 1
    bench.absent.unlink()
    bench.lights.on_message(CarState(True, "driving"))
    bench.run(2_000)
    bench.lights.on_message(CarState(True, "driving"))
    bench.run(500)
    assert bench.built[-1].shown[-1] == OWN
    bench.absent.touch()  # lost while it shows something
    bench.lights.on_message(CarHeartbeat(1, "disarmed"))
    bench.run(2_000)
    assert capfd.readouterr().err.count("no mock lights") == 1


def test_the_thread_switches_them_off_at_the_end(bench: Bench) -> None:
    bench.lights.tick()
    bench.lights.start()
    bench.lights.close()
    assert bench.built[-1].shown[-1] == DARK
    CarLights(bench._open, OWN, lambda: False).close()  # one that was never started


def test_lights_that_fail_at_the_end_are_no_traceback(bench: Bench) -> None:
    class Failing(MockLights):
        def close(self) -> None:
            raise HardwareMissing("the chip is gone.")

    lights = CarLights(lambda: Failing({}, ManualClock()), OWN, lambda: False)
    lights.tick()
    lights.start()
    lights.close()
