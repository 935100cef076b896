"""`./dev bench schemathesis [--minutes N]`: every call of station, car and leaderboard with generated documents.

As the tests do, with other documents in each round, until the time is over. A failure ends it: Schemathesis says the
call and how to repeat it; the number of the round draws the same documents again.
"""

import contextlib
import json
import pathlib
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass

from rich.table import Table

from bench.report import OUT, console, machine
from tests.generated_calls import CallWorld, try_every_call
from tests.leaderboard.api.test_every_call import board_calls
from tests.station.web.test_every_call import station_calls
from tests.vehicle.web.test_every_call import console_calls

EXAMPLES = 5  # of each call, in a round
MINUTES = 5.0
MACHINES: dict[str, Callable[[pathlib.Path], AbstractContextManager[CallWorld]]] = {
    "station": station_calls,
    "car": console_calls,
    "leaderboard": board_calls,
}


@dataclass
class CallsRow:
    """What was tried of one machine's addresses."""

    machine: str
    operations: int = 0
    rounds: int = 0
    requests: int = 0


def main(quick: bool, minutes: float | None = None) -> None:
    """Prints the table and writes run/bench/schemathesis.json; raises what was found."""
    rows = [CallsRow(name) for name in MACHINES]
    began, until_s = time.monotonic(), 60 * (MINUTES if minutes is None else minutes)
    number = 0
    with contextlib.ExitStack() as open_worlds, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = pathlib.Path(open_worlds.enter_context(tempfile.TemporaryDirectory(prefix="raceday-bench-")))
        while number == 0 or (not quick and time.monotonic() - began < until_s):
            number += 1
            for row in rows:
                _round(row, folder / f"{row.machine}-{number}", number, 1 if quick else EXAMPLES)
    table = Table(title=f"schemathesis: {(time.monotonic() - began) / 60:.1f} minutes", title_justify="left")
    for column in ("machine", "calls", "rounds", "requests"):
        table.add_column(column, justify="left" if column == "machine" else "right")
    for row in rows:
        table.add_row(row.machine, str(row.operations), str(row.rounds), f"{row.requests:,}")
    console().print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    document = {"bench": "schemathesis", "machine": machine(), "rows": [asdict(row) for row in rows]}
    (OUT / "schemathesis.json").write_text(json.dumps(document, indent=1) + "\n")


def _round(row: CallsRow, folder: pathlib.Path, number: int, examples: int) -> None:
    """Each round has a machine of its own, so that one can be repeated."""
    folder.mkdir()
    with MACHINES[row.machine](folder) as world:
        made = try_every_call(world, examples, number)
    row.operations, row.rounds, row.requests = made.operations, row.rounds + 1, row.requests + made.requests
