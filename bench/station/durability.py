"""The durability campaign: power cuts of the journal's disk, and `kill -9` of a loaded station. Long; --quick is short.

No acknowledged record may be lost and none invented; journal and outbox must agree, and every journal must verify. The
same power cuts with synchronous=NORMAL must lose records, which shows that the check can fail.
"""

import dataclasses
import json
import os
import pathlib
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.report import OUT
from raceday.broker import start_broker
from tests.system.durability import kills, power_cuts

CUTS, KILLS = 2_000, 1_000
QUICK_CUTS, QUICK_KILLS = 100, 20
SEED = 1


def main(quick: bool) -> None:
    """Prints both tables and writes run/bench/durability.json; fails if a promise is broken."""
    many_cuts, many_kills = (QUICK_CUTS, QUICK_KILLS) if quick else (CUTS, KILLS)
    full, full_s = _cuts(many_cuts, "full")
    normal, normal_s = _cuts(many_cuts, "normal")
    killed, killed_s = _kills(many_kills)
    _show("power cuts", {"synchronous=FULL": full, "synchronous=NORMAL": normal}, full_s + normal_s)
    _show("kill -9 of a loaded station", {"station": killed}, killed_s)
    tallies: dict[str, power_cuts.Tally | kills.Tally] = {"cuts FULL": full, "cuts NORMAL": normal, "kills": killed}
    document: dict[str, Any] = {name: dataclasses.asdict(tally) for name, tally in tallies.items()}
    document["load"] = os.getloadavg()
    document["took_s"] = {"cuts FULL": full_s, "cuts NORMAL": normal_s, "kills": killed_s}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "durability.json").write_text(json.dumps(document, indent=1) + "\n")
    assert full.clean, full.first_failure
    assert killed.clean, killed.first_failure
    assert normal.lost, "with synchronous=NORMAL nothing was lost: this campaign cannot fail, so it proves nothing"


def _cuts(count: int, synchronous: str) -> tuple[power_cuts.Tally, float]:
    with tempfile.TemporaryDirectory(prefix="raceday-cuts-") as name:
        trials = power_cuts.campaign(pathlib.Path(name), count, SEED, synchronous)
        return _last(trials, count, f"power cuts, {synchronous.upper()}")


def _kills(count: int) -> tuple[kills.Tally, float]:
    # A short name, since the path of the gate's socket is limited.
    with tempfile.TemporaryDirectory(prefix="rd-kills-") as name:
        folder = pathlib.Path(name)
        broker = start_broker(folder / "broker")
        try:
            return _last(kills.campaign(folder, broker.port, count, SEED), count, "kill -9")
        finally:
            broker.stop()


def _last(trials: Iterator[Any], count: int, what: str) -> tuple[Any, float]:
    """The last tally, and the time of all."""
    began = time.monotonic()
    last = deque(track(trials, description=what, total=count, console=Console(stderr=True)), maxlen=1)
    return last.pop(), round(time.monotonic() - began, 1)


def _show(title: str, tallies: dict[str, Any], took_s: float) -> None:
    table = Table(title=f"{title}, {took_s:.0f} s, load {os.getloadavg()[0]:.1f}", title_justify="left")
    table.add_column("")
    for name in tallies:
        table.add_column(name, justify="right")
    for field in dataclasses.fields(next(iter(tallies.values()))):
        values = [getattr(tally, field.name) for tally in tallies.values()]
        if field.name not in ("fates", "first_failure"):
            table.add_row(field.name.replace("_", " "), *(f"{value:,}" for value in values))
    Console().print(table)
