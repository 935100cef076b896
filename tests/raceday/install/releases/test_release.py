"""A release is made whole or not at all, and a further role's begins as the one in use, which stays as it is."""

import dataclasses
import errno
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from raceday.install.releases import release as release_module
from raceday.install.releases.begun_release import begin_as
from raceday.install.releases.program_wheel import ProgramWheel
from raceday.install.releases.release import MARK, MakeRelease, release_for, roles_of, running_release
from raceday.install.shipped_files import ROLES, Role
from raceday.install.steps import MakeLink
from shared.clock_set import BUILT_NS
from shared.errors import OperatorError, StorageError
from tests.raceday.install.releases.test_upgrade import ScriptedMachine
from tests.raceday.install.test_steps import everything

PYTHON = (sys.version_info[0], sys.version_info[1])
HELLO = "import sys, hello.said as s\nprint(sys.prefix, s.__file__)\n"


class VenvMachine(ScriptedMachine):
    """What is asked of pip is written down. `is_real`: an environment is made, without pip, else only its folder.

    `interrupted`: Ctrl-C at this word.
    """

    is_real, interrupted = False, ""

    def attempt(self, words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        if self.interrupted and self.interrupted in words:
            raise KeyboardInterrupt
        ran = super().attempt(words, user=user)
        if "venv" in words and not ran.returncode:
            folder = self.path(words[-1])
            if self.is_real:
                subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)], check=True)
            else:
                (folder / "bin").mkdir(parents=True)
        return ran


def release(machine: ScriptedMachine, *roles: Role, digest: str = "0123abcd", minor: int = PYTHON[1]) -> MakeRelease:
    program = machine.path("/raceday-0.1.0-py3-none-any.whl")
    program.touch()
    locks = dict.fromkeys(ROLES, "")
    return MakeRelease(ProgramWheel(program, "0.1.0", digest, locks), roles, sys.executable, (3, minor), None)


def installed(machine: ScriptedMachine, *roles: Role) -> MakeRelease:
    """A release in use, with a package, a script and a tool."""
    made = release(machine, *roles)
    made.do(machine)
    folder = machine.path(made.folder)
    package = folder / f"lib/python3.{PYTHON[1]}/site-packages/hello"
    package.mkdir(parents=True)
    (package / "said.py").write_text("words = 'hello'\n")
    (package / "lgpio.py").symlink_to("/usr/lib/python3/dist-packages/lgpio.py")
    for name, data in (("hello", f"#!{made.folder}/bin/python\n{HELLO}".encode()), ("tool", b"\x7fELF" + b"x" * 9)):
        (folder / "bin" / name).write_bytes(data)
        (folder / "bin" / name).chmod(0o755)
    MakeLink("/opt/raceday/current", made.folder.removeprefix("/opt/raceday/")).do(machine)
    machine.ran.clear()
    return made


def contents(folder: pathlib.Path) -> dict[str, object]:
    paths = {path.relative_to(folder): path for path in folder.rglob("*") if not path.is_dir()}
    return {str(name): path.readlink() if path.is_symlink() else path.read_bytes() for name, path in paths.items()}


