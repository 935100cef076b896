"""The laps of a run as a small line in a row of a table: what goes into the `d` of two SVG paths. Pure.

Colours and line widths come from the style sheet of the page. What the line shows stands in figures on the run's page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 64, 20
VIEW_BOX = f"0 0 {WIDTH} {HEIGHT}"
_EDGE = 3  # room for the marks
_STEP = 10  # from lap to lap, if there are few
_MAX_LAPS = 40  # of a longer run, those around the score
# Shares of the fastest lap: lines of nearly equal laps stay flat, and one lap with a spin does not flatten the others.
_MIN_SPREAD, _MAX_SPREAD = 0.05, 0.5


@dataclass(frozen=True, slots=True)
class SparkLap:
    """A lap of the line. `lap_ms`: None if it does not count, which leaves a gap. `in_score`: it makes the score."""

    lap_ms: int | None
    in_score: bool


@dataclass(frozen=True, slots=True)
class Sparkline:
    """`line`: through all laps, the lower, the faster. `marks`: dots (by round line ends) at the laps of the score."""

    line: str
    marks: str


def sparkline(laps: Sequence[SparkLap]) -> Sparkline | None:
    """The line of a run; None if fewer than two of its laps count, which make no line."""
    shown = _around_score(laps)
    times_ms = [lap.lap_ms for lap in shown if lap.lap_ms is not None]
    if len(times_ms) < 2:
        return None
    fastest_ms = min(times_ms)
    spread_ms = min(max(max(times_ms) - fastest_ms, fastest_ms * _MIN_SPREAD, 1), fastest_ms * _MAX_SPREAD)
    step = min(_STEP, (WIDTH - 2 * _EDGE) / (len(shown) - 1))
    line, marks, joined = [], [], False
    for place, lap in enumerate(shown):
        if lap.lap_ms is None:
            joined = False
            continue
        slower = min(1.0, (lap.lap_ms - fastest_ms) / spread_ms)
        point = f"{round(_EDGE + place * step)} {round(HEIGHT - _EDGE - slower * (HEIGHT - 2 * _EDGE))}"
        line.append(f"{'L' if joined else 'M'}{point}")
        if lap.in_score:
            marks.append(f"M{point}h0")
        joined = True
    return Sparkline("".join(line), "".join(marks))


def _around_score(laps: Sequence[SparkLap]) -> Sequence[SparkLap]:
    first = next((place for place, lap in enumerate(laps) if lap.in_score), len(laps))
    begin = max(0, min(first - _MAX_LAPS // 2, len(laps) - _MAX_LAPS))
    return laps[begin : begin + _MAX_LAPS]
