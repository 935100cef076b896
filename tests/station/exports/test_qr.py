"""QR codes: read back by an independent reader, and refused where no phone would read them."""

import re

import cv2
import numpy as np
import pytest

from shared.errors import BadInput
from station.exports.qr import MAX_TEXT, qr_svg


def pixels(svg: bytes, scale: int = 8) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """Draws the code as a renderer would: its dark modules are horizontal strokes, one unit high."""
    size = int(re.search(rb'viewBox="0 0 (\d+)', svg)[1])  # type: ignore[index]
    path = re.search(rb'stroke="#000" d="([^"]*)"', svg)[1].decode()  # type: ignore[index]
    image = np.full((size, size), 255, np.uint8)
    x, y = 0.0, 0.0
    for letter, numbers in re.findall(r"([Mmh])([^Mmh]*)", path):
        values = [float(each) for each in re.findall(r"-?\d*\.?\d+", numbers)]
        if letter == "h":
            image[int(y), int(x) : int(x + values[0])] = 0
            x += values[0]
        else:
            x, y = (values[0], values[1]) if letter == "M" else (x + values[0], y + values[1])
    return np.kron(image, np.ones((scale, scale), np.uint8))


@pytest.mark.parametrize(
    "content", ["http://192.168.4.1:8080/r/K7QX2", "https://board.example/races/autumn-summit", "ü" * 40]
)
def test_a_phone_reads_what_was_written(content: str) -> None:
    found, _, _ = cv2.QRCodeDetector().detectAndDecode(pixels(qr_svg(content)))
    assert found == content


def test_the_quiet_zone_is_four_modules_and_white_whatever_the_theme() -> None:
    svg = qr_svg("http://station.local/")
    image = pixels(svg, 1)
    assert image[:4].min() == image[:, :4].min() == image[-4:].min() == 255
    assert b"#fff" in svg
    assert b"style" not in svg
    assert b"script" not in svg


@pytest.mark.parametrize("content", ["", "x" * (MAX_TEXT + 1)])
def test_nothing_and_too_much_are_refused(content: str) -> None:
    with pytest.raises(BadInput, match="QR code"):
        qr_svg(content)
