"""The car's three processes on mock hardware, a real broker between them and a station that leases."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest

from raceday.broker import RunningBroker, mosquitto_path, start_broker
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol.messages import OrderAction
from tests.vehicle.sample_parts import Station, config_text, pulses, write_model
from vehicle.core.pulses import STOCK_CALIBRATION, neutral_pulses

REST = (neutral_pulses(STOCK_CALIBRATION).steering_ns, neutral_pulses(STOCK_CALIBRATION).throttle_ns)
pytestmark = [pytest.mark.slow, pytest.mark.broker]


@pytest.fixture
def broker(tmp_path: pathlib.Path) -> Iterator[RunningBroker]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    running = start_broker(tmp_path / "broker", kind="mosquitto")
    yield running
    running.stop()


@pytest.fixture
def station(broker: RunningBroker) -> Iterator[Station]:
    link = MqttLink(MqttOptions(port=broker.port), "station-1", "boot-s", "station")
    yield Station(link)
    link.close()


class Car:
    """`raceday vehicle` as a process of this test."""

    def __init__(self, folder: pathlib.Path, text: str, **environment: str) -> None:
        self.folder = folder
        self.config = folder / "vehicle.toml"
        self.config.write_text(text)
        self.process = subprocess.Popen(
            [*self.words(), "--config", str(self.config)],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )

    @staticmethod
    def words() -> list[str]:
        return [sys.executable, "-m", "raceday", "vehicle"]

    def command(self, what: str) -> subprocess.CompletedProcess[str]:
        words = [*self.words(), what, "--config", str(self.config)]
        return subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)

    def child(self, name: str) -> int:
        """The process id of "pilot", "comms" or "failsafe"."""
        module = "vehicle.guard.failsafe" if name == "failsafe" else f"vehicle.{name}.{name}"
        for child in psutil.Process(self.process.pid).children():
            if module in child.cmdline():
                return int(child.pid)
        raise AssertionError(f"there is no child {name}")

    def end(self, number: int = signal.SIGTERM, timeout_s: float = 60) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout_s)


def with_long_hang(text: str) -> str:
    """A config with a long limit for hangs, so that a stall of the machine is no fault here."""
    assert "[safety]\n" in text
    return text.replace("[safety]\n", "[safety]\nhang_ms = 1500\n")


@pytest.fixture
def car(tmp_path: pathlib.Path, broker: RunningBroker) -> Iterator[Car]:
    """A real car."""
    write_model(tmp_path / "model")
    car = Car(tmp_path, with_long_hang(config_text(tmp_path, broker.port)))
    yield car
    car.end()
    assert car.process.stderr is not None
    sys.stdout.write(car.process.stderr.read())  # shown by pytest beside a failure
    car.process.stderr.close()


def test_arm_start_drive_and_a_lease_that_stops_means_neutral(station: Station, car: Car) -> None:
    station.drive(throttle_percent=40)
    station.wait(lambda: any(t.throttle > 0.39 for t in station.telemetry))
    assert min(throttle for _, throttle in pulses(car.folder)) == 1_392_000  # 0.4 forward of 135 us, polarity -1
    state = station.states[-1]
    assert (state.model, state.throttle_percent) == ("model", 40)
    telemetry = next(t for t in station.telemetry if t.frame_age_p99_us > 0)
    assert min(telemetry.capture_p50_us, telemetry.policy_p50_us, telemetry.frame_age_p50_us) > 0
    assert telemetry.frame_age_p99_us >= telemetry.policy_p50_us
    assert (telemetry.precision, telemetry.realtime) == ("fp32", "no")  # the test's settings do not ask for priority
    station.granting = False
    state = station.wait_mode("tripped")
    assert "lease ran out" in state.reason
    assert pulses(car.folder)[-1] == REST
    station.granting = True
    station.order("start")
    station.wait(lambda: "refused" in station.states[-1].reason or station.states[-1].mode == "tripped")
    for action in ("reset", "arm", "start"):
        station.order(action)
    station.wait_mode("driving")
    station.order("stop")
    station.wait_mode("stopped")
    assert pulses(car.folder)[-1] == REST


def test_a_killed_pilot_means_neutral_and_tripped_until_someone_resets(station: Station, car: Car) -> None:
    station.drive()
    os.kill(car.child("pilot"), signal.SIGKILL)
    state = station.wait_mode("tripped")
    assert state.reason == "The pilot process is gone."
    assert pulses(car.folder)[-1] == REST
    for action in ("reset", "arm", "start"):
        station.order(action)
    station.wait_mode("driving")


def test_killed_comms_come_back_and_the_car_has_stopped_by_then(station: Station, car: Car) -> None:
    station.drive()
    os.kill(car.child("comms"), signal.SIGKILL)
    station.wait(lambda: any(not s.online for s in station.states))  # the last will
    state = station.wait_mode("tripped")
    assert "lease ran out" in state.reason
    assert pulses(car.folder)[-1] == REST


def test_the_guard_ends_in_neutral_and_says_goodbye(station: Station, car: Car) -> None:
    station.drive()
    assert car.end() == 0
    assert pulses(car.folder)[-1] == REST
    station.wait(lambda: not station.states[-1].online)
    assert not (car.folder / "car.sock").exists()


def test_a_child_that_hangs_at_the_end_lets_the_failsafe_process_say_nothing_that_is_not_so(
    tmp_path: pathlib.Path, broker: RunningBroker, station: Station
) -> None:
    write_model(tmp_path / "model")
    # Less than the guard waits for its children, more than a loaded machine delays the guard.
    car = Car(tmp_path, with_long_hang(config_text(tmp_path, broker.port)))
    station.drive()
    os.kill(car.child("comms"), signal.SIGSTOP)
    assert car.end() == 0
    _, output = car.process.communicate()
    assert "silent" not in output
    assert pulses(car.folder)[-1] == REST


def test_after_a_killed_guard_the_stop_hook_leaves_neutral(station: Station, car: Car) -> None:
    station.drive()
    station.wait(lambda: any(t.throttle > 0.2 for t in station.telemetry))
    children = [psutil.Process(car.child(name)) for name in ("pilot", "comms")]
    car.end(signal.SIGKILL)
    psutil.wait_procs(children, timeout=30)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    # The fail-safe process acts too (test_faults.py times it); the hook must work whichever comes first.
    assert car.command("neutral").returncode == 0
    assert pulses(car.folder)[-1] == REST


def test_the_local_stop_needs_no_network(station: Station, car: Car) -> None:
    station.drive()
    done = car.command("stop")
    assert (done.returncode, done.stdout) == (0, "The car is tripped: Emergency stop at the car.\n")
    assert pulses(car.folder)[-1] == REST
    assert station.wait_mode("tripped").reason == "Emergency stop at the car."
    car.end()
    done = car.command("stop")
    assert done.returncode == 1
    assert "no guard answers" in done.stderr


def test_the_line_of_the_outputs_is_on_while_armed_and_cut_by_a_trip_and_a_death(
    tmp_path: pathlib.Path, broker: RunningBroker, station: Station
) -> None:
    write_model(tmp_path / "model")
    text = with_long_hang(config_text(tmp_path, broker.port))
    car = Car(tmp_path, text.replace("record =", "enable_line = true, record ="))

    def outputs() -> list[tuple[bool, int | None]]:
        """Whether the outputs were cut, and the throttle's pulse, at each change of either."""
        lines = map(json.loads, (tmp_path / "pulses.jsonl").read_text().splitlines())
        return [(line["is_cut"], line["throttle_ns"]) for line in lines]

    station.wait(lambda: station.beat > 0)
    assert {is_cut for is_cut, _ in outputs()} == {True}
    station.drive(throttle_percent=40)
    station.wait(lambda: any(t.throttle > 0.2 for t in station.telemetry))
    let_out = [throttle for is_cut, throttle in outputs() if not is_cut]
    assert let_out[0] == REST[1]  # what comes out first is neutral
    assert min(throttle or 0 for throttle in let_out) < REST[1]  # forward is the shorter pulse
    assert car.command("stop").returncode == 0
    assert outputs()[-1] == (True, REST[1])
    station.order("reset")
    station.wait_mode("disarmed")
    assert outputs()[-1] == (True, REST[1])  # only arming ends it
    station.drive()
    assert not outputs()[-1][0]
    failsafe = psutil.Process(car.child("failsafe"))
    car.end(signal.SIGKILL)
    psutil.wait_procs([failsafe], timeout=60)
    assert outputs()[-1] == (True, REST[1])  # by the fail-safe process, which ends when it has done so
    car.process.communicate()


