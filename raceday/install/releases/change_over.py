"""The change from one release to another: links, units, services, and back again where a service does not come up.

The other release puts its own units in place and starts on the journal itself, which it may migrate in place; if a
service does not come up, the release before it starts on that journal again, unchecked. The backup is the way back
where it cannot read it. Called by an upgrade and a roll-back.
"""

import pathlib
from dataclasses import dataclass
from typing import Final, Literal

from raceday.install.effects import Say
from raceday.install.facts import UNIT_OF, bridge_unit
from raceday.install.machine import Machine
from raceday.install.releases.backups import Backup
from raceday.install.releases.coming_up import comes_up, has_page, has_told, is_active
from raceday.install.releases.release import CURRENT, OPT, PREVIOUS, folder_in_use, remove_old_releases
from raceday.install.running import page_address
from raceday.install.shipped_files import Role
from raceday.install.steps import MakeLink
from shared.errors import OperatorError

_ROLLBACK: Final = "`sudo raceday install rollback` goes back"


@dataclass(frozen=True, slots=True)
class Change:
    """From one release to another: their folders, and what they serve: roles, and bridges of stock cars by name."""

    old: str
    new: str
    roles: tuple[Role, ...]
    bridges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedStart:
    """Why a release cannot take its place: a sentence, and the unit whose log says more."""

    sentence: str
    unit: str


def in_use(machine: Machine) -> str:
    """The folder of the release in use. Raises OperatorError if there is none."""
    folder = folder_in_use(machine)
    if not folder:
        raise OperatorError(f"{CURRENT} is missing: run `sudo raceday install station` (or car, leaderboard) again.")
    return folder


def change_over(machine: Machine, change: Change, backups: tuple[Backup, ...], say: Say) -> None:
    """Puts the new release in place of the old one; the old one again if it does not come up. Raises OperatorError.

    Whoever interrupts it is told what is in use then, and what finishes or takes back what it began.
    """
    link = machine.path(PREVIOUS)
    before = str(link.readlink()) if link.is_symlink() else ""
    try:
        MakeLink(PREVIOUS, change.old.removeprefix(f"{OPT}/")).do(machine)
        failure = _put_in_place(machine, change.new, change, say) or _wait_for_all(machine, change, say)
        if failure is None:
            _tidy(machine, say)
            return
    except (KeyboardInterrupt, SystemExit):
        has_begun = folder_in_use(machine) != change.old
        if not has_begun:
            _link_previous(machine, before, say)
        say(_interrupted(machine, change, _finishing(change) if has_begun else ""))
        raise
    again = _go_back(machine, change, failure, before, say)
    cures = " ".join(each.cure for each in backups)
    raise OperatorError(f"{failure.sentence}. {_outcome(machine, change, failure, again)} {cures}".rstrip())


def _go_back(machine: Machine, change: Change, why: FailedStart, before: str, say: Say) -> FailedStart | None:
    """Puts the old release in place again, `before` as the one before it; what does not come up, None if all do.

    Until it is in use it stays the one before, so that `rollback` finds it, and no installation removes it.
    """
    try:
        say(f"{why.sentence}: going back")
        failure = _put_in_place(machine, change.old, change, say)
        if folder_in_use(machine) == change.old:
            _link_previous(machine, before, say)
        return failure or _wait_for_all(machine, change, say)
    except (KeyboardInterrupt, SystemExit):
        is_back = folder_in_use(machine) == change.old
        if is_back:
            _link_previous(machine, before, say)
        say(_interrupted(machine, change, _finishing(change) if is_back else _ROLLBACK))
        raise


def _link_previous(machine: Machine, before: str, say: Say) -> None:
    """The release before is again what it was ("": there was none). A disk that refuses is said, and stops nothing."""
    try:
        if before:
            MakeLink(PREVIOUS, before).do(machine)
        else:
            machine.remove(PREVIOUS)
    except OperatorError as error:
        say(f"{error} `rollback` finds no earlier release now")


def _tidy(machine: Machine, say: Say) -> None:
    """Removes what neither of the two needs; what stays is said, since the change is done."""
    try:
        remove_old_releases(machine)
    except OperatorError as error:
        say(f"an older release stays: {error}")


