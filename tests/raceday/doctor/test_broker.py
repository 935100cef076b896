"""The doctor asks a real broker whether it lets the machine in, refuses a stranger and enforces its rules."""

import pathlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from raceday.broker import free_port, mosquitto_path
from raceday.certs.authority_folder import AuthorityFolder
from raceday.doctor.broker_checks import BrokerProbes, _wide_rules, broker_findings
from raceday.doctor.installed import InstalledRole
from raceday.doctor.machine_reader import ThisMachine
from raceday.doctor.permissions import ServiceUser
from raceday.install.shipped_files import config_text
from shared.findings import Finding
from shared.link.broker_probe import BrokerAnswer, handshake, publish
from shared.link.options import MqttOptions
from tests.raceday.doctor.machines import ShownMachine
from tests.secure_broker import NOW, SecureBroker

NAMES = ("station-1", "car-1", "car-2")


@pytest.fixture(scope="module")
def broker() -> Iterator[SecureBroker]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed: this test needs a real broker")
    made = SecureBroker(NAMES)
    yield made
    made.end()


def role_of(options: MqttOptions, device: str = "car-1") -> InstalledRole:
    mqtt = {name: getattr(options, name) for name in ("host", "port", "ca", "cert", "key")}
    return InstalledRole("car", "/etc/raceday/vehicle.toml", {"device": device, "mqtt": mqtt})


def findings_of(role: InstalledRole, *, is_running: bool = False, probes: BrokerProbes | None = None) -> list[Finding]:
    return broker_findings(ThisMachine(), role, None, is_running=is_running, probes=probes or BrokerProbes())


@pytest.mark.broker
def test_a_car_that_is_let_in_and_a_broker_that_denies(broker: SecureBroker) -> None:
    found = {each.what: each for each in findings_of(role_of(broker.options("car-1")))}
    address = f"broker 127.0.0.1:{broker.port}"
    assert found[address].is_good, found[address]
    assert found[f"rules of {address}"].seen == "It denies what nobody may publish."
    assert found["own certificate"].is_good


@pytest.mark.broker
def test_a_machine_that_is_connected_stays_connected(broker: SecureBroker) -> None:
    running = broker.client("car-1")
    found = findings_of(role_of(broker.options("car-1")), is_running=True)
    assert all(each.is_good is not False for each in found)
    assert "Not tried while" in found[-1].seen
    assert running.may_publish("raceday/cars/car-1/state")
    assert not running.is_disconnected.is_set()
    # As the other probe would do it: this is why it is only for a machine whose service does not run.
    assert publish(broker.options("car-1"), "car-1").is_denied
    assert running.is_disconnected.wait(10)
    running.close()


@pytest.mark.broker
def test_who_is_not_let_in_is_told_why(
    broker: SecureBroker, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.authority.revoke("car-2", NOW)
    broker.reload()
    assert not handshake(broker.options("car-2")).is_let_in
    other = AuthorityFolder(tmp_path)
    other.initialise("Raceday other", ("localhost",), NOW)
    foreign = handshake(broker.options("car-1", ca=str(other.tls / "ca.pem")))
    assert (foreign.is_reached, foreign.is_let_in) == (True, False)
    assert "its certificate is not accepted" in foreign.reason
    # A name that the broker's certificate is not for, as after a move to another hall.
    real = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda to, timeout: real(("127.0.0.1", to[1]), timeout))
    renamed = handshake(broker.options("car-1", host="hall.local"))
    assert not renamed.is_let_in
    assert "not valid for 'hall.local'" in renamed.reason
    monkeypatch.undo()
    assert not handshake(broker.options("car-1"), with_certificate=False).is_let_in
    away = handshake(MqttOptions(port=free_port()))
    assert (away.is_reached, away.reason) == (False, "Connection refused")


ANSWERS: list[tuple[str, dict[str, Any], str]] = [
    ("no answer", {"handshake": lambda *_, **__: BrokerAnswer(is_reached=False, reason="x")}, "not reached: x"),
    ("a refusal", {"handshake": lambda *_, **__: BrokerAnswer(is_reached=True, reason="x")}, "not let this machine in"),
    (
        "anybody",
        {"handshake": lambda *_, **__: BrokerAnswer(is_reached=True, is_let_in=True)},
        "lets in who has no certificate",
    ),
    (
        "no rules",  # eclipse-mosquitto/mosquitto 2.1.0, as config/mosquitto.conf warns
        {"publish": lambda *_: BrokerAnswer(is_reached=True, is_let_in=True, is_denied=False)},
        "lets through what nobody may publish",
    ),
]


@pytest.mark.parametrize(("answers", "says"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_each_answer_has_its_sentence(folder: AuthorityFolder, answers: dict[str, Any], says: str) -> None:
    options = MqttOptions(ca=str(folder.tls / "ca.pem"))
    fine: dict[str, Any] = {
        "handshake": lambda *_, with_certificate=True, **__: BrokerAnswer(is_reached=True, is_let_in=with_certificate),
        "publish": lambda *_: BrokerAnswer(is_reached=True, is_let_in=True, is_denied=True),
    }
    found = findings_of(role_of(options), probes=BrokerProbes(**{**fine, **answers}))
    assert any(says in each.seen and each.is_good is False and each.cure for each in found), found
    assert all(each.is_good is not False for each in findings_of(role_of(options), probes=BrokerProbes(**fine)))


def test_a_key_of_others_and_a_certificate_of_another_key_are_named(folder: AuthorityFolder) -> None:
    away = BrokerProbes(handshake=lambda *_, **__: BrokerAnswer(is_reached=False, reason="x"))
    key = folder.tls / "broker.key"
    pem, ca = str(folder.tls / "broker.pem"), str(folder.tls / "ca.pem")
    role = role_of(MqttOptions(ca=ca, cert=pem, key=str(key)))
    key.chmod(0o644)
    assert any(each.cure == f"Run `sudo chmod 600 {key}`." for each in findings_of(role, probes=away))
    key.chmod(0o600)
    user = ServiceUser("raceday", 54321, frozenset({54321}))
    found = broker_findings(ThisMachine(), role, user, is_running=False, probes=away)
    assert any("raceday may not read" in each.seen for each in found)
    mixed = role_of(MqttOptions(ca=ca, cert=ca, key=str(key)))
    assert any("does not belong" in each.seen for each in findings_of(mixed, probes=away))
    gone = role_of(MqttOptions(ca=ca, cert=pem, key=str(key)))
    key.unlink()
    assert any(
        "is not there" in each.seen and "certs car NAME --renew" in each.cure for each in findings_of(gone, probes=away)
    )


@pytest.mark.parametrize(
    ("rules", "is_found"),
    [
        ("pattern write raceday/cars/%u/#\n", True),  # as releases before this one wrote them
        ("pattern write #\n", True),
        (config_text("acl"), False),
        ("pattern read raceday/to/%u/#\nuser bridge\ntopic write raceday/to/#\n", False),  # an organiser's own bridge
    ],
)
def test_rules_by_which_a_car_stores_without_end_are_found(rules: str, is_found: bool) -> None:
    found = list(_wide_rules(ShownMachine(files={"/etc/raceday/acl": rules})))
    assert [each.is_good for each in found] == ([False] if is_found else [])
    assert all("raceday certs init" in (each.cure or "") for each in found)
