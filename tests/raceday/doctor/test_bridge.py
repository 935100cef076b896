"""The doctor before the bridge of a stock car: what it calls good, bad and open, and that it takes no login."""

from collections.abc import Callable

import pytest

from raceday.doctor.bridge_checks import BridgeProbes
from raceday.doctor.examination import examined
from raceday.doctor.installed import installed_bridges
from raceday.doctor.machine_reader import FileStatus, UserAccount
from raceday.install.bridges.bridge_files import BrokerAddress, bridge_config, leash_change
from raceday.install.shipped_files import config_text
from shared.errors import RetryLater
from shared.findings import Finding
from tests.raceday.doctor.machines import ShownMachine, unit, units
from tests.raceday.doctor.test_machines import OPEN_HERE
from vehicle.bridge.config import BridgeConfig
from vehicle.bridge.probe import LeashReport

UNIT = "raceday-bridge@car-1.service"
CONFIG = "/etc/raceday/bridge-car-1.toml"
PASSWORD, CERTIFICATE = "/etc/raceday/bridge-car-1.password", "/var/lib/raceday-bridge/car-1/console-certificate"
KEY = "/etc/raceday/leash-car-1/raceday-leash.key"
TEXT = bridge_config(config_text("bridge.toml"), "car-1", "192.168.1.41", 443, "fast", BrokerAddress())


def no_login(_config: BridgeConfig) -> tuple[str, ...]:
    raise AssertionError("the bridge that runs would lose its login")


def probes(**changed: object) -> BridgeProbes:
    usual = {"fingerprint": lambda *_: "ab", "models": no_login, "leash": lambda _: LeashReport(True, "")}
    return BridgeProbes(**(usual | changed))  # type: ignore[arg-type]  # a table of callables


def failing(error: Exception) -> Callable[..., str]:
    def ask(*_: object) -> str:
        raise error

    return ask


@pytest.fixture
def machine() -> ShownMachine:
    """A station's machine whose bridge of car-1 runs, with a leash."""
    return ShownMachine(
        files={CONFIG: TEXT.replace(*leash_change("car-1")), PASSWORD: "x", CERTIFICATE: "ab\n", KEY: "k"},
        statuses={path: FileStatus(0o600, 991, 991) for path in (PASSWORD, CERTIFICATE, KEY)},
        users={"raceday": UserAccount("raceday", 991, frozenset({991}))},
        commands=units({UNIT: unit(StatusText="disarmed, online")}),
    )


def seen(machine: ShownMachine, asked: BridgeProbes) -> dict[str, Finding]:
    found = examined(machine, installed_bridges(machine), OPEN_HERE, asked)
    assert list(found) == ["machine", "bridge of car-1"]
    return {each.what: each for each in found["bridge of car-1"]}


def test_a_bridge_that_is_well_has_nothing_to_mend_and_keeps_its_login(machine: ShownMachine) -> None:
    found = seen(machine, probes())
    assert {what: each.seen for what, each in found.items() if each.is_good is not True} == {}
    assert set(found) == {
        CONFIG,
        UNIT,
        "password file",
        "console 192.168.1.41:443",
        "login",
        "leash's key",
        "leash",
        "broker 127.0.0.1:1883",
    }


@pytest.mark.parametrize(
    ("change", "asked", "what", "is_good", "words"),
    [
        (lambda m: m.statuses.update({PASSWORD: FileStatus(0o644, 991, 991)}), {}, "password file", False, "by others"),
        (lambda m: m.statuses.update({PASSWORD: FileStatus(0o600, 0, 0)}), {}, "password file", False, "may not read"),
        (lambda m: (m.files.pop(PASSWORD), m.statuses.pop(PASSWORD)), {}, "password file", False, "is not there"),
        (lambda m: m.statuses.update({KEY: FileStatus(0o640, 991, 991)}), {}, "leash's key", False, "by others"),
        (None, {"fingerprint": failing(TimeoutError("timed out"))}, "console 192.168.1.41:443", False, "timed out"),
        (None, {"fingerprint": lambda *_: "cd"}, "console 192.168.1.41:443", False, "another certificate"),
        (
            lambda m: (m.files.pop(CERTIFICATE), m.statuses.pop(CERTIFICATE)),
            {},
            "console 192.168.1.41:443",
            None,
            "kept",
        ),
        (None, {"leash": failing(TimeoutError("no answer"))}, "leash", False, "no answer"),
        (None, {"leash": lambda _: LeashReport(True, "no chip")}, "leash", False, "no chip"),
        (None, {"leash": lambda _: LeashReport(False, "")}, "leash", None, "best effort"),
        (
            lambda m: m.commands.update(units({UNIT: unit(StatusText="stopped, offline: It refuses the password.")})),
            {},
            "login",
            False,
            "It refuses the password.",
        ),
        (lambda m: m.commands.update(units({UNIT: unit()})), {}, "login", None, "told nothing"),
        (lambda m: m.files.update({CONFIG: "[console]\n"}), {}, CONFIG, False, "is missing"),
        (lambda m: m.commands.update(units({UNIT: unit(LoadState="not-found")})), {}, UNIT, False, "no such unit"),
    ],
)
def test_what_is_wrong_has_its_cure(
    machine: ShownMachine,
    change: Callable[[ShownMachine], object] | None,
    asked: dict[str, object],
    what: str,
    is_good: bool | None,
    words: str,
) -> None:
    if change is not None:
        change(machine)
    finding = seen(machine, probes(**asked))[what]
    assert finding.is_good is is_good
    assert words in finding.seen
    assert finding.cure or finding.is_good is None


STOPPED = units({UNIT: unit(ActiveState="inactive", SubState="dead")})


@pytest.mark.parametrize(
    ("models", "what", "is_good", "words"),
    [
        (lambda _: ("fast", "slow"), "login", True, "takes the password"),
        (failing(RetryLater("it refuses the password")), "login", False, "refuses the password"),
        (lambda _: ("slow",), "model", False, "fast is not on the car"),
    ],
)
def test_the_login_is_tried_where_no_bridge_has_it(
    machine: ShownMachine, models: object, what: str, is_good: bool, words: str
) -> None:
    machine.commands |= STOPPED
    finding = seen(machine, probes(models=models))[what]
    assert finding.is_good is is_good
    assert words in finding.seen


def test_no_login_is_tried_that_nobody_asked_for(machine: ShownMachine) -> None:
    machine.commands |= STOPPED  # here; a bridge on a spare station may have the car
    finding = seen(machine, probes(models=None))["login"]
    assert finding.is_good is None
    assert "raceday doctor bridge" in finding.cure
    assert "ends the login" in finding.cure
    assert BridgeProbes().models is None


@pytest.mark.parametrize("host", ["a" * 64 + ".local", "car..local"])
def test_a_host_that_dns_cannot_ask_for_is_a_finding(machine: ShownMachine, host: str) -> None:
    machine.files[CONFIG] = TEXT.replace("192.168.1.41", host)
    asked = BridgeProbes(leash=lambda _: LeashReport(True, ""))  # with the real handshake
    finding = seen(machine, asked)[f"console {host}:443"]
    assert finding.is_good is False
    assert "no name of a machine" in finding.seen
    assert CONFIG in finding.cure


def test_the_password_is_sent_to_no_other_console(machine: ShownMachine) -> None:
    machine.commands |= STOPPED
    assert "login" not in seen(machine, probes(fingerprint=lambda *_: "cd"))
