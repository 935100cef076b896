"""The backups of a station: made, checked and restored one at a time, each act in a process of its own (worker.py).

Made by the station's command, called by the web. A restore is prepared while the station runs; then the station closes,
`commit_if_wanted` makes it certain, and the start that follows finishes it (store/recovery/restoring.py).
"""

import datetime as dt
import json
import pathlib
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from shared.errors import BadInput, Refused, StorageError
from shared.text import text
from shared.text.sentence import recorded
from station.service.backups.contents import Contents
from station.store.recovery.restoring import Restore, commit, drop_staged, is_committed, last_restore, restore_of

FOLDER = "backups"
MAX_FILES = 20
MADE = "raceday"  # how the names of backups begin that were made here
Act = Literal["make", "check", "prepare"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.zip", re.ASCII)


@dataclass(frozen=True, slots=True)
class Work:
    """What is being done, or was last: `share` of it from 0 to 1; `error`: why it failed, "" if it did not.

    `left_out`: what could not be put in the backup that was made, "" if all is in it. `there` and `here`: what the
    checked backup holds, and the station.
    """

    act: Act
    file: str
    share: float = 0.0
    error: str = ""
    over: bool = False
    left_out: str = ""
    there: Contents | None = None
    here: Contents | None = None


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A backup on the station's disk."""

    name: str
    bytes: int
    utc_ns: int


class StationBackups:
    """Thread-safe. `restart` is called when a restore is prepared: it lets the station close and start again."""

    def __init__(
        self,
        data_dir: pathlib.Path,
        restart: Callable[[], None] = lambda: None,
        utc_now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.data_dir, self.folder = data_dir, data_dir / FOLDER
        self._restart, self._utc_now = restart, utc_now
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._wanted: Restore | None = None
        self.work: Work | None = None

    @property
    def busy(self) -> bool:
        return self.work is not None and not self.work.over

    @property
    def restarting(self) -> bool:
        """Is a restore prepared, so that the station is about to start again?"""
        return self._wanted is not None

    @property
    def last(self) -> Restore | None:
        """The last restore of this station."""
        return last_restore(self.data_dir)

    def files(self) -> tuple[BackupFile, ...]:
        """The backups on the disk, the newest first."""
        found = [(path, path.stat()) for path in self.folder.glob("*.zip") if _NAME.fullmatch(path.name)]
        listed = [BackupFile(path.name, status.st_size, status.st_mtime_ns) for path, status in found]
        return tuple(sorted(listed, key=lambda each: each.utc_ns, reverse=True))

    def made_here(self) -> tuple[BackupFile, ...]:
        """Those that an official made of this station, the newest first: neither uploaded nor kept before a restore."""
        return tuple(each for each in self.files() if each.name.startswith(f"{MADE}-"))

    def path(self, name: str) -> pathlib.Path:
        """The path of a backup. Raises BadInput if there is none of that name."""
        path = self.folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise BadInput(text("There is no backup {name}.", name=repr(name[:60])))
        return path

    def new_path(self, kind: str) -> pathlib.Path:
        """Where a new backup goes. Raises Refused if there are too many, StorageError."""
        if len(self.files()) >= MAX_FILES:
            raise Refused(text("There are {count} backups on the disk: delete one first.", count=MAX_FILES))
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self.folder}: cannot be created ({error.strerror}).") from None
        stamp, number = f"{self._utc_now():%Y-%m-%d-%H%M%S}", 1
        while (path := self.folder / f"{kind}-{stamp}{f'-{number}' if number > 1 else ''}.zip").exists():
            number += 1
        return path

    def make(self) -> str:
        """Begins a backup; returns its name. Raises Refused while other work goes on, StorageError."""
        path = self.new_path(MADE)
        self._begin(Work("make", path.name), [str(path)])
        return path.name

    def check(self, name: str) -> None:
        """Begins to check a backup and to look what is in it. Raises BadInput, Refused."""
        self._begin(Work("check", name), [str(self.path(name))])

    def restore(self, name: str, person: str) -> None:
        """Begins to restore a backup that was checked a moment ago. Raises BadInput, Refused, StorageError."""
        path, work = self.path(name), self.work
        if work is None or work.act != "check" or work.file != name or work.there is None:
            raise Refused(text("Check this backup first, to see what it holds."))
        kept = self.new_path("before-restore")
        self._begin(Work("prepare", name, there=work.there, here=work.here), [str(path), str(kept)], person)

    def remove(self, name: str) -> None:
        """Deletes a backup from the disk. Raises BadInput, Refused, StorageError."""
        path = self.path(name)
        if self.busy and self.work is not None and self.work.file == name:
            raise Refused(text("Wait until the work on this backup is over."))
        try:
            path.unlink()
        except OSError as error:
            raise StorageError(f"{path}: cannot be deleted ({error.strerror}).") from None

    def commit_if_wanted(self, run_is_on: bool) -> None:
        """Called when the station is closed and its lock still held: from here on the prepared restore happens.

        A run that was opened while the restore was prepared is worth more: then nothing is restored.
        """
        if self._wanted is not None and not run_is_on:
            commit(self.data_dir, self._wanted)
        elif self._wanted is not None:
            drop_staged(self.data_dir)

    def wait(self, timeout_s: float) -> None:
        """Waits for the work that goes on, if any."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def remove_left_over(self) -> None:
        """Removes what a kill has left of work on backups, with copies of the key in it. Called at the start."""
        left = [*self.data_dir.glob("check.*"), *self.folder.glob("*.zip.*"), *self.folder.glob("*.part")]
        for path in left:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if not is_committed(self.data_dir):
            drop_staged(self.data_dir)

    def close(self) -> None:
        """Ends the work that goes on; what is left of it, the next start removes."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        self.wait(5.0)

    def _begin(self, work: Work, paths: list[str], person: str = "") -> None:
        with self._lock:
            if self.busy or self.restarting:
                raise Refused(text("The station is at work on a backup: wait until it is done."))
            self.work = work
        command = [sys.executable, "-m", "station.service.backups.worker", work.act, str(self.data_dir), *paths]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self._thread = threading.Thread(target=self._follow, args=(self._process, work, person), name="backup")
        self._thread.start()

    def _follow(self, process: "subprocess.Popen[bytes]", work: Work, person: str) -> None:
        """Takes what the worker says until it ends."""
        reported: dict[str, Any] = {}
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                reported |= json.loads(line)
                self.work = replace(work, share=float(reported.get("share", 0.0)))
        process.wait()
        self.work = self._outcome(work, reported)
        if "done" in reported and work.act == "prepare":
            self._wanted = replace(restore_of(reported["done"]), person=person)
            self._restart()

    def _outcome(self, work: Work, reported: dict[str, Any]) -> Work:
        if "done" not in reported:
            drop_staged(self.data_dir)
            error = str(reported.get("error", "")) or text("The work on the backup ended before it was done.")
            return replace(work, over=True, error=recorded(error))
        if work.act == "make":
            return replace(work, over=True, share=1.0, left_out=recorded(reported["done"]["left_out"]))
        if work.act == "prepare":
            return replace(work, over=True, share=1.0)
        there, here = (Contents(**reported["done"][each]) for each in ("there", "here"))
        return replace(work, over=True, share=1.0, there=there, here=here)
