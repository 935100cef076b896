"""The guard's line to its keeper: a beat each tick, and a goodbye when the motors are neutral at the end."""

import contextlib
import os
import socket
import subprocess
import sys
from typing import Final

from vehicle.guard.child import SINGLE_THREADED
from vehicle.process.log import log

HEARTBEAT: Final = b"."
GOODBYE: Final = b"q"
READY: Final = b"r"
RECALIBRATED: Final = b"c"


class FailsafeLink:
    """One keeper process and the socket to it. Not started until `start`."""

    def __init__(self, config_path: str) -> None:
        self._config_path = config_path
        self._process: subprocess.Popen[bytes] | None = None
        self._ours: socket.socket | None = None
        self._ready = False

    def start(self) -> None:
        """Start it; it is watched over by `beat`."""
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._ours.setblocking(False)
        words = ["--config", self._config_path, "--guard-fd", str(theirs.fileno()), "--lap-fd", "-1", "--parent", "0"]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vehicle.guard.failsafe", *words],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=os.environ | SINGLE_THREADED,
            )
        finally:
            theirs.close()

    @property
    def ready(self) -> bool:
        """Has it loaded everything that it needs?"""
        if not self._ready and self._ours is not None:
            with contextlib.suppress(BlockingIOError):
                self._ready = self._ours.recv(1) == READY
        return self._ready

    def exited(self) -> int | None:
        """Its exit code, if it died; then `start` gives a new one."""
        return self._process.poll() if self._process is not None else None

    def beat(self) -> None:
        """We are alive. A keeper that died is started again: it is the last one who could stop the car."""
        if self._process is None or self._ours is None:
            return
        try:
            self._ours.send(HEARTBEAT)
        except BlockingIOError:
            return  # it has plenty of beats to read
        except OSError:
            log("the keeper is gone; another one is started.")
            self._forget()
            self.start()

    def recalibrated(self) -> None:
        """The calibration's file was written anew; one that cannot be told is started again and reads it then."""
        if self._ours is not None:
            try:
                self._ours.send(RECALIBRATED)
            except OSError:
                self._forget()
                self.start()

    def let_go(self, patience_s: float, *, neutral: bool) -> None:
        """The guard ends. Only if the motors are `neutral` is that said; else the keeper sees a dead guard."""
        if self._process is None or self._ours is None:
            return
        with contextlib.suppress(OSError):
            if neutral:
                self._ours.send(GOODBYE)
            self._ours.close()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._forget()

    def _forget(self) -> None:
        if self._ours is not None:
            self._ours.close()
        if self._process is not None:
            self._process.kill()  # one that no longer listens may still take its time to end
            self._process.wait()
        self._process, self._ours, self._ready = None, None, False
