"""One release: an environment with the pinned packages of the machine's roles and the program. A step of the plan."""

import contextlib
import hashlib
import json
import pathlib
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from raceday.install.machine import Machine
from raceday.install.releases.begun_release import begin_as
from raceday.install.releases.program_wheel import ProgramWheel
from raceday.install.shipped_files import ROLES, Role
from raceday.install.steps import Effect, StaysForGood
from shared.clock_set import BUILT_NS
from shared.errors import OperatorError, StorageError

OPT = "/opt/raceday"
RELEASES = f"{OPT}/releases"
CURRENT, PREVIOUS = f"{OPT}/current", f"{OPT}/previous"
WORK = "/var/cache/raceday-install"
MARK = "raceday-release.json"  # written last: a release without it is not whole
SYSTEM_PACKAGES = "/usr/lib/python3/dist-packages"


@dataclass(frozen=True, slots=True)
class MakeRelease:
    """The environment of one version for these roles. `wheels`: where packages come from, None for pip's registries.

    `base`: the folder of a whole release of the same program and Python that it begins as; "" for none.
    """

    program: ProgramWheel
    roles: tuple[Role, ...]
    python: str
    python_version: tuple[int, int]
    wheels: pathlib.Path | None
    base: str = ""
    effects: frozenset[Effect] = frozenset({"services"})

    @property
    def folder(self) -> str:
        """Of one program, these roles and this Python: what runs is never changed, a further role is a new release."""
        made_of = " ".join((self.program.digest, *self.roles, *map(str, self.python_version)))
        return f"{RELEASES}/{self.program.version}-{hashlib.sha256(made_of.encode()).hexdigest()[:8]}"

    def description(self) -> str:
        source = "pip's registries" if self.wheels is None else str(self.wheels)
        return f"install Raceday {self.program.version} for {', '.join(self.roles)} into {self.folder}, from {source}"

    def is_done(self, machine: Machine) -> bool:
        return frozenset(self.roles) <= roles_of(machine, self.folder)

    def do(self, machine: Machine) -> None:
        """Makes the environment; one that was cut off, or of other roles, is made anew. Raises OperatorError.

        What fails is removed: the disk may be full, and a journal is on it.
        """
        try:
            machine.path(RELEASES).mkdir(parents=True, exist_ok=True)
            machine.remove(f"{self.folder}/{MARK}")
            self._make_environment(machine)
            self._install_packages(machine)
            # A power cut must not leave files of no bytes in a release that says that it is whole.
            machine.run(["sync", "-f", self.folder], "writing the release to disk")
        except OSError as error:  # of our own files; a command's is an OperatorError already
            where, why = error.filename or machine.path(self.folder), error.strerror or error
            raise StorageError(f"{where} cannot be written ({why}).{self._remove_failed(machine)}") from None
        except OperatorError as error:
            raise type(error)(f"{error}{self._remove_failed(machine)}") from None
        except BaseException:
            self._remove_failed(machine)
            raise
        mark = {"version": self.program.version, "roles": list(self.roles)}
        machine.write(f"{self.folder}/{MARK}", json.dumps(mark).encode(), 0o644)

    def _remove_failed(self, machine: Machine) -> str:
        """Removes what was begun, unless it is in use; what stays, as words that follow the reason ("": nothing)."""
        if folder_in_use(machine) == self.folder:
            return ""
        try:
            machine.remove(self.folder)
        except OperatorError as error:
            return f" What was begun of it stays: {error}"
        return ""

    def _make_environment(self, machine: Machine) -> None:
        words = [self.python, "-m", "venv", "--clear", *(["--without-pip"] if self.base else []), self.folder]
        machine.run(words, "making the environment (is the package python3-venv installed?)")
        if self.base:
            begin_as(machine.path(self.base), machine.path(self.folder), (self.base, self.folder))

    def _install_packages(self, machine: Machine) -> None:
        pip = [f"{self.folder}/bin/python", "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
        with self._work(machine) as work:
            locks = [word for role in self.roles for word in ("-r", f"{work}/{role}.lock")]
            source = [] if self.wheels is None else ["--no-index", "--find-links", self._wheels(machine, work)]
            pinned = ["--require-hashes", "--only-binary", ":all:", *locks]
            try:
                machine.run([*pip, *source, *pinned], "installing the packages")
            except OperatorError as error:
                raise OperatorError(f"{error}{'' if source else _clock_words(time.time_ns())}") from None
            if not self.base:
                own = ["--no-deps", "--no-index", f"{work}/{self.program.path.name}"]
                machine.run([*pip, *own], "installing the program")

    def undo(self, machine: Machine) -> str:
        """Removes all releases: no service uses them any more."""
        if not machine.path(RELEASES).exists():
            return ""
        machine.remove(RELEASES)
        machine.remove(PREVIOUS)
        return f"removed {RELEASES}"

    @contextlib.contextmanager
    def _work(self, machine: Machine) -> Iterator[str]:
        """A folder of the machine with the program and its pins, as commands in a root folder see it."""
        folder = machine.path(WORK)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            for role in self.roles:
                (folder / f"{role}.lock").write_text(self.program.locks[role])
            shutil.copy(self.program.path, folder)
            yield WORK
        finally:
            shutil.rmtree(folder)

    def _wheels(self, machine: Machine, work: str) -> str:
        """The folder of wheels as the machine sees it: copied, if it lies outside of a root folder."""
        assert self.wheels is not None
        folder = self.wheels.resolve()
        if machine.is_here:
            return str(folder)
        if folder.is_relative_to(machine.root):
            return f"/{folder.relative_to(machine.root)}"
        shutil.copytree(folder, machine.path(f"{work}/wheels"))
        return f"{work}/wheels"


def _clock_words(utc_ns: int) -> str:
    """What a registry's certificate says in many words to a machine whose clock has no battery."""
    if utc_ns >= BUILT_NS:
        return ""
    year = time.gmtime(utc_ns / 1e9).tm_year
    return (
        f"\nThe clock of this machine says {year}, and no certificate of a registry holds then: set it (sudo date -s "
        "'2026-12-31 07:00'), or name a folder with the packages by --wheels."
    )


def release_for(wanted: MakeRelease, machine: Machine) -> MakeRelease:
    """A release that is there, of the same program and Python, and serves these roles; else one that begins as it.

    Those that are asked: the one that runs this command, which comes back by itself where another is in use and does
    not do, and the one in use. One of another program is no base: what it holds and the new one does not would stay.
    """
    base = ""
    for folder in filter(None, (running_release(machine), folder_in_use(machine))):
        served = roles_of(machine, folder)
        same = replace(wanted, roles=tuple(role for role in ROLES if role in served))
        if not served or same.folder != folder:
            continue
        if frozenset(wanted.roles) <= served:
            return same
        base = base or folder
    return replace(wanted, base=base)


def running_release(machine: Machine) -> str:
    """The folder of the release that runs this command; "" if none of this machine's does."""
    prefix = pathlib.Path(sys.prefix).resolve()
    is_ours = machine.is_here and prefix.parent == pathlib.Path(RELEASES).resolve()
    return f"{RELEASES}/{prefix.name}" if is_ours else ""


def folder_in_use(machine: Machine) -> str:
    """The folder of the release in use; "" if there is none."""
    current = machine.path(CURRENT)
    return f"{OPT}/{current.readlink()}" if current.is_symlink() else ""


def roles_of(machine: Machine, folder: str) -> frozenset[str]:
    """The roles that a whole release serves; empty if it is not whole."""
    try:
        mark = json.loads(machine.read(f"{folder}/{MARK}") or b"{}")
    except ValueError:
        return frozenset()
    roles = mark.get("roles") if isinstance(mark, dict) else None
    return frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else frozenset()


@dataclass(frozen=True, slots=True)
class LinkSystemLgpio(StaysForGood):
    """Links the system's lgpio into the environment, where pip has none: on Python 3.13 (Raspberry Pi OS's own).

    Only this one library, and not all packages of the system (`--system-site-packages`): those are of other versions
    than the pinned ones. A step of its own, since python3-lgpio may come after the release.
    """

    folder: str
    effects: frozenset[Effect] = frozenset({"services"})

    def description(self) -> str:
        return f"link the system's lgpio into {self.folder}, if it has none of its own"

    def is_done(self, machine: Machine) -> bool:
        packages = self._packages(machine)
        if packages is None or not self._files(machine):
            return not self._files(machine)
        # A link of ours leads out of a root folder (an image), where it cannot be followed from here.
        own = packages / "lgpio.py"
        return own.exists() or (own.is_symlink() and not machine.is_here)

    def do(self, machine: Machine) -> None:
        packages = self._packages(machine)
        if packages is None or self.is_done(machine):  # the release that was made meanwhile has one of its own
            return
        for file in self._files(machine):
            (packages / file.name).unlink(missing_ok=True)
            (packages / file.name).symlink_to(f"{SYSTEM_PACKAGES}/{file.name}")

    def _packages(self, machine: Machine) -> pathlib.Path | None:
        return next(iter(machine.path(f"{self.folder}/lib").glob("python3.*/site-packages")), None)

    def _files(self, machine: Machine) -> list[pathlib.Path]:
        system = machine.path(SYSTEM_PACKAGES)
        return [*system.glob("lgpio.py"), *system.glob("_lgpio*.so")]


def remove_old_releases(machine: Machine) -> list[str]:
    """Removes what is neither in use nor the one before; returns the names."""
    kept = {machine.path(link).resolve().name for link in (CURRENT, PREVIOUS) if machine.path(link).is_symlink()}
    old = [each.name for each in machine.path(RELEASES).iterdir() if each.name not in kept]
    for name in old:
        machine.remove(f"{RELEASES}/{name}")
    return sorted(old)
