"""The station under load: crossings per second to disk beside bare apsw, live latency, and the cost of a million.

The peer, bare apsw, inserts as many rows of the same size, encoded beforehand, with the same number per transaction,
WAL and synchronous=FULL, through one prepared statement, without any logic, hash or signature.
"""

import contextlib
import dataclasses
import gc
import itertools
import json
import os
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.table import Table

from bench.report import OUT
from bench.station.journal import race
from bench.station.live_latency import Shown, shown
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.store.database import open_durable
from station.store.encoding import encode_facts, encode_input
from station.store.journal import Journal, JournalEntry
from station.store.signer import Signer

# Inputs in a transaction: one crossing; a busy gate; a gate that replays; the most that the station handles at once.
BATCHES = (2, 20, 100, 256)
MIN_PER_S = 4_000
SHM = pathlib.Path("/dev/shm")
SHOWN_P99_MS = 100.0


@dataclass(frozen=True, slots=True)
class Rate:
    """One batch size: crossings per second of the station and of the peer, their ratio (median of rounds), CPU."""

    batch: int
    ours_per_s: float
    bare_per_s: float
    ratio: float
    cpu_us: float
    bare_cpu_us: float


@dataclass(frozen=True, slots=True)
class Decade:
    """After that many crossings: CPU of one more, beside a new engine and journal, and the memory in use."""

    crossings: int
    us_per_crossing: float
    cpu_us_one_more: float
    cpu_us_young: float
    ratio: float
    memory_mb: float
    bytes_per_crossing: float


def main(quick: bool) -> None:
    """Prints the tables and writes run/bench/station.json; marks each figure that misses its target."""
    console, load = Console(), os.getloadavg()[0]
    laps = 20 if quick else 100
    with contextlib.ExitStack() as folders:
        # A memory disk, if there is one, excludes the effects of the disk's other users.
        disk, memory = (_folder(folders, place) for place in (None, SHM if SHM.is_dir() else None))
        rates = [rate(disk, batch, rounds=3 if quick else 7) for batch in BATCHES]
        _table(console, f"crossings a second, engine and signed journal (load {load:.1f})", rates)
        latencies = [*shown(disk / "shown", "disk", laps), *shown(memory / "shown", "memory disk", laps)]
        _table(console, "latency from an edge to the commit and to browsers", latencies)
        runs = list(decades(memory, 4 if quick else 6))
        _table(console, "one race of ten-lap runs, 40 racers: what a crossing costs, engine and signed journal", runs)
    document = {"load": load, "rates": rates, "shown": latencies, "decades": runs}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "station.json").write_text(json.dumps(document, indent=1, default=dataclasses.asdict) + "\n")
    best = max(rate.ours_per_s for rate in rates)
    console.print(f"  at most {best:,.0f} crossings/s: {'reached' if best >= MIN_PER_S else 'BELOW'} {MIN_PER_S:,}/s")
    for each in latencies:
        if "browser" in each.what:
            verdict = "reached" if each.p99_ms < SHOWN_P99_MS else "ABOVE 100 ms"
            console.print(f"  {each.what}: p99 {each.p99_ms:.0f} ms: {verdict}")


def _folder(folders: contextlib.ExitStack, place: pathlib.Path | None) -> pathlib.Path:
    return pathlib.Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="raceday-bench-", dir=place)))


