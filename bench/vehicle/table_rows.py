"""The rows of the vehicle benchmark: what was compared, the figure, its target, and the details."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

from bench.pacing import Times, quartiles
from bench.report import OUT, machine

Side = Literal["max", "min", ""]


@dataclass(frozen=True, slots=True)
class Line:
    """One row. `figure` is None if it was not measured, and `behind` has the reason; `load` is the machine's load."""

    row: str
    what: str
    figure: float | None
    side: Side = ""
    target: float = 0.0
    behind: str = ""
    load: float = 0.0

    @property
    def verdict(self) -> str:
        """Whether the target was met, as a word for the table."""
        if self.figure is None or not self.side:
            return ""
        met = self.figure <= self.target if self.side == "max" else self.figure >= self.target
        return "met" if met else "MISSED"

    @property
    def target_text(self) -> str:
        """The target as the table shows it."""
        return {"max": f"<= {self.target:g}", "min": f">= {self.target:g}", "": ""}[self.side]


def ratio(row: str, what: str, times: Times, pair: tuple[str, str], max_ratio: float | None = None) -> Line:
    """The median of the rounds' ratios, with medians and p99 of both, and the quartiles of the ratios."""
    ours, theirs = pair
    low, high = quartiles(times.ratios(ours, theirs))
    behind = (
        f"{times.p50_us(ours):,.0f} / {times.p50_us(theirs):,.0f} us, "
        f"p99 {times.p99_us(ours):,.0f} / {times.p99_us(theirs):,.0f}, half of the rounds {low:.2f} to {high:.2f}"
    )
    side: Side = "" if max_ratio is None else "max"
    return line(row, what, times.ratio(ours, theirs), side, max_ratio or 0.0, behind)


def line(row: str, what: str, figure: float | None, side: Side = "", target: float = 0.0, behind: str = "") -> Line:
    """Make a row with the machine's load of the last minute."""
    return Line(row, what, figure, side, target, behind, round(os.getloadavg()[0], 1))


def show(lines: Sequence[Line]) -> None:
    """Prints the table and writes run/bench/vehicle.json."""
    table = Table(title="vehicle", title_justify="left")
    for column in ("row", "what", "measured", "target", "", "behind", "load"):
        table.add_column(column, justify="right" if column in ("measured", "load") else "left")
    for one in lines:
        figure = "-" if one.figure is None else f"{one.figure:.3g}"
        table.add_row(one.row, one.what, figure, one.target_text, one.verdict, one.behind, f"{one.load:.1f}")
    Console(width=200).print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    rows = [asdict(one) | {"verdict": one.verdict} for one in lines]
    (OUT / "vehicle.json").write_text(
        json.dumps({"bench": "vehicle", "machine": machine(), "rows": rows}, indent=1) + "\n"
    )
