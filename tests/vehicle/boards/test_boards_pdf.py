"""boards.pdf, rendered by PDFium as a printer would, cut and glued together, measured and read by OpenCV."""

from collections.abc import Sequence

import cv2
import numpy as np
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.text.catalogue import translate
from shared.text.sentence import Sentence
from vehicle.boards.board_pdf import boards_pdf, wrapped
from vehicle.boards.marker_cells import white_cells
from vehicle.boards.sheets import GLUE_MM, MARGIN_MM, PAPERS, RIM_MM, BoardSheet, PaperSize, sheets_of, side_mm
from vehicle.lapwatch.markers import STOCK_BOARDS, BoardKind

PX_PER_MM = 4.0
MORE = "https://example.org/the-boards"
DICTIONARY = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)


def english(sentence: Sentence) -> str:
    return str(sentence)


def german(sentence: Sentence) -> str:
    return translate(sentence, "de")


@pytest.fixture(scope="module", params=PAPERS)
def pages(request: pytest.FixtureRequest) -> tuple[PaperSize, list[np.ndarray]]:
    """All pages of the stock boards on one paper as grey pixels, 4 for each millimetre."""
    paper_size = PAPERS[request.param]
    document = pypdfium2.PdfDocument(boards_pdf(STOCK_BOARDS, paper_size, german, MORE))
    scale = PX_PER_MM * 25.4 / 72
    return paper_size, [page.render(scale=scale, grayscale=True).to_numpy().squeeze() for page in document]


def part_pixels(sheet: BoardSheet, page: np.ndarray) -> np.ndarray:
    """What is left of a sheet that was cut along its grey lines."""
    (left, top), (_, _, width, height) = sheet.at_mm, sheet.part_mm
    x0, y0, x1, y1 = (round(one * PX_PER_MM) for one in (left, top, left + width, top + height))
    return page[y0:y1, x0:x1]


def glued(sheets: Sequence[BoardSheet], parts: Sequence[np.ndarray]) -> np.ndarray:
    rows = []
    for row in range(sheets[0].rows):
        mine = [part for sheet, part in zip(sheets, parts, strict=True) if sheet.row == row]
        height = min(len(part) for part in mine)
        rows.append(np.hstack([part[:height] for part in mine]))
    width = min(row.shape[1] for row in rows)
    return np.vstack([row[:, :width] for row in rows])


def test_each_board_has_its_size_and_opencv_reads_it(pages: tuple[PaperSize, list[np.ndarray]]) -> None:
    paper_size, rendered = pages
    number = 1
    for kind in STOCK_BOARDS:
        sheets = sheets_of(kind, paper_size)
        board = glued(sheets, [part_pixels(s, p) for s, p in zip(sheets, rendered[number:], strict=False)])
        number += len(sheets)
        # The grey cutting lines are thin: what stays black is the square.
        black = cv2.erode(cv2.dilate((board < 60).astype(np.uint8), np.ones((3, 3))), np.ones((3, 3)))
        columns, rows = np.flatnonzero(black.sum(axis=0) > 40), np.flatnonzero(black.sum(axis=1) > 40)
        for found in (columns, rows):
            side = (found[-1] - found[0] + 1) / PX_PER_MM
            assert side == pytest.approx(kind.size_m * 1000, rel=0.005)
        corners, ids, _ = cv2.aruco.ArucoDetector(DICTIONARY).detectMarkers(cv2.resize(board, None, fx=0.25, fy=0.25))
        assert np.ravel(ids).tolist() == [kind.id]
        sides = np.linalg.norm(np.roll(corners[0][0], -1, axis=0) - corners[0][0], axis=1) * 4 / PX_PER_MM
        assert sides == pytest.approx(kind.size_m * 1000, rel=0.005)
    assert number == len(rendered) - 1  # the feet come last


