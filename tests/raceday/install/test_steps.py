"""The steps on a real folder: done once, done twice, undone; and what a hostile or odd machine makes of them."""

import io
import os
import pathlib
import stat

import pytest

from raceday.install.facts import MachineFacts, gathered
from raceday.install.machine import Machine
from raceday.install.plan import install_plan
from raceday.install.releases.program_wheel import ProgramWheel
from raceday.install.releases.release import MARK, MakeRelease, remove_old_releases, roles_of
from raceday.install.request import GateRequest, InstallRequest
from raceday.install.shipped_files import ROLES, Role
from raceday.install.steps import (
    EnableService,
    MakeFolder,
    MakeLink,
    MakeUser,
    RemoveFile,
    ReplaceLines,
    Step,
    WriteConfig,
    WriteFile,
)
from raceday.install.uninstall import uninstall
from shared.errors import OperatorError

PROGRAM = ProgramWheel(pathlib.Path("raceday-0.1.0-py3-none-any.whl"), "0.1.0", "0123abcd", dict.fromkeys(ROLES, ""))
UID, GID = os.geteuid(), os.getegid()


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    """A root folder with users, whose numbers are ours: then every test may give files away."""
    for name, number in (("passwd", UID), ("group", GID)):
        (tmp_path / "etc").mkdir(exist_ok=True)
        users = ("root", "raceday", "mosquitto")
        (tmp_path / "etc" / name).write_text("".join(f"{user}:x:{number}:{number}::/:/bin/sh\n" for user in users))
    (tmp_path / "etc" / "mosquitto").mkdir()
    return Machine(tmp_path)


