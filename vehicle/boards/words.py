"""The words on the printed sheets, as sentences that are translated. Called by board_pdf.py."""

from collections.abc import Sequence

from shared.text import Sentence, text
from vehicle.boards.sheets import RIM_MM, RULER_MM, BoardSheet
from vehicle.lapwatch.markers import BoardKind

FLOOR_MM = 10  # the lower edge of a board above the floor


def title() -> Sentence:
    """The heading of the first page."""
    return text("The gate's boards")


def steps(kinds: Sequence[BoardKind]) -> list[Sentence]:
    """What to do with the sheets, in order."""
    return [
        text(
            "Print at 100 %, not fitted to the page. Measure the ruler: it must be {length} mm long.",
            length=_mm(RULER_MM),
        ),
        text("If it is not, print again, or write the true side of the black square into the cars' files: size_m."),
        text("Print two of each board, cut along the grey lines, and glue the parts on stiff board, edge to edge."),
        text("Leave all of the white rim of {rim} mm: without it no camera finds the board.", rim=_mm(RIM_MM)),
        text("Cut the feet from stiff board, and push one on each side into the lower edge, within the white rim."),
        *[place(kind) for kind in kinds],
        text("Each board stands upright beside the road, left and right, and faces the cars that come."),
    ]


def place(kind: BoardKind) -> Sentence:
    """Where the boards of a kind stand."""
    if kind.after_line_m < 0:
        return text(
            "Board {number}: black square of {side} mm, {before:.2f} m before the line, lower edge {floor} mm "
            "above the floor.",
            number=kind.id,
            side=_mm(kind.size_m * 1000),
            before=-kind.after_line_m,
            floor=FLOOR_MM,
        )
    return text(
        "Board {number}: black square of {side} mm, {behind:.2f} m behind the line, lower edge {floor} mm "
        "above the floor.",
        number=kind.id,
        side=_mm(kind.size_m * 1000),
        behind=kind.after_line_m,
        floor=FLOOR_MM,
    )


def part(sheet: BoardSheet) -> Sentence:
    """Which part of the board a sheet holds."""
    count = sheet.columns * sheet.rows
    if count == 1:
        return text("Board {number}, whole.", number=sheet.kind.id)
    return text(
        "Board {number}, sheet {n} of {count}: row {row} from the top, column {column} from the left.",
        number=sheet.kind.id,
        n=sheet.row * sheet.columns + sheet.column + 1,
        count=count,
        row=sheet.row + 1,
        column=sheet.column + 1,
    )


def ruler() -> Sentence:
    """Beside the ruler."""
    return text("{length} mm", length=_mm(RULER_MM))


def glue() -> Sentence:
    """On the strip that the next sheet is glued on."""
    return text("glue the next sheet here")


def feet() -> Sentence:
    """The heading of the page with the feet."""
    return text("Feet: two for each board, so print this sheet once for each; the slit as wide as the board is thick.")


def scan() -> Sentence:
    """Below the code."""
    return text("More: scan this.")


def _mm(length: float) -> str:
    return f"{length:g}"