def test_the_rulers_are_true_and_nothing_is_near_the_edge(pages: tuple[PaperSize, list[np.ndarray]]) -> None:
    paper_size, rendered = pages
    for page in rendered:
        height, width = page.shape
        assert sorted((width, height)) == pytest.approx(
            sorted((paper_size.width_mm * PX_PER_MM, paper_size.height_mm * PX_PER_MM)), abs=1.5
        )
        edge = int(MARGIN_MM * PX_PER_MM) - 2
        inner = np.zeros(page.shape, bool)
        inner[edge:-edge, edge:-edge] = True
        assert page[~inner].min() == 255
        # The ruler is the longest thin line: 100 mm from the outside of its first mark to that of its last.
        long = cv2.morphologyEx(
            (page < 100).astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, round(80 * PX_PER_MM)), np.uint8)
        )
        lines = [
            (x, w)
            for x, _, w, h, _ in cv2.connectedComponentsWithStats(long)[2][1:].tolist()
            if h <= 3 and w < 105 * PX_PER_MM
        ]
        assert any(w / PX_PER_MM == pytest.approx(100.0, abs=0.5) for _, w in lines)


def test_a_phone_reads_the_code(pages: tuple[PaperSize, list[np.ndarray]]) -> None:
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(pages[1][0])
    assert text == MORE


def test_the_words_are_said_in_german_and_the_font_is_inside() -> None:
    data = boards_pdf(STOCK_BOARDS, PAPERS["A4"], german, MORE)
    document = pypdfium2.PdfDocument(data)
    words = " ".join(document[0].get_textpage().get_text_range().split())
    assert "schwarzes Quadrat" in words
    assert "ß" in words or "ü" in words
    assert b"/FontFile2" in data  # an embedded TrueType font


def test_the_same_boards_are_the_same_bytes() -> None:
    one, two = (boards_pdf(STOCK_BOARDS, PAPERS["A3"], english, MORE) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("marker", range(50))
def test_the_patterns_are_those_of_opencv(marker: int) -> None:
    picture = cv2.aruco.generateImageMarker(DICTIONARY, marker, 6)
    assert white_cells(marker) == [tuple(cell) for cell in np.argwhere(picture > 127).tolist()]


@given(st.floats(0.02, 1.2), st.sampled_from(sorted(PAPERS)))
def test_any_board_is_cut_into_parts_that_fit_and_cover_it_or_refused(size_m: float, name: str) -> None:
    kind = BoardKind(3, size_m, 0.5)
    try:
        sheets = sheets_of(kind, PAPERS[name])
    except BadInput:
        assert side_mm(kind) > 500
        return
    assert sum(s.part_mm[2] * s.part_mm[3] for s in sheets) == pytest.approx(side_mm(kind) ** 2)
    for sheet in sheets:
        (left, top), (x, y, width, height) = sheet.at_mm, sheet.part_mm
        right = left + width + (GLUE_MM if sheet.glue_right else 0.0)
        bottom = top + height + (GLUE_MM if sheet.glue_below else 0.0)
        assert left >= MARGIN_MM - 1e-9
        assert top >= MARGIN_MM - 1e-9
        assert right <= sheet.paper_mm[0] - MARGIN_MM + 1e-9
        assert bottom <= sheet.paper_mm[1] - MARGIN_MM + 1e-9
        assert x + width <= side_mm(kind) + 1e-6
        assert y + height <= side_mm(kind) + 1e-6
    assert side_mm(kind) == pytest.approx(size_m * 1000 + 2 * RIM_MM)


def test_a_board_for_a_print_shop_is_refused_with_its_width() -> None:
    with pytest.raises(BadInput, match="paper 186 cm wide"):
        sheets_of(BoardKind(3, 1.8, 0.5), PAPERS["A4"])


@given(st.text(max_size=80))
def test_wrapped_text_keeps_its_words(text: str) -> None:
    assert " ".join(wrapped(text, 40.0, 3.0)).split() == text.split()
