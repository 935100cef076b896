"""Processes that a campaign kills and starts again, and calls that outlast it. Called by farm_kills.py."""

import contextlib
import pathlib
import random
import signal
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable

import psutil

from raceday.submitting.api import ApiAnswer
from shared.errors import RetryLater
from simulator.driving.policy import DEMO, find_model

ANSWER_S = 120.0  # the leaderboard is back by then


class KilledProcess:
    """A process that is started again whenever it was killed. `start()` starts it."""

    def __init__(self, start: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        self._start = start
        self._process = start()

    def kill(self) -> bool:
        """kill -9, and start again. Raises AssertionError if it had ended by itself."""
        assert self._process.poll() is None, f"a process ended by itself with {self._process.poll()}"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = self._start()
        return True

    def kill_child(self, rng: random.Random) -> bool:
        """kill -9 of one of its children; False if it has none."""
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self._process.pid).children(recursive=True)
            if children:
                rng.choice(children).kill()
                return True
        return False

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def again(call: Callable[[], ApiAnswer]) -> ApiAnswer:
    """The answer, once there is one: the leaderboard may be dead."""
    until_s = time.monotonic() + ANSWER_S
    while True:
        try:
            return call()
        except RetryLater:
            if time.monotonic() > until_s:
                raise
            threading.Event().wait(0.2)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


def demo_archive(folder: pathlib.Path) -> bytes:
    path, model = folder / "demo.tar.gz", find_model(DEMO).parent
    with tarfile.open(path, "w:gz") as archive:
        for each in sorted(model.iterdir()):
            archive.add(each, each.name)
    return path.read_bytes()
