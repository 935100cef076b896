"""Supervises the demo's processes as systemd would: starts them in order, restarts them, ends them by pid."""

import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.errors import OperatorError, StorageError

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0
RESTART_DELAY_S = 0.3
MAX_RESTARTS = 20
FULL_BYTES = 65_536
_POLL_S = 0.1
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None, use_errno=True).prctl


def _end_with_parent() -> None:
    """Lets the kernel send SIGTERM to the child if the demo itself is killed."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its name, its arguments after `raceday`, and whether it writes a ready file."""

    name: str
    words: tuple[str, ...]
    reports_ready: bool = True
    program: tuple[str, ...] = (sys.executable, "-m", "raceday")


@dataclass(slots=True)
class _Running:
    process: Process
    child: subprocess.Popen[bytes]
    restarts: int = 0
    wanted: bool = True
    starts: list[int] = field(default_factory=list)


class Supervisor:
    """Starts and watches processes; their logs, ready files and `pids.json` are in `folder`."""

    def __init__(
        self, folder: pathlib.Path, on_restart: Callable[[str, int], None] = lambda _name, _code: None
    ) -> None:
        self._folder = folder
        self._on_restart = on_restart
        self._running: dict[str, _Running] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._watch = threading.Thread(target=self._watch_loop, name="supervisor", daemon=True)
        self._watch.start()

    def start(self, process: Process) -> str:
        """Starts a process and waits until it is ready; returns the line of its ready file. Raises OperatorError."""
        ready = self._ready_file(process)
        with self._lock:
            self._running[process.name] = _Running(process, self._spawn(process))
            self._write_pids()
        if not process.reports_ready:
            return ""
        return self._wait_ready(process, ready)

    def stop(self, name: str) -> None:
        """Ends a process for good: SIGTERM, then SIGKILL."""
        with self._lock:
            running = self._running.pop(name, None)
            if running is None:
                return
            running.wanted = False
        _end(running.child)
        with self._lock:
            self._write_pids()

    def pid(self, name: str) -> int | None:
        with self._lock:
            running = self._running.get(name)
            return running.child.pid if running else None

    def restarts(self) -> dict[str, int]:
        with self._lock:
            return {name: running.restarts for name, running in self._running.items() if running.restarts}

    def close(self) -> None:
        """Ends all processes, the last started first."""
        self._closing.set()
        self._watch.join()
        for name in reversed(list(self._running)):
            # With a full disk pids.json cannot be written; ending the processes needs no disk.
            with contextlib.suppress(StorageError):
                self.stop(name)

    def log(self, name: str) -> pathlib.Path:
        return self._folder / f"{name}.log"

    def _ready_file(self, process: Process) -> pathlib.Path:
        return self._folder / f"{process.name}.ready"

    def _spawn(self, process: Process) -> subprocess.Popen[bytes]:
        self._ready_file(process).unlink(missing_ok=True)
        words = [*process.program, *process.words]
        if process.reports_ready:
            words += ["--ready-file", str(self._ready_file(process))]
        with self.log(process.name).open("ab") as log:
            # A session of its own: Ctrl-C reaches only this process, which ends the others in order.
            return subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  # one C call, looked up before the fork
            )

    def _wait_ready(self, process: Process, ready: pathlib.Path) -> str:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            if ready.exists() and (address := ready.read_text().strip()):
                return address
            with self._lock:
                code = self._running[process.name].child.poll()
            if code is not None and code != -signal.SIGKILL:
                break
            self._closing.wait(_POLL_S / 2)
        raise OperatorError(f"{process.name} did not start: {self._last_words(process.name)}")

    def _last_words(self, name: str) -> str:
        log = self.log(name)
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] if log.exists() else []
        if lines:
            return lines[-1]
        full = shutil.disk_usage(self._folder).free < FULL_BYTES
        return f"the disk of {self._folder} is full: free some space." if full else "it wrote no log."

    def _watch_loop(self) -> None:
        while not self._closing.wait(_POLL_S):
            with self._lock:
                ended = [r for r in self._running.values() if r.wanted and r.child.poll() is not None]
            for running in ended:
                self._restart(running)

    def _restart(self, running: _Running) -> None:
        code = running.child.returncode
        if running.restarts >= MAX_RESTARTS or self._closing.wait(RESTART_DELAY_S):
            return
        with self._lock:
            if not running.wanted:
                return
            try:
                running.child = self._spawn(running.process)
                self._write_pids()
            except (OSError, StorageError):
                # The disk is full: the next round tries again.
                return
            running.restarts += 1
        self._on_restart(running.process.name, code)

    def _write_pids(self) -> None:
        pids = {name: running.child.pid for name, running in self._running.items()}
        temporary = self._folder / "pids.json.new"
        try:
            temporary.write_text(json.dumps(pids))
            temporary.replace(self._folder / "pids.json")
        except OSError as error:
            raise StorageError(f"{self._folder}: cannot be written ({error.strerror}): free some space.") from None


def _end(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    try:
        child.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
