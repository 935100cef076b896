"""`raceday leaderboard --farm`: a farm beside the server, so that one command serves a whole virtual league.

It is a process of its own, as the leaderboard knows no simulator. Its key is made for this life of the server, known to
nobody, and revoked when the server stops; one that a killed server left is revoked by the next.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from leaderboard.accounts.keys import ApiKeys, NewApiKey
from leaderboard.core.access import ADMIN
from leaderboard.store.database import Store
from shared.errors import HardwareMissing
from shared.text import text

KEY_NAME = "Farm of this server"
NODE = "this-server"
_NEEDED = ("numba", "onnx", "onnxruntime", "cv2")
_LIVED_S, _LONGEST_S = 60.0, 60.0  # one that lived shorter is started again later and later
_END_S = 5.0
_LOG = logging.getLogger("leaderboard")


def require_farm_extras() -> None:
    """Raises HardwareMissing where models cannot be driven."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise HardwareMissing(
            text(
                "A farm on this machine needs {missing}: install the extras with "
                "`pip install 'raceday[simulator,virtual]'`.",
                missing=", ".join(missing),
            )
        )


def farm_command(url: str, jobs: int) -> tuple[str, ...]:
    """What is started. `jobs`: at a time, 0 for one a core."""
    words = (sys.executable, "-m", "raceday", "farm", "--server", url, "--node", NODE, "--end-with-input")
    return (*words, "--jobs", str(jobs)) if jobs else words


class ServedFarm:
    """The farm's process, started again whenever it ends. `command`: by which; `utc_ns`: the clock of the store."""

    def __init__(self, store: Store, command: Sequence[str], utc_ns: Callable[[], int]) -> None:
        self._keys, self._command, self._utc_ns = ApiKeys(store), tuple(command), utc_ns
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._key: NewApiKey | None = None
        self._thread = threading.Thread(target=self._keep_running, name="farm", daemon=True)

    def start(self) -> None:
        """Start it, once the server takes calls."""
        self._revoke_left()
        self._key = self._keys.create(ADMIN, KEY_NAME, {"farm"}, (), None, self._utc_ns())
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end, and revoke its key; while the store is open. Idempotent."""
        with self._lock:
            first = not self._stopping.is_set()
            self._stopping.set()
            if self._process is not None:
                self._process.terminate()
        if first and self._key is not None:
            self._keys.revoke(ADMIN, self._key.record.key_id, self._utc_ns())

    def wait(self) -> None:
        """Until it has ended, by force after some seconds: what it drives then is given out again."""
        if self._key is None:
            return
        self._thread.join(_END_S)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join()

    def _revoke_left(self) -> None:
        for key in self._keys.list(ADMIN):
            if key.name == KEY_NAME and key.revoked_utc_ns is None:
                self._keys.revoke(ADMIN, key.key_id, self._utc_ns())

    def _keep_running(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began_s = time.monotonic()
            code = self._run_once()
            if self._stopping.is_set():
                return
            failures = 1 if time.monotonic() - began_s >= _LIVED_S else failures + 1
            after_s = min(_LONGEST_S, 2.0 ** (failures - 1))
            _LOG.warning("the farm ended (%d); it is started again in %.0f s", code, after_s)
            self._stopping.wait(after_s)

    def _run_once(self) -> int:
        """Its exit code. Its input stays open as long as this process lives: it ends when that is closed."""
        assert self._key is not None, "it is started with a key"
        environment = os.environ | {"RACEDAY_KEY": self._key.key}
        with self._lock:
            if self._stopping.is_set():
                return 0
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, env=environment)
            process = self._process
        process.wait()
        assert process.stdin is not None, "it is a pipe"
        process.stdin.close()
        return process.returncode
