"""What follows from the steps: owed until it was applied, never during a run, and by one installation at a time."""

import fcntl
import os
import pathlib
import subprocess
from collections.abc import Sequence

import pytest

from raceday.install import command, last_words, running
from raceday.install.command import carry_out, main
from raceday.install.config_check import config_of_bridge, config_of_role
from raceday.install.effects import OWED, owed_effects
from raceday.install.facts import MachineFacts
from raceday.install.machine import LOCK, Machine
from raceday.install.plan import InstallPlan
from raceday.install.releases.release import CURRENT
from raceday.install.request import AccessPoint
from raceday.install.steps import EnableService, MakeLink, Step, WriteFile
from shared.errors import OperatorError
from tests.raceday.install.releases.test_program_wheel import wheel

STATION = "raceday-station.service"


class TalkingMachine(Machine):
    """A machine with systemd, below a root folder: commands are written down, and fail if they hold this word."""

    is_running = True

    def __init__(self, root: pathlib.Path, failing: str = "") -> None:
        super().__init__(root)
        self.failing, self.ran = failing, list[str]()
        self.write("/etc/passwd", f"raceday:x:{os.geteuid()}:0::/:\n".encode(), 0o644)
        self.write("/etc/systemd/system/raceday-station.service", b"", 0o644)
        EnableService(STATION).do(self)

    def attempt(self, words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        del user
        self.ran.append(" ".join(words))
        has_failed = bool(self.failing) and self.failing in self.ran[-1]
        return subprocess.CompletedProcess(words, int(has_failed), "", "")


RULES: list[Step] = [WriteFile("/etc/udev/rules.d/99-x.rules", "x", effects=frozenset({"udev", "units", "services"}))]


@pytest.fixture
def no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "runs_on_track", lambda _address: 0)


@pytest.mark.usefixtures("no_run")
def test_what_a_failed_run_owes_the_next_one_does(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OperatorError, match="udev"):
        carry_out(TalkingMachine(tmp_path, "udevadm trigger"), config_of_role("station"), RULES, (STATION,))
    again = TalkingMachine(tmp_path)
    assert RULES[0].is_done(again)
    assert owed_effects(again).effects == {"udev", "units", "services"}
    carry_out(again, config_of_role("station"), [], (STATION,))
    assert [line.split()[1] for line in again.ran if line.startswith("udevadm")] == ["control", "trigger", "settle"]
    assert "systemctl daemon-reload" in again.ran
    assert again.ran[-1] == f"systemctl restart {STATION}"
    assert again.read(OWED) is None
    later = TalkingMachine(tmp_path)
    carry_out(later, config_of_role("station"), [], (STATION,))
    assert later.ran == [f"systemctl is-active --quiet {STATION}"]


@pytest.mark.usefixtures("no_run")
def test_a_service_that_was_disabled_meanwhile_is_not_started(tmp_path: pathlib.Path) -> None:
    machine = TalkingMachine(tmp_path)
    machine.write(OWED, b"services\nraceday-sync.service\nnonsense\n\xff\n", 0o644)
    carry_out(machine, config_of_role("station"), [], (STATION,))
    assert f"systemctl restart {STATION}" in machine.ran
    assert not [line for line in machine.ran if "sync" in line]


@pytest.mark.usefixtures("no_run")
def test_wi_fi_needs_no_program_that_network_manager_does_not_bring(tmp_path: pathlib.Path) -> None:
    """A Debian server has no rfkill(8), as Raspberry Pi OS has: an access point could not be installed on one."""
    machine = TalkingMachine(tmp_path)
    wanted: list[Step] = [WriteFile("/etc/x.nmconnection", "x", effects=frozenset({"network"}))]
    carry_out(machine, config_of_role("station"), wanted, ())
    assert machine.ran == [
        "systemctl reload-or-restart NetworkManager.service", "nmcli radio wifi on", "nmcli connection reload",
    ]  # fmt: skip


def test_a_run_that_began_while_packages_were_installed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [0, 1]
    monkeypatch.setattr(running, "runs_on_track", lambda _address: answers.pop(0))
    machine = TalkingMachine(tmp_path)
    with pytest.raises(OperatorError, match="a run is on the track"):
        carry_out(machine, config_of_role("station"), RULES, (STATION,))
    assert machine.ran == []
    assert owed_effects(machine).effects == {"udev", "units", "services"}
    carry_out(machine, config_of_role("station"), [], (STATION,), force=True)
    assert f"systemctl restart {STATION}" in machine.ran