@pytest.mark.parametrize("has_links", [True, False])
def test_a_further_roles_release_begins_as_the_one_in_use(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def refuse(*_: object, **_options: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # of FAT, by link(2)

    machine = VenvMachine(tmp_path)
    machine.is_real = has_links
    base = installed(machine, "station")
    before = contents(machine.path(base.folder))
    further = release_for(release(machine, "station", "leaderboard"), machine)
    assert further.base == base.folder
    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    further.do(machine)
    assert contents(machine.path(base.folder)) == before
    locks = "-r /var/cache/raceday-install/station.lock -r /var/cache/raceday-install/leaderboard.lock"
    assert [line.split(" install ")[-1] for line in machine.ran if " pip " in line] == [
        f"--require-hashes --only-binary :all: {locks}"
    ]
    shared = f"lib/python3.{PYTHON[1]}/site-packages/hello/said.py"
    files = [machine.path(each.folder) / shared for each in (base, further)]
    assert (files[0].stat().st_ino == files[1].stat().st_ino) is has_links
    assert files[1].with_name("lgpio.py").is_symlink()

    shutil.rmtree(machine.path(base.folder))  # as is done with a release that nothing uses any more
    folder = machine.path(further.folder)
    assert (folder / "bin/hello").read_text() == f"#!{further.folder}/bin/python\n{HELLO}"
    assert os.access(folder / "bin/tool", os.X_OK)
    assert roles_of(machine, further.folder) == {"station", "leaderboard"}
    if machine.is_real:
        words = [str(folder / "bin/python"), "-I", str(folder / "bin/hello")]
        prefix, file = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
        assert (prefix, file) == (str(folder), str(folder / shared))


@pytest.mark.parametrize(
    ("in_use", "wanted", "expected"),
    [
        (("station",), ("station", "leaderboard"), "begins as it"),
        (("station", "leaderboard"), ("station",), "is it"),  # after the leaderboard was uninstalled
        (("station",), ("station",), "is it"),
        (("station",), ("car",), "begins as it"),
        ((), ("station",), "is new"),
    ],
)
def test_which_release_serves_the_roles(
    tmp_path: pathlib.Path, in_use: tuple[Role, ...], wanted: tuple[Role, ...], expected: str
) -> None:
    machine = ScriptedMachine(tmp_path)
    now, asked = release(machine, *in_use), release(machine, *wanted)
    if in_use:
        machine.write(f"{now.folder}/{MARK}", f'{{"roles": [{", ".join(map(_quoted, in_use))}]}}'.encode(), 0o644)
        MakeLink("/opt/raceday/current", now.folder.removeprefix("/opt/raceday/")).do(machine)
    chosen = release_for(asked, machine)
    choices = {"begins as it": dataclasses.replace(asked, base=now.folder), "is it": now, "is new": asked}
    assert chosen == choices[expected]
    assert chosen.is_done(machine) == (expected == "is it")
    for other in (release(machine, *wanted, digest="f" * 8), release(machine, *wanted, minor=12 + (PYTHON[1] == 12))):
        assert release_for(other, machine) == other, "one of another program or Python is no beginning"


@pytest.mark.parametrize(
    ("serves", "digest", "is_taken"),
    [(("station", "leaderboard"), "0123abcd", True), (("station",), "0123abcd", True),
     (("leaderboard",), "0123abcd", False), (("station", "leaderboard"), "f" * 8, False)],
)  # fmt: skip
def test_a_release_that_comes_back_finds_itself(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, serves: tuple[Role, ...], digest: str, is_taken: bool
) -> None:
    """It served a leaderboard too, that was removed meanwhile: nothing is made anew while a station stands still."""
    machine = ScriptedMachine(tmp_path)
    old, newer = release(machine, *serves, digest=digest), release(machine, "station", digest="2" * 8)
    for each, roles in ((old, serves), (newer, ("station",))):
        machine.write(f"{each.folder}/{MARK}", f'{{"roles": [{", ".join(map(_quoted, roles))}]}}'.encode(), 0o644)
    MakeLink("/opt/raceday/current", newer.folder.removeprefix("/opt/raceday/")).do(machine)
    monkeypatch.setattr(release_module, "running_release", lambda _machine: old.folder)
    chosen = release_for(release(machine, "station"), machine)
    assert (chosen == old) is is_taken
    assert chosen.is_done(machine) is is_taken
    assert release_for(newer, machine) == newer, "which is in use, and is what was asked for"


@pytest.mark.parametrize(
    ("prefix", "is_here", "expected"),
    [("releases/1", True, "releases/1"), ("current", True, "releases/1"), ("releases/1", False, ""),
     ("releases", True, ""), ("venv", True, "")],
)  # fmt: skip
def test_which_release_runs(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, prefix: str, is_here: bool, expected: str
) -> None:
    (tmp_path / "ssd/releases/1").mkdir(parents=True)
    (tmp_path / "ssd/current").symlink_to("releases/1")
    (tmp_path / "opt").symlink_to("ssd")  # root's link to another disk
    monkeypatch.setattr(release_module, "RELEASES", str(tmp_path / "opt/releases"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "opt" / prefix))
    machine = ScriptedMachine(tmp_path)
    machine.is_here = is_here
    assert running_release(machine) == (str(tmp_path / "opt" / expected) if expected else "")


def _quoted(name: str) -> str:
    return f'"{name}"'


@pytest.mark.parametrize("has_base", [False, True])
@pytest.mark.parametrize("word", ["venv", "pip", "sync"])
def test_a_release_that_cannot_be_made_leaves_nothing(tmp_path: pathlib.Path, word: str, has_base: bool) -> None:
    machine = VenvMachine(tmp_path)
    base = installed(machine, "station")
    before = everything(tmp_path)
    wanted = release(machine, "station", "leaderboard")
    if has_base:
        wanted = release_for(wanted, machine)
    machine.failing = [f" {word} " if word != "sync" else "sync -f"]
    with pytest.raises(OperatorError, match="it is broken"):  # pip's own words: No space left on device
        wanted.do(machine)
    machine.failing, machine.interrupted = [], word
    with pytest.raises(KeyboardInterrupt):
        wanted.do(machine)
    assert everything(tmp_path) == before | {"var", "var/cache"}
    machine.interrupted = ""
    wanted.do(machine)
    assert wanted.is_done(machine)
    assert base.is_done(machine)


def _refuses(error: Exception) -> Callable[..., object]:
    def refuse(*_: object, **_options: object) -> None:
        raise error

    return refuse


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("call", ["shutil.copy2", "shutil.copystat", "os.mkdir", "pathlib.Path.write_bytes"])
def test_a_disk_that_refuses_the_beginning_of_a_release_is_a_sentence(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    machine = VenvMachine(tmp_path)
    base = installed(machine, "station")
    before = everything(tmp_path)
    wanted = release_for(release(machine, "station", "leaderboard"), machine)
    tried = list[object]()

    def begin(*arguments: Any) -> None:
        error = OSError(number, os.strerror(number), "/opt/x")
        with monkeypatch.context() as patched:
            patched.setattr(os, "link", _refuses(error))
            patched.setattr(call, lambda *names, **_options: (tried.append(names), _refuses(error)()))
            begin_as(*arguments)

    monkeypatch.setattr(release_module, "begin_as", begin)
    with pytest.raises(StorageError, match=os.strerror(number)) as raised:
        wanted.do(machine)
    assert "\n" not in str(raised.value)
    if call == "shutil.copy2":
        assert len(tried) == 1, "a disk that is full is not tried for each of ten thousand files"
    assert everything(tmp_path) == before
    assert base.is_done(machine)


@pytest.mark.parametrize("call", ["shutil.copy", "pathlib.Path.write_text", "pathlib.Path.mkdir"])
def test_a_disk_that_refuses_a_release_is_a_sentence(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    machine = VenvMachine(tmp_path)
    installed(machine, "station")
    wanted = release(machine, "station", "leaderboard")
    monkeypatch.setattr(call, _refuses(OSError(errno.EIO, os.strerror(errno.EIO), "/opt/x")))
    with pytest.raises(StorageError, match=r"/opt/x cannot be written \(Input/output error\)"):
        wanted.do(machine)
    assert not machine.path(wanted.folder).exists()


@pytest.mark.parametrize(
    ("target", "first", "said"),
    [
        (
            "shutil.copy",
            OSError(errno.EIO, "Input/output error", "/opt/x"),
            "/opt/x cannot be written (Input/output error).",
        ),
        ("pathlib.Path.write_text", OperatorError("pip has ended."), "pip has ended."),
    ],
)
def test_the_first_reason_is_told_where_what_was_begun_cannot_be_removed_either(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, target: str, first: Exception, said: str
) -> None:
    machine = VenvMachine(tmp_path)
    wanted = release(machine, "station")
    remove = machine.remove

    def refuse_the_release(*names: str) -> None:
        if wanted.folder in names:
            raise StorageError("/opt/y cannot be removed (Read-only).")
        remove(*names)

    monkeypatch.setattr(machine, "remove", refuse_the_release)
    monkeypatch.setattr(target, _refuses(first))
    with pytest.raises(type(first) if isinstance(first, OperatorError) else StorageError) as raised:
        wanted.do(machine)
    assert str(raised.value) == f"{said} What was begun of it stays: /opt/y cannot be removed (Read-only)."


@pytest.mark.parametrize(("now_ns", "is_said"), [(0, True), (BUILT_NS - 1, True), (BUILT_NS, False)])
def test_a_clock_that_no_registry_believes_is_said(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, now_ns: int, is_said: bool
) -> None:
    machine = VenvMachine(tmp_path, [" pip "])
    monkeypatch.setattr("raceday.install.releases.release.time.time_ns", lambda: now_ns)
    with pytest.raises(OperatorError) as raised:
        release(machine, "station").do(machine)
    assert ("The clock of this machine says " in str(raised.value)) is is_said
    from_a_folder = dataclasses.replace(release(machine, "station"), wheels=tmp_path)
    with pytest.raises(OperatorError) as raised:
        from_a_folder.do(machine)
    assert "clock" not in str(raised.value)


def test_what_is_whole_is_on_disk_before_it_says_so(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = VenvMachine(tmp_path)
    wanted, marks = release(machine, "station"), list[bool]()
    answer = machine.attempt

    def attempt(words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        marks.append(machine.path(f"{wanted.folder}/{MARK}").exists())
        return answer(words, user=user)

    monkeypatch.setattr(machine, "attempt", attempt)
    wanted.do(machine)
    assert machine.ran[-1] == f"sync -f {wanted.folder.removeprefix('/opt/raceday/releases/')}"
    assert marks == [False] * len(machine.ran)
    assert wanted.is_done(machine)
