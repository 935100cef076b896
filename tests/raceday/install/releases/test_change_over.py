"""The change itself: what is said and kept when it is interrupted, and when going back does not work either."""

import contextlib
import pathlib
import subprocess
from collections.abc import Sequence

import pytest

from raceday.install.machine import Machine
from raceday.install.releases import change_over as change_over_module
from raceday.install.releases.backups import Backup
from raceday.install.releases.change_over import Change, change_over
from raceday.install.releases.release import MARK
from raceday.install.releases.upgrade import roll_back
from raceday.install.steps import MakeLink
from shared.errors import OperatorError, StorageError
from tests.raceday.install.releases.test_upgrade import NEW, OLD, ScriptedMachine, links, machine

THIRD = "/opt/raceday/releases/3"
CURE = "sudo -u raceday raceday restore /b --data-dir /var/lib/raceday; sudo systemctl start raceday-station"
GONE = "/opt/x is not installed here: install it, then run this again."
BACKUP = Backup("station", "/var/lib/raceday/backups", "/b")


def third(root: pathlib.Path, failing: Sequence[str] = ()) -> ScriptedMachine:
    """A machine with the releases 1 (the one before), 2 (in use) and 3, to which it is to change."""
    made = machine(root, failing)
    made.write(f"{THIRD}/{MARK}", b'{"version": "1", "roles": ["station"]}', 0o644)
    return made