def rate(folder: pathlib.Path, batch: int, rounds: int) -> Rate:
    """Measure rounds of the station and of the peer in turn, each of at most 200 transactions."""
    transactions = min(200, 8_000 // batch)
    events = list(itertools.islice(race(), transactions * batch))
    crossings = sum(isinstance(event, e.Edge) and event.broken for event in events)
    engine = Engine()
    rows = [(encode_input(event), encode_facts(engine.handle(event)), bytes(32)) for event in events]
    number, took = itertools.count(), {"ours": list[tuple[float, float]](), "bare": list[tuple[float, float]]()}
    for _ in range(rounds):
        took["bare"].append(_bare(folder / f"bare-{batch}-{next(number)}.db", rows, batch))
        took["ours"].append(_ours(folder / f"ours-{batch}-{next(number)}.db", events, batch))
    ours, bare = (statistics.median(wall for wall, _ in took[name]) for name in ("ours", "bare"))
    cpu, bare_cpu = (statistics.median(cpu for _, cpu in took[name]) for name in ("ours", "bare"))
    ratio = statistics.median(b[0] / o[0] for o, b in zip(took["ours"], took["bare"], strict=True))
    return Rate(batch, crossings / ours, crossings / bare, ratio, cpu * 1e6 / crossings, bare_cpu * 1e6 / crossings)


def _ours(path: pathlib.Path, events: list[e.Input], batch: int) -> tuple[float, float]:
    engine, journal = Engine(), Journal(path, Signer(Ed25519PrivateKey.generate()))

    def work() -> None:
        for at in range(0, len(events), batch):
            journal.append([JournalEntry(event, engine.handle(event)) for event in events[at : at + batch]])

    took = _timed(work)
    journal.close()
    return took


def _bare(path: pathlib.Path, rows: list[tuple[bytes, bytes, bytes]], batch: int) -> tuple[float, float]:
    db = open_durable(path)
    db.execute("CREATE TABLE stored (seq INTEGER PRIMARY KEY, input BLOB, facts BLOB, hash BLOB) STRICT")

    def work() -> None:
        for at in range(0, len(rows), batch):
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO stored (input, facts, hash) VALUES (?, ?, ?)", rows[at : at + batch])
            db.execute("COMMIT")

    took = _timed(work)
    db.close()
    return took


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds of real time, and of this process's CPU."""
    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


class Worker:
    """Engine and signed journal running the endless race, with the station's largest batch per transaction."""

    def __init__(self, path: pathlib.Path) -> None:
        self.crossings = 0
        self._engine, self._inputs = Engine(), race()
        self._journal = Journal(path, Signer(Ed25519PrivateKey.generate()))

    def reach(self, crossings: int) -> None:
        while self.crossings < crossings:
            entries = [
                JournalEntry(event, self._engine.handle(event)) for event in itertools.islice(self._inputs, BATCHES[-1])
            ]
            self._journal.append([entry for entry in entries if entry.facts])
            self.crossings += sum(isinstance(fact, f.Crossing) for entry in entries for fact in entry.facts)

    def cpu_us(self) -> float:
        """CPU time of one more crossing in microseconds, averaged over 500."""
        before = self.crossings
        _, cpu_s = _timed(lambda: self.reach(before + 500))
        return cpu_s * 1e6 / (self.crossings - before)

    def close(self) -> None:
        self._journal.close()


def decades(folder: pathlib.Path, last: int) -> Iterator[Decade]:
    """10^3 to 10^last crossings; at each, the old worker and a new one in turn, under the same load."""
    old, process = Worker(folder / "old.db"), psutil.Process()
    gc.collect()
    memory = process.memory_info().rss
    for power in range(3, last + 1):
        before = old.crossings
        wall_s, _ = _timed(lambda goal=10**power: old.reach(goal))  # type: ignore[misc]
        gc.collect()
        rss, fresh, made = process.memory_info().rss, old.crossings - before, old.crossings
        young = Worker(folder / f"young-{power}.db")
        young.reach(500)
        pairs = [(old.cpu_us(), young.cpu_us()) for _ in range(9)]
        young.close()
        one_more, just_begun = (statistics.median(each) for each in zip(*pairs, strict=True))
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        yield Decade(made, wall_s * 1e6 / fresh, one_more, just_begun, ratio, rss / 1e6, (rss - memory) / fresh)
        memory = rss
    old.close()


def _table(console: Console, title: str, rows: list[Any] | list[Shown]) -> None:
    table = Table(title=title, title_justify="left")
    names = [field.name for field in dataclasses.fields(rows[0])]
    for name in names:
        table.add_column(name.replace("_", " "), justify="left" if name == "what" else "right")
    for row in rows:
        values = [getattr(row, name) for name in names]
        table.add_row(
            *(value if isinstance(value, str) else f"{value:,.{2 * isinstance(value, float)}f}" for value in values)
        )
    console.print(table)
