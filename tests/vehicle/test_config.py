"""The shipped config is the manual: every default that it shows is the default, and mistakes are one sentence."""

import dataclasses
import pathlib
import re
import tomllib
from typing import Any

import pytest

from shared.config import load, parse
from shared.errors import ConfigError
from vehicle.config import VehicleConfig
from vehicle.core.pulses import STOCK_CALIBRATION
from vehicle.lapwatch.markers import STOCK_BOARDS

SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "config" / "vehicle.toml"
MINIMAL = """
device = "car-1"
camera.driver = "mock"
motors.driver = "mock"
model.path = "m"
outbox.path = "laps.db"
"""


def test_the_shipped_file_is_a_car() -> None:
    config = load(SHIPPED, VehicleConfig)
    assert config.calibration.load() == STOCK_CALIBRATION
    assert config.lapwatch.boards == STOCK_BOARDS
    assert config.model.throttle_percent == 0


@pytest.mark.parametrize("table", ["limits", "safety", "lapwatch", "comms", "local", "mqtt", "clock", "metrics"])
def test_each_shown_default_is_the_default(table: str) -> None:
    text = re.search(rf"^\[{table}\]\n(.*?)(?=^\[|\Z)", SHIPPED.read_text(), re.MULTILINE | re.DOTALL)
    assert text is not None
    before_boards = text[1].split("# [[", maxsplit=1)[0]
    shown: dict[str, Any] = tomllib.loads("\n".join(re.findall(r"^# (\w+ = \S+)", before_boards, re.MULTILINE)))
    config: Any = getattr(parse(MINIMAL, VehicleConfig), table)
    optional = {"ca", "cert", "key", "password_file"}
    actual = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    for name, value in shown.items():
        if name not in optional:
            assert actual[name] == (pathlib.Path(value) if isinstance(actual[name], pathlib.Path) else value), name
    undocumented = {"options", "boards", "lens", "stripe", "host", "port"}
    assert set(actual) - undocumented <= set(shown), "a setting is not in the manual"


def test_the_lens_that_is_shown_is_a_known_one() -> None:
    text = SHIPPED.read_text().split("# [lapwatch.lens]\n", 1)[1].split("\n\n", 1)[0]
    shown = "\n".join(re.findall(r"^# (\w+ = \S+)", text, re.MULTILINE))
    config = parse(f"{MINIMAL}\n[lapwatch.lens]\n{shown}\n", VehicleConfig)
    assert config.lapwatch.lens != parse(MINIMAL, VehicleConfig).lapwatch.lens


def test_the_stripes_shown_defaults_are_the_defaults() -> None:
    text = SHIPPED.read_text().split("# [lapwatch.stripe]\n", 1)[1].split("\n\n", 1)[0]
    shown: dict[str, Any] = tomllib.loads("\n".join(re.findall(r"^# (\w+ = \S+)", text, re.MULTILINE)))
    assert shown == dataclasses.asdict(parse(MINIMAL, VehicleConfig).lapwatch.stripe)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("speed = 3", "unknown key `speed`"),
        ("safety.tick_hz = 1.0", "`safety.tick_hz` is 1.0; allowed is 10.0 to 500.0"),
        ("safety.trip_periods = 1.5", "must be above `safety.hold_periods`"),
        ("limits.throttle_cap = 2", "`limits.throttle_cap`"),
        ("model.throttle_percent = 120", "`model.throttle_percent`"),
        ("lapwatch.boards = []", "at least one board"),
        ('local.socket = "/tmp/' + "x" * 120 + '"', "too long"),
        ("calibration.steering = {min_ns = 1, mid_ns = 2, max_ns = 3}", "must rise"),
        ("calibration.motor = {min_ns = 1}", "missing"),
        ('mqtt.cert = "a.crt"', "belong together"),
        ("calibration.steering = {min_ns = 1200000, mid_ns = 1450000, max_ns = 1700000}", "give both"),
        ('calibration = {stock = true, file = "c.json"}', "not several"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_file(line: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)) as refused:
        parse(MINIMAL + line + "\n", VehicleConfig, "car.toml")
    assert str(refused.value).startswith("car.toml: ")


def test_a_name_that_cannot_be_a_topic_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot name a machine"):
        parse(MINIMAL.replace("car-1", "Car #1"), VehicleConfig)
