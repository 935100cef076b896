"""Children that drive jobs, as a farm sees them: each started warm by child_starter.py, each for one job."""

import contextlib
import itertools
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path

from shared.text import text
from simulator.virtual_races.isolated import (
    WORK,
    EvaluationJob,
    EvaluationReport,
    cpu_limit_s,
    read_report,
    wall_limit_s,
    write_job,
)
from vehicle.models.run_isolated import ChildFailed, child_environment, took_too_long, what_it_said

STARTS = 2  # so often a job is begun whose child ended with the process that it was started from
_STARTER = "simulator.farm.child_starter"


class _StarterGone(Exception):
    """The process that the children are started from has ended, and the children with it."""


class DrivingChildren:
    """Drives jobs in children. Safe to call from any thread; `close` ends what still runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._starter: _Starter | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="raceday-children-")
        self._closed = False

    def drive(self, job: EvaluationJob, limit_s: float | None = None) -> EvaluationReport:
        """Drive it in a child of its own. Raises as `evaluate_isolated`."""
        for _ in range(STARTS):
            with contextlib.suppress(_StarterGone):
                return self._started().drive(job, limit_s or wall_limit_s(job))
        raise ChildFailed(text("The process that drives the models was ended {n} times.", n=STARTS))

    def close(self) -> None:
        """End them."""
        with self._lock:
            self._closed = True
            if self._starter is not None:
                self._starter.close()
        self._folder.cleanup()

    def _started(self) -> "_Starter":
        with self._lock:
            if self._closed:
                raise ChildFailed(text("The farm is ending."))
            if self._starter is None or self._starter.gone:
                self._starter = _Starter(Path(self._folder.name))
            return self._starter


class _Starter:
    """One life of the process that the children are started from."""

    def __init__(self, folder: Path) -> None:
        """Raises ChildFailed with its sentence if it does not come to life."""
        self._folder, self._numbers = folder, itertools.count(1)
        self._ends: dict[int, Future[int]] = {}
        self._lock = threading.Lock()
        self.gone = False
        self._socket, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its, tempfile.TemporaryFile() as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _STARTER, str(its.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=[its.fileno()],
                env=child_environment(),
                start_new_session=True,  # Ctrl-C is the farm's, which lets the children drive to the end
            )
            its.close()
            if self._socket.recv(64) != b"ready":
                self._process.wait()
                self._socket.close()
                errors.seek(0)
                sentence = errors.read().decode(errors="replace").strip().split("\n")[-1]
                raise ChildFailed(sentence or text("The process that drives the models did not start."))
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def drive(self, job: EvaluationJob, limit_s: float) -> EvaluationReport:
        """As DrivingChildren. Raises _StarterGone."""
        number, ended = next(self._numbers), Future[int]()
        folder = self._folder / f"{self._process.pid}-{number}"
        folder.mkdir()
        with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
            try:
                message = f"start {number} {cpu_limit_s(limit_s)} {folder}\n{write_job(job)}".encode()
                self._send(number, ended, message, [printed.fileno(), errors.fileno()])
                code = self._wait(number, ended, limit_s, job)
            finally:
                shutil.rmtree(folder)
            return read_report(what_it_said(code, printed, errors, WORK, Path(job.model)), Path(job.model))

    def _wait(self, number: int, ended: Future[int], limit_s: float, job: EvaluationJob) -> int:
        try:
            return ended.result(limit_s)
        except TimeoutError:
            with contextlib.suppress(OSError):  # it is gone, and its children with it
                self._socket.send(f"kill {number}".encode())
        ended.result()
        raise ChildFailed(f"{job.model}: {took_too_long(WORK, limit_s)}")

    def _send(self, number: int, ended: Future[int], message: bytes, files: list[int]) -> None:
        with self._lock:
            if self.gone:
                raise _StarterGone
            self._ends[number] = ended
        try:
            socket.send_fds(self._socket, [message], files)
        except OSError as error:
            raise _StarterGone from error

    def _listen(self) -> None:
        """Tell of each child that ended, until the process itself has."""
        while message := self._receive():
            _, number, code = message.split()
            self._ends.pop(int(number)).set_result(int(code))
        with self._lock:
            self.gone = True
            cut_off, self._ends = self._ends, {}
        self._process.wait()
        self._socket.close()
        for ended in cut_off.values():
            ended.set_exception(_StarterGone())

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(64)
        except OSError:
            return b""

    def close(self) -> None:
        """End it and its children."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._listener.join()
