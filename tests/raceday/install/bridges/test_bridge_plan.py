"""The plan of a stock car's bridge: what it writes beside which station, what it refuses, and that it is done once."""

import dataclasses
import errno
import os
import pathlib
import stat
import tomllib
from typing import Any

import pytest

from raceday.install.bridges.bridge_plan import bridge_plan
from raceday.install.bridges.bridge_request import BridgeRequest
from raceday.install.certificates import PlaceCertificates
from raceday.install.facts import MachineFacts, configured_bridges, enabled_bridges
from raceday.install.machine import Machine
from raceday.install.plan import InstallPlan
from raceday.install.steps import EnableService, ReplaceLines, WriteConfig
from raceday.install.uninstall import uninstall_bridge
from shared.config import parse
from shared.errors import OperatorError, StorageError
from tests.raceday.install.test_steps import everything
from tests.raceday.install.test_uninstall import refusing
from vehicle.bridge.config import BridgeConfig
from vehicle.bridge.leash_kit import write_kit

PLAIN = MachineFacts(roles=("station",), configs={"station": 'name = "hall"\n[mqtt]\nport = 1883\n'})
TLS = dataclasses.replace(
    PLAIN,
    configs={"station": '[mqtt]\nhost = "10.42.0.1"\nport = 8884\ncert = "/etc/raceday/tls/station-1.pem"\n'},
    certificates=frozenset({"car-1.pem", "car-1.key"}),
)
FIRST = BridgeRequest("car-1", console="192.168.1.41", password="deepracer", leash_key="ab" * 32)


def config_of(made: InstallPlan) -> str:
    (text,) = [step.text for step in made.steps if isinstance(step, WriteConfig)]
    return text


def done(machine: Machine, made: InstallPlan) -> list[str]:
    """Does what is to be done; returns what was told of it."""
    pending = [step for step in made.steps if not step.is_done(machine)]
    for step in pending:
        step.do(machine)
    return [step.description() for step in pending]


def test_the_config_is_one_that_the_bridge_starts_with() -> None:
    config = parse(config_of(bridge_plan(dataclasses.replace(FIRST, model="Fast one"), PLAIN)), BridgeConfig)
    assert (config.device, config.console.host, config.console.port) == ("car-1", "192.168.1.41", 443)
    assert (config.console.model, config.console.throttle_percent) == ("Fast one", 0)
    assert config.console.password_file == pathlib.Path("/etc/raceday/bridge-car-1.password")
    assert config.console.certificate_file == pathlib.Path("/var/lib/raceday-bridge/car-1/console-certificate")
    assert (config.mqtt.host, config.mqtt.port, config.mqtt.cert, config.leash.key_file) == ("127.0.0.1", 1883, "", "")


def test_beside_a_broker_with_certificates_it_shows_the_cars_own() -> None:
    mqtt = tomllib.loads(config_of(bridge_plan(FIRST, TLS)))["mqtt"]
    assert (mqtt["host"], mqtt["port"], mqtt["key"]) == ("10.42.0.1", 8884, "/etc/raceday/tls/car-1.key")


@pytest.mark.parametrize(
    ("request_", "facts", "words"),
    [
        ({}, {"roles": ()}, "sudo raceday install station"),
        ({"name": "hall"}, {}, "is the name of this machine's station"),
        ({"console": ""}, {}, "Add --console"),
        ({}, {"configs": TLS.configs}, "sudo raceday certs car car-1"),
    ],
)
def test_what_must_be_there_first_is_said(request_: dict[str, Any], facts: dict[str, Any], words: str) -> None:
    with pytest.raises(OperatorError, match=words):
        bridge_plan(dataclasses.replace(FIRST, **request_), dataclasses.replace(PLAIN, **facts))


def test_a_carried_file_is_placed_and_the_broker_reads_its_rules_again() -> None:
    request = dataclasses.replace(FIRST, certs_file=pathlib.Path("/media/car-1.raceday-certs"))
    made = bridge_plan(request, dataclasses.replace(TLS, certificates=frozenset()))
    (place,) = [step for step in made.steps if isinstance(step, PlaceCertificates)]
    assert place.effects == {"services", "access"}
    assert any("without certificates" in note for note in bridge_plan(request, PLAIN).notes)


