"""A stock car by its bridge, for real: mosquitto, TLS to the mock console of both versions, the leash as a process."""

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from raceday.broker import RunningBroker, mosquitto_path, start_broker
from shared.config import load
from shared.link.mqtt import MqttLink, MqttOptions
from tests.system.vehicle.bridge_rig import StockCarRig, until
from tests.vehicle.sample_parts import Station
from vehicle.bridge.config import BridgeConfig
from vehicle.bridge.leash.raceday_leash import SILENCE_NS
from vehicle.bridge.mock_console.mock_console import ConsoleVersion
from vehicle.bridge.probe import fingerprint_of, leash_report

pytestmark = [pytest.mark.slow, pytest.mark.broker]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    running = start_broker(tmp_path_factory.mktemp("broker"), kind="mosquitto")
    yield running
    running.stop()


@pytest.fixture
def station(broker: RunningBroker) -> Iterator[Station]:
    station = Station(MqttLink(MqttOptions(port=broker.port), "station-1", "boot-s", "station"))
    station.lease_ms = 2000  # the machine of a test stalls
    yield station
    station.link.close()


@pytest.fixture
def make(tmp_path: pathlib.Path, broker: RunningBroker) -> Iterator[Any]:
    made: list[StockCarRig] = []

    def rig(version: ConsoleVersion, *, is_leashed: bool = False) -> StockCarRig:
        made.append(StockCarRig(tmp_path, broker.port, version, is_leashed=is_leashed))
        made[-1].start_bridge()
        return made[-1]

    yield rig
    for each in made:
        each.close()


@pytest.mark.parametrize(("version", "is_leashed"), [("stock", False), ("community", True)])
def test_it_arms_drives_and_stops_by_the_stations_orders(
    station: Station, make: Any, version: ConsoleVersion, is_leashed: bool
) -> None:
    rig = make(version, is_leashed=is_leashed)
    station.drive(throttle_percent=30)
    until(lambda: rig.outputs.is_moving)
    state = station.states[-1]
    assert (state.model, state.throttle_percent) == ("Sample_single_cam", 30)
    assert state.promise == ("leash" if is_leashed else "best_effort")
    until(lambda: rig.status == "driving, online")
    config = load(rig.config, BridgeConfig)  # the doctor looks, and neither the login nor the leash notices
    assert fingerprint_of("127.0.0.1", rig.server.port) == config.console.certificate_file.read_text().strip()
    assert not is_leashed or leash_report(config).has_line
    assert rig.outputs.is_moving
    station.wait(lambda: station.states[-1].battery_percent == 90)
    station.order("stop")
    station.wait_mode("stopped")
    assert not rig.outputs.is_moving
    until(lambda: rig.status.startswith("stopped, online"))
    until(lambda: rig.outputs.line == (1 if is_leashed else 0))  # the console's own stop lets it on for a moment


def test_a_login_that_a_browser_took_is_taken_back_by_a_stop(station: Station, make: Any) -> None:
    rig = make("stock")
    station.drive()
    with rig.server.lock:
        rig.console.tokens = {"a-browser": 2**62}
    station.order("estop")
    station.wait_mode("tripped")
    assert not rig.outputs.is_moving
    assert "a-browser" not in rig.console.tokens


def test_a_hung_console_is_told_to_stop_again_and_the_truth_is_said(station: Station, make: Any) -> None:
    rig = make("stock")
    station.drive()
    until(lambda: rig.outputs.is_moving)
    rig.server.hang("/api/start_stop")
    station.order("estop")
    station.wait(lambda: "has not confirmed the stop" in station.states[-1].reason)
    assert station.states[-1].mode == "driving"
    assert rig.outputs.is_moving
    with rig.server.lock:
        rig.console.hung.clear()  # those that wait hang on for ten seconds; the next stop gets through beside them
    station.wait_mode("tripped", timeout_s=9.0)
    assert not rig.outputs.is_moving


def test_a_killed_bridge_leaves_a_leashed_car_cut(station: Station, make: Any) -> None:
    rig = make("stock", is_leashed=True)
    station.drive()
    until(lambda: rig.outputs.is_moving)
    rig.kill_bridge()
    until(lambda: not rig.outputs.is_moving)
    until(lambda: any("cut by silence" in line for line in rig.lines))
    # A machine under load stalls whole processes, so no time on the wall is a fair bound here: what is held is what the
    # leash decided by its own clock. test_stock_car_properties.py holds the 600 ms, and `./dev bench bridge` measures.
    said = next(line for line in rig.lines if "cut by silence" in line)
    silent_us, tick_us = (int(word) for word in said.split() if word.isdecimal())
    assert silent_us * 1000 >= SILENCE_NS, said
    assert (silent_us - tick_us) * 1000 <= SILENCE_NS, f"it was cut later than at the first tick that could: {said}"
    until(lambda: not rig.console.car.active["auto"])
    until(lambda: rig.outputs.line == 1)  # the console's own stop has let the line on again for a moment


def test_a_killed_bridge_stops_no_car_without_a_leash_but_its_next_start_does(station: Station, make: Any) -> None:
    rig = make("community")
    station.drive()
    until(lambda: rig.outputs.is_moving)
    before = len(station.states)
    rig.kill_bridge()
    station.wait(lambda: any(not state.online for state in station.states[before:]))
    assert rig.outputs.is_moving, "the broker noticed; nothing else did"
    rig.start_bridge()
    until(lambda: not rig.outputs.is_moving)
    station.wait_mode("disarmed")


def test_a_killed_leash_comes_back_cut_and_the_bridge_says_that_it_is_gone(station: Station, make: Any) -> None:
    rig = make("stock", is_leashed=True)
    station.drive()
    until(lambda: rig.outputs.is_moving)
    assert rig.leash is not None
    rig.leash.kill()
    state = station.wait_mode("tripped")
    assert "leash on the car does not answer" in state.reason
    assert not rig.outputs.is_moving, "the console has stopped it"


def test_a_bridge_that_is_ended_in_order_stops_its_car(station: Station, make: Any) -> None:
    rig = make("stock")
    station.drive()
    until(lambda: rig.outputs.is_moving)
    rig.stop_bridge()
    assert not rig.outputs.is_moving
