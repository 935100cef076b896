"""The doctor before whole machines: what it calls good, bad and open, and which cure it names."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from raceday.doctor.broker_checks import BrokerProbes
from raceday.doctor.examination import examined
from raceday.doctor.installed import installed_roles
from raceday.doctor.machine_reader import FileStatus, PlatformFacts, UserAccount
from raceday.doctor.permissions import ServiceUser
from raceday.doctor.station_checks import port_findings
from raceday.install.facts import MachineFacts
from raceday.install.plan import device_drop_in, named_devices
from shared.findings import Finding
from shared.link.broker_probe import BrokerAnswer
from tests.raceday.doctor.machines import STATION_TOML, ShownMachine, pi_station, unit

DROP_IN = "/etc/systemd/system/raceday-station.service.d/devices.conf"
OPEN_HERE = BrokerProbes(
    handshake=lambda *_, **__: BrokerAnswer(is_reached=True, is_let_in=True),
    publish=lambda *_: BrokerAnswer(is_reached=True, is_let_in=True, is_denied=True),
)


def seen(machine: ShownMachine, probes: BrokerProbes = OPEN_HERE) -> dict[str, Finding]:
    """Findings by name; of two with one name the worse."""
    found: dict[str, Finding] = {}
    for each in (each for group in examined(machine, installed_roles(machine), probes).values() for each in group):
        if each.what not in found or each.is_good is False:
            found[each.what] = each
    return found


def bad(machine: ShownMachine, probes: BrokerProbes = OPEN_HERE) -> dict[str, str]:
    return {what: each.seen for what, each in seen(machine, probes).items() if each.is_good is False}


@pytest.fixture
def pi() -> ShownMachine:
    machine = pi_station()
    (role,) = installed_roles(machine)
    facts = MachineFacts(groups=frozenset({"root", "gpio", "dialout", "raceday"}))
    machine.files[DROP_IN] = device_drop_in("station", named_devices("station", role.table, {}), facts)
    return machine


def test_a_pi_that_is_well_has_nothing_to_mend(pi: ShownMachine) -> None:
    assert bad(pi) == {}
    found = seen(pi)
    assert found["gate start"].seen == "/dev/gpiochip0 is there, and raceday may open it."
    assert found["devices of the unit"].is_good
    assert found["power"].seen.startswith("The voltage was enough")
    assert found["Wi-Fi wlan0"].is_good
    assert found["leaderboard https://league.example"].is_good
    # What is only advice counts against nothing.
    assert "by-id" in found["gate sector-1"].cure or found["gate sector-1"].is_good


def test_nothing_that_it_runs_changes_anything(pi: ShownMachine) -> None:
    seen(pi)
    allowed = ("systemctl show ", "findmnt -no ", "vcgencmd get_throttled", "iw dev wlan0 get power_save")
    assert pi.asked
    assert all(command.startswith(allowed) for command in pi.asked)


def _gone(path: str) -> Callable[[ShownMachine], None]:
    return lambda m: (m.files.pop(path, None), m.statuses.pop(path, None), None)[-1]


def _set(path: str, mode: int, uid: int, gid: int) -> Callable[[ShownMachine], None]:
    return lambda m: m.statuses.update({path: FileStatus(mode, uid, gid)})


def _command(start: str, said: str) -> Callable[[ShownMachine], None]:
    return lambda m: m.commands.update({start: said})


def _facts(**changes: Any) -> Callable[[ShownMachine], None]:
    return lambda m: setattr(m, "facts", dataclasses.replace(m.facts, **changes))


STATION = "systemctl show raceday-station.service"
CASES: list[tuple[str, Callable[[ShownMachine], None], str, str, str]] = [
    ("Python 3.10", _facts(python=(3, 10, 12)), "Python", "3.10.12", "3.11, 3.12 or 3.13"),
    ("Python 3.14", _facts(python=(3, 14, 0)), "Python", "3.14.0", "3.11, 3.12 or 3.13"),
    ("32 bit on a 64-bit kernel", _facts(bits=32), "processor", "64-bit kernel (aarch64)", "64-bit"),
    ("an old processor", _facts(bits=32, machine="armv7l"), "processor", "armv7l", "64-bit"),
    ("no user", lambda m: m.users.clear(), "user raceday", "no such user", "raceday install station"),
    (
        "a config for root alone",
        _set("/etc/raceday/station.toml", 0o600, 0, 0),
        "/etc/raceday/station.toml",
        "may not read it",
        "chgrp raceday /etc/raceday/station.toml; sudo chmod 640",
    ),
    (
        "a folder for root alone",
        _set("/etc/raceday", 0o700, 0, 0),
        "/etc/raceday/station.toml",
        "/etc/raceday keeps it out",
        "chmod",
    ),
    ("no unit", _command(STATION, "LoadState=not-found\n"), "raceday-station.service", "no such unit", "install"),
    (
        "a unit that ends at once",
        _command(STATION, unit(ActiveState="activating", SubState="auto-restart", NRestarts="41")),
        "raceday-station.service",
        "(41 times)",
        "journalctl",
    ),
    ("a stopped unit", _command(STATION, unit(ActiveState="inactive")), "raceday-station.service", "inactive", "start"),
    (
        "a unit that no boot starts",
        _command(STATION, unit(UnitFileState="disabled")),
        "raceday-station.service",
        "does not start with",
        "systemctl enable",
    ),
    ("yesterday's drop-in", _gone(DROP_IN), "devices of the unit", "does not fit the config", "install station"),
    ("no GPIO chip", _gone("/dev/gpiochip0"), "gate start", "no GPIO chip", "Pico"),
    (
        "a chip of root",
        _set("/dev/gpiochip0", 0o600, 0, 0),
        "gate start",
        "may not open /dev/gpiochip0",
        "gpio raceday",
    ),
    ("a Pico that is not plugged in", _gone("/dev/ttyACM0"), "gate sector-1", "/dev/ttyACM0 is not there", "by-id"),
    ("a port of others", _set("/dev/ttyACM0", 0o660, 0, 5), "gate sector-1", "may not open", "dialout raceday"),
    ("no lgpio", lambda m: m.attributes.clear(), "gate start", "lgpio is missing", "python3-lgpio"),
    (
        "the index's empty lgpio",
        lambda m: m.attributes.update({"lgpio.gpiochip_open": False}),
        "gate start",
        "empty stub",
        "python3-lgpio",
    ),
    ("a full disk", lambda m: setattr(m, "free", 50_000_000), "disk", "Only 50 MB", "Free"),
    (
        "a journal in memory",
        _command("findmnt -no SOURCE,FSTYPE -T", "tmpfs tmpfs\n"),
        "journal's disk",
        "on tmpfs",
        "Mount",
    ),
    (
        "a journal on a network",
        _command("findmnt -no SOURCE,FSTYPE -T", "nas:/race nfs4\n"),
        "journal's disk",
        "network (nfs4)",
        "local",
    ),
    (
        "Wi-Fi that sleeps",
        _command("iw dev wlan0 get", "Power save: on\n"),
        "Wi-Fi wlan0",
        "saves power",
        "power_save off",
    ),
    # forums.raspberrypi.com: a Pi 4 on a phone's charger.
    (
        "a weak supply",
        _command("vcgencmd get_throttled", "throttled=0x50005\n"),
        "power",
        "voltage is too low now",
        "supply",
    ),
    (
        "a leaderboard that is away",
        lambda m: m.closed.update({("league.example", 443): "Connection refused"}),
        "leaderboard https://league.example",
        "Connection refused",
        "none is lost",
    ),
    (
        "a config that is no TOML",
        lambda m: m.files.update({"/etc/raceday/station.toml": "[gate"}),
        "/etc/raceday/station.toml",
        "not TOML",
        "config.md",
    ),
]


@pytest.mark.parametrize(
    ("spoil", "what", "says", "cure"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_fault_is_seen_with_its_cure(
    pi: ShownMachine, spoil: Callable[[ShownMachine], None], what: str, says: str, cure: str
) -> None:
    spoil(pi)
    finding = seen(pi)[what]
    assert finding.is_good is False, finding
    assert says in finding.seen
    assert cure in finding.cure


def test_what_a_person_must_judge_is_open(pi: ShownMachine) -> None:
    pi.clock_is_set = False
    pi.commands["findmnt -no SOURCE,FSTYPE -T"] = "/dev/mmcblk0p2 ext4\n"
    pi.commands["vcgencmd get_throttled"] = "throttled=0x50000\n"
    pi.commands[STATION] = unit(SupplementaryGroups="gpio dialout", NRestarts="7")
    pi.facts = dataclasses.replace(pi.facts, is_root=False)
    found = seen(pi)
    for what in ("clock", "journal's disk", "power", "raceday-station.service", "rights"):
        assert found[what].is_good is None, what
        assert found[what].cure, what
    assert "memory card" in found["journal's disk"].seen
    assert "since the start" in found["power"].seen


def test_without_lgpio_elsewhere_than_on_pi_os_the_cure_is_another(pi: ShownMachine) -> None:
    pi.attributes.clear()
    pi.files.pop("/etc/apt/sources.list.d/raspi.list")
    assert "factory" in seen(pi)["gate start"].cure  # python3-lgpio is in no Debian


def test_a_laptop_with_nothing_installed_is_well() -> None:
    laptop = ShownMachine(facts=PlatformFacts((3, 12, 3), 64, "x86_64", is_root=False))
    assert installed_roles(laptop) == []
    assert bad(laptop) == {}


def test_a_container_without_systemd_has_no_services(pi: ShownMachine) -> None:
    pi.commands.clear()
    found = seen(pi)
    assert found["raceday-station.service"].is_good is None
    assert "systemd does not run" in found["raceday-station.service"].seen


def test_a_broken_machine_is_described_to_its_end() -> None:
    broken = ShownMachine(
        files={
            "/etc/raceday/station.toml": STATION_TOML.replace("[17]", '"x"'),
            "/etc/raceday/leaderboard.toml": b"\xff",
        },
        users={"raceday": UserAccount("raceday", 991, frozenset())},
        facts=PlatformFacts((3, 13, 5), 64, "aarch64", is_root=True),
        free=0,
    )
    away = BrokerProbes(handshake=lambda *_, **__: BrokerAnswer(is_reached=False, reason="Connection refused"))
    found = bad(broken, away)
    assert {"gate start", "gate sector-1", "broker 127.0.0.1:1883"} <= found.keys()
    assert "/etc/raceday/leaderboard.toml" in found


def test_the_services_own_groups_count_as_its_users(pi: ShownMachine) -> None:
    pi.commands[STATION] = unit(SupplementaryGroups="")  # an older drop-in named none
    assert {"gate start", "gate sector-1"} <= bad(pi).keys()
    pi.users["raceday"] = UserAccount("raceday", 991, frozenset({991, 997, 20}))
    assert "gate start" not in bad(pi)


@pytest.mark.parametrize(
    ("told", "is_good", "words"),
    [
        ("gates: start ready | sector-1 ready", True, "says that it is ready"),
        ("gates: start ready | sector-1 not ready: The port is not there.", False, "says: The port is not there."),
        ("gates: start ready | sector-1 not tested: Not tested yet: roll a car through.", None, "The station runs it."),
        ("gates: start ready", None, "has told nothing of it"),
        ("", None, "has told nothing of it"),
    ],
)
def test_a_gate_is_as_the_station_that_runs_says(pi: ShownMachine, told: str, is_good: bool | None, words: str) -> None:
    pi.commands["systemctl show raceday-station.service"] = unit(SupplementaryGroups="gpio dialout", StatusText=told)
    finding = seen(pi)["gate sector-1 at work"]
    assert finding.is_good is is_good
    assert words in finding.seen
    assert bool(finding.cure) is not is_good


def test_of_a_station_that_does_not_run_nothing_is_known(pi: ShownMachine) -> None:
    pi.commands["systemctl show raceday-station.service"] = unit(ActiveState="failed")
    assert "does not run" in seen(pi)["gates"].seen


@pytest.mark.parametrize(
    ("path", "cures"),
    [
        ("/dev/hidraw3", ["", "Write cp2110:///dev/cp2110-00C0FFEE instead."]),  # a mouse may be hidraw3 tomorrow
        ("/dev/cp2110-00C0FFEE", [""]),
    ],
)
def test_a_hid_bridge_is_named_by_its_serial_number(path: str, cures: list[str]) -> None:
    user = ServiceUser("raceday", 991, frozenset({991, 20}))
    machine = ShownMachine(
        statuses={"/dev/hidraw3": FileStatus(0o660, 0, 20)}, links={"/dev/cp2110-00C0FFEE": "/dev/hidraw3"}
    )
    found = list(port_findings(machine, "gate start", f"cp2110://{path}", user))
    assert [each.cure for each in found] == cures
    assert found[0].is_good
