"""How a benchmark measures and reports: rounds interleaved between candidates, ratios to the first one."""

import json
import os
import pathlib
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

OUT = pathlib.Path("run") / "bench"


def console() -> Console:
    """A console of the terminal's width, or wide enough for whole numbers in a file or pipe."""
    return Console(width=None if sys.stdout.isatty() else 132)


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate: times per call in microseconds, its rate, and its ratio to the reference (which has 1.0)."""

    name: str
    calls: int
    p50_us: float
    p99_us: float
    per_s: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate to measure: `once()` does one call."""

    name: str
    once: Callable[[], Any]


def measure(candidates: Sequence[Candidate], *, rounds: int, calls: int) -> list[Row]:
    """Measure the candidates interleaved round by round, so that a noisy machine affects all of them."""
    times: dict[str, list[int]] = {c.name: [] for c in candidates}
    for _ in range(rounds):
        for candidate in candidates:
            call_times_ns = times[candidate.name]
            for _ in range(calls):
                began = time.perf_counter_ns()
                candidate.once()
                call_times_ns.append(time.perf_counter_ns() - began)
    return rows(times)


def rows(times_ns: dict[str, list[int]]) -> list[Row]:
    """Medians, p99 and ratios of the medians to the first candidate."""
    reference = statistics.median(next(iter(times_ns.values())))
    table = []
    for name, ns in times_ns.items():
        ordered = sorted(ns)
        p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
        table.append(Row(name, len(ns), p50 / 1e3, p99 / 1e3, len(ns) / (sum(ns) / 1e9), p50 / reference))
    return table


def report(bench: str, results: Sequence[Row], notes: dict[str, Any] | None = None) -> None:
    """Prints the table and writes run/bench/NAME.json."""
    table = Table(title=bench, title_justify="left")
    for column in ("candidate", "calls", "p50 µs", "p99 µs", "per s", "ratio"):
        table.add_column(column, justify="left" if column == "candidate" else "right")
    for r in results:
        table.add_row(r.name, str(r.calls), f"{r.p50_us:,.1f}", f"{r.p99_us:,.1f}", f"{r.per_s:,.0f}", f"{r.ratio:.2f}")
    out = console()
    out.print(table)
    for name, value in (notes or {}).items():
        out.print(f"  {name}: {value}", markup=False)
    OUT.mkdir(parents=True, exist_ok=True)
    document = {"bench": bench, "machine": machine(), "rows": [asdict(r) for r in results], "notes": notes or {}}
    (OUT / f"{bench}.json").write_text(json.dumps(document, indent=1) + "\n")


def machine() -> dict[str, Any]:
    """The machine of the measurement, and its load."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
    }
