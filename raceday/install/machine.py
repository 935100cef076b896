"""The machine that is installed: its files and commands, on this machine or below a root folder (an image, a chroot).

Called by the steps of an installation. Paths are as the machine itself sees them ("/etc/raceday"); with a root folder
they lie below it, and commands run in it by chroot.
"""

import contextlib
import errno
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence

from shared.errors import OperatorError, StorageError

COMMAND_S = 1800.0  # pip on a Pi with a slow card
LAST_LINES = 6  # of a command's output, shown when it fails
NAMED_STAYS = 8  # of what could not be removed; there may be as many as the journal has files
LOCK = "/run/raceday-install.lock"
# What lies below a data folder is the service's, and so is each link there. The folder itself may be root's link to
# another disk.
BELOW_DATA = re.compile(r"(/var/lib/raceday[^/]*)/.+")


class Machine:
    """Reads, writes and runs. Raises OperatorError, with what a person can do, for whatever refuses."""

    def __init__(self, root: pathlib.Path = pathlib.Path("/")) -> None:
        self.root = root.resolve()
        self.is_here = self.root == pathlib.Path("/")

    @property
    def is_running(self) -> bool:
        """Does systemd run here, so that services can be started? Not below a root folder, nor in a container."""
        return self.is_here and pathlib.Path("/run/systemd/system").is_dir()

    def path(self, name: str) -> pathlib.Path:
        """Where a path of the machine lies. Raises OperatorError if links lead out of the root folder."""
        path = self.root / name.lstrip("/")
        if not self.is_here and not path.parent.resolve().is_relative_to(self.root):
            raise OperatorError(f"{path}: a link leads out of {self.root}: this installs only below it.")
        if match := BELOW_DATA.fullmatch(name):
            data = self.root / match[1].lstrip("/")
            links = [each for each in path.parents if each != data and each.is_relative_to(data) and each.is_symlink()]
            if links:
                raise OperatorError(
                    f"{links[0]}: is a link, which root does not follow in a service's folder: remove it."
                )
        return path

    @contextlib.contextmanager
    def installing(self) -> Iterator[bool]:
        """Holds the lock of installations; gives False below an upgrade, which holds it for those that it starts.

        Raises OperatorError if another installation runs.
        """
        path = self.path(LOCK)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageError(f"{path}: the lock of installations cannot be made ({error.strerror}).") from None
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(lock, 20).decode("ascii", "replace").strip()
                if holder != str(os.getppid()):
                    raise OperatorError(
                        f"another installation runs on this machine (process {holder or '?'}): wait until it has ended."
                    ) from None
                yield False
                return
            os.ftruncate(lock, 0)
            os.write(lock, str(os.getpid()).encode())
            yield True
        finally:
            os.close(lock)

    def read(self, name: str) -> bytes | None:
        """A file's bytes, None if it is not there."""
        try:
            return self.path(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StorageError(f"{self.path(name)} cannot be read ({error.strerror}).") from None

    def write(self, name: str, data: bytes, mode: int, owner: str = "root", group: str = "") -> None:
        """Puts a file in place at once: whoever looks sees the old one or the new one, never with a wider mode."""
        path = self.path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                self.give(pathlib.Path(temporary), owner, group, mode)
                pathlib.Path(temporary).replace(path)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    pathlib.Path(temporary).unlink()
                raise
        except OSError as error:
            raise StorageError(f"{path} cannot be written ({error.strerror}).") from None

    def give(self, path: pathlib.Path, owner: str, group: str, mode: int) -> None:
        """Sets owner, group (the owner's own, if it is "") and mode. Raises OperatorError for a link."""
        uid, gid = self.ids(owner, group or owner)
        try:
            # Opened once, so that nobody can lay a link between a look at it and the change.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise OperatorError(f"{path}: cannot be given to {owner} (a link? {error.strerror}).") from None
        try:
            if os.geteuid() == 0:
                os.fchown(handle, uid, gid)
            os.fchmod(handle, mode)
        finally:
            os.close(handle)

    def ids(self, user: str, group: str) -> tuple[int, int]:
        """The numbers of a user and a group, by its own lists. Raises OperatorError for one that is unknown."""
        return self._number("etc/passwd", user, "user"), self._number("etc/group", group, "group")

    def names(self, file: str) -> frozenset[str]:
        """All names of /etc/passwd or /etc/group."""
        text = (self.read(file) or b"").decode("utf-8", "replace")
        return frozenset(line.partition(":")[0] for line in text.splitlines() if ":" in line)

    def _number(self, file: str, name: str, what: str) -> int:
        if name == "root":
            return 0
        for line in (self.read(file) or b"").decode("utf-8", "replace").splitlines():
            parts = line.split(":")
            if parts[0] == name and len(parts) > 2 and parts[2].isdigit():
                return int(parts[2])
        raise OperatorError(f"there is no {what} {name} on this machine: run the installation again, it makes it.")

    def run(self, words: Sequence[str], what: str, *, user: str = "") -> str:
        """Runs a command to its end; returns what it printed. Raises OperatorError, which begins with `what`."""
        ran = self.attempt(words, user=user)
        if ran.returncode:
            output = "\n".join((ran.stdout + ran.stderr).strip().splitlines()[-LAST_LINES:])
            raise OperatorError(f"{what} did not work ({words[0]} ended with {ran.returncode}):\n{output}")
        return ran.stdout

    def attempt(self, words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        """Runs a command to its end, whatever its exit code. Raises OperatorError if there is no such program."""
        command = [*([] if self.is_here else ["chroot", str(self.root)]), *words]
        if user:
            command = self._as(user, words)
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        passed = ("TMPDIR", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "https_proxy", "http_proxy", "no_proxy")
        environment |= {name: os.environ[name] for name in passed if name in os.environ}
        try:
            return subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,  # what waits for an answer here would wait unseen
                capture_output=True,
                text=True,
                errors="replace",  # a file's name in a message may be of any bytes
                timeout=COMMAND_S,
                env=environment,
                cwd="/",
            )
        except FileNotFoundError:
            raise OperatorError(f"{words[0]} is not installed here: install it, then run this again.") from None
        except OSError as error:
            raise OperatorError(f"{words[0]} cannot be started ({error.strerror}).") from None
        except subprocess.TimeoutExpired:
            raise OperatorError(f"`{' '.join(words[:4])} …` did not end within {COMMAND_S:.0f} s.") from None

    def _as(self, user: str, words: Sequence[str]) -> list[str]:
        """A command as another user, without a shell: setpriv is part of util-linux, which every Debian has."""
        uid, gid = self.ids(user, user)
        chroot = [] if self.is_here else ["chroot", str(self.root)]
        return [*chroot, "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs", *words]

    def remove(self, *names: str) -> None:
        """Removes files, links, and folders with all in them, where they are there; goes on past what refuses.

        Of a disk that is mounted somewhere all is removed, and the empty mount point stays. Raises StorageError, which
        names what else stays.
        """
        stays = [sentence for name in names for sentence in _what_stays(self.path(name))]
        if stays:
            more = len(stays) - NAMED_STAYS
            named = [*stays[:NAMED_STAYS], *([f"and {more} more"] if more > 0 else [])]
            raise StorageError(f"{'; '.join(named)}.")


def _what_stays(removed: pathlib.Path) -> list[str]:
    """Removes it; what could not be removed, each with why. A folder above such a thing is not named as well."""
    refused: list[tuple[pathlib.Path, OSError]] = []

    def note(_call: object, path: str, raised: tuple[object, BaseException, object]) -> None:
        if isinstance(raised[1], OSError) and not isinstance(raised[1], FileNotFoundError):
            refused.append((pathlib.Path(path), raised[1]))

    try:
        if removed.is_dir() and not removed.is_symlink():
            shutil.rmtree(removed, onerror=note)  # `onexc` is there from Python 3.12 on
        else:
            removed.unlink(missing_ok=True)
    except OSError as error:
        refused.append((removed, error))
    stays, known = list[str](), list[pathlib.Path]()
    for path, refusal in refused:  # what is in a folder comes before it
        is_named = refusal.errno == errno.ENOTEMPTY and any(each.is_relative_to(path) for each in known)
        known.append(path)
        if not is_named and not (refusal.errno == errno.EBUSY and _is_empty(path)):  # a mount point (rmdir(2))
            stays.append(f"{path} cannot be removed ({refusal.strerror})")
    return stays


def _is_empty(path: pathlib.Path) -> bool:
    try:
        return not any(path.iterdir())
    except OSError:  # no folder, or a disk that answers no more
        return False
