"""The steps of an installation: each knows how it is told, whether it is done already, how it is done and undone.

The plan (plan.py) makes them, `raceday install` tells or does them in their order, `--uninstall` undoes them from the
last to the first. A step that is done already is neither told nor done again.
"""

import contextlib
import os
import pathlib
import secrets
import stat
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from raceday.install.machine import BELOW_DATA, Machine
from shared.errors import StorageError

# What must happen once, at the end, if a step with this mark was done.
Effect = Literal["modules", "udev", "units", "broker", "access", "network", "services"]
UNITS: Final = "/etc/systemd/system"
WANTS: Final = f"{UNITS}/multi-user.target.wants"


class Step(Protocol):
    """One thing that an installation does."""

    @property
    def effects(self) -> frozenset[Effect]: ...
    def description(self) -> str:
        """What it does, as a line of the plan."""

    def is_done(self, machine: Machine) -> bool: ...
    def do(self, machine: Machine) -> None:
        """Does it. Raises OperatorError."""

    def undo(self, machine: Machine) -> str:
        """Removes what it made, and returns a line about it; "" where nothing is removed."""


class StaysForGood:
    """Of steps that made data, or what is the user's from then on: nothing of them is removed."""

    __slots__ = ()

    def undo(self, machine: Machine) -> str:
        del machine
        return ""


@dataclass(frozen=True, slots=True)
class MakeUser(StaysForGood):
    """A user of the system with a group of the same name, and no shell. Its data may remain: it must be no other's."""

    name: str
    home: str
    effects: frozenset[Effect] = frozenset()

    def description(self) -> str:
        return f"make the user and group {self.name}"

    def is_done(self, machine: Machine) -> bool:
        return self.name in machine.names("/etc/passwd")

    def do(self, machine: Machine) -> None:
        words = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", self.home]
        machine.run([*words, "--shell", "/usr/sbin/nologin", self.name], f"making the user {self.name}")


@dataclass(frozen=True, slots=True)
class MakeFolder:
    """A folder with its owner and mode. One with data or keys stays when all else is removed."""

    path: str
    mode: int
    owner: str = "root"
    effects: frozenset[Effect] = frozenset()

    def description(self) -> str:
        return f"make the folder {self.path} ({self.owner}, {self.mode:04o})"

    def is_done(self, machine: Machine) -> bool:
        path = machine.path(self.path)
        return path.is_dir() and stat.S_IMODE(path.stat().st_mode) == self.mode and owner_is(machine, path, self.owner)

    def do(self, machine: Machine) -> None:
        path = machine.path(self.path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"the folder {path} cannot be made ({error.strerror}).") from None
        # A link in one of root's folders is root's choice (data on another disk); one that the service laid is refused.
        is_the_services = BELOW_DATA.fullmatch(self.path) is not None
        machine.give(path if is_the_services else path.resolve(), self.owner, "", self.mode)

    def undo(self, machine: Machine) -> str:
        path = machine.path(self.path)
        if path.is_symlink() or not path.is_dir() or any(path.iterdir()):
            return ""
        path.rmdir()
        return f"removed the empty folder {self.path}"


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file that is ours alone: it is as it must be, or is written anew."""

    path: str
    text: str
    mode: int = 0o644
    owner: str = "root"
    effects: frozenset[Effect] = frozenset()

    def description(self) -> str:
        return f"write {self.path}"

    def is_done(self, machine: Machine) -> bool:
        path = machine.path(self.path)
        if machine.read(self.path) != self.text.encode():
            return False
        return stat.S_IMODE(path.stat().st_mode) == self.mode and owner_is(machine, path, self.owner)

    def do(self, machine: Machine) -> None:
        machine.write(self.path, self.text.encode(), self.mode, self.owner)

    def undo(self, machine: Machine) -> str:
        if machine.read(self.path) is None:
            return ""
        machine.remove(self.path)
        _remove_if_empty(machine.path(self.path).parent)
        return f"removed {self.path}"


@dataclass(frozen=True, slots=True)
class WriteConfig(StaysForGood):
    """A config to start from: it is the user's from then on, and neither changed nor removed."""

    path: str
    text: str
    group: str = "raceday"
    effects: frozenset[Effect] = frozenset({"services"})

    def description(self) -> str:
        return f"write {self.path}, which is yours from then on"

    def is_done(self, machine: Machine) -> bool:
        return machine.read(self.path) is not None

    def do(self, machine: Machine) -> None:
        machine.write(self.path, self.text.encode(), 0o640, "root", self.group)


