"""The bridge's config file: the one that ships is whole, and what is wrong is said in a sentence."""

import dataclasses
import pathlib
import re
import tomllib
from typing import Any

import pytest

from shared.config import load, parse
from shared.errors import ConfigError
from vehicle.bridge.build import build_session
from vehicle.bridge.config import BridgeConfig
from vehicle.bridge.leash.raceday_leash import PORT
from vehicle.bridge.leash_kit import write_kit
from vehicle.commands.bridge import main

SHIPPED = pathlib.Path(__file__).resolve().parents[3] / "config" / "bridge.toml"
MINIMAL = """
device = "car-1"
console.host = "car-1.local"
console.password_file = "password"
console.certificate_file = "certificate"
console.model = "fast"
"""


def test_the_shipped_file_is_a_bridge() -> None:
    config = load(SHIPPED, BridgeConfig)
    assert config.console.throttle_percent == 0, "a car stands still until somebody gives it throttle"
    assert (config.leash.key_file, config.leash.port) == ("", PORT)


@pytest.mark.parametrize("table", ["console", "leash", "mqtt"])
def test_each_shown_default_is_the_default(table: str) -> None:
    text = re.search(rf"^\[{table}\]\n(.*?)(?=^\[|\Z)", SHIPPED.read_text(), re.MULTILINE | re.DOTALL)
    assert text is not None
    shown: dict[str, Any] = tomllib.loads("\n".join(re.findall(r"^# (\w+ = \S+)", text[1], re.MULTILINE)))
    written = set(tomllib.loads(text[1]))
    actual = dataclasses.asdict(getattr(parse(MINIMAL, BridgeConfig), table))
    for name, value in shown.items():
        if name not in {"ca", "cert", "key", "password_file", "key_file"}:
            assert actual[name] == value, name
    assert set(actual) == set(shown) | written, "each setting is in the manual"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('console.model = ""', "must not be empty"),
        ("console.throttle_percent = 101", "allowed is 0 to 100"),
        ("leash.port = 0", "allowed is 1 to 65535"),
        ('colour = "blue"', "it must be like #46c8f5"),
        ("console.speed = 1", "unknown key `console.speed`"),
    ],
)
def test_bad_settings_are_refused_with_a_sentence(line: str, words: str) -> None:
    key = line.split(" = ", maxsplit=1)[0]
    kept = "\n".join(each for each in MINIMAL.splitlines() if not each.startswith(f"{key} "))
    with pytest.raises(ConfigError, match=re.escape(words)):
        parse(f"{kept}\n{line}\n", BridgeConfig, "bridge.toml")


def test_a_bridge_without_its_password_or_with_a_wrong_key_does_not_start(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text(MINIMAL)
    with pytest.raises(ConfigError, match="the console's password cannot be read"):
        build_session(load(file, BridgeConfig))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="there is no such config file"):
        main([])


def test_the_kit_of_the_leash_has_a_key_of_its_own_which_a_second_call_keeps(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write_kit(tmp_path / "kit")
    assert [file.name for file in files] == ["raceday_leash.py", "raceday-leash.service", "raceday-leash.key"]
    key = files[2].read_text()
    assert files[2].stat().st_mode & 0o077 == 0
    assert main(["leash", "--to", str(tmp_path / "kit")]) == 0
    assert files[2].read_text() == key
    assert str(files[2]) in capsys.readouterr().out
    assert write_kit(tmp_path / "other")[2].read_text() != key
