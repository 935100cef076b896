"""The steps on a real folder: done once, done twice, undone; and what a hostile or odd machine makes of them."""

import os
import pathlib
import stat
from collections.abc import Callable, Sequence

import pytest

from raceday.install.facts import gathered
from raceday.install.machine import Machine
from raceday.install.releases.release import (
    MARK,
    SYSTEM_PACKAGES,
    LinkSystemLgpio,
    remove_old_releases,
    roles_of,
)
from raceday.install.role_steps import CopyDemoModel
from raceday.install.steps import (
    DisableService,
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
from shared.errors import OperatorError, StorageError
from tests.raceday.install.conftest import RootFolder

DEMO = "/opt/raceday/releases/1/lib/python3.11/site-packages/simulator/data/models/demo"
MODELS = "/var/lib/raceday-vehicle/models"


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


def test_a_link_that_the_service_laid_is_not_followed(
    machine: Machine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    outside.chmod(0o755)
    machine.path("/var/lib/raceday-vehicle").mkdir(parents=True)
    machine.path(MODELS).symlink_to(outside)
    machine.write(f"{DEMO}/model.onnx", b"x", 0o644)
    MakeLink("/opt/raceday/current", "releases/1").do(machine)
    steps = (MakeFolder(MODELS, 0o700, "raceday"), CopyDemoModel(f"{MODELS}/demo"), MakeLink(f"{MODELS}/x", "demo"))
    for step in steps:
        with pytest.raises(OperatorError, match="link"):
            step.do(machine)
    assert everything(outside) == set()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755


def test_a_file_is_not_given_away_through_a_link(machine: Machine) -> None:
    machine.write("/etc/shadow", b"x", 0o600)
    machine.path("/etc/alias").symlink_to("shadow")
    with pytest.raises(OperatorError, match="a link"):
        machine.give(machine.path("/etc/alias"), "raceday", "", 0o644)
    assert stat.S_IMODE(machine.path("/etc/shadow").stat().st_mode) == 0o600


def test_a_data_folder_may_be_roots_link_to_another_disk(machine: Machine) -> None:
    for folder in ("/mnt/ssd", "/var/lib"):
        machine.path(folder).mkdir(parents=True)
    machine.path("/var/lib/raceday").symlink_to("../../mnt/ssd")
    step = MakeFolder("/var/lib/raceday", 0o700, "raceday")
    step.do(machine)
    assert step.is_done(machine)
    assert step.undo(machine) == ""
    machine.write("/var/lib/raceday/x", b"x", 0o600)


def test_a_copy_of_the_model_that_was_cut_off_does_not_count(
    machine: RootFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.write(f"{DEMO}/m/model.onnx", b"x", 0o644)
    MakeLink("/opt/raceday/current", "releases/1").do(machine)
    machine.path(MODELS).mkdir(parents=True)
    step = CopyDemoModel(f"{MODELS}/demo")
    with monkeypatch.context() as patched:
        patched.setattr(machine, "run", _out_of_space(machine, "chmod"))  # after the copy
        with pytest.raises(OperatorError, match="No space"):
            step.do(machine)
    assert not step.is_done(machine)
    step.do(machine)
    assert step.is_done(machine)
    assert everything(machine.path(MODELS)) == {"demo", "demo/m", "demo/m/model.onnx"}
    assert stat.S_IMODE(machine.path(f"{MODELS}/demo/m").stat().st_mode) == 0o700
    assert stat.S_IMODE(machine.path(f"{MODELS}/demo/m/model.onnx").stat().st_mode) == 0o600
    assert all(line.startswith("raceday: ") for line in machine.ran), "root does nothing in the service's folder"
    begun = f"{MODELS}/.demo.new"  # on disk before it counts: an empty file would count for good
    assert machine.ran[-2:] == [f"raceday: sync -f {begun}", f"raceday: mv -T {begun} {MODELS}/demo"]


def _out_of_space(machine: RootFolder, word: str) -> Callable[..., str]:
    run = machine.run

    def refused(words: Sequence[str], what: str, *, user: str = "") -> str:
        if words[0] == word:
            raise OperatorError(f"{what}: No space left on device")
        return run(words, what, user=user)

    return refused


def test_a_link_is_made_past_what_a_service_laid_there(machine: Machine) -> None:
    machine.path(f"{MODELS}/.selected.new").mkdir(parents=True)
    (machine.path(MODELS) / ".selected.new" / "mine").touch()
    step = MakeLink(f"{MODELS}/selected", "demo")
    step.do(machine)
    assert step.is_done(machine)
    machine.path(f"{MODELS}/other").mkdir()
    with pytest.raises(StorageError, match=r"other cannot be made a link to demo \(Is a directory\)"):
        MakeLink(f"{MODELS}/other", "demo").do(machine)
    assert everything(machine.path(MODELS)) == {".selected.new", ".selected.new/mine", "selected", "other"}


def test_what_the_system_says_is_read_whatever_it_is(tmp_path: pathlib.Path) -> None:
    assert Machine().attempt(["printf", "caf\\351 \\377"]).stdout == "caf\ufffd \ufffd"
    program = tmp_path / "program"
    program.write_text("")
    with pytest.raises(OperatorError, match="program cannot be started"):
        Machine().attempt([str(program)])
    with pytest.raises(OperatorError, match="is not installed here"):
        Machine().attempt(["raceday-no-such-program"])


@pytest.mark.parametrize("step", [MakeFolder("/etc/passwd/x", 0o755), MakeLink("/etc/passwd/x", "y")])
def test_a_folder_that_cannot_be_made_is_a_sentence(machine: Machine, step: Step) -> None:
    with pytest.raises(StorageError, match=r"x cannot be made"):
        step.do(machine)


def test_a_service_without_work_is_disabled(machine: Machine) -> None:
    step = DisableService("raceday-sync.service")
    assert step.is_done(machine)
    EnableService("raceday-sync.service").do(machine)
    assert not step.is_done(machine)
    step.do(machine)
    assert step.is_done(machine)


def test_lgpio_of_the_system_that_came_after_the_release(machine: Machine) -> None:
    release = "/opt/raceday/releases/1"
    step, packages = LinkSystemLgpio(release), f"{release}/lib/python3.13/site-packages"
    machine.write(f"{packages}/gpiozero.py", b"", 0o644)
    assert step.is_done(machine)  # there is none: nothing can be done
    for name in ("lgpio.py", "_lgpio.cpython-313-aarch64-linux-gnu.so"):
        machine.write(f"{SYSTEM_PACKAGES}/{name}", b"", 0o644)
    assert not step.is_done(machine)
    step.do(machine)
    assert step.is_done(machine)
    assert str(machine.path(f"{packages}/lgpio.py").readlink()) == f"{SYSTEM_PACKAGES}/lgpio.py"


def test_a_release_with_its_own_lgpio_keeps_it(machine: Machine) -> None:
    release = "/opt/raceday/releases/1"
    machine.write(f"{SYSTEM_PACKAGES}/lgpio.py", b"the system's", 0o644)
    machine.write(f"{release}/lib/python3.11/site-packages/lgpio.py", b"pip's", 0o644)
    LinkSystemLgpio(release).do(machine)  # planned before there was a release
    assert machine.read(f"{release}/lib/python3.11/site-packages/lgpio.py") == b"pip's"


@pytest.mark.parametrize(
    ("target", "is_foreign"), [("/opt/raceday/bin/raceday", False), ("/home/me/raceday", True), (None, True)]
)
def test_whose_command_stands_there(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, target: str | None, is_foreign: bool
) -> None:
    monkeypatch.setattr(Machine, "run", lambda *_: "3 11 64 aarch64")
    machine.write("/usr/bin/python3", b"", 0o755)
    assert not gathered(machine).has_foreign_command
    if target is None:
        machine.write("/usr/local/bin/raceday", b"#!/bin/sh\n", 0o755)
    else:
        MakeLink("/usr/local/bin/raceday", target).do(machine)
    assert gathered(machine).has_foreign_command is is_foreign


def test_a_command_asks_nobody() -> None:
    """A terminal is what it would inherit: a question there is one that nobody sees, as in the middle of an upgrade."""
    ours, (reading, writing) = os.dup(0), os.pipe()
    os.dup2(reading, 0)
    try:
        os.write(writing, b"typed at the terminal")
        os.close(writing)
        assert Machine().attempt(["cat"]).stdout == ""
    finally:
        os.dup2(ours, 0)
        os.close(ours)
        os.close(reading)


def test_a_user_that_is_missing_is_said(machine: Machine) -> None:
    assert MakeUser("raceday", "/").is_done(machine)
    assert not MakeUser("other", "/").is_done(machine)
    with pytest.raises(OperatorError, match="no user nobody"):
        machine.ids("nobody", "root")


def test_facts_of_a_folder_without_python(machine: Machine) -> None:
    with pytest.raises(OperatorError, match="install python3"):
        gathered(machine)


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
