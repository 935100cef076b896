"""Upgrade and roll-back: what is asked in which order, and that the old release is back when the new one does not do.

The commands are a script of answers here; `./dev metal` runs them on whole systems.
"""

import pathlib
import subprocess
from collections.abc import Sequence

import pytest

from raceday.install.machine import Machine
from raceday.install.releases.release import MARK
from raceday.install.releases.upgrade import COPY, roll_back, upgrade
from raceday.install.steps import MakeLink
from shared.errors import OperatorError

OLD, NEW = "/opt/raceday/releases/1", "/opt/raceday/releases/2"


class ScriptedMachine(Machine):
    """A root folder in which commands are written down, and fail if they hold one of these words."""

    def __init__(self, root: pathlib.Path, failing: Sequence[str] = ()) -> None:
        super().__init__(root)
        self.failing, self.ran = failing, list[str]()

    def attempt(self, words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        line = " ".join(words).replace("/opt/raceday/releases/", "").replace("/bin/raceday", "")
        self.ran.append(f"{user}: {line}" if user else line)
        if " install " in line and not any(word in line for word in self.failing):
            release = words[0].removesuffix("/bin/raceday").removeprefix("/opt/raceday/")
            MakeLink("/opt/raceday/current", release).do(self)  # as the release itself does
        return subprocess.CompletedProcess(words, int(any(word in line for word in self.failing)), "", "it is broken")

    def ids(self, user: str, group: str) -> tuple[int, int]:
        del user, group
        status = self.root.stat()
        return status.st_uid, status.st_gid


def machine(root: pathlib.Path, failing: Sequence[str] = ()) -> ScriptedMachine:
    made = ScriptedMachine(root, failing)
    made.write("/etc/systemd/system/raceday-station.service", b"", 0o644)
    made.write("/var/lib/raceday/station.db", b"the journal", 0o600)
    for release in (OLD, NEW):
        made.write(f"{release}/{MARK}", b'{"version": "1", "roles": ["station"]}', 0o644)
    MakeLink("/opt/raceday/current", "releases/2").do(made)
    MakeLink("/opt/raceday/previous", "releases/1").do(made)
    return made


def links(made: Machine) -> tuple[str, str]:
    return str(made.path("/opt/raceday/current").readlink()), str(made.path("/opt/raceday/previous").readlink())


def test_the_older_release_reads_a_copy_before_it_takes_its_place(tmp_path: pathlib.Path) -> None:
    made = machine(tmp_path)
    assert roll_back(made, print, force=False) == 0
    backup = "/var/lib/raceday/backups/before-1.backup"
    assert made.ran == [
        f"raceday: 2 backup {backup} --data-dir /var/lib/raceday",
        f"raceday: 1 restore {backup} --data-dir {COPY}",
        f"raceday: 1 journal verify {COPY}/station.db",
        f"raceday: 1 replay {COPY}/station.db",
        "1 install station --force",
    ]
    assert links(made) == ("releases/1", "releases/2")


@pytest.mark.parametrize("word", ["backup /var", "restore", "verify", "replay"])
def test_a_release_that_cannot_read_the_journal_does_not_get_it(tmp_path: pathlib.Path, word: str) -> None:
    made = machine(tmp_path, [word])
    with pytest.raises(OperatorError, match="it is broken"):
        roll_back(made, print, force=False)
    assert links(made) == ("releases/2", "releases/1")
    assert not any(" install " in line for line in made.ran)
    assert made.read("/var/lib/raceday/station.db") == b"the journal"


def test_a_release_that_does_not_come_up_gives_its_place_back(tmp_path: pathlib.Path) -> None:
    made = machine(tmp_path, ["1 install"])
    with pytest.raises(OperatorError, match="the release before is in use again"):
        roll_back(made, print, force=False)
    assert links(made) == ("releases/2", "releases/1")
    assert made.ran[-1] == "2 install station --force"


def test_when_neither_comes_up_it_is_said(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OperatorError, match="does not come up either"):
        roll_back(machine(tmp_path, ["1 install", "2 install"]), print, force=False)


def test_there_is_nothing_to_go_back_to(tmp_path: pathlib.Path) -> None:
    made = machine(tmp_path)
    made.remove("/opt/raceday/previous")
    with pytest.raises(OperatorError, match="no earlier release"):
        roll_back(made, print, force=False)


def test_nothing_is_installed(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OperatorError, match="nothing is installed here yet"):
        upgrade(Machine(tmp_path), None, print, force=False)