def _finishing(change: Change) -> str:
    """Which commands do what is left; one that finds all done does nothing."""
    whats = [*change.roles, *(f"bridge {name}" for name in change.bridges)]
    commands = ", ".join(f"`sudo raceday install {each}`" for each in whats)
    return f"{commands} {'finishes' if len(whats) == 1 else 'finish'} what it began"


def _interrupted(machine: Machine, change: Change, what_next: str) -> str:
    """What is so after an interruption; `what_next` is "" where nothing was begun."""
    name = pathlib.PurePath(folder_in_use(machine) or change.old).name
    if not what_next:
        return f"interrupted: nothing was changed, the release in use is {name}; run the same command again"
    return f"interrupted: the release in use is {name}; {what_next}"


def _outcome(machine: Machine, change: Change, failure: FailedStart, again: FailedStart | None) -> str:
    """What is so after going back: the release in use, whether it runs, and where to look."""
    if again is None:
        return f"The release before is in use again, and runs. `journalctl -u {failure.unit}` says why."
    now, old = (pathlib.PurePath(each).name for each in (folder_in_use(machine), change.old))
    if now != old:
        return (
            f"The release in use is {now}; {again.sentence}. Look at `journalctl -u {again.unit}`; once that is "
            f"mended, `sudo raceday install rollback` goes back to {old}."
        )
    return (
        f"The release in use is {now}; {again.sentence}. Look at `journalctl -u {again.unit}`; if it only "
        f"takes long, `sudo raceday doctor {change.roles[0]}` says when it is there."
    )


def _put_in_place(machine: Machine, release: str, change: Change, say: Say) -> FailedStart | None:
    """The release installs itself: link, units, services. Returns what does not work, None if all does.

    A bridge that does not is said, and no reason to go back: one car's config or console must not hold up a station.
    """
    for role in change.roles:
        if failure := _installs_itself(machine, release, role, say):
            return FailedStart(failure, UNIT_OF[role])
    for name in change.bridges:
        _bridge_in_place(machine, release, name, say)
    return None


def _wait_for_all(machine: Machine, change: Change, say: Say) -> FailedStart | None:
    """Waits until all services are up. Returns what does not come up, None if all do; of a bridge it is only said."""
    if not machine.is_running:
        return None
    for role in change.roles:
        if failure := _start_failure(machine, UNIT_OF[role], role, say):
            return FailedStart(failure, UNIT_OF[role])
    for name in change.bridges:
        if failure := _start_failure(machine, bridge_unit(name), "bridge", say):
            say(f"{failure}: journalctl -u {bridge_unit(name)} says why")
    return None


def _start_failure(machine: Machine, unit: str, what: Role | Literal["bridge"], say: Say) -> str:
    """Why a service does not come up, "" if it does. One that nobody can ask (no memory, a disk's error) does not."""
    try:
        if what == "bridge":
            return comes_up(machine, unit, has_told, say)
        is_serving = is_active if what == "car" else has_page(page_address(what, machine))
        return comes_up(machine, unit, is_serving, say)
    except OperatorError as error:
        return f"{unit} may run or not ({_clause(error)})"


def _bridge_in_place(machine: Machine, release: str, name: str, say: Say) -> None:
    """The bridge by this release; one whose config it refuses is said, and runs on as it can."""
    if failure := _installs_itself(machine, release, f"bridge {name}", say):
        say(f"bridge of {name}: {failure}. Once that is mended: sudo raceday install bridge {name}")
        if not machine.is_running:
            return
        try:
            machine.attempt(["systemctl", "restart", bridge_unit(name)])
        except OperatorError as error:
            say(f"bridge of {name}: {error}")


def _installs_itself(machine: Machine, release: str, what: str, say: Say) -> str:
    """The release becomes what this machine is; why it could not, or ""."""
    name = pathlib.PurePath(release).name
    say(f"{name} takes its place as {what}")
    try:
        ran = machine.attempt([f"{release}/bin/raceday", "install", *what.split(), "--force"])
    except OperatorError as error:  # its interpreter is gone, memory is short, it hangs
        return f"{name} could not be put in place ({_clause(error)})"
    return f"{name} could not be put in place ({' '.join(ran.stderr.split()[-30:])})" if ran.returncode else ""


def _clause(error: OperatorError) -> str:
    """An error's sentence as a part of another one."""
    return str(error).rstrip(".")
