"""A world process for the tests of its devices: started on demand, ended by pid."""

import pathlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator

import pytest


class RunningWorld:
    """A world process; `folder` is what its devices are told."""

    def __init__(self, folder: pathlib.Path, settings: str) -> None:
        self.folder = folder
        self._config = folder / "world.toml"
        self._config.write_text(f'run_dir = "{folder}"\n{settings}\n')
        self.start()

    def start(self) -> None:
        words = [sys.executable, "-m", "raceday", "world", "--config", str(self._config)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("listening on unix:"):
            self.process.wait(10)
            raise AssertionError(
                f"the world did not start: {line} {self.process.stderr and self.process.stderr.read()}"
            )

    def kill(self) -> None:
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        self.process.terminate()
        return self._reap()

    def _reap(self) -> int:
        self.process.communicate(timeout=10)
        return self.process.returncode


@pytest.fixture
def start_world() -> Iterator[Callable[..., RunningWorld]]:
    """`start_world("speed = 5")`. The folder's path is short: a socket's may have 107 bytes only."""
    worlds: list[RunningWorld] = []
    with tempfile.TemporaryDirectory(prefix="rw") as folder:

        def start(settings: str = "") -> RunningWorld:
            path = pathlib.Path(folder) / str(len(worlds))
            path.mkdir()
            worlds.append(RunningWorld(path, settings))
            return worlds[-1]

        yield start
        for world in worlds:
            if world.process.poll() is None:
                world.stop()


class Gathered:
    """A list that a driver's thread fills and a test waits on."""

    def __init__(self) -> None:
        self.items: list[object] = []
        self._changed = threading.Condition()

    def put(self, item: object) -> None:
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def wait(self, enough: Callable[[list[object]], bool], timeout_s: float = 20.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.items), timeout_s), self.items


@pytest.fixture
def gathered() -> Callable[[], Gathered]:
    return Gathered
