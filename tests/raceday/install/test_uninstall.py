"""Whole roles below a root folder: installed once, and undone to the last file that is ours."""

import dataclasses
import errno
import functools
import io
import os
import pathlib
from collections.abc import Callable

import pytest

from raceday.install.bridges.bridge_plan import bridge_plan
from raceday.install.bridges.bridge_request import BridgeRequest
from raceday.install.effects import OWED
from raceday.install.facts import MachineFacts
from raceday.install.machine import Machine
from raceday.install.machine_files.access_point import KEYFILE, POWER_SAVING
from raceday.install.plan import install_plan
from raceday.install.releases.program_wheel import ProgramWheel
from raceday.install.releases.release import (
    MARK,
    MakeRelease,
)
from raceday.install.request import AccessPoint, GateRequest, InstallRequest
from raceday.install.shipped_files import ROLES, Role
from raceday.install.steps import (
    EnableService,
)
from raceday.install.uninstall import uninstall
from shared.errors import OperatorError, StorageError
from tests.raceday.install.test_steps import everything

PROGRAM = ProgramWheel(pathlib.Path("raceday-0.1.0-py3-none-any.whl"), "0.1.0", "0123abcd", dict.fromkeys(ROLES, ""))


def made_release(machine: Machine, role: Role) -> MakeRelease:
    """As if the environment had been made already: what pip does is tried in a whole root by ./dev metal."""
    release = MakeRelease(PROGRAM, (role,), "/usr/bin/python3", (3, 11), None)
    machine.write(f"{release.folder}/{MARK}", b'{"version": "0.1.0", "roles": ["%s"]}' % role.encode(), 0o644)
    machine.write(f"{release.folder}/bin/raceday", b"", 0o755)
    machine.write(f"{release.folder}/lib/python3.11/site-packages/simulator/data/models/demo/model.onnx", b"x", 0o644)
    machine.write("/var/lib/raceday-leaderboard/secrets/admin.token", b"x", 0o600)
    return release