def test_a_bridge_is_installed_once_and_with_its_leash(
    machine: Machine, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(machine.root)
    told = done(machine, bridge_plan(dataclasses.replace(FIRST, is_leashed=True), PLAIN))
    assert not [line for line in told if "deepracer" in line or "abab" in line]
    password, key = (
        machine.path(f"/etc/raceday/{name}") for name in ("bridge-car-1.password", "leash-car-1/raceday-leash.key")
    )
    assert (password.read_text(), key.read_text()) == ("deepracer\n", "ab" * 32 + "\n")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (password, key)} == {0o600}
    kit = {each.name: each.read_bytes() for each in write_kit(tmp_path_factory.mktemp("by-hand"))[:2]}
    assert {name: machine.read(f"/etc/raceday/leash-car-1/{name}") for name in kit} == kit
    link = machine.path("/etc/systemd/system/multi-user.target.wants/raceday-bridge@car-1.service")
    assert str(link.readlink()) == "/etc/systemd/system/raceday-bridge@.service"
    assert configured_bridges(machine) == enabled_bridges(machine) == ("car-1",)
    config = machine.path("/etc/raceday/bridge-car-1.toml").read_text()
    assert parse(config, BridgeConfig).leash.key_file == "/etc/raceday/leash-car-1/raceday-leash.key"
    there = dataclasses.replace(PLAIN, bridges={"car-1": config})
    assert done(machine, bridge_plan(BridgeRequest("car-1", leash_key=""), there)) == []
    uninstall_bridge(machine, "car-1", print, purge=False, yes=False)
    assert "stay in /etc/raceday" in capsys.readouterr().out
    assert (configured_bridges(machine), enabled_bridges(machine)) == (("car-1",), ())
    assert not machine.path("/etc/systemd/system/raceday-bridge@.service").exists()
    uninstall_bridge(machine, "car-1", print, purge=True, yes=True)
    uninstall_bridge(machine, "car-1", print, purge=True, yes=True)
    assert "There is no bridge of car-1 here" in capsys.readouterr().out
    left = everything(machine.root) - before
    assert {name for name in left if not (machine.root / name).is_dir()} == set()


def test_a_purge_leaves_no_secret_because_of_another_that_stays(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(machine, bridge_plan(dataclasses.replace(FIRST, is_leashed=True), PLAIN))
    for path in ("/etc/raceday/tls/car-1.key", "/var/lib/raceday-bridge/car-1/secret"):
        machine.write(path, b"", 0o600)
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refusing({"bridge-car-1.password": errno.EPERM}, os.unlink))
        with pytest.raises(StorageError, match=r"bridge-car-1\.password cannot be removed \(Operation not permitted\)"):
            uninstall_bridge(machine, "car-1", print, purge=True, yes=True)
    left = {name for name in everything(machine.root) if "car-1" in name}
    assert left == {"etc/raceday/bridge-car-1.password", "etc/raceday/bridge-car-1.toml"}, "by the config it is known"
    assert uninstall_bridge(machine, "car-1", print, purge=True, yes=True) == 0
    assert {name for name in everything(machine.root) if "car-1" in name} == set()


def test_the_template_stays_while_another_bridge_runs(machine: Machine) -> None:
    for name in ("car-1", "car-2"):
        done(machine, bridge_plan(dataclasses.replace(FIRST, name=name), PLAIN))
    uninstall_bridge(machine, "car-1", print, purge=True, yes=True)
    assert machine.path("/etc/systemd/system/raceday-bridge@.service").exists()
    assert EnableService("raceday-bridge@car-2.service").is_done(machine)
    assert machine.path("/var/lib/raceday-bridge/car-2").is_dir()