def test_a_second_guard_is_refused(station: Station, car: Car) -> None:
    station.wait(lambda: station.beat > 0)
    done = subprocess.run(
        [*car.words(), "--config", str(car.config)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert "another guard" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pilot_that_hangs_is_as_good_as_dead(station: Station, car: Car) -> None:
    station.drive()
    pilot = car.child("pilot")
    os.kill(pilot, signal.SIGSTOP)
    state = station.wait_mode("tripped")
    assert "newest frame is" in state.reason
    assert pulses(car.folder)[-1] == REST
    os.kill(pilot, signal.SIGCONT)
    station.order("start")
    seen = len(station.telemetry)
    station.wait(lambda: any(t.frame_age_p50_us > 0 for t in station.telemetry[seen:]))
    assert station.states[-1].mode == "tripped"


def test_a_frozen_camera_trips_the_car_and_cannot_arm_it(
    tmp_path: pathlib.Path, broker: RunningBroker, station: Station
) -> None:
    write_model(tmp_path / "model")
    fault = tmp_path / "fault"
    camera = f'driver = "mock"\noptions = {{ rate_hz = 30.0, fault_file = "{fault}" }}'
    car = Car(tmp_path, with_long_hang(config_text(tmp_path, broker.port, camera)))
    try:
        station.drive()
        fault.write_text("freeze")
        state = station.wait_mode("tripped")
        assert "newest frame is" in state.reason
        assert pulses(car.folder)[-1] == REST
        station.order("reset")
        station.order(
            "arm",
        )
        station.wait(lambda: "fresh frames" in station.states[-1].reason)
        assert station.states[-1].mode == "disarmed"
        station.wait(lambda: any(t.repeated > 0 for t in station.telemetry))
    finally:
        car.end()
        assert car.process.stderr is not None
        car.process.stderr.close()


def test_the_stop_signal_is_an_emergency_stop(station: Station, car: Car) -> None:
    station.drive()
    car.process.send_signal(signal.SIGUSR1)
    assert station.wait_mode("tripped").reason == "Emergency stop by signal at the car."
    assert pulses(car.folder)[-1] == REST


def test_a_car_without_motors_and_camera_comes_up_says_so_and_takes_them_when_they_come(
    tmp_path: pathlib.Path, broker: RunningBroker, station: Station
) -> None:
    write_model(tmp_path / "model")
    no_bus, no_lens = tmp_path / "no-bus", tmp_path / "no-lens"
    no_bus.touch()
    no_lens.touch()
    text = with_long_hang(config_text(tmp_path, broker.port, f'driver = "mock"\noptions = {{ absent = "{no_lens}" }}'))
    car = Car(tmp_path, text.replace("options = { record", f'options = {{ absent = "{no_bus}", record'))

    def refused(action: OrderAction, words: str) -> None:
        station.order(action)
        station.wait(lambda: f"The order to {action} was refused" in (r := station.states[-1].reason) and words in r)
        assert station.states[-1].mode == "disarmed"

    try:
        station.wait(
            lambda: any("motors do not answer" in s.reason and "no mock camera" in s.reason for s in station.states)
        )
        station.wait(lambda: station.beat > 0)
        refused("arm", "The car does not yet have motors")
        refused("start", "The car does not yet have motors")
        assert not (tmp_path / "pulses.jsonl").exists()
        no_bus.unlink()
        station.wait(lambda: "motors" not in station.states[-1].reason)
        refused("arm", "There is no mock camera")
        no_lens.unlink()
        station.wait(lambda: station.states[-1].model == "model")
        assert (station.states[-1].mode, station.states[-1].reason) == ("disarmed", "")
        assert set(pulses(tmp_path)) == {REST}
        station.drive(throttle_percent=40)
        station.wait(lambda: any(t.throttle > 0.2 for t in station.telemetry))
        no_bus.touch()  # the bus of the motors is unplugged from the driving car
        assert "motors do not answer" in station.wait_mode("tripped").reason
        no_bus.unlink()
        station.wait(lambda: pulses(tmp_path)[-1] == REST)
        assert car.process.poll() is None
        assert station.states[-1].mode == "tripped"
        station.order("reset")
        # Its opener sets neutral before the guard attaches the motors; until then `arm` is refused.
        station.wait(lambda: (station.states[-1].mode, station.states[-1].reason) == ("disarmed", ""))
        station.drive()
        assert car.end() == 0
        assert pulses(tmp_path)[-1] == REST
    finally:
        car.end()
        assert car.process.stderr is not None
        sys.stdout.write(car.process.stderr.read())
        car.process.stderr.close()


def test_a_car_without_a_broker_comes_up_and_is_stopped_at_the_car(tmp_path: pathlib.Path) -> None:
    write_model(tmp_path / "model")
    car = Car(tmp_path, config_text(tmp_path, 1).replace('"127.0.0.1"', '"no-such-host.invalid"'))
    try:
        for _ in range(600):
            if (tmp_path / "pulses.jsonl").exists() and pulses(tmp_path):
                break  # neutral, so all its processes are ready
            assert car.process.poll() is None
            threading.Event().wait(0.1)
        assert car.command("stop").stdout == "The car is tripped: Emergency stop at the car.\n"
        assert car.end() == 0
    finally:
        car.end()
        assert car.process.stderr is not None
        car.process.stderr.close()
