"""Processes that are forked from a warm interpreter, killed and reaped. Called by kills.py and hall.py."""

import json
import os
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[3]


class ProcessForker:
    """The warm interpreter (fork_server.py)."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.system.durability.fork_server"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)

    def fork(self, log: pathlib.Path, *words: str) -> int:
        """Starts a program (`raceday` or `fast-sync`, then its arguments); its process id."""
        return self._ask([str(log), *words])

    def kill(self, pid: int) -> None:
        """kill -9; also of one that ended by itself."""
        os.kill(pid, signal.SIGKILL)
        self._ask(pid)

    def close(self) -> None:
        self._process.communicate(timeout=60)

    def _ask(self, request: object) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())
