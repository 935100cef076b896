"""The fault campaign: twenty trials of each fault on the real processes, time to neutral against its stated limit."""

import dataclasses
import json
import os
import pathlib

from rich.console import Console
from rich.table import Table

from bench.report import OUT
from tests.system.vehicle.car_faults import FAULTS, MARGIN_MS, FaultTrial, Outcome, in_memory, trials

FULL, QUICK = 20, 2


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/faults.json."""
    console = Console()
    table = Table(
        title=f"faults: ms from the fault to neutral (load at the start: {os.getloadavg()[0]:.1f})",
        title_justify="left",
    )
    for column in ("fault", "trials", "limit", "p50", "p99", "beyond the limit", "verdict"):
        table.add_column(column, justify="left" if column in ("fault", "verdict") else "right")
    outcomes: list[Outcome] = []
    with in_memory() as folder:
        for fault in FAULTS:
            done = _campaign(fault, folder, QUICK if quick else FULL, console)
            outcomes += done
            table.add_row(*_row(fault, done))
    console.print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    documents = [dataclasses.asdict(outcome) for outcome in outcomes]
    (OUT / "faults.json").write_text(
        json.dumps({"bench": "faults", "load": os.getloadavg(), "trials": documents}, indent=1) + "\n"
    )


def _campaign(fault: FaultTrial, folder: pathlib.Path, count: int, console: Console) -> list[Outcome]:
    done: list[Outcome] = []
    for outcome in trials(fault, folder, count):
        done.append(outcome)
        console.print(f"  {fault.name} {len(done)}/{count}: {outcome.neutral_ms:.0f} ms", highlight=False)
    return done


def _row(fault: FaultTrial, done: list[Outcome]) -> tuple[str, ...]:
    times = sorted(outcome.neutral_ms for outcome in done)
    p50, p99 = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
    verdict = "met" if p99 <= fault.limit_ms + MARGIN_MS else "MISSED"
    figures = (fault.limit_ms, p50, p99, p99 - fault.limit_ms)
    return (fault.name, str(len(times)), *(f"{figure:.0f}" for figure in figures), verdict)