STEPS: list[Step] = [
    MakeFolder("/var/lib/raceday", 0o700, "raceday"),
    WriteFile("/etc/systemd/system/raceday-x.service.d/devices.conf", "[Service]\n"),
    WriteFile("/etc/secret", "psk=x\n", 0o600),
    WriteConfig("/etc/raceday/station.toml", "name = 1\n"),
    MakeLink("/opt/raceday/current", "releases/1"),
    EnableService("raceday-x.service"),
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_a_step_is_done_once_it_was_done(machine: Machine, step: Step) -> None:
    assert not step.is_done(machine)
    step.do(machine)
    assert step.is_done(machine)
    step.do(machine)
    assert step.is_done(machine)


def everything(folder: pathlib.Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_undone_nothing_is_left_but_what_is_the_users(machine: Machine) -> None:
    for step in STEPS:
        step.do(machine)
    for step in reversed(STEPS):
        step.undo(machine)
    left = {name for name in everything(machine.root) if not (machine.root / name).is_dir()}
    assert left == {"etc/passwd", "etc/group", "etc/raceday/station.toml"}
    assert not machine.path("/etc/systemd/system/raceday-x.service.d").exists()


def test_a_config_of_the_user_is_never_overwritten(machine: Machine) -> None:
    machine.write("/etc/raceday/station.toml", b"mine\n", 0o600)
    step = WriteConfig("/etc/raceday/station.toml", "ours\n")
    assert step.is_done(machine)
    assert machine.read("/etc/raceday/station.toml") == b"mine\n"


@pytest.mark.parametrize(
    ("there", "after"),
    [
        ('[mqtt]\nhost = "127.0.0.1"\nport = 1883\n', "[mqtt]\nport = 8883\n"),
        ('[mqtt]\nhost = "10.0.0.9"\nport = 1883\n', '[mqtt]\nhost = "10.0.0.9"\nport = 1883\n'),
        ("", ""),
    ],
)
def test_only_lines_that_nobody_edited_are_replaced(machine: Machine, there: str, after: str) -> None:
    machine.write("/etc/raceday/c.toml", there.encode(), 0o640)
    step = ReplaceLines("/etc/raceday/c.toml", 'host = "127.0.0.1"\nport = 1883\n', "port = 8883\n", "")
    if not step.is_done(machine):
        step.do(machine)
    assert step.is_done(machine)
    assert machine.read("/etc/raceday/c.toml") == after.encode()


def test_a_file_is_never_readable_by_others_while_it_is_made(machine: Machine) -> None:
    WriteFile("/etc/key", "secret", 0o600).do(machine)
    assert stat.S_IMODE(machine.path("/etc/key").stat().st_mode) == 0o600
    machine.path("/etc/key").chmod(0o644)
    assert not WriteFile("/etc/key", "secret", 0o600).is_done(machine)
    assert everything(machine.path("/etc")) == {"passwd", "group", "mosquitto", "key"}


def test_a_link_of_the_user_stays_and_one_of_ours_is_set_right(machine: Machine) -> None:
    MakeLink("/models/selected", "mine").do(machine)
    assert MakeLink("/models/selected", "demo", keep=True).is_done(machine)
    assert not MakeLink("/models/selected", "demo").is_done(machine)
    MakeLink("/models/selected", "demo").do(machine)
    assert str(machine.path("/models/selected").readlink()) == "demo"


def test_a_file_that_is_needed_no_more(machine: Machine) -> None:
    WriteFile("/etc/systemd/system/raceday-x.service.d/devices.conf", "[Service]\n").do(machine)
    step = RemoveFile("/etc/systemd/system/raceday-x.service.d/devices.conf")
    assert not step.is_done(machine)
    step.do(machine)
    assert step.is_done(machine)
    assert not machine.path("/etc/systemd/system/raceday-x.service.d").exists()


def test_no_link_leads_out_of_the_root_folder(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    machine.path("/opt").symlink_to(outside)
    with pytest.raises(OperatorError, match="leads out of"):
        WriteFile("/opt/raceday/x", "x").do(machine)
    assert everything(outside) == set()


def test_a_user_that_is_missing_is_said(machine: Machine) -> None:
    assert MakeUser("raceday", "/").is_done(machine)
    assert not MakeUser("other", "/").is_done(machine)
    with pytest.raises(OperatorError, match="no user nobody"):
        machine.ids("nobody", "root")


def test_facts_of_a_folder_without_python(machine: Machine) -> None:
    with pytest.raises(OperatorError, match="install python3"):
        gathered(machine)


def made_release(machine: Machine, role: Role) -> MakeRelease:
    """As if the environment had been made already: what pip does is tried in a whole root by ./dev metal."""
    release = MakeRelease(PROGRAM, (role,), "/usr/bin/python3", (3, 11), None)
    machine.write(f"{release.folder}/{MARK}", b'{"version": "0.1.0", "roles": ["%s"]}' % role.encode(), 0o644)
    machine.write(f"{release.folder}/bin/raceday", b"", 0o755)
    machine.write(f"{release.folder}/lib/python3.11/site-packages/simulator/data/models/demo/model.onnx", b"x", 0o644)
    machine.write("/var/lib/raceday-leaderboard/secrets/admin.token", b"x", 0o600)
    return release


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


def test_purge_asks(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = install_plan(InstallRequest("station"), MachineFacts(), made_release(machine, "station"))
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with pytest.raises(OperatorError, match="--yes"):
        uninstall(machine, plan, MachineFacts(), "station", print, purge=True, yes=False)


def test_only_the_release_in_use_and_the_one_before_are_kept(machine: Machine) -> None:
    for name in ("1", "2", "3"):
        machine.write(f"/opt/raceday/releases/{name}/{MARK}", b"{}", 0o644)
    MakeLink("/opt/raceday/current", "releases/3").do(machine)
    MakeLink("/opt/raceday/previous", "releases/2").do(machine)
    assert remove_old_releases(machine) == ["1"]


@pytest.mark.parametrize("mark", [b"", b"[]", b"{", b'{"roles": 3}', b'{"roles": [3]}', b"\xff"])
def test_a_release_with_a_broken_mark_is_not_whole(machine: Machine, mark: bytes) -> None:
    machine.write(f"/opt/raceday/releases/x/{MARK}", mark, 0o644)
    assert roles_of(machine, "/opt/raceday/releases/x") == frozenset()
