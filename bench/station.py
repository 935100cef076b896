"""The station under load: crossings a second to disk beside bare apsw, how soon they are shown, what a million cost.

The peer, bare apsw, inserts rows of the same number and bytes, encoded beforehand, with as many rows to a
transaction, WAL and synchronous=FULL, through one prepared statement: it thinks nothing, hashes nothing, signs nothing.
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
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.table import Table

from bench.journal import race
from bench.report import OUT
from bench.stationshown import Shown, shown
from station.core import events as e
from station.core import facts as f
from station.core.engine import Engine
from station.store.checkpoint import Signer
from station.store.encoding import encode_facts, encode_input
from station.store.journal import Entry, Journal
from station.sync.database import open_durable

BATCHES = (
    2,
    20,
    100,
    256,
)  # inputs to a transaction: one crossing; a busy gate; a gate that replays; all that is taken at once
LEAST_PER_S = 4_000
SHM = pathlib.Path("/dev/shm")
SHOWN_P99_MS = 100.0


@dataclass(frozen=True, slots=True)
class Rate:
    """One batch size: crossings a second of ours, of the peer, their ratio (median of rounds), and ours' CPU alone."""

    batch: int
    ours_per_s: float
    bare_per_s: float
    ratio: float
    cpu_us: float
    bare_cpu_us: float


@dataclass(frozen=True, slots=True)
class Decade:
    """The crossings up to `crossings`: the cost of each since the last row, and the memory in use then."""

    crossings: int
    us_per_crossing: float
    cpu_us: float
    memory_mb: float
    bytes_per_crossing: float


def main(quick: bool) -> None:
    """Prints the tables and writes run/bench/station.json; says where a figure falls short."""
    console, load = Console(), os.getloadavg()[0]
    laps = 20 if quick else 100
    with contextlib.ExitStack() as both:
        # A memory disk where there is one: its figures are about us, and not about the disk's other users.
        disk, memory = (_folder(both, place) for place in (None, SHM if SHM.is_dir() else None))
        rates = [rate(disk, batch, rounds=3 if quick else 7) for batch in BATCHES]
        _table(console, f"crossings a second, engine and signed journal (load {load:.1f})", rates)
        seen = [*shown(disk / "shown", "disk", laps), *shown(memory / "shown", "memory disk", laps)]
        _table(console, "how soon an edge is kept and shown", seen)
        runs = decades(memory / "runs.db", 4 if quick else 6)
        _table(console, "one race of ten-lap runs, 40 racers: what a crossing costs, engine and signed journal", runs)
    document = {"load": load, "rates": rates, "shown": seen, "decades": runs}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "station.json").write_text(json.dumps(document, indent=1, default=dataclasses.asdict) + "\n")
    best = max(rate.ours_per_s for rate in rates)
    console.print(f"  at most {best:,.0f} crossings/s: {'kept' if best >= LEAST_PER_S else 'BELOW'} {LEAST_PER_S:,}/s")
    for each in seen:
        if "browser" in each.what:
            verdict = "kept" if each.p99_ms < SHOWN_P99_MS else "ABOVE 100 ms"
            console.print(f"  {each.what}: p99 {each.p99_ms:.0f} ms: {verdict}")


def _folder(both: contextlib.ExitStack, place: pathlib.Path | None) -> pathlib.Path:
    return pathlib.Path(both.enter_context(tempfile.TemporaryDirectory(prefix="raceday-bench-", dir=place)))


def rate(folder: pathlib.Path, batch: int, rounds: int) -> Rate:
    """Rounds of ours and of the peer in turn, each of some hundred transactions at most."""
    transactions = min(200, 8_000 // batch)
    events = list(itertools.islice(race(), transactions * batch))
    crossings = sum(isinstance(event, e.Edge) and event.broken for event in events)
    engine = Engine()
    kept = [(encode_input(event), encode_facts(engine.handle(event)), bytes(32)) for event in events]
    number, took = itertools.count(), {"ours": list[tuple[float, float]](), "bare": list[tuple[float, float]]()}
    for _ in range(rounds):
        took["bare"].append(_bare(folder / f"bare-{batch}-{next(number)}.db", kept, batch))
        took["ours"].append(_ours(folder / f"ours-{batch}-{next(number)}.db", events, batch))
    ours, bare = (statistics.median(wall for wall, _ in took[name]) for name in ("ours", "bare"))
    cpu, bare_cpu = (statistics.median(cpu for _, cpu in took[name]) for name in ("ours", "bare"))
    ratio = statistics.median(b[0] / o[0] for o, b in zip(took["ours"], took["bare"], strict=True))
    return Rate(batch, crossings / ours, crossings / bare, ratio, cpu * 1e6 / crossings, bare_cpu * 1e6 / crossings)


def _ours(path: pathlib.Path, events: list[e.Input], batch: int) -> tuple[float, float]:
    engine, journal = Engine(), Journal(path, Signer(Ed25519PrivateKey.generate()))

    def work() -> None:
        for at in range(0, len(events), batch):
            journal.append([Entry(event, engine.handle(event)) for event in events[at : at + batch]])

    took = _timed(work)
    journal.close()
    return took


def _bare(path: pathlib.Path, kept: list[tuple[bytes, bytes, bytes]], batch: int) -> tuple[float, float]:
    db = open_durable(path)
    db.execute("CREATE TABLE kept (seq INTEGER PRIMARY KEY, input BLOB, facts BLOB, hash BLOB) STRICT")

    def work() -> None:
        for at in range(0, len(kept), batch):
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO kept (input, facts, hash) VALUES (?, ?, ?)", kept[at : at + batch])
            db.execute("COMMIT")

    took = _timed(work)
    db.close()
    return took


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds by the clock, and of this process's CPU."""
    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


def decades(path: pathlib.Path, last: int) -> list[Decade]:
    """10^3 to 10^last crossings through engine and signed journal, as many to a transaction as the station takes."""
    engine, journal, inputs = Engine(), Journal(path, Signer(Ed25519PrivateKey.generate())), race()
    process, made, told = psutil.Process(), 0, list[Decade]()
    gc.collect()
    memory = process.memory_info().rss
    for power in range(3, last + 1):
        before, began, cpu = made, time.perf_counter(), time.process_time()
        while made < 10**power:
            entries = [Entry(event, engine.handle(event)) for event in itertools.islice(inputs, BATCHES[-1])]
            journal.append([entry for entry in entries if entry.facts])
            made += sum(isinstance(fact, f.Crossing) for entry in entries for fact in entry.facts)
        wall_us, cpu_us = (
            (now - then) * 1e6 for now, then in ((time.perf_counter(), began), (time.process_time(), cpu))
        )
        gc.collect()
        rss, fresh = process.memory_info().rss, made - before
        told.append(Decade(made, wall_us / fresh, cpu_us / fresh, rss / 1e6, (rss - memory) / fresh))
        memory = rss
    journal.close()
    return told


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
