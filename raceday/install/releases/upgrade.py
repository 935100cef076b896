"""`raceday install upgrade` and `rollback`: another release takes the place of the one in use, if it can read the data.

Before the change the data are backed up, and the other release reads a copy of the journal from beginning to end. It
then puts its own units in place and starts on the journal itself, which it may migrate in place; if a service does not
come up, the release before it starts on that journal again, unchecked. The backup is the way back where it cannot read
it. Called by the command.
"""

import pathlib
import tempfile
from dataclasses import dataclass

from raceday.install.effects import Say
from raceday.install.facts import UNIT_OF, bridge_unit, enabled_bridges, gathered
from raceday.install.machine import Machine
from raceday.install.releases.backups import Backup, backed_up
from raceday.install.releases.program_wheel import DEB_WHEELS, ProgramWheel, program_wheel, read_wheel
from raceday.install.releases.release import CURRENT, OPT, PREVIOUS, MakeRelease, remove_old_releases, roles_of
from raceday.install.running import comes_up, page_address, refuse_during_a_run
from raceday.install.shipped_files import ROLES, Role
from raceday.install.steps import MakeLink
from shared.errors import OperatorError

COMES_UP_S = 120.0  # a Pi with a long journal and a slow card
ON_DISK = "/var/tmp"  # noqa: S108 - /tmp is memory on Debian 13, and a package has 300 MB
COPY = ".read-by-the-other-release"  # beside the backup


@dataclass(frozen=True, slots=True)
class Change:
    """From one release to another: their folders, and what they serve: roles, and bridges of stock cars by name."""

    old: str
    new: str
    roles: tuple[Role, ...]
    bridges: tuple[str, ...] = ()


def upgrade(machine: Machine, file: pathlib.Path | None, say: Say, *, force: bool) -> int:
    """Upgrades to what `file` holds, or to what the system's package brought. Raises OperatorError."""
    roles = _roles(machine)
    refuse_during_a_run(machine, force=force)
    with tempfile.TemporaryDirectory(prefix="raceday-upgrade-", dir=ON_DISK) as work:
        program, wheels = _source(machine, file, pathlib.Path(work))
        facts = gathered(machine)
        release = MakeRelease(program, roles, facts.python, facts.python_version, wheels)
        old = _in_use(machine)
        if release.folder == old:
            print(f"Raceday {program.version} is in use already.")
            return 0
        if not release.is_done(machine):
            say(release.description())
            release.do(machine)
    change = Change(old, release.folder, roles, _bridges_that_run(machine))
    backups = _let_it_read(machine, change, say)
    refuse_during_a_run(machine, force=force)  # again: minutes have passed, and a run may have begun
    _change(machine, change, backups, say)
    print(f"Raceday {program.version} is in use. `sudo raceday install rollback` goes back to the release before it.")
    return 0


def roll_back(machine: Machine, say: Say, *, force: bool) -> int:
    """Goes back to the release before, if that can read what was written since. Raises OperatorError."""
    roles = _roles(machine)
    refuse_during_a_run(machine, force=force)
    previous = machine.path(PREVIOUS)
    before = f"{OPT}/{previous.readlink()}" if previous.is_symlink() else ""
    if not before or not frozenset(roles) <= roles_of(machine, before):
        raise OperatorError("there is no earlier release for the roles of this machine: nothing was changed.")
    change = Change(_in_use(machine), before, roles, _bridges_that_run(machine))
    backups = _let_it_read(machine, change, say)
    refuse_during_a_run(machine, force=force)  # again: minutes have passed, and a run may have begun
    _change(machine, change, backups, say)
    print(f"The release {pathlib.PurePath(before).name} is in use again.")
    return 0


def _source(
    machine: Machine, file: pathlib.Path | None, work: pathlib.Path
) -> tuple[ProgramWheel, pathlib.Path | None]:
    """The program, and where its packages come from (None: pip's registries). Raises OperatorError."""
    if file is None:
        if not DEB_WHEELS.is_dir():
            raise OperatorError("name what to upgrade to: a raceday_….deb, a wheel, or a folder of wheels.")
        return program_wheel(DEB_WHEELS, work), DEB_WHEELS
    if file.is_dir():
        return program_wheel(file, work), file
    if file.suffix == ".deb":
        machine.run(["dpkg-deb", "-x", str(file.resolve()), str(work)], f"unpacking {file.name}")
        wheels = work / DEB_WHEELS.relative_to("/")
        return program_wheel(wheels, work), wheels
    return read_wheel(file), None


def _roles(machine: Machine) -> tuple[Role, ...]:
    roles = tuple(role for role in ROLES if machine.path(f"/etc/systemd/system/{UNIT_OF[role]}").exists())
    if not roles:
        raise OperatorError("nothing is installed here yet: sudo raceday install station (or car, or leaderboard).")
    return roles


