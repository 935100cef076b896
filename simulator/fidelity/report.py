"""The table of `raceday world fit`: how far each way to predict is off one second ahead, trace by trace."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from simulator.fidelity.simtrace import Floats
from simulator.fidelity.windows import Windows
from simulator.world.cars.profiles import CarProfile

ALL = "all"
TITLE = "Position error one second ahead, m"
WIDTH_OF_A_TRACE, WIDTH_OF_A_WAY = 40, 18


@dataclass(frozen=True, slots=True)
class PredictionError:
    """How far one way to predict is off one second ahead, in metres, over the windows of one trace (or of all)."""

    trace: str
    held_out: bool  # True if nothing was fitted to it
    windows: int
    way: str
    median_m: float
    p90_m: float


def prediction_table(windows: Windows, held_out: bool, ways: Sequence[tuple[str, Floats]]) -> list[PredictionError]:
    """The errors of all ways for each trace, then for all together. `ways`: names, and errors one a window."""
    names = sorted(set(windows.trace.tolist()), key=_in_order)
    parts = [(name, windows.trace == name) for name in names]
    if len(parts) > 1:
        parts.append((ALL, np.ones(len(windows), np.bool_)))
    return [
        PredictionError(
            name,
            held_out,
            int(chosen.sum()),
            way,
            float(np.median(errors[chosen])),
            float(np.percentile(errors[chosen], 90)),
        )
        for name, chosen in parts
        for way, errors in ways
    ]


def _in_order(name: str) -> tuple[list[int], str]:
    """Files by the numbers in their names, so that iteration 10 comes after 9."""
    digits = "".join(each if each.isdigit() else " " for each in name)
    return [int(each[:9]) for each in digits.split()], name


def as_table(rows: Sequence[PredictionError], width: int) -> Table:
    """One line a trace and one column a way; or one line for each of both, if that is too wide for `width` letters."""
    ways = list(dict.fromkeys(row.way for row in rows))
    if width < WIDTH_OF_A_TRACE + WIDTH_OF_A_WAY * len(ways):
        return _long_table(rows)
    table = Table("trace", title=TITLE)
    for column in ("windows", *ways):
        table.add_column(column, justify="right")
    for found in _by_trace(rows):
        by_way = {row.way: f"{row.median_m:.3f} / {row.p90_m:.2f}" for row in found}
        table.add_row(_name(found[0]), str(found[0].windows), *(by_way.get(way, "") for way in ways))
    return table


def _long_table(rows: Sequence[PredictionError]) -> Table:
    table = Table("trace", "windows", "predicted by", title=TITLE)
    for column in ("median", "90 %"):
        table.add_column(column, justify="right")
    for found in _by_trace(rows):
        for number, row in enumerate(found):
            begins = (_name(row), str(row.windows)) if number == 0 else ("", "")
            table.add_row(*begins, row.way, f"{row.median_m:.3f}", f"{row.p90_m:.2f}", end_section=row is found[-1])
    return table


def _by_trace(rows: Sequence[PredictionError]) -> list[list[PredictionError]]:
    found: dict[tuple[str, bool], list[PredictionError]] = {}
    for row in rows:
        found.setdefault((row.trace, row.held_out), []).append(row)
    return list(found.values())


def _name(row: PredictionError) -> str:
    return f"{row.trace} (held out)" if row.held_out else row.trace


def profiles_table(profiles: Iterable[CarProfile]) -> Table:
    """The shipped profiles and their errors on drives that they were not fitted to."""
    table = Table("profile", "judged on", title=TITLE)
    for column in ("windows", "median", "90 %"):
        table.add_column(column, justify="right")
    for profile in profiles:
        measured = profile.measured
        figures = ("not measured here", "", "", "")
        if measured is not None:
            figures = (measured.drives, str(measured.windows), f"{measured.median_m:.3f}", f"{measured.p90_m:.2f}")
        table.add_row(profile.name, *figures)
    return table
