"""The cost of an edge: in the engine alone, and to disk (engine, journal, fsync), beside bare inserts with fsync."""

import itertools
import pathlib
import tempfile
from collections.abc import Callable, Iterator

from bench.report import Candidate, measure, report
from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.core.engine import Engine
from station.store.database import open_durable
from station.store.encoding import encode_facts, encode_input
from station.store.journal import Journal, JournalEntry

S = 1_000_000_000
LAP_NS = 8_123_456_789
EDGES_PER_RUN = 22


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/journal.json."""
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        folder = pathlib.Path(name)
        candidates = [
            Candidate("bare apsw insert, WAL FULL", bare(folder, 1)),
            Candidate("edge to disk: engine and journal, WAL FULL", journaled(folder, 1)),
            Candidate("bare apsw, 20 inserts a transaction", bare(folder, 20)),
            Candidate("20 edges to disk in one transaction", journaled(folder, 20)),
            Candidate("one edge through the engine alone", engine_alone()),
        ]
        rows = measure(candidates, rounds=3 if quick else 15, calls=20 if quick else 200)
        report("journal", rows, {"note": "a race makes fewer than 10 crossings (20 edges) a second"})


def race() -> Iterator[e.Input]:
    """An endless race: boot, runs of ten laps, two edges a crossing."""
    at_ns, seq = S, itertools.count(1)
    yield e.Booted(_now(at_ns), "station-1", (e.GateSpec("start"),))
    yield e.OpenRace(_now(at_ns), "race-1", "A race", RaceRules(max_laps=10))
    for run in itertools.count(1):
        racer = f"Racer {run % 40}"
        yield e.OpenRun(author="bench", racer=racer, car="car-1", run_id=f"run-{run}", moment=_now(at_ns))
        yield e.StartRun(author="bench", moment=_now(at_ns))
        for _ in range(EDGES_PER_RUN // 2):
            at_ns += LAP_NS
            yield e.Edge("start", "beam", True, at_ns, next(seq), "boot")
            yield e.Edge("start", "beam", False, at_ns + S // 10, next(seq), "boot")


def engine_alone() -> Callable[[], None]:
    engine, inputs = Engine(), race()

    def once() -> None:
        engine.handle(next(inputs))

    return once


def journaled(folder: pathlib.Path, batch: int) -> Callable[[], None]:
    engine, inputs, journal = Engine(), race(), Journal(folder / f"journal-{batch}.db")

    def once() -> None:
        events = [next(inputs) for _ in range(batch)]
        entries = [JournalEntry(event, engine.handle(event)) for event in events]
        journal.append([entry for entry in entries if entry.facts])

    return once


def bare(folder: pathlib.Path, batch: int) -> Callable[[], None]:
    """Insert the same bytes, encoded beforehand, without any logic."""
    engine = Engine()
    stored = [(encode_input(event), encode_facts(engine.handle(event))) for event in itertools.islice(race(), 500)]
    db, again = open_durable(folder / f"bare-{batch}.db"), itertools.cycle(stored)
    db.execute("CREATE TABLE stored (seq INTEGER PRIMARY KEY, input BLOB, facts BLOB, hash BLOB) STRICT")

    def once() -> None:
        db.execute("BEGIN IMMEDIATE")
        for _ in range(batch):
            event, facts = next(again)
            db.execute("INSERT INTO stored (input, facts, hash) VALUES (?, ?, ?)", (event, facts, bytes(32)))
        db.execute("COMMIT")

    return once


def _now(at_ns: int) -> e.Moment:
    return e.Moment("boot", at_ns, 1_700_000_000 * S + at_ns)
