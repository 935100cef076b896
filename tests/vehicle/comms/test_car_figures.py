"""The car's figures, from the messages of its guard."""

import pathlib

import pytest
import requests

from shared.clock import ManualClock
from shared.config import parse
from shared.link.interface import LinkState
from shared.protocol.messages import CarHeartbeat, CarState
from shared.refusals import Refusals
from tests.shared.metrics.exposed import exposed
from tests.vehicle.comms.test_comms import Bench
from tests.vehicle.test_config import MINIMAL
from vehicle.comms.battery_monitor import BatteryMonitor
from vehicle.comms.car_figures import CarFigures, gather
from vehicle.comms.side_services import SideServices
from vehicle.config import VehicleConfig
from vehicle.core.messages import LoopTelemetry
from vehicle.drivers import build_battery


def told(figures: CarFigures, tmp_path: pathlib.Path) -> dict[tuple[str, ...], float]:
    refusals = Refusals()
    refusals.record("code", "10.0.0.9", "POST /api/claim", 0.0)
    return exposed(gather(figures, lambda: LinkState(False, "", dropped=3), refusals, tmp_path, lambda: 2))


def test_what_the_guard_says_is_told(tmp_path: pathlib.Path) -> None:
    figures = CarFigures(lambda: 87, lambda: 0.12)
    figures.on_guard_message(CarState(True, "driving"))
    figures.on_guard_message(LoopTelemetry(900, 2, 1, 4, (21_000, 24_000, 40_000), (9_000,), 0.0, 0.0))
    figures.on_guard_message(LoopTelemetry(930, 2, 1, 5, (600_000,), (), 0.0, 0.0))
    figures.on_guard_message(CarHeartbeat(1, "driving"))
    found = told(figures, tmp_path)
    modes = {key[1]: value for key, value in found.items() if key[0] == "raceday_car_mode"}
    assert modes == {"disarmed": 0, "ready": 0, "driving": 1, "stopped": 0, "tripped": 0}
    assert found["raceday_car_late_ticks_total",] == 5
    assert found["raceday_car_frames_total",] == 930
    assert found["raceday_car_frames_dropped_total",] == 2
    assert found["raceday_car_frames_repeated_total",] == 1
    assert found["raceday_car_frame_age_seconds_count",] == 4
    assert found["raceday_car_frame_age_seconds_bucket", "0.05"] == 3
    assert found["raceday_car_policy_seconds_count",] == 1
    assert found["raceday_car_lease_age_seconds",] == 0.12
    assert found["raceday_car_battery_ratio",] == 0.87
    assert found["raceday_mqtt_connected",] == 0
    assert found["raceday_mqtt_dropped_messages_total",] == 3
    assert found["raceday_refusals_total", "code"] == 1
    assert found["raceday_web_connections",] == 2


def test_what_is_not_known_is_not_told(tmp_path: pathlib.Path) -> None:
    found = told(CarFigures(lambda: None, lambda: None), tmp_path)
    assert not {"raceday_car_battery_ratio", "raceday_car_lease_age_seconds"} & {key[0] for key in found}
    assert found["raceday_car_mode", "disarmed"] == 1


def test_the_comms_process_serves_them_where_they_are_enabled(
    tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bench, clock = Bench(tmp_path), ManualClock(0)
    text = MINIMAL + "metrics.enabled = true\nmetrics.port = 0\nbattery.driver = 'none'\n"
    config = parse(text, VehicleConfig, beside=tmp_path)
    battery = BatteryMonitor(lambda: build_battery(config, clock))
    services = SideServices(config, clock, bench.comms, None, battery, Refusals())
    services.start()
    try:
        bench.guard.send(CarState(True, "ready"))
        bench.run(500)
        said = capfd.readouterr()
        address = next(word for word in f"{said.out}{said.err}".split() if word.endswith("/metrics"))
        told_text = requests.get(address, timeout=60).text
    finally:
        services.close()
        bench.close()
    assert 'raceday_car_mode{mode="ready"} 1.0' in told_text
    assert "raceday_mqtt_connected 1.0" in told_text
