"""A world process for the tests of its devices: started on demand, ended by pid."""

import pathlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray


def stadium(straight_m: float = 10.0, radius_m: float = 2.0, width_m: float = 1.2) -> NDArray[np.float64]:
    """A track to drive straight ahead on: rows of centre, inner, outer; the line lies in the middle of a straight."""
    half = straight_m / 2
    turn = np.linspace(-np.pi / 2, np.pi / 2, 40)

    def at(radius: float) -> NDArray[np.float64]:
        along = np.linspace(0.0, half, 20)
        right = np.c_[half + radius * np.cos(turn), radius * np.sin(turn)]
        first = np.c_[along[:-1], np.full(19, -radius)]
        return np.r_[first, right, np.c_[along[-2:0:-1], np.full(18, radius)]]

    def loop(radius: float) -> NDArray[np.float64]:
        return np.r_[at(radius), -at(radius), at(radius)[:1]]

    return np.c_[loop(radius_m), loop(radius_m - width_m / 2), loop(radius_m + width_m / 2)]


class RunningWorld:
    """A world process; its devices find it by `folder`. The track is the stadium, or a shipped one by name."""

    def __init__(self, folder: pathlib.Path, settings: str, track: str = "") -> None:
        self.folder = folder
        self._config = folder / "world.toml"
        if not track:
            track = str(folder / "stadium.npy")
            np.save(track, stadium())
        self._config.write_text(f'run_dir = "{folder}"\ntrack = "{track}"\n{settings}\n')
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "raceday", "world", "--config", str(self._config)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
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
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture
def stadium_track(tmp_path: pathlib.Path) -> str:
    path = tmp_path / "stadium.npy"
    np.save(path, stadium())
    return str(path)


@pytest.fixture
def start_world() -> Iterator[Callable[..., RunningWorld]]:
    """`start_world("speed = 5")` starts a world. Its folder has a short path: that of a socket may have 107 bytes."""
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
    """A list that a driver's thread fills and that a test can wait for."""

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