def _bridges_that_run(machine: Machine) -> tuple[str, ...]:
    """The stock cars whose bridge the other release brings up again: one that does not run now stays so."""
    names = enabled_bridges(machine)
    if not machine.is_running:
        return names
    return tuple(
        name
        for name in names
        if not machine.attempt(["systemctl", "is-active", "--quiet", bridge_unit(name)]).returncode
    )


def _in_use(machine: Machine) -> str:
    current = machine.path(CURRENT)
    if not current.is_symlink():
        raise OperatorError(f"{CURRENT} is missing: run `sudo raceday install {_roles(machine)[0]}` again.")
    return f"{OPT}/{current.readlink()}"


def _let_it_read(machine: Machine, change: Change, say: Say) -> tuple[Backup, ...]:
    """Backs up, and lets the other release read a copy of the journal. Raises OperatorError if it cannot."""
    backups = backed_up(machine, change.old, change.roles, f"before-{pathlib.PurePath(change.new).name}.backup", say)
    for backup in (each for each in backups if each.role == "station"):
        say("letting the other release read a copy of the journal")
        program, copy = f"{change.new}/bin/raceday", f"{backup.folder}/{COPY}"
        remove_copy = ["rm", "-rf", copy]
        try:
            machine.run(remove_copy, "removing an earlier copy", user="raceday")
            words = [program, "restore", backup.file, "--data-dir", copy]
            machine.run(words, "restoring the copy", user="raceday")
            for verb in (["journal", "verify"], ["replay"]):
                what = f"{' '.join(verb)} by the other release"
                machine.run([program, *verb, f"{copy}/station.db"], what, user="raceday")
        except OperatorError as error:
            raise OperatorError(
                f"the other release cannot read the journal, so nothing was changed (its backup: {backup.file}). "
                f"{error}"
            ) from None
        finally:
            machine.attempt(remove_copy, user="raceday")
    return backups


def _change(machine: Machine, change: Change, backups: tuple[Backup, ...], say: Say) -> None:
    """Puts the new release in place of the old one; the old one again if it does not come up. Raises OperatorError."""
    link = machine.path(PREVIOUS)
    before = str(link.readlink()) if link.is_symlink() else ""
    MakeLink(PREVIOUS, change.old.removeprefix(f"{OPT}/")).do(machine)
    failure = _put_in_place(machine, change.new, change, say)
    if not failure:
        remove_old_releases(machine)
        return
    say(f"{failure}: going back")
    if before:
        MakeLink(PREVIOUS, before).do(machine)
    else:
        machine.remove(PREVIOUS)
    again = _put_in_place(machine, change.old, change, say)
    state = (
        "the release before is in use again"
        if not again
        else f"and the release before does not come up either: {again}"
    )
    cures = " ".join(each.cure for each in backups)
    raise OperatorError(f"{failure}; {state}. `journalctl -u {UNIT_OF[change.roles[0]]}` says why. {cures}".rstrip())


def _put_in_place(machine: Machine, release: str, change: Change, say: Say) -> str:
    """The release installs itself: link, units, services. Returns which role does not come up, "" if all do.

    A bridge that does not is said, and no reason to go back: one car's config or console must not hold up a station.
    """
    for role in change.roles:
        if failure := _installs_itself(machine, release, role, say):
            return failure
    for name in change.bridges:
        _bridge_in_place(machine, release, name, say)
    if not machine.is_running:
        return ""
    for role in change.roles:
        address = None if role == "car" else page_address(role, machine)
        if failure := comes_up(machine, UNIT_OF[role], address, COMES_UP_S):
            return failure
    for name in change.bridges:
        if failure := comes_up(machine, bridge_unit(name), None, COMES_UP_S):
            say(f"{failure}: journalctl -u {bridge_unit(name)} says why")
    return ""


def _bridge_in_place(machine: Machine, release: str, name: str, say: Say) -> None:
    """The bridge by this release; one whose config it refuses is said, and runs on as it can."""
    if failure := _installs_itself(machine, release, f"bridge {name}", say):
        say(f"bridge of {name}: {failure}. Once that is mended: sudo raceday install bridge {name}")
        if machine.is_running:
            machine.attempt(["systemctl", "restart", bridge_unit(name)])


def _installs_itself(machine: Machine, release: str, what: str, say: Say) -> str:
    """The release becomes what this machine is; why it could not, or ""."""
    say(f"{pathlib.PurePath(release).name} takes its place as {what}")
    ran = machine.attempt([f"{release}/bin/raceday", "install", *what.split(), "--force"])
    return f"it could not be put in place ({' '.join(ran.stderr.split()[-30:])})" if ran.returncode else ""
