"""The guard's link to the fail-safe process: a heartbeat each tick, a goodbye after the final neutral."""

import contextlib
import os
import socket
import subprocess
import sys
from typing import Final

from vehicle.process.child_main import SINGLE_THREADED
from vehicle.process.log import log

HEARTBEAT: Final = b"."
GOODBYE: Final = b"q"
READY: Final = b"r"
RECALIBRATED: Final = b"c"


class FailsafeLink:
    """One fail-safe process and the socket to it. Not started until `start`."""

    def __init__(self, config_path: str) -> None:
        self._config_path = config_path
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._ready = False

    def start(self) -> None:
        """Start the process; `heartbeat` restarts it if it dies."""
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        arguments = [
            "--config",
            self._config_path,
            "--guard-fd",
            str(theirs.fileno()),
            "--lap-fd",
            "-1",
            "--parent",
            "0",
        ]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "vehicle.guard.failsafe", *arguments],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=os.environ | SINGLE_THREADED,
            )
        finally:
            theirs.close()

    @property
    def ready(self) -> bool:
        """Whether the process has loaded everything that it needs."""
        if not self._ready and self._socket is not None:
            with contextlib.suppress(BlockingIOError):
                self._ready = self._socket.recv(1) == READY
        return self._ready

    def poll_exit(self) -> int | None:
        """The exit code of the process if it ended, else None."""
        return self._process.poll() if self._process is not None else None

    def heartbeat(self) -> None:
        """Report that the guard is alive. A process that died is restarted: it stops the car if the guard dies."""
        if self._process is None or self._socket is None:
            return
        try:
            self._socket.send(HEARTBEAT)
        except BlockingIOError:
            return  # it has enough heartbeats to read
        except OSError:
            log("the fail-safe process is gone; another one is started.")
            self._reset()
            self.start()

    def notify_recalibrated(self) -> None:
        """Report that the calibration file was rewritten; a process that cannot be notified is restarted."""
        if self._socket is not None:
            try:
                self._socket.send(RECALIBRATED)
            except OSError:
                self._reset()
                self.start()

    def close(self, patience_s: float, *, neutral: bool) -> None:
        """End the link. A goodbye is sent only if the motors are `neutral`; without it the process sets neutral."""
        if self._process is None or self._socket is None:
            return
        with contextlib.suppress(OSError):
            if neutral:
                self._socket.send(GOODBYE)
            self._socket.close()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reset()

    def _reset(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.kill()  # a process without its socket may still be ending
            self._process.wait()
        self._process, self._socket, self._ready = None, None, False
