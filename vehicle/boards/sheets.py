"""How a board is cut into sheets of paper, pure: sizes in millimetres, places from the top left of the sheet.

A board that is larger than the paper's printable area goes over several sheets, which are cut along its edge and glued
on each other; each but the last has a strip to glue the next one on. Called by board_pdf.py.
"""

import math
from dataclasses import dataclass

from shared.errors import BadInput
from vehicle.lapwatch.markers import BoardKind

MARGIN_MM = 6.35  # a quarter of an inch: no printer prints nearer to the edge than that, few print all of it
RIM_MM = 30.0  # white around the black square, without which it is not found
GLUE_MM = 12.0  # the strip that the next sheet is glued on
RULER_MM = 100.0
FOOTER_MM = 24.0  # below or beside the board: its words and the ruler
_MAX_SHEETS = 16  # of one board


@dataclass(frozen=True, slots=True)
class PaperSize:
    """A size of paper, upright."""

    name: str
    width_mm: float
    height_mm: float


PAPERS = {
    "A4": PaperSize("A4", 210.0, 297.0),
    "A3": PaperSize("A3", 297.0, 420.0),
    "Letter": PaperSize("Letter", 215.9, 279.4),
}


@dataclass(frozen=True, slots=True)
class BoardSheet:
    """One sheet of a board: the part of it (column and row of so many), and where that part lies on the paper.

    `part_mm`: left, top, width and height of the part, measured on the board with its rim. It is drawn at
    `at_mm` (left, top) of a sheet of `paper_mm`. `glue_right`, `glue_below`: a strip to glue on follows there.
    """

    kind: BoardKind
    column: int
    row: int
    columns: int
    rows: int
    part_mm: tuple[float, float, float, float]
    at_mm: tuple[float, float]
    paper_mm: tuple[float, float]

    @property
    def glue_right(self) -> bool:
        """Whether a strip for the next sheet is on the right."""
        return self.column < self.columns - 1

    @property
    def glue_below(self) -> bool:
        """Whether a strip for the next sheet is below."""
        return self.row < self.rows - 1


def side_mm(kind: BoardKind) -> float:
    """The side of the whole board, rim included."""
    return kind.size_m * 1000.0 + 2 * RIM_MM


def sheets_of(kind: BoardKind, paper_size: PaperSize) -> list[BoardSheet]:
    """The sheets of one board, row by row; upright or across, whichever needs fewer.

    Raises BadInput if the board is too large for the paper.
    """
    upright, across = (paper_size.width_mm, paper_size.height_mm), (paper_size.height_mm, paper_size.width_mm)
    choices = [_cut(kind, size) for size in (upright, across)]
    sheets = min(choices, key=len)
    if len(sheets) > _MAX_SHEETS:
        raise BadInput(
            f"board {kind.id} of {kind.size_m:g} m would need {len(sheets)} sheets of {paper_size.name}, more than "
            f"{_MAX_SHEETS}: print it in a shop, on paper {math.ceil(side_mm(kind) / 10)} cm wide."
        )
    return sheets


def _cut(kind: BoardKind, paper_mm: tuple[float, float]) -> list[BoardSheet]:
    side = side_mm(kind)
    room_x, room_y = paper_mm[0] - 2 * MARGIN_MM, paper_mm[1] - 2 * MARGIN_MM - FOOTER_MM
    columns, rows = _count(side, room_x), _count(side, room_y)
    width, height = side / columns, side / rows
    return [
        BoardSheet(
            kind,
            column,
            row,
            columns,
            rows,
            (column * width, row * height, width, height),
            ((paper_mm[0] - width - (GLUE_MM if column < columns - 1 else 0.0)) / 2, MARGIN_MM),
            paper_mm,
        )
        for row in range(rows)
        for column in range(columns)
    ]


def _count(length_mm: float, room_mm: float) -> int:
    """How many parts of equal length a side takes: each but the last needs room for a strip to glue on."""
    return 1 if length_mm <= room_mm else math.ceil(length_mm / (room_mm - GLUE_MM))
