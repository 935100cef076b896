"""The lap chart: the laps of several runs beside each other, and how even each run is. Pure.

The table is the chart for those who do not see it, and lap_chart.js draws what the table says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

from shared.text import text
from shared.units import format_ms
from station.views.trackside.commentary import LapTime, RunLaps
from station.views.views import View
from station.web.page import PageContent

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Consistency:
    """How even the counted laps of a run are, in ms; `spread_ms` is their standard deviation, None below two laps."""

    laps: int
    best_ms: int | None
    average_ms: int | None
    spread_ms: int | None


@dataclass(frozen=True, slots=True)
class ChartCell:
    """One lap in the table. `ms`: for the chart, None where it draws nothing; `sign` and `words` say how it counts."""

    number: int
    text: str
    ms: int | None
    sign: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One run: its racer, its laps, and how even they are. `on`: it is on the track."""

    key: str
    racer: str
    note: str
    on: bool
    cells: tuple[ChartCell, ...]
    best: str
    average: str
    spread: str


@dataclass(frozen=True, slots=True)
class LapChart:
    """The whole chart. `numbers`: the lap numbers along it."""

    rows: tuple[ChartRow, ...]
    numbers: tuple[int, ...]


def lap_chart(runs: Sequence[RunLaps], most_laps: int = 40) -> LapChart:
    """The chart of these runs, each once, in the order given; of a longer run the last `most_laps` laps are shown."""
    runs = tuple({run.run_id: run for run in runs if run.laps}.values())
    newest = max((run.laps[-1].number for run in runs), default=0)
    numbers = tuple(range(max(1, newest - most_laps + 1), newest + 1))
    return LapChart(tuple(_row(run, numbers) for run in runs), numbers)


def consistency(laps: Sequence[LapTime]) -> Consistency:
    """How even the laps are that count; all figures truncated to ms."""
    times = [lap.lap_ms for lap in laps if lap.valid]
    if not times:
        return Consistency(0, None, None, None)
    count, total = len(times), sum(times)
    squares = sum(each * each for each in times)
    spread_ms = isqrt(max(0, count * squares - total * total)) // count if count > 1 else None
    return Consistency(count, min(times), total // count, spread_ms)


def _row(run: RunLaps, numbers: Sequence[int]) -> ChartRow:
    by_number, even = {lap.number: lap for lap in run.laps}, consistency(run.laps)
    note = text("on the track") if run.on else "" if run.counts else text("does not count")
    return ChartRow(
        key=f"chart-{run.run_id}",
        racer=run.racer,
        note=note,
        on=run.on,
        cells=tuple(_cell(by_number[number]) for number in numbers if number in by_number),
        best=_time(even.best_ms),
        average=_time(even.average_ms),
        spread=_time(even.spread_ms),
    )


def _cell(lap: LapTime) -> ChartCell:
    if lap.held:
        return ChartCell(lap.number, format_ms(lap.lap_ms), None, "~", text("an official still decides"))
    if not lap.valid:
        return ChartCell(lap.number, format_ms(lap.lap_ms), None, "✕", text("does not count"))
    return ChartCell(lap.number, format_ms(lap.lap_ms), lap.lap_ms)


def _time(duration_ms: int | None) -> str:
    return NOTHING if duration_ms is None else format_ms(duration_ms)


HALL_RUNS, HALL_LAPS = 6, 12  # what can be told apart from the other end of a hall


def hall_chart(view: View) -> LapChart:
    """The chart of the big screen: the racers on the track, then the leaders, and the newest laps."""
    runs = [*view.commentary.current, *view.commentary.leaders]
    distinct = {run.run_id: run for run in runs if run.laps}
    return lap_chart(list(distinct.values())[:HALL_RUNS], HALL_LAPS)


def race_chart(view: View) -> LapChart:
    """The chart of the racers on the track and of the leaders' best runs."""
    return lap_chart([*view.commentary.current, *view.commentary.leaders])


CHART = PageContent(race_chart, ("chart_table",), macros="chart_parts.html")