def test_what_a_purge_leaves_is_said(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data on another disk, which root linked; a config that a failing card does not let go."""
    request, facts, said = InstallRequest("station"), MachineFacts(), list[str]()
    plan = install_plan(request, facts, made_release(machine, "station"))
    machine.write("/mnt/ssd/station.db", b"the journal", 0o600)
    machine.path("/var/lib").mkdir(exist_ok=True)
    machine.path("/var/lib/raceday").symlink_to("../../mnt/ssd")
    machine.write("/etc/raceday/station.toml", b"", 0o640)
    remove = machine.remove

    def refuse(name: str) -> None:
        if name == "/etc/raceday/station.toml":
            raise StorageError(f"{name} cannot be removed (Read-only file system).")
        remove(name)

    monkeypatch.setattr(machine, "remove", refuse)
    assert uninstall(machine, plan, facts, "station", said.append, purge=True, yes=True) == StorageError.exit_code
    assert machine.read("/mnt/ssd/station.db") == b"the journal"
    assert "/var/lib/raceday is a link to ../../mnt/ssd: what is there stays, remove it yourself" in said
    assert "NOT DONE: /etc/raceday/station.toml cannot be removed (Read-only file system)." in said
    assert not machine.path("/opt/raceday").exists()


def refusing(refused: dict[str, int], call: Callable[..., None]) -> Callable[..., None]:
    """As the kernel refuses it: a file of `chattr +i` (EPERM), a mount point (EBUSY)."""

    @functools.wraps(call)
    def tried(path: "os.PathLike[str] | str", *, dir_fd: int | None = None) -> None:
        number = refused.get(pathlib.Path(path).name)
        if number is None:
            return call(path, dir_fd=dir_fd)
        raise OSError(number, os.strerror(number), os.fspath(path))

    return tried


def test_a_purge_goes_on_past_what_cannot_be_removed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    said = list[str]()
    plan = install_plan(InstallRequest("station"), MachineFacts(), made_release(machine, "station"))
    for name in ("a", "fixed", "sub/fixed", "sub/b", "z"):
        machine.write(f"/var/lib/raceday/{name}", b"", 0o600)
        machine.write(f"/etc/raceday/tls/{name}", b"", 0o600)
    monkeypatch.setattr(os, "unlink", refusing({"fixed": errno.EPERM}, os.unlink))
    assert uninstall(machine, plan, MachineFacts(), "station", said.append, purge=True, yes=True) == 2
    left = {name for name in everything(machine.root) if "raceday/" in name and not _is_folder(machine, name)}
    folders = ("var/lib/raceday", "etc/raceday/tls")
    assert left - {name for name in left if "leaderboard" in name} == {
        f"{folder}/{name}" for folder in folders for name in ("fixed", "sub/fixed")
    }
    for folder in folders:
        (line,) = [each for each in said if f"{machine.root}/{folder}/" in each]
        named = [
            f"{machine.root}/{folder}/{name} cannot be removed (Operation not permitted)"
            for name in ("fixed", "sub/fixed")
        ]
        assert line in {f"NOT DONE: {first}; {second}." for first, second in (named, reversed(named))}


@pytest.mark.parametrize("mounted", ["raceday", "disk"])
def test_an_emptied_mount_point_is_done(machine: Machine, monkeypatch: pytest.MonkeyPatch, mounted: str) -> None:
    """Data on an SSD that is mounted at /var/lib/raceday, as docs/install.md has it, or at a folder in it."""
    said = list[str]()
    plan = install_plan(InstallRequest("station"), MachineFacts(), made_release(machine, "station"))
    machine.write("/var/lib/raceday/disk/station.db", b"the journal", 0o600)
    (machine.root / "etc/raceday").mkdir(exist_ok=True)
    data = machine.path("/var/lib/raceday")
    monkeypatch.setattr(os, "rmdir", refusing({mounted: errno.EBUSY}, os.rmdir))
    assert uninstall(machine, plan, MachineFacts(), "station", said.append, purge=True, yes=True) == 0
    assert [line for line in said if "NOT DONE" in line] == []
    assert [path.name for path in data.rglob("*")] == ([] if mounted == "raceday" else ["disk"])


def test_a_folder_that_fills_again_while_it_is_removed_is_said(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.write("/var/lib/raceday/station.db", b"", 0o600)
    rmdir = os.rmdir

    def filled(path: "os.PathLike[str] | str", *, dir_fd: int | None = None) -> None:
        machine.write("/var/lib/raceday/late", b"", 0o600)
        rmdir(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", filled)
    with pytest.raises(StorageError, match=r"/var/lib/raceday cannot be removed \(Directory not empty\)\."):
        machine.remove("/var/lib/raceday")


@pytest.mark.parametrize("role", ROLES)
def test_a_whole_role_is_installed_once_and_leaves_only_data(
    machine: Machine, role: Role, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = MachineFacts(groups=frozenset({"gpio", "video"}), modules=frozenset({"cdc_acm"}))
    request = InstallRequest(role, gates=(GateRequest("gpio", (17,)), GateRequest("pico", port="/dev/ttyACM0")))
    before = everything(machine.root)
    plan = install_plan(request, facts, made_release(machine, role))
    for step in plan.steps:
        if not step.is_done(machine):
            step.do(machine)
    assert [step.description() for step in plan.steps if not step.is_done(machine)] == []
    again = MachineFacts(groups=facts.groups, modules=facts.modules, configs={role: config_of(machine, role)})
    later = install_plan(InstallRequest(role), again, made_release(machine, role))
    assert [step.description() for step in later.steps if not step.is_done(machine)] == []
    assert uninstall(machine, later, again, role, print, purge=False, yes=False) == 0
    left = {name for name in everything(machine.root) - before if not (machine.root / name).is_dir()}
    assert all(name.startswith(("var/lib/raceday", "etc/raceday/")) for name in left), left
    assert f"etc/raceday/{'vehicle' if role == 'car' else role}.toml" in left
    uninstall(machine, later, again, role, print, purge=True, yes=True)
    left = {name for name in everything(machine.root) - before if not (machine.root / name).is_dir()}
    assert all(name.startswith("var/lib/raceday-leaderboard") for name in left)  # made above, for all roles
    capsys.readouterr()


def config_of(machine: Machine, role: Role) -> str:
    name = "vehicle" if role == "car" else role
    return (machine.read(f"/etc/raceday/{name}.toml") or b"").decode()


def test_what_another_role_needs_stays(machine: Machine) -> None:
    facts = MachineFacts(roles=("station", "leaderboard"))
    plan = install_plan(InstallRequest("station"), facts, made_release(machine, "station"))
    for step in plan.steps:
        step.do(machine) if not step.is_done(machine) else None
    uninstall(machine, plan, facts, "station", print, purge=False, yes=False)
    assert machine.path("/opt/raceday/current/bin/raceday").exists()
    assert not machine.path("/etc/systemd/system/raceday-station.service").exists()


ACCESS_POINT = AccessPoint("Raceday", "DE", "a-passphrase")
OURS_ALONE = ("etc/systemd", "etc/udev", "etc/modules", "etc/modprobe.d", "etc/NetworkManager", "etc/mosquitto/")


def left_of_us(machine: Machine) -> set[str]:
    return {name for name in everything(machine.root) if name.startswith(OURS_ALONE) and not _is_folder(machine, name)}


def _is_folder(machine: Machine, name: str) -> bool:
    return (machine.root / name).is_dir()


def installed(machine: Machine, request: InstallRequest, facts: MachineFacts) -> None:
    for step in install_plan(request, facts, made_release(machine, request.role)).steps:
        step.do(machine) if not step.is_done(machine) else None


FULL = MachineFacts(groups=frozenset({"gpio", "video"}), modules=frozenset({"cdc_acm"}))


def test_uninstall_needs_not_be_told_what_was_asked_for(machine: Machine) -> None:
    gates = (GateRequest("gpio", (17,)), GateRequest("pico", port="/dev/ttyACM0"))
    installed(machine, InstallRequest("station", gates=gates, access_point=ACCESS_POINT), FULL)
    EnableService("raceday-sync.service").do(machine)
    machine.write(OWED, b"udev\n", 0o644)
    assert len(left_of_us(machine)) > 8
    edited = dataclasses.replace(FULL, configs={"station": 'name = "station-1"'}, roles=("station",), has_broker=False)
    plan = install_plan(InstallRequest("station"), edited, made_release(machine, "station"))
    uninstall(machine, plan, edited, "station", print, purge=False, yes=False)
    assert left_of_us(machine) == set()
    assert not machine.path("/opt/raceday").exists()
    assert not machine.path("/usr/local/bin/raceday").is_symlink()


def test_the_access_point_stays_with_the_car_that_is_left(machine: Machine) -> None:
    installed(machine, InstallRequest("station", access_point=ACCESS_POINT), FULL)
    installed(machine, InstallRequest("car"), FULL)
    both = dataclasses.replace(FULL, roles=("station", "car"))
    plan = install_plan(InstallRequest("station", access_point=ACCESS_POINT), both, made_release(machine, "station"))
    uninstall(machine, plan, both, "station", print, purge=False, yes=False)
    assert machine.path(KEYFILE).exists()
    assert machine.path(POWER_SAVING).exists()


def test_a_stations_bridges_go_with_it(machine: Machine) -> None:
    installed(machine, InstallRequest("station"), FULL)
    with_station = dataclasses.replace(FULL, roles=("station",), configs={"station": 'name = "station-1"'})
    asked = BridgeRequest("car-1", console="car-1.local", password="x", leash_key="ab" * 32, is_leashed=True)
    for step in bridge_plan(asked, with_station).steps:
        step.do(machine) if not step.is_done(machine) else None
    bridged = dataclasses.replace(with_station, bridges={"car-1": "x"})
    plan = install_plan(InstallRequest("station"), bridged, made_release(machine, "station"))
    uninstall(machine, plan, bridged, "station", print, purge=False, yes=False)
    assert left_of_us(machine) == set()
    assert machine.path("/etc/raceday/bridge-car-1.password").exists()
    uninstall(machine, plan, bridged, "station", print, purge=True, yes=True)
    left = {name for name in everything(machine.root) if "bridge" in name or "leash" in name}
    assert left == set()


def test_purge_asks(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = install_plan(InstallRequest("station"), MachineFacts(), made_release(machine, "station"))
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with pytest.raises(OperatorError, match="--yes"):
        uninstall(machine, plan, MachineFacts(), "station", print, purge=True, yes=False)
