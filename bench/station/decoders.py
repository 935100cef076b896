"""Ten million random and mutated bytes through each decoder: bytes per second, the longest call, memory growth.

One process for each protocol. Half of the blocks are noise; the others are frames: whole, cut, altered, repeated and
with inserted bytes. They are fed in pieces, as a port delivers them.
"""

import json
import multiprocessing
import os
import pathlib
import random
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass

from rich.table import Table

from bench.report import OUT, console
from station.gates.decoders.catalog import decoder, protocols
from tests.station.gates.decoders import vectors

BLOCK = 50_000
PIECE = 512  # bytes of a call: more than a serial port has ready, less than a file
FLAT_KIB = 1024
HANG_S = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """One protocol. `grown_kib` is the growth of the process after the first tenth of the bytes."""

    protocol: str
    fed: int
    frames: int
    dropped: int
    mb_per_s: float
    longest_ms: float
    grown_kib: int


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/decoders.json; fails if a decoder hung or its memory grew."""
    size = 1_000_000 if quick else 10_000_000
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawning, max_tasks_per_child=1) as pool:
        rows = [pool.submit(campaign, name, size, 1).result() for name in protocols()]
    table = Table(title="decoders: random and mutated bytes", title_justify="left")
    for column in ("protocol", "bytes", "frames", "dropped", "MB/s", "longest call ms", "growth KiB"):
        table.add_column(column, justify="left" if column == "protocol" else "right")
    for row in rows:
        counts = (f"{row.fed:,}", f"{row.frames:,}", f"{row.dropped:,}")
        table.add_row(row.protocol, *counts, f"{row.mb_per_s:.2f}", f"{row.longest_ms:.1f}", str(row.grown_kib))
    out = console()
    out.print(table)
    out.print(f"  load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores; a 115200 baud line brings 0.0115 MB/s")
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "decoders.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    assert all(row.grown_kib < FLAT_KIB for row in rows), "the memory of a decoder grows with its input"
    assert all(row.longest_ms < HANG_S * 1000 for row in rows), "a decoder hung"


def campaign(protocol: str, size: int, seed: int) -> Row:
    """Feed all bytes to one decoder."""
    chance, device = random.Random(f"{protocol} {seed}"), decoder(protocol)
    good = vectors.of(protocol)
    fed = total_ns = longest_ns = early_kib = 0
    for number in range(size // BLOCK):
        block = mutated(good, chance) if number % 2 else chance.randbytes(BLOCK)
        for at in range(0, BLOCK, PIECE):
            began_ns = time.perf_counter_ns()
            device.feed(block[at : at + PIECE])
            device.poll(fed * 1_000)
            call_ns = time.perf_counter_ns() - began_ns
            total_ns, longest_ns = total_ns + call_ns, max(longest_ns, call_ns)
        fed += len(block)
        if number == size // BLOCK // 10:
            early_kib = resident_kib()
    counts, grown_kib = device.counts, resident_kib() - early_kib
    assert counts.resynced_bytes <= fed
    return Row(protocol, fed, counts.frames, counts.resynced_bytes, fed * 1e3 / total_ns, longest_ns / 1e6, grown_kib)


def mutated(good: list[bytes], chance: random.Random) -> bytes:
    """A block of frames, most of them damaged."""
    parts: list[bytes] = []
    size = 0
    while size < BLOCK:
        frame = chance.choice(good)
        at = chance.randrange(len(frame) + 1)
        part = chance.choice((
            frame,
            frame * 2,
            frame[:at],
            frame[at:],
            frame[:at] + chance.randbytes(1) + frame[at + 1 :],
            frame[:at] + chance.randbytes(chance.randrange(9)) + frame[at:],
        ))  # fmt: skip
        parts.append(part)
        size += len(part)
    return b"".join(parts)[:BLOCK]


def resident_kib() -> int:
    """The resident memory of this process in KiB."""
    pages = int(pathlib.Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") // 1024