def test_nothing_is_uninstalled_during_a_run(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = TalkingMachine(tmp_path)
    wheel(tmp_path, "0.1.0")
    monkeypatch.setattr(command, "Machine", lambda _root: machine)
    monkeypatch.setattr(command, "gathered", lambda _machine: MachineFacts(roles=("station",)))
    monkeypatch.setattr(running, "runs_on_track", lambda _address: 1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(OperatorError, match="a run is on the track"):
        main(["station", "--uninstall", "--wheels", str(tmp_path)])
    assert machine.path("/etc/systemd/system/raceday-station.service").exists()
    assert EnableService(STATION).is_done(machine)


@pytest.mark.parametrize("holder", [os.getppid(), 1_999_999])
def test_one_installation_at_a_time_and_those_that_an_upgrade_starts(tmp_path: pathlib.Path, holder: int) -> None:
    machine = Machine(tmp_path)
    machine.write(LOCK, str(holder).encode(), 0o644)
    with machine.path(LOCK).open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        if holder == os.getppid():
            with machine.installing() as is_alone:
                assert not is_alone
        else:
            with pytest.raises(OperatorError, match="process 1999999"), machine.installing():
                pytest.fail("two at once")
    with machine.installing() as is_alone:
        assert is_alone
        assert machine.read(LOCK) == str(os.getpid()).encode()
    assert holder != os.getpid()


@pytest.mark.parametrize("is_seen", [True, False])
def test_the_passphrase_is_told_to_a_terminal_and_to_no_log(is_seen: bool) -> None:
    lines = last_words.access_point_words(AccessPoint("Race", "DE", "a-passphrase"), is_seen=is_seen)
    assert ("a-passphrase" in " ".join(lines)) is is_seen
    assert "7 to 10 devices" in " ".join(lines)


BRIDGES = tuple(f"raceday-bridge@{name}.service" for name in ("car-1", "car-2"))


class BridgedMachine(TalkingMachine):
    """A station with the bridges of two stock cars, which tell systemd these lines."""

    def __init__(self, root: pathlib.Path, *lines: str) -> None:
        super().__init__(root)
        told = [line if "|" in line else f"active|{line}" for line in (*lines, *["disarmed, online"] * 2)]
        self.lines = dict(zip(BRIDGES, told, strict=False))
        for unit in BRIDGES:
            self.write(f"/etc/raceday/bridge-{unit[15:20]}.toml", b"", 0o640)
            EnableService(unit).do(self)

    def attempt(self, words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        ran = super().attempt(words, user=user)
        if "--property=ActiveState,StatusText" not in words:
            return ran
        state, line = self.lines.get(words[-1], "active|").split("|")
        shown = f"ActiveState={state}\nStatusText={line}\n"
        return subprocess.CompletedProcess(words, 0, shown if line else shown.partition("StatusText")[0], "")


@pytest.mark.parametrize(
    ("lines", "services", "refused"),
    [
        (("driving, online",), BRIDGES[:1], "car-1 is driving"),
        (("ready, online: It waits.",), BRIDGES[:1], "car-1 is ready"),
        (("disarmed, online", "driving, online"), BRIDGES[:1], ""),  # the other car is not disturbed
        (("disarmed, online", "driving, online"), (STATION,), "car-2 is driving"),
        (("stopped, offline: The car's console does not answer: driving, online",), BRIDGES[:1], ""),
        (("",), BRIDGES[:1], "does not say how the car is"),  # of a bridge that has just started, after a while
        (("disarmed, online", ""), BRIDGES[:1], ""),
        (("activating|",), BRIDGES[:1], ""),  # systemd waits to start it again
        (("driving, offline: The car's console does not answer: timed out.",), BRIDGES[:1], "was driving and is offl"),
        (
            ("inactive|driving, online",),
            BRIDGES[:1],
            "",
        ),  # systemd keeps the line of a unit that ended (coreos/zincati #552)
        (("deactivating|driving, online",), BRIDGES[:1], "car-1 is driving"),
    ],
)
@pytest.mark.usefixtures("no_run")
def test_no_bridge_starts_again_under_a_car_that_drives(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    lines: tuple[str, ...],
    services: tuple[str, ...],
    refused: str,
) -> None:
    machine, config = BridgedMachine(tmp_path, *lines), config_of_bridge("car-1")
    monkeypatch.setattr(running, "STARTS_S", 0)
    if refused:
        with pytest.raises(OperatorError, match=refused):
            carry_out(machine, config, RULES, services)
        assert not RULES[0].is_done(machine)
    carry_out(machine, config, RULES, services, force=bool(refused))
    assert [line for line in machine.ran if " restart " in line] == [f"systemctl restart {services[0]}"]


@pytest.mark.usefixtures("no_run")
def test_a_bridge_that_has_just_started_is_asked_again(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "POLL_S", 0)
    machine = BridgedMachine(tmp_path, "")
    asked = machine.attempt
    answers = ["active|", "active|", "active|disarmed, online"]

    def attempt(words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        if "--property=ActiveState,StatusText" in words:
            machine.lines[BRIDGES[0]] = answers.pop(0) if len(answers) > 1 else answers[0]
        return asked(words, user=user)

    monkeypatch.setattr(machine, "attempt", attempt)
    carry_out(machine, config_of_bridge("car-1"), RULES, BRIDGES[:1])
    assert answers == ["active|disarmed, online"]


@pytest.mark.usefixtures("no_run")
def test_a_bridge_is_not_uninstalled_while_its_car_drives(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = BridgedMachine(tmp_path, "driving, online")
    monkeypatch.setattr(command, "Machine", lambda _root: machine)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(OperatorError, match="car-1 is driving"):
        main(["bridge", "car-1", "--uninstall"])
    assert main(["bridge", "car-2", "--uninstall"]) == 0
    assert [EnableService(unit).is_done(machine) for unit in BRIDGES] == [True, False]
    assert f"systemctl disable --now {BRIDGES[1]}" in machine.ran


def test_another_release_starts_all_services_again_also_one_that_was_made_before(tmp_path: pathlib.Path) -> None:
    machine = BridgedMachine(tmp_path)
    facts = MachineFacts(roles=("station", "leaderboard"))
    EnableService("raceday-leaderboard.service").do(machine)
    plan = InstallPlan((), (STATION,))
    assert command._services(machine, plan, RULES, facts) == (STATION,)
    of_an_upgrade: list[Step] = [MakeLink(CURRENT, "releases/2")]
    every = (STATION, "raceday-leaderboard.service", *BRIDGES)
    assert command._services(machine, plan, of_an_upgrade, facts) == every
