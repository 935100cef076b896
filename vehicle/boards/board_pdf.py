"""Draws the sheets of the boards as a PDF, at true scale, by reportlab; the same bytes each time.

Called by `vehicle/commands/print_boards.py`. Measures are millimetres from the top left of the sheet.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from shared.text.sentence import Sentence
from vehicle.boards import words
from vehicle.boards.marker_cells import CELLS, white_cells
from vehicle.boards.sheets import (
    FOOTER_MM,
    GLUE_MM,
    MARGIN_MM,
    RIM_MM,
    RULER_MM,
    BoardSheet,
    PaperSize,
    sheets_of,
    side_mm,
)
from vehicle.lapwatch.markers import BoardKind

_PT = 72.0 / 25.4  # points a millimetre
_FONT, _BOLD = "BoardText", "BoardTextBold"
_GREY, _BLACK, _WHITE = 0.55, 0.0, 1.0
_FOOT_MM = (110.0, 70.0)  # width and height of a foot
_SLIT_MM = 3.0
_QR_MM = 42.0

Translate = Callable[[Sentence], str]


def boards_pdf(kinds: Sequence[BoardKind], paper_size: PaperSize, translate: Translate, more: str) -> bytes:
    """The document: what to do, the sheets of each board, the feet. `more` is what the QR code holds.

    Raises BadInput if a board is too large for the paper.
    """
    sheets = [sheet for kind in kinds for sheet in sheets_of(kind, paper_size)]
    for name, file in ((_FONT, "Vera.ttf"), (_BOLD, "VeraBd.ttf")):  # shipped with reportlab, free to embed
        pdfmetrics.registerFont(TTFont(name, file))
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1, pageCompression=1)
    canvas.setTitle(translate(words.title()))
    page = _Page(canvas, (paper_size.width_mm, paper_size.height_mm))
    _draw_first(page, kinds, translate, more)
    for sheet in sheets:
        canvas.showPage()
        _draw_sheet(_Page(canvas, sheet.paper_mm), sheet, translate)
    canvas.showPage()
    _draw_feet(_Page(canvas, (paper_size.width_mm, paper_size.height_mm)), translate)
    canvas.save()
    return out.getvalue()


class _Page:
    """One page, drawn in millimetres from its top left."""

    def __init__(self, canvas: Canvas, size_mm: tuple[float, float]) -> None:
        self.canvas, (self.width_mm, self.height_mm) = canvas, size_mm
        canvas.setPageSize((self.width_mm * _PT, self.height_mm * _PT))

    def point(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        """The same place in points from the bottom left."""
        return x_mm * _PT, (self.height_mm - y_mm) * _PT

    def fill(self, rectangles: Sequence[tuple[float, float, float, float]], level: float) -> None:
        """Fill rectangles (left, top, width, height) as one area, so that no seam shows between neighbours."""
        path = self.canvas.beginPath()
        for x_mm, y_mm, width_mm, height_mm in rectangles:
            path.rect(*self.point(x_mm, y_mm + height_mm), width_mm * _PT, height_mm * _PT)
        self.canvas.setFillGray(level)
        self.canvas.drawPath(path, stroke=0, fill=1)

    def line(self, points_mm: Sequence[tuple[float, float]], width_mm: float = 0.25, level: float = _GREY) -> None:
        """A line through the points."""
        path = self.canvas.beginPath()
        path.moveTo(*self.point(*points_mm[0]))
        for spot in points_mm[1:]:
            path.lineTo(*self.point(*spot))
        self.canvas.setStrokeGray(level)
        self.canvas.setLineWidth(width_mm * _PT)
        self.canvas.drawPath(path, stroke=1, fill=0)

    def write(self, x_mm: float, y_mm: float, words_: str, size_mm: float = 3.2, font: str = _FONT) -> None:
        """One line of text whose base line is at `y_mm`."""
        self.canvas.setFillGray(_BLACK)
        self.canvas.setFont(font, size_mm * _PT)
        self.canvas.drawString(*self.point(x_mm, y_mm), words_)

    def write_wrapped(self, x_mm: float, y_mm: float, text_: str, width_mm: float, size_mm: float) -> float:
        """Text in as many lines as it needs; returns the base line after it."""
        for line in wrapped(text_, width_mm, size_mm):
            self.write(x_mm, y_mm, line, size_mm)
            y_mm += 1.4 * size_mm
        return y_mm

    @contextmanager
    def clipped(self, x_mm: float, y_mm: float, width_mm: float, height_mm: float) -> Iterator[None]:
        """Whatever is drawn shows only within the rectangle."""
        self.canvas.saveState()
        path = self.canvas.beginPath()
        path.rect(*self.point(x_mm, y_mm + height_mm), width_mm * _PT, height_mm * _PT)
        self.canvas.clipPath(path, stroke=0, fill=0)
        yield
        self.canvas.restoreState()


def wrapped(text_: str, width_mm: float, size_mm: float) -> list[str]:
    """The text in lines that are no wider."""
    lines = [""]
    for word in text_.split():
        longer = f"{lines[-1]} {word}".strip()
        if pdfmetrics.stringWidth(longer, _FONT, size_mm * _PT) <= width_mm * _PT or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _draw_first(page: _Page, kinds: Sequence[BoardKind], translate: Translate, more: str) -> None:
    left, width = MARGIN_MM + 10, page.width_mm - 2 * (MARGIN_MM + 10)
    page.write(left, 26, translate(words.title()), 7, _BOLD)
    below = 40.0
    for number, step in enumerate(words.steps(kinds), 1):
        page.write(left, below, f"{number}.", 4, _BOLD)
        below = page.write_wrapped(left + 9, below, translate(step), width - 9, 4) + 2.5
    _draw_ruler(page, left, below + 8, translate)
    _draw_code(page, left, below + 24, more)
    page.write(left, below + 24 + _QR_MM + 6, translate(words.scan()), 3.5)


def _draw_sheet(page: _Page, sheet: BoardSheet, translate: Translate) -> None:
    (left, top), (from_x, from_y, width, height) = sheet.at_mm, sheet.part_mm
    with page.clipped(left, top, width, height):
        square, side = side_mm(sheet.kind) - 2 * RIM_MM, side_mm(sheet.kind)
        x, y, cell = left - from_x + RIM_MM, top - from_y + RIM_MM, (side - 2 * RIM_MM) / CELLS
        page.fill([(x, y, square, square)], _BLACK)
        page.fill([(x + c * cell, y + r * cell, cell, cell) for r, c in white_cells(sheet.kind.id)], _WHITE)
    page.line([(left, top), (left + width, top), (left + width, top + height), (left, top + height), (left, top)])
    _draw_strips(page, sheet, translate)
    below = page.height_mm - MARGIN_MM - FOOTER_MM
    width_mm = page.width_mm - 2 * MARGIN_MM - RULER_MM - 12
    after = page.write_wrapped(MARGIN_MM + RULER_MM + 12, below + 6, translate(words.part(sheet)), width_mm, 2.8)
    page.write_wrapped(MARGIN_MM + RULER_MM + 12, after, translate(words.place(sheet.kind)), width_mm, 2.8)
    _draw_ruler(page, MARGIN_MM + 2, below + 9, translate)


def _draw_strips(page: _Page, sheet: BoardSheet, translate: Translate) -> None:
    """The strips that the next sheets are glued on, hatched."""
    (left, top), (_, _, width, height) = sheet.at_mm, sheet.part_mm
    right, bottom = left + width, top + height
    strips = []
    if sheet.glue_right:
        strips.append((right, top, GLUE_MM, height))
    if sheet.glue_below:
        strips.append((left, bottom, width, GLUE_MM))
    for x, y, w, h in strips:
        page.line([(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)], 0.15)
        with page.clipped(x, y, w, h):
            for step in range(0, int(w + h), 6):
                page.line([(x + step, y), (x + step - h, y + h)], 0.1, 0.8)
        if w > h:
            page.write(x + 4, y + h / 2 + 1, translate(words.glue()), 2.6)
        else:
            page.canvas.saveState()
            page.canvas.translate(*page.point(x + w / 2 - 1, y + 4))
            page.canvas.rotate(-90)
            page.canvas.setFont(_FONT, 2.6 * _PT)
            page.canvas.setFillGray(_BLACK)
            page.canvas.drawString(0, 0, translate(words.glue()))
            page.canvas.restoreState()


def _draw_ruler(page: _Page, x_mm: float, y_mm: float, translate: Translate) -> None:
    """A ruler to measure the printer's scale by: from the outer edge of its first mark to that of its last."""
    page.fill([(x_mm, y_mm, RULER_MM, 0.3)], _BLACK)
    for at in range(0, int(RULER_MM) + 1, 10):
        tall = 6.0 if at in (0, int(RULER_MM)) else 3.0
        page.fill([(x_mm + at - (0.3 if at == RULER_MM else 0.0), y_mm - tall, 0.3, tall)], _BLACK)
    page.write(x_mm + RULER_MM / 2 - 6, y_mm + 4.5, translate(words.ruler()), 3)