def test_what_is_asked_for_later_is_changed_in_the_config(machine: Machine) -> None:
    done(machine, bridge_plan(FIRST, PLAIN))
    config = machine.path("/etc/raceday/bridge-car-1.toml").read_text()
    there = dataclasses.replace(TLS, bridges={"car-1": config})
    later = BridgeRequest(
        "car-1", console="car-1.local", port=8443, model='a "b"', is_leashed=True, leash_key="cd" * 32
    )
    assert len([each for each in bridge_plan(later, there).steps if isinstance(each, ReplaceLines)]) == 4
    done(machine, bridge_plan(later, there))
    changed = tomllib.loads(machine.path("/etc/raceday/bridge-car-1.toml").read_text())
    console = changed["console"]
    assert (console["host"], console["port"], console["model"]) == ("car-1.local", 8443, 'a "b"')
    assert changed["leash"]["key_file"] == "/etc/raceday/leash-car-1/raceday-leash.key"
    assert (changed["mqtt"]["port"], changed["mqtt"]["cert"]) == (8884, "/etc/raceday/tls/car-1.pem")


@pytest.mark.parametrize(("console", "port"), [("car-1.local", 8443), ("192.168.1.41", 8443)])
def test_a_console_that_moves_keeps_its_port(machine: Machine, console: str, port: int) -> None:
    done(machine, bridge_plan(dataclasses.replace(FIRST, port=port), PLAIN))
    config = machine.path("/etc/raceday/bridge-car-1.toml").read_text()
    there = dataclasses.replace(PLAIN, bridges={"car-1": config})
    done(machine, bridge_plan(BridgeRequest("car-1", console=console), there))
    now = tomllib.loads(machine.path("/etc/raceday/bridge-car-1.toml").read_text())["console"]
    assert (now["host"], now["port"]) == (console, port)


def test_a_broker_that_moves_is_followed_from_where_it_usually_is_and_else_said(machine: Machine) -> None:
    done(machine, bridge_plan(FIRST, PLAIN))
    path = machine.path("/etc/raceday/bridge-car-1.toml")
    for host, is_followed in (("10.1.1.1", True), ("10.2.2.2", False)):
        moved = f'[mqtt]\nhost = "{host}"\nport = 1884\n'
        facts = MachineFacts(roles=("station",), configs={"station": moved}, bridges={"car-1": path.read_text()})
        made = bridge_plan(BridgeRequest("car-1"), facts)
        done(machine, made)
        mqtt = tomllib.loads(path.read_text())["mqtt"]
        assert ((mqtt["host"], mqtt["port"]) == (host, 1884)) == is_followed
        assert any(f'write there host = "{host}", port = 1884' in note for note in made.notes) != is_followed


def test_a_config_that_was_edited_stays_and_it_is_said() -> None:
    config = 'device = "car-1"\n[console]\nhost = "a"  # mine\nmodel = "m"  # mine\npassword_file = "p"\n[leash]\n'
    later = BridgeRequest("car-1", console="b", model="n", is_leashed=True, password="x")
    made = bridge_plan(later, dataclasses.replace(PLAIN, bridges={"car-1": config}))
    assert not [step for step in made.steps if isinstance(step, ReplaceLines | WriteConfig)]
    said = "\n".join(made.notes)
    assert all(words in said for words in ('host = "b"', 'model = "n"', "key_file = ", "another file for the password"))


def test_a_new_password_takes_the_old_ones_place(machine: Machine) -> None:
    done(machine, bridge_plan(FIRST, PLAIN))
    config = machine.path("/etc/raceday/bridge-car-1.toml").read_text()
    there = dataclasses.replace(PLAIN, bridges={"car-1": config})
    assert len(done(machine, bridge_plan(BridgeRequest("car-1", password="another"), there))) == 1
    assert machine.read("/etc/raceday/bridge-car-1.password") == b"another\n"


def test_without_a_password_nothing_empty_is_written(machine: Machine) -> None:
    with pytest.raises(OperatorError, match="give the password of car-1's console"):
        done(machine, bridge_plan(dataclasses.replace(FIRST, password=""), PLAIN))
    assert machine.read("/etc/raceday/bridge-car-1.password") is None
