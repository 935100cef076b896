"""How soon a real station reports a full disk, with and without cars on the track, and how soon it recovers."""

import contextlib
import json
import os
import pathlib
import statistics
import tempfile
import time

from rich.console import Console
from rich.table import Table

from bench.report import OUT
from tests.system.durability.test_full_disk import Running, small_disk

TRIALS, QUICK = 20, 2
IDLE_TRIALS = 4  # each with its own station: after one refusal the log has space for the next records
LIMIT_S = 2.0


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/refusal.json. Needs root: it mounts a disk of 4 MB in memory."""
    table = Table(title=f"a full disk, seconds (load {os.getloadavg()[0]:.1f})", title_justify="left")
    for column in ("", "times", "reported: p50", "reported: max", "recovered: p50", "recovered: max"):
        table.add_column(column, justify="right" if column else "left")
    results: dict[str, list[tuple[float, float]]] = {}
    for what, driving in (("cars on the track", True), ("empty track", False)):
        count = QUICK if quick else TRIALS if driving else IDLE_TRIALS
        results[what] = _trials(count, True) if driving else [t for _ in range(count) for t in _trials(1, False)]
        reported_s, recovered_s = zip(*results[what], strict=True)
        figures = (statistics.median(reported_s), max(reported_s), statistics.median(recovered_s), max(recovered_s))
        table.add_row(what, str(len(reported_s)), *(f"{figure:.2f}" for figure in figures))
    Console().print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "refusal.json").write_text(json.dumps({"load": os.getloadavg(), "trials": results}, indent=1) + "\n")
    slowest = max(reported_s for trials in results.values() for reported_s, _ in trials)
    print(f"  slowest {slowest:.2f} s: {'within' if slowest <= LIMIT_S else 'ABOVE'} {LIMIT_S:g} s")


def _trials(count: int, driving: bool) -> list[tuple[float, float]]:
    """Seconds from a full disk to its report, and from free space to recovery."""
    with tempfile.TemporaryDirectory(prefix="rd-full-") as name, small_disk(pathlib.Path(name)) as disk:
        station = Running(pathlib.Path(name), disk / "data")
        try:
            station.until(lambda: station.store()["records"] > 10)
            if not driving:
                station.gate.close()
            return [_trial(station, disk / "filler") for _ in range(count)]
        finally:
            station.close()


def _trial(station: Running, filler: pathlib.Path) -> tuple[float, float]:
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    full_s = time.monotonic()
    station.until(lambda: not station.store()["ok"], 60)
    reported_s = time.monotonic() - full_s
    filler.unlink()
    free_s = time.monotonic()
    station.until(lambda: bool(station.store()["ok"]), 60)
    return reported_s, time.monotonic() - free_s
