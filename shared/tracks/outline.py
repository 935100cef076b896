"""The outline of one closed track, in metres: its centre line and, if they are known, its edges. Pure.

The station draws it and takes the length of the centre line from it; the mock world has its own geometry for driving.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import BadInput
from shared.text import text
from shared.tracks.array_file import Row, read_table

MIN_ROWS = 8
MAX_EXTENT_M = 200.0
MAX_FROM_ORIGIN_M = 1e6
MIN_LENGTH_M, MAX_LENGTH_M = 3.0, 1000.0
MIN_WIDTH_M, MAX_WIDTH_M = 0.2, 5.0
CLOSED_WITHIN_M = 0.5
SAME_POINT_M = 1e-4

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class TrackOutline:
    """A closed track. Points are in metres, in driving order; the first is the start line and is not repeated.

    `inner` and `outer` are the edges, of as many points as `centre`; both empty if only the centre line is known.
    """

    name: str
    centre: tuple[Point, ...]
    inner: tuple[Point, ...]
    outer: tuple[Point, ...]
    length_m: float

    @property
    def clockwise(self) -> bool:
        """Whether the points run clockwise, seen from above with y upwards."""
        return _doubled_area(self.centre) < 0

    def point_at(self, share: float) -> Point:
        """The point of the centre line after this share (0 to 1, and over again) of a lap from the start line."""
        left_m = (share % 1.0) * self.length_m
        points = (*self.centre, self.centre[0])
        for begin, end in itertools.pairwise(points):
            step_m = math.dist(begin, end)
            if left_m <= step_m and step_m:
                part = left_m / step_m
                return begin[0] + part * (end[0] - begin[0]), begin[1] + part * (end[1] - begin[1])
            left_m -= step_m
        return self.centre[0]


def outline_of(name: str, data: bytes) -> TrackOutline:
    """The outline in the bytes of a `.npy` file: N x 6 (centre, inner and outer x, y) or N x 2 (centre) in metres.

    Raises BadInput, one sentence that says what is wrong and what to do.
    """
    rows = read_table(name, data)
    _check_columns(name, rows)
    _check_place(name, rows)
    if math.dist(rows[0][:2], rows[-1][:2]) > CLOSED_WITHIN_M:
        raise BadInput(
            text(
                "The track {name} is not closed: its last point must lie on its first one to race laps on it.",
                name=name,
            )
        )
    rows = _without_repeats(rows)
    if len(rows) < MIN_ROWS:
        raise BadInput(
            text(
                "The track {name} has only {rows} different points: it needs at least {min_rows}.",
                name=name,
                rows=len(rows),
                min_rows=MIN_ROWS,
            )
        )
    length_m = _length_m([(row[0], row[1]) for row in rows])
    _check_length(name, length_m)
    _check_width(name, rows)
    has_edges = len(rows[0]) == 6
    return TrackOutline(
        name,
        tuple((row[0], row[1]) for row in rows),
        tuple((row[2], row[3]) for row in rows) if has_edges else (),
        tuple((row[4], row[5]) for row in rows) if has_edges else (),
        length_m,
    )


def _check_columns(name: str, rows: Sequence[Row]) -> None:
    if len(rows[0]) not in (2, 6):
        raise BadInput(
            text(
                "The track {name} has {columns} columns: it needs 6 (centre, inner and outer x, y in metres) or 2 "
                "(the centre line).",
                name=name,
                columns=len(rows[0]),
            )
        )


def _check_length(name: str, length_m: float) -> None:
    if not MIN_LENGTH_M <= length_m <= MAX_LENGTH_M:
        raise BadInput(
            text(
                "The track {name} is {length_m:.4g} m long: it must be {min_m:g} to {max_m:g} m; is it in metres?",
                name=name,
                length_m=length_m,
                min_m=MIN_LENGTH_M,
                max_m=MAX_LENGTH_M,
            )
        )


def _check_place(name: str, rows: Sequence[Row]) -> None:
    columns = list(zip(*rows, strict=True))
    furthest_m = max(max(map(abs, column)) for column in columns)
    extent_m = max(max(column) - min(column) for column in columns)
    if extent_m > MAX_EXTENT_M:
        raise BadInput(
            text(
                "The track {name} is {extent_m:.3g} m across, more than {max_m:g} m: is it in metres?",
                name=name,
                extent_m=extent_m,
                max_m=MAX_EXTENT_M,
            )
        )
    if furthest_m > MAX_FROM_ORIGIN_M:
        raise BadInput(
            text(
                "The track {name} lies {furthest_m:.3g} m from the origin: is it in metres?",
                name=name,
                furthest_m=furthest_m,
            )
        )


def _check_width(name: str, rows: Sequence[Row]) -> None:
    if len(rows[0]) != 6:
        return
    widths_m = [math.dist(row[2:4], row[4:6]) for row in rows]
    if min(widths_m) < MIN_WIDTH_M or max(widths_m) > MAX_WIDTH_M:
        raise BadInput(
            text(
                "The track {name} is {narrowest_m:.2f} to {widest_m:.2f} m wide: it must be {min_m:g} to {max_m:g} m "
                "everywhere.",
                name=name,
                narrowest_m=min(widths_m),
                widest_m=max(widths_m),
                min_m=MIN_WIDTH_M,
                max_m=MAX_WIDTH_M,
            )
        )


def _without_repeats(rows: Sequence[Row]) -> list[Row]:
    """The rows without those whose centre repeats the one before; the closing row repeats the first."""
    kept = [rows[0]]
    for row in rows[1:]:
        if math.dist(row[:2], kept[-1][:2]) > SAME_POINT_M:
            kept.append(row)
    if len(kept) > 1 and math.dist(kept[0][:2], kept[-1][:2]) <= SAME_POINT_M:
        kept.pop()
    return kept


def _length_m(centre: Sequence[Point]) -> float:
    return sum(math.dist(begin, end) for begin, end in itertools.pairwise((*centre, centre[0])))


def _doubled_area(points: Sequence[Point]) -> float:
    pairs = itertools.pairwise((*points, points[0]))
    return sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in pairs)
