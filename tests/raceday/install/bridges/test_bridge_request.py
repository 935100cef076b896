"""The arguments of `raceday install bridge`, and the password: from a file or the terminal, and never shown."""

import contextlib
import getpass
import io
import os
import pathlib
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raceday.install import command
from raceday.install.bridges.bridge_files import bridge_config, broker_of
from raceday.install.bridges.bridge_request import parsed_console
from raceday.install.command import main
from raceday.install.facts import MachineFacts
from raceday.install.shipped_files import config_text
from shared.errors import OperatorError

STATION = MachineFacts(roles=("station",), configs={"station": "[mqtt]\nport = 1883\n"})


@pytest.fixture
def root(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A machine with a station, below a folder; whoever asks is root, and has no terminal."""
    monkeypatch.setattr(command, "gathered", lambda _machine: STATION)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    (tmp_path / "etc").mkdir()
    for name, number in (("passwd", os.geteuid()), ("group", os.getegid())):
        (tmp_path / "etc" / name).write_text(f"raceday:x:{number}:{number}::/:\n")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda *_: None)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Car 1"], "Car 1"),
        (["../x"], "x"),
        *(([name], "cannot name a machine") for name in ("broker", "ca", "crl")),  # their certificates are others'
        (["car-1", "--console", f"{'a' * 64}.local"], "write the car's name or address"),
        (["car-1", "--console", "car..local"], "write the car's name or address"),
        (["car-1", "--console", "car:"], "write the car's name or address"),
        (["car-1", "--console", "a b"], "write the car's name or address"),
        (["car-1", "--console", "car:0"], "write the car's name or address"),
        (["car-1", "--console", "car:99999"], "write the car's name or address"),
        (["car-1", "--console", "car", "--model", "a/b"], "the name of the model's folder"),
        (["car-1", "--console", "car", "--model", "a\nb"], "the name of the model's folder"),
        (["car-1", "--console", "car", "--password-file", "/nowhere/x"], "cannot be read"),
        (["car-1", "--console", "car", "--password-file", "/dev/null"], "holds no password"),
        (["car-1", "--console", "car", "--certs", "/nowhere/x"], "is no file of certificates"),
        (["car-1", "--console", "car", "--purge"], "--purge goes with --uninstall"),
    ],
)
def test_what_is_wrong_is_one_sentence(root: str, arguments: list[str], words: str) -> None:
    with pytest.raises(OperatorError, match=words) as raised:
        main(["--root", root, "bridge", "--dry-run", *arguments])
    assert "\n" not in str(raised.value)


def test_a_dry_run_asks_nobody_and_does_nothing(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(pathlib.Path(root).rglob("*"))
    assert main(["--root", root, "bridge", "car-1", "--console", "car-1.local", "--leash", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "write the password of car-1's console to /etc/raceday/bridge-car-1.password, for raceday alone" in shown
    assert "start raceday-bridge@car-1.service" in shown
    assert sorted(pathlib.Path(root).rglob("*")) == before


def test_without_a_terminal_the_password_must_be_in_a_file(root: str) -> None:
    with pytest.raises(OperatorError, match="name that by --password-file"):
        main(["--root", root, "bridge", "car-1", "--console", "car-1.local"])


def test_the_password_is_asked_for_once(
    root: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", type("Terminal", (io.StringIO,), {"isatty": lambda _self: True})())
    typed = ["se cret!"]
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: typed.pop())
    assert main(["--root", root, "bridge", "car-1", "--console", "car-1.local", "--leash"]) == 0
    assert pathlib.Path(root, "etc/raceday/bridge-car-1.password").read_text() == "se cret!\n"
    kept = pathlib.Path(root, "etc/raceday/leash-car-1/raceday-leash.key").read_text()
    assert len(bytes.fromhex(kept)) == 32
    said = "".join(capfd.readouterr())
    assert "carry /etc/raceday/leash-car-1 to the car" in said
    assert "se cret!" not in said
    assert kept.strip() not in said


@pytest.mark.parametrize(
    ("change", "is_asked"),
    [
        (("", ""), True),  # it is ours, and was lost
        (("/etc/raceday/bridge-car-1.password", "/var/lib/raceday-bridge/car-1.password"), False),
        (("[console]", "[console"), False),
    ],
)
def test_the_password_of_a_config_that_names_another_file_is_not_asked_for(
    root: str, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], is_asked: bool
) -> None:
    text = bridge_config(config_text("bridge.toml"), "car-1", "h", 443, "fast", broker_of({})).replace(*change)
    pathlib.Path(root, "etc/raceday").mkdir()
    pathlib.Path(root, "etc/raceday/bridge-car-1.toml").write_text(text)
    known = MachineFacts(roles=("station",), configs=STATION.configs, bridges={"car-1": text})
    monkeypatch.setattr(command, "gathered", lambda _machine: known)
    with pytest.raises(OperatorError, match="--password-file") if is_asked else contextlib.nullcontext():
        main(["--root", root, "bridge", "car-1"])
    assert pathlib.Path(root, "etc/systemd/system/raceday-bridge@.service").exists() != is_asked


@pytest.mark.parametrize(
    ("text", "expected"),
    [("car-1.local", ("car-1.local", None)), ("10.0.0.3:8443", ("10.0.0.3", 8443)), ("fe80::1", ("fe80::1", None))],
)
def test_a_console_has_a_host_and_perhaps_a_port(text: str, expected: tuple[str, int | None]) -> None:
    assert parsed_console(text) == expected


@given(st.text(min_size=1, max_size=60))
def test_whatever_a_model_is_called_is_read_back(model: str) -> None:
    text = bridge_config(config_text("bridge.toml"), "car-1", "h", 443, model, broker_of({}))
    assert tomllib.loads(text)["console"]["model"] == model


@pytest.mark.parametrize("mqtt", [{}, {"mqtt": 3}, {"mqtt": {"port": "x"}}])
def test_a_station_without_a_readable_broker_is_taken_as_usual(mqtt: dict[str, object]) -> None:
    assert (broker_of(mqtt).host, broker_of(mqtt).port, broker_of(mqtt).wants_certificates) == (
        "127.0.0.1",
        1883,
        False,
    )
