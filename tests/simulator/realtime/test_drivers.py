"""The simulator's drivers against a real world process: frames, wires, beams and clock as hardware would give them."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from shared import drivers
from shared.errors import ConfigError, HardwareMissing, Refused
from simulator.realtime.control_client import WorldControl
from simulator.realtime.drivers import WorldCamera, WorldClock, WorldGate, WorldMotors
from vehicle.core.actions import Action
from vehicle.core.pulses import STOCK_CALIBRATION, Pulses, neutral_pulses, to_pulses

pytestmark = pytest.mark.slow

AHEAD = to_pulses(Action(0.0, 0.45), STOCK_CALIBRATION)


def car_options(world: Any, car: str = "car-1") -> dict[str, Any]:
    return {"world": str(world.folder), "car": car}


def test_the_drivers_are_found_by_name_like_all_others() -> None:
    assert drivers.find("raceday.clocks", "simulator") is WorldClock
    assert drivers.find("raceday.cameras", "simulator") is WorldCamera
    assert drivers.find("raceday.motors", "simulator") is WorldMotors
    assert drivers.find("raceday.gates", "simulator") is WorldGate


def test_without_a_world_each_driver_says_what_to_do(tmp_path: Any) -> None:
    options = {"world": str(tmp_path), "car": "car-1"}
    with pytest.raises(HardwareMissing, match="start `raceday world`"):
        WorldClock({"world": str(tmp_path)})
    with pytest.raises(HardwareMissing, match="start `raceday world`"):
        WorldCamera(options, None)  # type: ignore[arg-type]
    with pytest.raises(HardwareMissing, match="start `raceday world`"):
        WorldMotors(options, None)  # type: ignore[arg-type]
    with pytest.raises(HardwareMissing, match="start `raceday world`"):
        WorldGate("start", ("beam",), {"world": str(tmp_path)}, None)  # type: ignore[arg-type]


def test_a_crossing_reaches_the_gate_with_the_stamp_of_the_truth(
    start_world: Callable[..., Any], gathered: Callable[[], Any]
) -> None:
    world = start_world("speed = 5.0")
    clock = WorldClock({"world": str(world.folder)})
    camera, motors = WorldCamera(car_options(world), clock), WorldMotors(car_options(world), clock)
    gate = WorldGate("start", ("beam",), {"world": str(world.folder)}, clock)
    edges, control = gathered(), WorldControl(str(world.folder))
    gate.start({}, edges.put)
    control.place("car-1")
    motors.apply(AHEAD)
    edges.wait(lambda items: len(items) >= 2)
    motors.neutral()
    broken, restored = edges.items[:2]
    assert (broken.broken, restored.broken) == (True, False)
    assert (broken.gate, broken.sensor, broken.boot) == ("start", "beam", clock.boot_id)
    assert (broken.seq, restored.seq) == (1, 2)
    truth = [t for t in control.events(timeout_s=0.5) if t.event == "crossing"]
    assert [(t.at_ns, t.car, t.direction) for t in truth] == [(broken.at_ns, "car-1", 1)]
    assert broken.at_ns <= clock.now_ns()
    assert gate.health().alive
    frame = camera.read(5.0)
    assert frame is not None
    assert frame.pixels.shape == (240, 320)
    assert frame.at_ns <= clock.now_ns()
    for device in (camera, motors, gate, control):
        device.close()
    assert world.stop() == 0
    written = [json.loads(line) for line in (world.folder / "truth.jsonl").read_text().splitlines()]
    assert written[0]["world"] == clock.boot_id
    assert [line["at_ns"] for line in written if line.get("event") == "crossing"] == [broken.at_ns]


def test_a_station_that_was_away_gets_what_it_missed_and_nothing_twice(
    start_world: Callable[..., Any], gathered: Callable[[], Any]
) -> None:
    world = start_world("speed = 5.0")
    clock = WorldClock({"world": str(world.folder)})
    motors, control = WorldMotors(car_options(world), clock), WorldControl(str(world.folder))
    watch = WorldGate("start", ("beam",), {"world": str(world.folder)}, clock)
    collected = gathered()
    watch.start({}, collected.put)
    control.place("car-1")
    motors.apply(AHEAD)
    collected.wait(lambda items: len(items) >= 2)
    motors.neutral()
    late, later = gathered(), gathered()
    gate = WorldGate("start", ("beam",), {"world": str(world.folder)}, clock)
    gate.start({"another-boot": 7}, late.put)
    late.wait(lambda items: len(items) >= 2)
    again = WorldGate("start", ("beam",), {"world": str(world.folder)}, clock)
    again.start({clock.boot_id: 1}, later.put)
    later.wait(lambda items: len(items) >= 1)
    assert [e.seq for e in late.items[:2]] == [1, 2]
    assert later.items[0] == collected.items[1]
    assert gate.health().lost == 0
    for device in (watch, gate, again, motors, control):
        device.close()


def test_a_gate_says_what_it_has_forgotten(start_world: Callable[..., Any], gathered: Callable[[], Any]) -> None:
    world = start_world("speed = 5.0\nedges_kept = 1")
    clock = WorldClock({"world": str(world.folder)})
    motors, control = WorldMotors(car_options(world), clock), WorldControl(str(world.folder))
    watch = WorldGate("start", ("beam",), {"world": str(world.folder)}, clock)
    collected = gathered()
    watch.start({}, collected.put)
    control.place("car-1")
    motors.apply(AHEAD)
    collected.wait(lambda items: len(items) >= 2)
    motors.neutral()
    late = gathered()
    gate = WorldGate("start", ("beam",), {"world": str(world.folder)}, clock)
    gate.start({}, late.put)
    late.wait(lambda items: len(items) >= 1)
    assert late.items[0].seq == 2
    assert gate.health().lost == 1
    for device in (watch, gate, motors, control):
        device.close()


def test_a_car_in_the_pits_sees_the_pits_and_its_wires_wait_for_it(start_world: Callable[..., Any]) -> None:
    world = start_world("speed = 5.0")
    clock = WorldClock({"world": str(world.folder)})
    control = WorldControl(str(world.folder))
    camera, other = WorldCamera(car_options(world), clock), WorldMotors(car_options(world, "car-2"), clock)
    frame = camera.read(5.0)
    assert frame is not None
    assert float(frame.pixels.std()) < 5.0
    control.place("car-1")
    other.apply(AHEAD)
    seqs = [frame.seq]
    for _ in range(5):
        frame = camera.read(5.0)
        assert frame is not None
        seqs.append(frame.seq)
    assert seqs == sorted(set(seqs))
    assert frame is not None
    assert float(frame.pixels.std()) > 5.0
    assert control.status().speed_mps == 0.0
    placed = control.place("car-2")
    assert placed.car == "car-2"
    for _ in range(3):
        camera.read(1.0)
    assert control.status().speed_mps > 0.05
    for device in (camera, other, control):
        device.close()


def test_a_world_that_is_started_again_is_found_again(
    start_world: Callable[..., Any], gathered: Callable[[], Any]
) -> None:
    world = start_world("speed = 5.0")
    clock = WorldClock({"world": str(world.folder)})
    camera, motors = WorldCamera(car_options(world), clock), WorldMotors(car_options(world), clock)
    gate = WorldGate("start", ("beam",), {"world": str(world.folder)}, clock)
    edges = gathered()
    gate.start({}, edges.put)
    first = clock.boot_id
    assert camera.read(5.0) is not None
    world.kill()
    with pytest.raises(HardwareMissing, match="world"):
        motors.neutral()
    assert camera.read(0.3) is None
    world.start()
    motors.apply(AHEAD)
    assert camera.read(5.0) is not None
    control = WorldControl(str(world.folder))
    control.place("car-1")
    edges.wait(lambda items: len(items) >= 1)
    assert edges.items[0].boot == control.welcome.boot != first
    assert clock.boot_id == control.welcome.boot
    for device in (camera, motors, gate, control):
        device.close()


def test_the_worlds_time_never_runs_back_and_never_ahead_for_many_readers(start_world: Callable[..., Any]) -> None:
    world = start_world("speed = 20.0")
    options = {"world": str(world.folder)}
    newest, lock, wrong = [0], threading.Lock(), []

    def look() -> None:
        clock = WorldClock(options)
        for _ in range(2000):
            with lock:  # so that "later" means later in real time too
                now_ns = clock.now_ns()
                if now_ns < newest[0]:
                    wrong.append((newest[0], now_ns))
                newest[0] = now_ns

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert newest[0] > 0
    assert WorldClock(options).rate == 20.0


@pytest.mark.parametrize(
    ("pulse", "ok"),
    [(Pulses(1_450_000, 1_446_000), True), (Pulses(1_450_500, 1_446_000), False), (Pulses(0, 1_446_000), False)],
)
def test_motors_refuse_what_a_servo_cannot_do(start_world: Callable[..., Any], pulse: Pulses, ok: bool) -> None:
    world = start_world()
    motors = WorldMotors(car_options(world), None)  # type: ignore[arg-type]
    if ok:
        motors.apply(pulse)
    else:
        with pytest.raises(HardwareMissing, match="cannot make a pulse"):
            motors.apply(pulse)
    motors.apply(neutral_pulses(STOCK_CALIBRATION))
    motors.close()
    motors.close()


def test_bad_words_are_refused_in_a_sentence(start_world: Callable[..., Any]) -> None:
    world = start_world()
    control = WorldControl(str(world.folder))
    with pytest.raises(Refused, match="cannot name a machine"):
        control.place("../etc")
    with pytest.raises(Refused, match="no car"):
        control.put_back()
    with pytest.raises(HardwareMissing, match="no beam 'split9'"):
        WorldGate("g", ("beam",), {"world": str(world.folder), "beam": "split9"}, None)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="one beam"):
        WorldGate("g", ("a", "b"), {"world": str(world.folder)}, None)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown key"):
        WorldCamera({"world": str(world.folder), "car": "c", "fps": 3}, None)  # type: ignore[arg-type]
    assert control.status().car == ""
    control.close()