def _draw_code(page: _Page, x_mm: float, y_mm: float, more: str) -> None:
    """The QR code, its quiet zone left to the page."""
    code = QrCodeWidget(more, barLevel="M").qr
    code.make()
    count = code.getModuleCount()
    module = _QR_MM / count
    dark = [
        (x_mm + column * module, y_mm + row * module, module, module)
        for row in range(count)
        for column in range(count)
        if code.isDark(row, column)
    ]
    page.fill(dark, _BLACK)


def _draw_feet(page: _Page, translate: Translate) -> None:
    """Two feet: trapezoids with a slit from above that ends as high as the board's lower edge is to be."""
    left = MARGIN_MM + 10
    below = page.write_wrapped(left, 24, translate(words.feet()), page.width_mm - 2 * left, 4)
    (width, height), slit = _FOOT_MM, _SLIT_MM
    for number in range(2):
        x, y = left, below + 10 + number * (height + 20)
        middle, deep = x + width / 2, y + height - words.FLOOR_MM
        outline = [
            (x, y + height),
            (x + width, y + height),
            (middle + 14, y),
            (middle + slit / 2, y),
            (middle + slit / 2, deep),
            (middle - slit / 2, deep),
            (middle - slit / 2, y),
            (middle - 14, y),
            (x, y + height),
        ]
        page.line(outline, 0.3, _BLACK)
    _draw_ruler(page, left, below + 10 + 2 * (height + 20) + 8, translate)