def raise_at(
    made: ScriptedMachine, monkeypatch: pytest.MonkeyPatch, what: str, error: BaseException, *, after: bool = False
) -> None:
    """This command raises this, before it has done anything or after it has done all."""
    answer = made.attempt

    def attempt(words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        is_it = what in " ".join(words).replace("/opt/raceday/releases/", "").replace("/bin/raceday", "")
        if is_it and not after:
            raise error
        ran = answer(words, user=user)
        if is_it:
            raise error
        return ran

    monkeypatch.setattr(made, "attempt", attempt)


@pytest.mark.parametrize("before", ["releases/0", ""])
def test_after_an_upgrade_that_failed_the_good_release_before_is_there_still(
    tmp_path: pathlib.Path, before: str
) -> None:
    made = machine(tmp_path, ["3 install"])
    for name in ("0", "3"):
        made.write(f"/opt/raceday/releases/{name}/{MARK}", b'{"version": "1", "roles": ["station"]}', 0o644)
    made.remove("/opt/raceday/previous")
    if before:
        MakeLink("/opt/raceday/previous", before).do(made)
    with pytest.raises(OperatorError, match=CURE):
        change_over(made, Change(NEW, THIRD, ("station",)), (BACKUP,), print)
    previous = made.path("/opt/raceday/previous")
    assert str(previous.readlink()) == before if before else not previous.is_symlink()
    assert made.path("/opt/raceday/releases/0").exists()


@pytest.mark.parametrize(
    ("what", "after", "failing", "said", "expected"),
    [
        ("3 install station", False, (), "nothing was changed, the release in use is 2; run the same command again",
         ("2", "1")),
        ("3 install station", True, (), "the release in use is 3; {} finish what it began", ("3", "2")),
        ("3 install leaderboard", False, (), "the release in use is 3; {} finish what it began", ("3", "2")),
        # While it goes back: 2 must not be lost, whatever comes next.
        ("2 install station", False, ("3 install leaderboard",), "the release in use is 3; `sudo raceday install "
         "rollback` goes back", ("3", "2")),
        ("2 install station", True, ("3 install leaderboard",), "the release in use is 2; {} finish what it began",
         ("2", "1")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_whoever_interrupts_a_change_is_told_what_is_in_use(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    after: bool,
    failing: Sequence[str],
    said: str,
    expected: tuple[str, str],
    error: BaseException,
) -> None:
    made, lines = third(tmp_path, failing), list[str]()
    raise_at(made, monkeypatch, what, error, after=after)
    with pytest.raises(type(error)):
        change_over(made, Change(NEW, THIRD, ("station", "leaderboard"), ("car-1",)), (), lines.append)
    each = ", ".join(f"`sudo raceday install {name}`" for name in ("station", "leaderboard", "bridge car-1"))
    assert lines[-1] == f"interrupted: {said.format(each)}"
    assert links(made) == (f"releases/{expected[0]}", f"releases/{expected[1]}")


def test_of_one_role_one_command_finishes_what_was_begun(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, said = machine(tmp_path), list[str]()
    raise_at(made, monkeypatch, "1 install", KeyboardInterrupt(), after=True)
    with pytest.raises(KeyboardInterrupt):
        roll_back(made, said.append, force=False)
    assert said[-1] == "interrupted: the release in use is 1; `sudo raceday install station` finishes what it began"
    assert links(made) == ("releases/1", "releases/2")


@pytest.mark.parametrize("while_it", ["changes over", "waits"])
def test_before_the_old_release_is_in_use_again_a_cut_of_the_power_loses_nothing(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, while_it: str
) -> None:
    made, seen = third(tmp_path, ["3 install leaderboard"]), list[tuple[str, str]]()
    answer = made.attempt

    def attempt(words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        if while_it == "changes over" and words[0].startswith(NEW) and words[1] == "install":
            seen.append(links(made))
        return answer(words, user=user)

    def comes_up(*_: object) -> str:
        seen.append(links(made))
        return ""

    monkeypatch.setattr(made, "attempt", attempt)
    monkeypatch.setattr(ScriptedMachine, "is_running", True)
    monkeypatch.setattr(change_over_module, "comes_up", comes_up if while_it == "waits" else lambda *_: "")
    with pytest.raises(OperatorError, match="is in use again, and runs"):
        change_over(made, Change(NEW, THIRD, ("station", "leaderboard")), (), print)
    assert seen[0] == (("releases/3", "releases/2") if while_it == "changes over" else ("releases/2", "releases/1"))
    assert links(made) == ("releases/2", "releases/1")


def test_a_release_whose_interpreter_is_gone_is_gone_back_from(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = third(tmp_path)
    raise_at(made, monkeypatch, "3 install", OperatorError(GONE))
    with pytest.raises(OperatorError, match=CURE) as raised:
        change_over(made, Change(NEW, THIRD, ("station",)), (BACKUP,), print)
    assert str(raised.value).startswith(
        "3 could not be put in place (/opt/x is not installed here: install it, then run this again). The release "
        "before is in use again, and runs."
    )
    assert links(made) == ("releases/2", "releases/1")


def test_where_the_old_release_cannot_be_put_in_place_it_is_not_lost(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian 13 took the place of 12 meanwhile, and with it Python 3.11 is gone, by which the old release ran."""
    made = third(tmp_path, ["3 install leaderboard"])
    raise_at(made, monkeypatch, "2 install", OperatorError(GONE))
    with pytest.raises(OperatorError, match=CURE) as raised:
        change_over(made, Change(NEW, THIRD, ("station", "leaderboard")), (BACKUP,), print)
    assert str(raised.value).startswith("3 could not be put in place (it is broken). The release in use is 3; 2 could")
    assert "`sudo raceday install rollback` goes back to 2." in str(raised.value)
    assert links(made) == ("releases/3", "releases/2")


@pytest.mark.parametrize("unit", ["raceday-station.service", "raceday-bridge@car-1.service"])
def test_a_service_that_nobody_can_ask_has_not_come_up(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, unit: str
) -> None:
    made, said = third(tmp_path), list[str]()
    asked_of = iter([unit])

    def comes_up(_machine: Machine, asked_unit: str, *_: object) -> str:
        if asked_unit == unit and next(asked_of, ""):
            raise OperatorError("systemctl cannot be started (Cannot allocate memory).")
        return ""

    monkeypatch.setattr(ScriptedMachine, "is_running", True)
    monkeypatch.setattr(change_over_module, "comes_up", comes_up)
    sentence, is_role = (
        f"{unit} may run or not (systemctl cannot be started (Cannot allocate memory))",
        "bridge" not in unit,
    )
    with pytest.raises(OperatorError, match=CURE) if is_role else contextlib.nullcontext() as raised:
        change_over(made, Change(NEW, THIRD, ("station",), ("car-1",)), (BACKUP,), said.append)
    told = str(raised.value) if raised is not None else said[-1]
    assert told.startswith(sentence)
    assert links(made) == (("releases/2", "releases/1") if is_role else ("releases/3", "releases/2"))


def test_a_bridge_that_cannot_even_be_started_again_holds_up_nothing(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, said = third(tmp_path, ["3 install bridge"]), list[str]()
    monkeypatch.setattr(ScriptedMachine, "is_running", True)
    monkeypatch.setattr(change_over_module, "comes_up", lambda *_: "")
    raise_at(made, monkeypatch, "systemctl restart", OperatorError("systemctl cannot be started (Input/output error)."))
    change_over(made, Change(NEW, THIRD, ("station",), ("car-1",)), (), said.append)
    assert said[-1] == "bridge of car-1: systemctl cannot be started (Input/output error)."
    assert links(made) == ("releases/3", "releases/2")


def test_after_a_change_a_disk_that_keeps_old_releases_is_said(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, said = third(tmp_path), list[str]()
    remove = made.remove

    def refuse(name: str) -> None:
        if name == OLD:
            raise StorageError(f"{name} cannot be removed (Input/output error).")
        remove(name)

    monkeypatch.setattr(made, "remove", refuse)
    change_over(made, Change(NEW, THIRD, ("station",)), (), said.append)
    assert said[-1] == f"an older release stays: {OLD} cannot be removed (Input/output error)."
    assert links(made) == ("releases/3", "releases/2")


def test_a_link_that_cannot_be_put_back_hides_nothing(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, said = third(tmp_path, ["3 install"]), list[str]()
    made.remove("/opt/raceday/previous")

    def refuse(name: str) -> None:
        raise StorageError(f"{name} cannot be removed (Read-only file system).")

    monkeypatch.setattr(made, "remove", refuse)
    with pytest.raises(OperatorError, match=f"^3 could not .*{CURE}"):
        change_over(made, Change(NEW, THIRD, ("station",)), (BACKUP,), said.append)
    assert said[-1].endswith("(Read-only file system). `rollback` finds no earlier release now")
