"""The rows of the vehicle bench: what was compared, the figure, what is asked of it, and what lies behind."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

from bench.pacing import Times, quarters
from bench.report import OUT, machine

Side = Literal["most", "least", ""]


@dataclass(frozen=True, slots=True)
class Line:
    """One row. `figure` is None where it was not measured, and `behind` says why; `load` is the machine's by then."""

    row: str
    what: str
    figure: float | None
    side: Side = ""
    target: float = 0.0
    behind: str = ""
    load: float = 0.0

    @property
    def verdict(self) -> str:
        """Was the target met?"""
        if self.figure is None or not self.side:
            return ""
        met = self.figure <= self.target if self.side == "most" else self.figure >= self.target
        return "met" if met else "MISSED"

    @property
    def asked(self) -> str:
        """The target as in the table of the issue."""
        return {"most": f"<= {self.target:g}", "least": f">= {self.target:g}", "": ""}[self.side]


def ratio(row: str, what: str, times: Times, pair: tuple[str, str], most: float | None = None) -> Line:
    """The median of the rounds' ratios, with medians and p99 of both, and where half of the rounds lie."""
    ours, theirs = pair
    low, high = quarters(times.ratios(ours, theirs))
    behind = (
        f"{times.p50_us(ours):,.0f} / {times.p50_us(theirs):,.0f} us, "
        f"p99 {times.p99_us(ours):,.0f} / {times.p99_us(theirs):,.0f}, half of the rounds {low:.2f} to {high:.2f}"
    )
    side: Side = "" if most is None else "most"
    return line(row, what, times.ratio(ours, theirs), side, most or 0.0, behind)


def line(row: str, what: str, figure: float | None, side: Side = "", target: float = 0.0, behind: str = "") -> Line:
    """A row with the machine's load of the last minute."""
    return Line(row, what, figure, side, target, behind, round(os.getloadavg()[0], 1))


def show(lines: Sequence[Line]) -> None:
    """Prints the table and writes run/bench/vehicle.json."""
    table = Table(title="vehicle", title_justify="left")
    for column in ("row", "what", "measured", "target", "", "behind", "load"):
        table.add_column(column, justify="right" if column in ("measured", "load") else "left")
    for one in lines:
        figure = "-" if one.figure is None else f"{one.figure:.3g}"
        table.add_row(one.row, one.what, figure, one.asked, one.verdict, one.behind, f"{one.load:.1f}")
    Console(width=200).print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    rows = [asdict(one) | {"verdict": one.verdict} for one in lines]
    (OUT / "vehicle.json").write_text(
        json.dumps({"bench": "vehicle", "machine": machine(), "rows": rows}, indent=1) + "\n"
    )
