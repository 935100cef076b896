"""The real station process on a disk that really fills up: what a person sees, and how it recovers by itself."""

import contextlib
import json
import pathlib
import resource
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from station.commands.replay import check
from station.core import inputs as e
from station.store.journal import Journal
from tests.station.web.signed_in import bearer_for
from tests.system.durability.forked import ROOT
from tests.system.durability.load import STATION_CONFIG, FastGate


class Running:
    """A station with a gate that repeats every edge; `folder` holds the socket, `data` the journal."""

    def __init__(self, folder: pathlib.Path, data: pathlib.Path) -> None:
        self.data, self.log = data, folder / "log"
        self.gate = FastGate(folder / "gate", "world-1", lap_s=0.05, seed=1)
        config = folder / "station.toml"
        config.write_text(
            STATION_CONFIG.format(folder=folder, broker=1, max_laps=5).replace(f"{folder}/data", str(data))
        )
        command = [sys.executable, "-m", "raceday", "station", "--config", str(config)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=ROOT, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[-1]
        self.headers = bearer_for(data)

    def get(self, path: str) -> str:
        request = urllib.request.Request(self.url + path, headers=self.headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(answer.read().decode())

    def store(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("/api/v1/state"))["store"]
        return found

    def until(self, true: Callable[[], bool], timeout_s: float = 30.0) -> float:
        """Waits until the condition holds and returns the seconds; each answer of the station is awaited."""
        began, never = time.monotonic(), threading.Event()
        while not true():
            assert time.monotonic() < began + timeout_s, (self.store(), self.log.read_text())
            never.wait(0.01)
        return time.monotonic() - began

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=20)
        self.gate.close()


@contextlib.contextmanager
def small_disk(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    place = folder / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], check=False).returncode:
        pytest.skip("only root may mount a small disk: a full disk is tried by limits and by the VFS alone")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def seen_when_refused(station: Running, sentence: str) -> None:
    """Waits until the fault shows in the state, on the page and in the log; then nothing more is stored."""
    station.until(lambda: not station.store()["ok"])  # how soon, `./dev bench refusal` measures
    assert sentence in station.store()["sentence"]
    assert sentence in station.get("/operate")
    assert sentence in station.log.read_text()
    records, held = station.store()["records"], station.store()["held"]
    station.until(lambda: bool(station.store()["held"] > held))
    assert station.store()["records"] == records


def seen_when_mended(station: Running) -> None:
    """Checks that all that was held is stored without a restart, and that the journal has every edge of the gate."""
    station.until(lambda: bool(station.store()["ok"]))
    before = station.store()["records"]
    station.until(lambda: station.store()["records"] > before)
    assert "accepts records again" in station.log.read_text()
    assert sentence_gone(station)
    station.close()
    journal = Journal(station.data / "station.db")
    check(journal)
    seqs = [event.seq for _, event in journal.inputs() if isinstance(event, e.Edge)]
    journal.close()
    assert seqs == list(range(1, len(seqs) + 1))


def sentence_gone(station: Running) -> bool:
    page = station.get("/operate")
    return "disk is full" not in page and "the disk refuses" not in page


@pytest.mark.slow
def test_a_full_disk_is_said_and_a_bit_of_room_mends_it(tmp_path: pathlib.Path) -> None:
    with small_disk(tmp_path) as disk:
        station = Running(tmp_path, disk / "data")
        station.until(lambda: station.store()["records"] > 10)
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        seen_when_refused(station, "the disk is full")
        filler.unlink()
        seen_when_mended(station)


@pytest.mark.slow
def test_a_write_that_the_system_refuses_is_said_and_mends(tmp_path: pathlib.Path) -> None:
    station = Running(tmp_path, tmp_path / "data")
    station.until(lambda: station.store()["records"] > 10)
    pid, limit = station.process.pid, resource.RLIMIT_FSIZE
    soft, hard = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (8192, hard))
    seen_when_refused(station, "the disk refuses")
    resource.prlimit(pid, limit, (soft, hard))
    seen_when_mended(station)


@pytest.mark.slow
def test_a_read_only_disk_is_one_sentence_at_the_start(tmp_path: pathlib.Path) -> None:
    with small_disk(tmp_path) as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        gate = FastGate(tmp_path / "gate", "world-1", lap_s=0.05, seed=1)
        config = tmp_path / "station.toml"
        config.write_text(
            STATION_CONFIG.format(folder=tmp_path, broker=1, max_laps=5).replace(f"{tmp_path}/data", str(disk))
        )
        command = [sys.executable, "-m", "raceday", "station", "--config", str(config)]
        done = subprocess.run(command, capture_output=True, cwd=ROOT, text=True, timeout=60, check=False)
        gate.close()
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "read-only" in done.stderr.lower() or "cannot be written to" in done.stderr
