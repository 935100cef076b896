"""A private PostgreSQL cluster on a socket, for tests and benchmarks."""

import contextlib
import dataclasses
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator


def programs() -> pathlib.Path | None:
    """The folder of initdb and pg_ctl; None if PostgreSQL is not installed."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _as_nobody_special() -> tuple[list[str], int]:
    """PostgreSQL refuses to run as root: a prefix for commands, and the user who must own the folder."""
    if os.getuid() != 0:
        return [], os.getuid()
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return ["runuser", "-u", name, "--"], pwd.getpwnam(name).pw_uid
    raise AssertionError("PostgreSQL does not run as root and there is no other user")


@dataclasses.dataclass
class Cluster:
    """A cluster; `options`: more words for the server."""

    prefix: list[str]
    programs: pathlib.Path
    folder: pathlib.Path
    options: str = "-c fsync=off"

    @property
    def url(self) -> str:
        """The URL of its first database."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs."""
        # pg_ctl's child keeps the descriptors: without a file of its own the call would wait for the child.
        with (self.folder / "log").open("ab") as log:
            words = [*self.prefix, str(self.programs / program), "-D", str(self.folder / "data"), *arguments]
            subprocess.run(words, cwd=self.folder, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self) -> None:
        """Start the server."""
        self.run("pg_ctl", "-w", "-o", f"-k {self.folder} -c listen_addresses='' {self.options}", "start")

    def stop(self) -> None:
        """Stop it at once, as a power cut would."""
        self.run("pg_ctl", "-w", "-m", "immediate", "stop")


@contextlib.contextmanager
def cluster(installed: pathlib.Path, options: str = "-c fsync=off") -> Iterator[Cluster]:
    """A new cluster that runs; removed at the end."""
    prefix, owner = _as_nobody_special()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="raceday-pg-"))
    os.chown(folder, owner, -1)
    made = Cluster(prefix, installed, folder, options)
    try:
        made.run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8")
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder)
