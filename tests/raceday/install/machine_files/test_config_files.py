"""The config of each role, as it is installed: the machine itself reads it, and all its paths are whole."""

import pathlib
import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.config import LeaderboardConfig
from raceday.install.machine_files import config_files as made
from raceday.install.request import GateRequest, InstallRequest
from raceday.install.shipped_files import config_text
from shared.config import parse
from station.config import StationConfig
from vehicle.config import VehicleConfig
from vehicle.hardware.profiles import PROFILES

STATION, CAR, BOARD = (config_text(name) for name in ("station.toml", "vehicle.toml", "leaderboard.toml"))
ETC = pathlib.Path("/etc/raceday")
GATES = (
    GateRequest("gpio", pins=(17, 27)),
    GateRequest("pico", port="/dev/serial/by-id/usb-x"),
    GateRequest("decoder", port="socket://10.0.0.5:5403", protocol="p3"),
)


def paths(text: str) -> list[str]:
    """Whatever in a config looks like a path, also in its comments."""
    return re.findall(
        r'^(?:# )?(?:path|folder|file|data_dir|claims|models|socket|[a-z]+_file)\s*= "([^"]+)"', text, re.MULTILINE
    )


def test_a_station() -> None:
    text = made.station_config(STATION, InstallRequest("station"), "hall-2", has_certs=False)
    config = parse(text, StationConfig, "station.toml", ETC)
    assert (str(config.data_dir), config.name, config.web.host) == ("/var/lib/raceday", "hall-2", "0.0.0.0")
    assert [gate.driver for gate in config.gate] == ["mock"]
    assert "../" not in text


def test_a_station_with_gates() -> None:
    text = made.station_config(STATION, InstallRequest("station", gates=GATES), "station-1", has_certs=False)
    gates = parse(text, StationConfig).gate
    assert [(gate.name, gate.driver, gate.kind) for gate in gates] == [
        ("start", "gpio", "start_finish"),
        ("sector-1", "pico", "split"),
        ("sector-2", "decoder", "split"),
    ]
    assert gates[0].options == {"pins": [17, 27]}
    assert gates[0].sensors == ("beam-1", "beam-2")
    assert gates[1].options == {"port": "/dev/serial/by-id/usb-x"}
    assert gates[2].options == {"protocol": "p3", "url": "socket://10.0.0.5:5403"}


def test_a_car() -> None:
    text = made.car_config(CAR, InstallRequest("car", broker="10.0.0.1"), "car-7", has_certs=False)
    config = parse(text, VehicleConfig, "vehicle.toml", ETC)
    assert (config.device, config.mqtt.host, config.mqtt.port) == ("car-7", "10.0.0.1", 1883)
    assert str(config.model.path) == "/var/lib/raceday-vehicle/models/selected"
    assert str(config.calibration.file) == "/var/lib/raceday-vehicle/calibration.json"
    assert not config.calibration.stock
    assert config.console.enabled
    within = [config.outbox.path, config.recorder.folder, config.console.claims, config.console.models]
    assert all(str(path).startswith("/var/lib/raceday-vehicle/") for path in within)
    assert str(config.local.socket) == "/run/raceday/vehicle.sock"


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_car_with_a_profile_takes_its_drivers_from_it(profile: str) -> None:
    text = made.car_config(CAR, InstallRequest("car", profile=profile), "car-1", has_certs=False)
    config = parse(text, VehicleConfig, "vehicle.toml", ETC)
    defaults = PROFILES[profile].defaults
    assert config.camera.driver == defaults["camera"]["driver"]
    assert config.motors.options == defaults["motors"]["options"]
    assert str(config.calibration.file) == "/var/lib/raceday-vehicle/calibration.json"
    assert not config.calibration.stock


def test_a_leaderboard() -> None:
    asked = InstallRequest("leaderboard", database="postgresql://raceday@localhost/raceday", host="0.0.0.0")
    config = parse(made.leaderboard_config(BOARD, asked), LeaderboardConfig, "leaderboard.toml", ETC)
    files = (config.store.path, config.secrets.admin_file, config.secrets.claim_file, config.submissions.folder)
    assert all(path.startswith("/var/lib/raceday-leaderboard/") for path in (*files, *config.secrets.webhook_files))
    assert (config.store.url, config.server.host) == ("postgresql://raceday@localhost/raceday", "0.0.0.0")


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1"])
def test_with_certificates_the_broker_is_reached_by_tls(host: str) -> None:
    asked = InstallRequest("car", broker=host)
    text = made.car_config(CAR, asked, "car-1", has_certs=True)
    assert tomllib.loads(text)["mqtt"] == {
        "host": host,
        "port": 8883,
        "ca": "/etc/raceday/tls/ca.pem",
        "cert": "/etc/raceday/tls/car-1.pem",
        "key": "/etc/raceday/tls/car-1.key",
    }
    station = made.station_config(STATION, InstallRequest("station"), "station-1", has_certs=True)
    assert tomllib.loads(station)["mqtt"]["key"] == "/etc/raceday/tls/station-1.key"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_text_leaves_its_quotes(text: str) -> None:
    assert tomllib.loads(f"key = {made.quoted(text)}\n") == {"key": text}
    (table,) = tomllib.loads(made.gate_tables([GateRequest("pico", port=text)]))["gate"]
    assert table["options"] == {"port": text}
