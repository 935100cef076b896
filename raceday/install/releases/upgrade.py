"""`raceday install upgrade` and `rollback`: another release takes the place of the one in use, if it can read the data.

Before the change the data are backed up, and the other release reads a copy of the journal from beginning to end.
change_over.py does the change itself. Called by the command.
"""

import pathlib
import tempfile

from raceday.install.effects import Say, owed_effects
from raceday.install.facts import UNIT_OF, bridge_unit, enabled_bridges, gathered
from raceday.install.machine import Machine
from raceday.install.releases.backups import Backup, backed_up
from raceday.install.releases.change_over import Change, change_over, in_use
from raceday.install.releases.program_wheel import DEB_WHEELS, ProgramWheel, program_wheel, read_wheel
from raceday.install.releases.release import OPT, PREVIOUS, MakeRelease, release_for, roles_of
from raceday.install.running import refuse_during_a_run
from raceday.install.shipped_files import ROLES, Role
from shared.errors import OperatorError

ON_DISK = "/var/tmp"  # noqa: S108 - /tmp is memory on Debian 13, and a package has 300 MB
COPY = ".read-by-the-other-release"  # beside the backup


def upgrade(machine: Machine, file: pathlib.Path | None, say: Say, *, force: bool) -> int:
    """Upgrades to what `file` holds, or to what the system's package brought. Raises OperatorError."""
    roles = _roles(machine)
    refuse_during_a_run(machine, force=force)
    with tempfile.TemporaryDirectory(prefix="raceday-upgrade-", dir=ON_DISK) as work:
        program, wheels = _source(machine, file, pathlib.Path(work))
        facts = gathered(machine)
        release = release_for(MakeRelease(program, roles, facts.python, facts.python_version, wheels), machine)
        old = in_use(machine)
        if release.folder == old:
            owed = f" `sudo raceday install {roles[0]}` does what is left." if owed_effects(machine).effects else ""
            print(f"Raceday {program.version} is in use already.{owed}")
            return 0
        if not release.is_done(machine):
            say(release.description())
            release.do(machine)
    change = Change(old, release.folder, roles, _bridges_that_run(machine))
    backups = _let_it_read(machine, change, say)
    refuse_during_a_run(machine, force=force)  # again: minutes have passed, and a run may have begun
    change_over(machine, change, backups, say)
    print(f"Raceday {program.version} is in use. `sudo raceday install rollback` goes back to the release before it.")
    return 0


def roll_back(machine: Machine, say: Say, *, force: bool) -> int:
    """Goes back to the release before, if that can read what was written since. Raises OperatorError."""
    roles = _roles(machine)
    refuse_during_a_run(machine, force=force)
    previous = machine.path(PREVIOUS)
    before, now = f"{OPT}/{previous.readlink()}" if previous.is_symlink() else "", in_use(machine)
    # An upgrade that was cut off before it changed anything may have left the release in use as the one before.
    if before in ("", now) or not frozenset(roles) <= roles_of(machine, before):
        raise OperatorError("there is no earlier release for the roles of this machine: nothing was changed.")
    change = Change(now, before, roles, _bridges_that_run(machine))
    backups = _let_it_read(machine, change, say)
    refuse_during_a_run(machine, force=force)  # again: minutes have passed, and a run may have begun
    change_over(machine, change, backups, say)
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
