"""The change from one release to another: links, units, services, and back again where a service does not come up.

The other release puts its own units in place and starts on the journal itself, which it may migrate in place; if a
service does not come up, the release before it starts on that journal again, unchecked. The backup is the way back
where it cannot read it. Called by an upgrade and a roll-back.
"""

import pathlib
from dataclasses import dataclass

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

    Whoever interrupts it is told what is in use then.
    """
    link = machine.path(PREVIOUS)
    before = str(link.readlink()) if link.is_symlink() else ""
    MakeLink(PREVIOUS, change.old.removeprefix(f"{OPT}/")).do(machine)
    try:
        failure = _put_in_place(machine, change.new, change, say)
        if failure is None:
            remove_old_releases(machine)
            return
        say(f"{failure.sentence}: going back")
        _link_previous(machine, before)
        again = _put_in_place(machine, change.old, change, say)
    except (KeyboardInterrupt, SystemExit):
        if in_use(machine) == change.old:
            _link_previous(machine, before)
        is_so = _in_use_words(machine, "the")
        say(f"interrupted: {is_so}; `sudo raceday install {change.roles[0]}` finishes what it began")
        raise
    cures = " ".join(each.cure for each in backups)
    raise OperatorError(f"{failure.sentence}. {_outcome(machine, change, failure, again)} {cures}".rstrip())


def _link_previous(machine: Machine, before: str) -> None:
    """The release before is again what it was ("": there was none)."""
    if before:
        MakeLink(PREVIOUS, before).do(machine)
    else:
        machine.remove(PREVIOUS)


def _outcome(machine: Machine, change: Change, failure: FailedStart, again: FailedStart | None) -> str:
    """What is so after going back: the release in use, whether it runs, and where to look."""
    if again is None:
        return f"The release before is in use again, and runs. `journalctl -u {failure.unit}` says why."
    return (
        f"{_in_use_words(machine, 'The')}; {again.sentence}. Look at `journalctl -u {again.unit}`; if it only "
        f"takes long, `sudo raceday doctor {change.roles[0]}` says when it is there."
    )


def _in_use_words(machine: Machine, the: str) -> str:
    return f"{the} release in use is {pathlib.PurePath(in_use(machine)).name}"


def _put_in_place(machine: Machine, release: str, change: Change, say: Say) -> FailedStart | None:
    """The release installs itself: link, units, services. Returns what does not come up, None if all do.

    A bridge that does not is said, and no reason to go back: one car's config or console must not hold up a station.
    """
    for role in change.roles:
        if failure := _installs_itself(machine, release, role, say):
            return FailedStart(failure, UNIT_OF[role])
    for name in change.bridges:
        _bridge_in_place(machine, release, name, say)
    if not machine.is_running:
        return None
    for role in change.roles:
        is_serving = is_active if role == "car" else has_page(page_address(role, machine))
        if failure := comes_up(machine, UNIT_OF[role], is_serving, say):
            return FailedStart(failure, UNIT_OF[role])
    for name in change.bridges:
        if failure := comes_up(machine, bridge_unit(name), has_told, say):
            say(f"{failure}: journalctl -u {bridge_unit(name)} says why")
    return None


def _bridge_in_place(machine: Machine, release: str, name: str, say: Say) -> None:
    """The bridge by this release; one whose config it refuses is said, and runs on as it can."""
    if failure := _installs_itself(machine, release, f"bridge {name}", say):
        say(f"bridge of {name}: {failure}. Once that is mended: sudo raceday install bridge {name}")
        if machine.is_running:
            machine.attempt(["systemctl", "restart", bridge_unit(name)])


def _installs_itself(machine: Machine, release: str, what: str, say: Say) -> str:
    """The release becomes what this machine is; why it could not, or ""."""
    name = pathlib.PurePath(release).name
    say(f"{name} takes its place as {what}")
    ran = machine.attempt([f"{release}/bin/raceday", "install", *what.split(), "--force"])
    return f"{name} could not be put in place ({' '.join(ran.stderr.split()[-30:])})" if ran.returncode else ""
