"""500 watchers at ten updates a second beside a bare broadcaster of the same bytes, and what they cost the timing.

The peer (screen_server.py) is a Starlette app that sends each connection one of our updates, made beforehand. Rounds
are interleaved. A watcher is a connection that reads; its latency is from the making of an update to its arrival.
"""

import asyncio
import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.report import Row, report, rows
from bench.station.live_latency import CommittedLaps, post_command
from bench.station.screen_server import EVERY_S
from raceday.broker import start_broker
from tests.station.web.signed_in import bearer_for
from tests.system.durability.load import STATION_CONFIG, FastGate

WATCHERS = 500
CALM_S = 1.0  # between updates: at this rate a reader gets every one, so that both do the same work
MAX_RATIO = 1.2
MAX_COMMIT_RATIO = 1.1
LAP_S = 0.25
_MADE = re.compile(rb"made-(\d+)-")


def main(quick: bool) -> None:
    """Prints the tables and writes run/bench/screens.json."""
    rounds, seconds = (2, 4.0) if quick else (6, 10.0)
    latency: list[Row] = []
    notes: dict[str, object] = {}
    for every_s in (EVERY_S, CALM_S):
        found, rate = _fan_out(rounds, seconds, every_s), f"{1 / every_s:g} updates a second"
        table = rows({f"{name}, {rate}": each.latencies_ns for name, each in found.items()})
        bare, ours = table
        latency += table
        notes[f"p99 of ours beside the bare broadcaster, {rate}"] = _judged(ours.p99_us / bare.p99_us, MAX_RATIO)
        notes[f"skipped for a newer one, {rate}"] = ", ".join(
            f"{name} {each.skipped:.0%}" for name, each in found.items()
        )
    alone, watched = _commits(20 if quick else 200, rounds)
    notes["edge to commit, p99, without watchers"] = f"{_p99(alone) * 1e3:.1f} ms"
    notes[f"edge to commit, p99, with {WATCHERS} watchers"] = f"{_p99(watched) * 1e3:.1f} ms"
    notes["edge to commit, p99: ratio"] = _judged(_p99(watched) / _p99(alone), MAX_COMMIT_RATIO)
    report("screens", latency, notes)


def _judged(ratio: float, limit: float) -> str:
    return f"{ratio:.2f} (target {limit})" + ("" if ratio <= limit else "  MISSED")


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[min(len(seconds) - 1, len(seconds) * 99 // 100)]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server of updates."""

    name: str
    process: "subprocess.Popen[str]"
    port: int

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()


@contextlib.contextmanager
def _started(name: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "bench.station.screen_server", name]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield Server(name, process, int(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(30)


@dataclass(slots=True)
class Arrivals:
    """What came to all watchers: latencies in ns, how many there were, and how many there would be without a skip."""

    latencies_ns: list[int] = field(default_factory=list)
    arrived: int = 0
    expected: int = 0

    @property
    def skipped(self) -> float:
        return 1 - self.arrived / self.expected


def _fan_out(rounds: int, seconds: float, every_s: float) -> dict[str, Arrivals]:
    """What came to the watchers, of the peer and of ours, with so many seconds between two updates."""
    found = {"bare Starlette broadcaster": Arrivals(), "ours": Arrivals()}
    with _started("bare") as bare, _started("ours") as ours:
        for _ in range(rounds):
            for arrivals, server in zip(found.values(), (bare, ours), strict=True):
                came, sent = asyncio.run(_watch(server, seconds, every_s))
                arrivals.arrived += len(came)
                arrivals.expected += sent * WATCHERS
                arrivals.latencies_ns += came[WATCHERS * 3 :]  # the first updates find cold caches in both
    return found


async def _watch(server: Server, seconds: float, every_s: float) -> tuple[list[int], int]:
    """Has the server send to the watchers for so long; each arrival's latency in ns, and the number of updates."""
    arrived: list[int] = []
    ready = asyncio.Semaphore(0)
    watchers = [asyncio.create_task(_one(server.port, arrived, ready)) for _ in range(WATCHERS)]
    for _ in watchers:
        await asyncio.wait_for(ready.acquire(), 60)
    server.say(f"go {every_s}")
    await asyncio.sleep(seconds)
    server.say("stop")
    await asyncio.sleep(1.0)
    for each in watchers:
        each.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)
    assert server.process.stdout is not None
    return arrived, int(server.process.stdout.readline())


async def _one(port: int, arrived: list[int], ready: asyncio.Semaphore) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    writer.write(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    first = True
    try:
        while line := await reader.readline():
            if not line.startswith(b"data: ") or b'"topics"' not in line:
                continue
            if first:
                first = False
                ready.release()
            elif found := _MADE.search(line):
                arrived.append(time.monotonic_ns() - int(found[1]))
    finally:
        writer.close()


def _commits(laps: int, rounds: int) -> tuple[list[float], list[float]]:
    """The seconds from an edge to its lap's commit at a real station, without watchers and with them."""
    with tempfile.TemporaryDirectory(prefix="rd-") as name:
        folder = pathlib.Path(name)
        broker, gate = start_broker(folder / "broker"), FastGate(folder / "gate", "bench-world", LAP_S, seed=1)
        (folder / "station.toml").write_text(STATION_CONFIG.format(folder=folder, broker=broker.port, max_laps=1000))
        bearer = bearer_for(folder / "data")
        command = [sys.executable, "-m", "raceday", "station", "--config", str(folder / "station.toml")]
        station = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert station.stdout is not None
            url = station.stdout.readline().split()[-1]
            return _measured(url, bearer, gate, broker.port, laps, rounds)
        finally:
            station.terminate()
            station.communicate(timeout=20)
            gate.close()
            broker.stop()


def _measured(
    url: str, bearer: dict[str, str], gate: FastGate, broker: int, laps: int, rounds: int
) -> tuple[list[float], list[float]]:
    committed = CommittedLaps(broker)
    post_command(url, bearer, command="open_run", racer="Ann", car="car-1", run_id="bench")
    post_command(url, bearer, command="start", by_hand=True)
    done = committed.wait(6, 60)
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for watchers, seconds in zip((0, WATCHERS), found, strict=True):
            with _watching(int(url.rsplit(":", 1)[1]), watchers):
                first, done = done + 2, committed.wait(done + 2 + laps, laps * LAP_S * 6 + 60)
                made = sorted(gate.made_s.values())
                seconds += [committed.at_s[n] - _edge_before(made, committed.at_s[n]) for n in range(first, done)]
    committed.close()
    return found


def _edge_before(made_s: list[float], at_s: float) -> float:
    """The edge that ended the lap: the newest one when it was committed."""
    return next(made for made in reversed(made_s) if made <= at_s)


@contextlib.contextmanager
def _watching(port: int, watchers: int) -> Iterator[None]:
    """So many connections to the station's stream, read by a process of their own."""
    if not watchers:
        yield
        return
    script = "import asyncio, sys; from bench.station.screens import read_for_ever as r; asyncio.run(r(*sys.argv[1:]))"
    reading = subprocess.Popen(
        [sys.executable, "-c", script, str(port), str(watchers)], stdout=subprocess.PIPE, text=True
    )
    assert reading.stdout is not None
    reading.stdout.readline()
    try:
        yield
    finally:
        reading.terminate()
        reading.wait(20)
        reading.stdout.close()


async def read_for_ever(port: str, watchers: str) -> None:
    """Watches until the process ends; writes a line once all are connected."""
    ready = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(_one(int(port), [], ready)) for _ in range(int(watchers))]
    for _ in tasks:
        await ready.acquire()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.gather(*tasks)
