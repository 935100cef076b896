"""The curves of a training's page: which there are, their axes, their lines as SVG in a box of WIDTH x HEIGHT. Pure.

The box is stretched to the room that there is; labels of the axes are text beside it, so that they stay readable.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.text import Sentence, text
from shared.text.shown_numbers import ShownNumber
from simulator.train.scores import Scores, best_checkpoint

WIDTH, HEIGHT = 1000, 400
MEAN_OF = 10  # rows of the thick line; with fewer there is none, and each row is a dot
MAX_POINTS = 400  # of a line
X_INTERVALS, Y_INTERVALS = 3, 4  # at most
BEYOND = 0.05  # of an interval: so far a line may go beyond the last tick of x

Row = Mapping[str, float]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """One column of the table of progress as a curve. `needed`: drawn even if all its values are 0."""

    column: str
    title: Sentence
    unit: str = ""
    needed: bool = True


CURVES = (
    Curve("reward", text("Reward of an episode")),
    Curve("episode_s", text("Length of an episode"), "s"),
    Curve("progress", text("Progress of an episode"), "%"),  # of a lap; not by imitation
    Curve("speed_mps", text("Speed"), "m/s"),
    Curve("off_tracks_per_100m", text("Off-tracks in 100 m")),
    Curve("crashes_per_100m", text("Crashes in 100 m"), needed=False),  # where there are no boxes, there are none
    Curve("loss", text("Difference from the expert")),  # of imitation alone
)


@dataclass(frozen=True, slots=True)
class DrawnCurve:
    """What the page needs of a curve. Labels of x from the left, of y from the top; all else is in the SVG's units."""

    curve: Curve
    newest: ShownNumber
    summary: Sentence
    x_labels: tuple[ShownNumber, ...]
    y_labels: tuple[ShownNumber, ...]
    heights: tuple[float, ...]  # of the lines across
    line: str
    mean: str  # "" with few rows
    dots: tuple[tuple[str, str], ...]
    checkpoints: tuple[str, ...]  # their places from the left
    best: str  # the place of the best one, "" if there is none yet


def drawn_curves(rows: Sequence[Row], scores: Scores) -> list[DrawnCurve]:
    """The curves that have something to show."""
    drawn = (_drawn(curve, rows, scores) for curve in CURVES)
    return [curve for curve in drawn if curve is not None]


def _drawn(curve: Curve, rows: Sequence[Row], scores: Scores) -> DrawnCurve | None:
    shown = [row for row in rows if not math.isnan(row[curve.column])]
    values = [row[curve.column] for row in shown]
    if not values or not (curve.needed or any(values)):
        return None
    last = max([rows[-1]["steps"], *scores])
    x_ticks = ticks(0.0, last, X_INTERVALS, whole=True, beyond=BEYOND)
    y_ticks = ticks(min(0.0, *values), max(0.0, *values), Y_INTERVALS)

    def place(steps: float, value: float) -> Point:
        return WIDTH * steps / x_ticks[-1], HEIGHT * (y_ticks[-1] - value) / (y_ticks[-1] - y_ticks[0])

    points = [place(row["steps"], value) for row, value in zip(shown, values, strict=True)]
    means = [place(row["steps"], _mean(values, end)) for end, row in enumerate(shown)]
    best = best_checkpoint(scores) if scores else None
    newest, first, highest = (_shown(value, curve.unit) for value in (values[-1], values[0], max(values)))
    decimals, few = _decimals(y_ticks[1] - y_ticks[0]), len(points) < MEAN_OF
    return DrawnCurve(
        curve=curve,
        newest=newest,
        summary=text(
            "{title}: from {first} to {newest}, highest {highest}",
            title=curve.title,
            first=first,
            newest=newest,
            highest=highest,
        ),
        x_labels=tuple(ShownNumber(tick) for tick in x_ticks),
        y_labels=tuple(ShownNumber(tick, decimals) for tick in reversed(y_ticks)),
        heights=tuple(place(0.0, tick)[1] for tick in y_ticks),
        line=_written(_thinned(points)),
        mean="" if few else _written(_thinned(means)),
        dots=tuple((f"{x:.1f}", f"{y:.1f}") for x, y in points) if few else (),
        checkpoints=tuple(f"{place(steps, 0.0)[0]:.1f}" for steps in sorted(scores) if steps != best),
        best="" if best is None else f"{place(best, 0.0)[0]:.1f}",
    )


def ticks(low: float, high: float, max_intervals: int, *, whole: bool = False, beyond: float = 1e-9) -> list[float]:
    """Round numbers at even distances from at most `low` to at least `high`, in at most `max_intervals` intervals.

    `high` may lie beyond the last one by that share of an interval.
    """
    if high == low:
        high = low + 1.0
    exponent = math.floor(math.log10((high - low) / max_intervals))
    for step in (factor * 10.0**power for power in range(exponent, exponent + 3) for factor in (1.0, 2.0, 2.5, 5.0)):
        if whole and step != round(step):
            continue
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - beyond)
        if last - first <= max_intervals:
            return [step * number for number in range(first, last + 1)]
    raise AssertionError(f"no ticks from {low} to {high}")


def _decimals(step: float) -> int:
    """How many decimals a label needs."""
    return next((count for count in range(7) if abs(round(step, count) - step) < 1e-9 * step), 7)


def _shown(value: float, unit: str) -> ShownNumber:
    """A value with three digits."""
    decimals = max(0, min(4, 2 - math.floor(math.log10(abs(value))))) if value else 0
    return ShownNumber(value, decimals, unit)


def _mean(values: Sequence[float], end: int) -> float:
    last = values[max(0, end + 1 - MEAN_OF) : end + 1]
    return sum(last) / len(last)


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most MAX_POINTS of them; what stands out stays: of neighbours the lowest and the highest."""
    size = 2 * math.ceil(len(points) / MAX_POINTS)
    if size <= 2:
        return list(points)
    kept: list[Point] = []
    for start in range(0, len(points), size):
        some = points[start : start + size]
        kept += sorted({min(some, key=lambda each: each[1]), max(some, key=lambda each: each[1])})
    return kept


def _written(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
