"""Backs up what the roles of a machine have stored, where their configs say that it is. Called by an upgrade.

All of it is done as the service's own user, in folders that are its own: root follows none of its links.
"""

import posixpath
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raceday.install.effects import Say
from raceday.install.machine import Machine
from raceday.install.machine_files.config_files import BOARD_DATA
from raceday.install.shipped_files import CONFIG_NAMES, Role
from shared.errors import OperatorError

USER, ETC = "raceday", "/etc/raceday"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made. `folder` holds it; `cure` says how it is restored."""

    role: Role
    folder: str
    file: str

    @property
    def cure(self) -> str:
        """Which commands bring the data back as they were."""
        what = "journal" if self.role == "station" else "leaderboard"
        words, unit = " ".join(self.command("restore", self.file)), f"raceday-{self.role}"
        stopped = f"{unit} raceday-sync" if self.role == "station" else unit
        return (
            f"If the release cannot read the {what} any more: sudo systemctl stop {stopped}; "
            f"sudo -u {USER} raceday {words}; sudo systemctl start {unit} (and whatever else ran)."
        )

    def command(self, verb: str, file: str) -> list[str]:
        """The words after `raceday` that make a backup file, or restore one."""
        if self.role == "station":
            return [verb, file, "--data-dir", posixpath.dirname(self.folder)]
        return ["league", verb, file, "--config", f"{ETC}/{CONFIG_NAMES[self.role]}"]


def backed_up(machine: Machine, release: str, roles: tuple[Role, ...], name: str, say: Say) -> tuple[Backup, ...]:
    """Backs up the roles that store something, by their release. Raises OperatorError if that does not work."""
    made = []
    for role in roles:
        backup = _station(machine, name, say) if role == "station" else None
        backup = _leaderboard(machine, name, say) if role == "leaderboard" else backup
        if backup is not None:
            _make(machine, release, backup, say)
            made.append(backup)
    return tuple(made)


def _station(machine: Machine, name: str, say: Say) -> Backup | None:
    data = _config(machine, "station").get("data_dir")
    if not isinstance(data, str) or not data:
        raise OperatorError(f"{ETC}/{CONFIG_NAMES['station']} names no `data_dir`: nothing could be backed up.")
    data = posixpath.normpath(posixpath.join(ETC, data))
    if not machine.path(f"{data}/station.db").exists():
        say(f"there is no journal in {data} yet: nothing is backed up")
        return None
    return Backup("station", f"{data}/backups", f"{data}/backups/{name}")


def _leaderboard(machine: Machine, name: str, say: Say) -> Backup | None:
    store = _config(machine, "leaderboard").get("store", {})
    store = store if isinstance(store, Mapping) else {}
    path = posixpath.normpath(posixpath.join(ETC, str(store.get("path", "leaderboard.db"))))
    if not store.get("url") and not machine.path(path).exists():
        say(f"there is no {path} yet: nothing of the leaderboard is backed up")
        return None
    folder = f"{BOARD_DATA if store.get('url') else posixpath.dirname(path)}/backups"
    return Backup("leaderboard", folder, f"{folder}/{name}")


def _make(machine: Machine, release: str, backup: Backup, say: Say) -> None:
    """Beside an earlier one of that name, which is replaced once this is whole."""
    what = "backing up the journal" if backup.role == "station" else "backing up the leaderboard"
    say(what)
    begun = f"{backup.file}.new"
    machine.run(["mkdir", "-p", "-m", "0700", backup.folder], what, user=USER)
    machine.run(["rm", "-f", begun], what, user=USER)
    machine.run([f"{release}/bin/raceday", *backup.command("backup", begun)], what, user=USER)
    machine.run(["mv", "-f", begun, backup.file], what, user=USER)


def _config(machine: Machine, role: Role) -> Mapping[str, Any]:
    path = f"{ETC}/{CONFIG_NAMES[role]}"
    try:
        return tomllib.loads((machine.read(path) or b"").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"{path} is no TOML ({error}), so nobody knows where the data are: mend it first."
        ) from None