@dataclass(frozen=True, slots=True)
class ReplaceLines(StaysForGood):
    """Lines of a config that stand there as this program wrote them, replaced; lines that were edited stay."""

    path: str
    old: str
    new: str
    what: str
    effects: frozenset[Effect] = frozenset({"services"})

    def description(self) -> str:
        return f"change {self.path}: {self.what}"

    def is_done(self, machine: Machine) -> bool:
        return self.old not in (machine.read(self.path) or b"").decode("utf-8", "replace")

    def do(self, machine: Machine) -> None:
        text = (machine.read(self.path) or b"").decode("utf-8", "replace")
        machine.write(self.path, text.replace(self.old, self.new, 1).encode(), 0o640, "root", "raceday")


@dataclass(frozen=True, slots=True)
class RemoveFile(StaysForGood):
    """A file that this program made earlier and that is needed no more."""

    path: str
    effects: frozenset[Effect] = frozenset()

    def description(self) -> str:
        return f"remove {self.path}: the config names nothing any more that needs it"

    def is_done(self, machine: Machine) -> bool:
        return not machine.path(self.path).exists()

    def do(self, machine: Machine) -> None:
        machine.remove(self.path)
        _remove_if_empty(machine.path(self.path).parent)


@dataclass(frozen=True, slots=True)
class MakeLink:
    """A symbolic link. `keep`: an existing one that leads elsewhere is the user's choice, and stays."""

    path: str
    target: str
    keep: bool = False
    owner: str = "root"
    effects: frozenset[Effect] = frozenset()

    def description(self) -> str:
        return f"link {self.path} to {self.target}"

    def is_done(self, machine: Machine) -> bool:
        path = machine.path(self.path)
        return path.is_symlink() and (self.keep or str(path.readlink()) == self.target)

    def do(self, machine: Machine) -> None:
        path = machine.path(self.path)
        # The folder may be a service's, which must not foresee the name.
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.symlink_to(self.target)
            temporary.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise StorageError(f"{path} cannot be made a link to {self.target} ({error.strerror}).") from None

    def undo(self, machine: Machine) -> str:
        if self.keep or not machine.path(self.path).is_symlink():
            return ""
        machine.remove(self.path)
        return f"removed {self.path}"


@dataclass(frozen=True, slots=True)
class EnableService:
    """A unit, or an instance of a template (`raceday-bridge@car-1.service`), that starts with the machine."""

    unit: str
    effects: frozenset[Effect] = frozenset({"units", "services"})

    def description(self) -> str:
        return f"start {self.unit} with the machine"

    def is_done(self, machine: Machine) -> bool:
        return machine.path(f"{WANTS}/{self.unit}").is_symlink()

    def do(self, machine: Machine) -> None:
        prefix, at, _ = self.unit.partition("@")
        file = f"{prefix}@.service" if at else self.unit
        MakeLink(f"{WANTS}/{self.unit}", f"{UNITS}/{file}").do(machine)

    def undo(self, machine: Machine) -> str:
        if not self.is_done(machine):
            return ""
        if machine.is_running:
            machine.attempt(["systemctl", "disable", "--now", self.unit])
        machine.remove(f"{WANTS}/{self.unit}")
        return f"stopped and disabled {self.unit}"


@dataclass(frozen=True, slots=True)
class DisableService(StaysForGood):
    """A unit that starts with the machine no more: the config has nothing for it to do."""

    unit: str
    effects: frozenset[Effect] = frozenset({"units"})

    def description(self) -> str:
        return f"stop {self.unit}, and do not start it with the machine: the config has nothing for it to do"

    def is_done(self, machine: Machine) -> bool:
        return not EnableService(self.unit).is_done(machine)

    def do(self, machine: Machine) -> None:
        EnableService(self.unit).undo(machine)


def owner_is(machine: Machine, path: pathlib.Path, owner: str) -> bool:
    """Does the file belong to this user? Whoever is not root cannot give files away, and is not asked."""
    return os.geteuid() != 0 or path.stat().st_uid == machine.ids(owner, owner)[0]


def _remove_if_empty(folder: pathlib.Path) -> None:
    """Removes a folder of drop-ins that was made for one file."""
    if folder.name.endswith(".d") and folder.name.startswith("raceday-") and not any(folder.iterdir()):
        folder.rmdir()
