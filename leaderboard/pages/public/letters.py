"""Text in a picture, in the letters of our pages: each character in the font file that has it. Called by card.py.

The files and their characters are those that tokens.css names for browsers. A character that none of them has (CJK,
emoji) is drawn as an empty box.
"""

import functools
import pathlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from PIL import ImageDraw, ImageFont

import shared.web.look

_LOOK = pathlib.Path(next(iter(shared.web.look.__path__)))
_FACE = re.compile(r'@font-face \{[^}]*url\("([\w-]+\.woff2)[^"]*"\)[^}]*unicode-range: ([^;]+);')
_BOX = "□"


@dataclass(frozen=True, slots=True)
class Letters:
    """Text of one size and weight (100 to 900)."""

    size: int
    weight: int = 400

    def width(self, words: str) -> float:
        """How wide the text will be."""
        return sum(self._font(file).getlength(run) for file, run in _runs(words))

    def draw(self, on: ImageDraw.ImageDraw, at: tuple[float, float], words: str, colour: str) -> None:
        """Draw the text with its base line beginning at this point."""
        x, y = at
        for file, run in _runs(words):
            font = self._font(file)
            on.text((x, y), run, font=font, fill=colour, anchor="ls")
            x += font.getlength(run)

    def fitted(self, words: str, width: float) -> str:
        """The text, or as much of it as fits, with dots."""
        if self.width(words) <= width:
            return words
        low, high = 0, len(words)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.width(words[:middle].rstrip() + "…") <= width else (low, middle - 1)
        return words[:low].rstrip() + "…"

    def _font(self, file: str) -> ImageFont.FreeTypeFont:
        return _font(file, self.size, self.weight)


@functools.cache
def _font(file: str, size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(_LOOK / file, size)
    # Whatever other axes a file has (optical size) stay as they are.
    font.set_variation_by_axes([
        float((weight if (axis["minimum"], axis["maximum"]) == (100, 900) else axis["default"]) or 0)
        for axis in font.get_variation_axes()
    ])  # fmt: skip
    return font


@functools.cache
def _faces() -> tuple[tuple[str, tuple[range, ...]], ...]:
    style = (_LOOK / "tokens.css").read_text(encoding="utf-8")
    return tuple((file, tuple(_ranges(listed))) for file, listed in _FACE.findall(style))


def _ranges(listed: str) -> Iterator[range]:
    for each in listed.split(","):
        first, _, last = each.strip().removeprefix("U+").partition("-")
        yield range(int(first, 16), int(last or first, 16) + 1)


@functools.lru_cache(maxsize=4096)
def _file_of(sign: str) -> str:
    # Later faces win, as in a browser.
    found = [file for file, ranges in _faces() if any(ord(sign) in each for each in ranges)]
    return found[-1] if found else ""


def _runs(words: str) -> Iterator[tuple[str, str]]:
    plain = "".join(sign if _file_of(sign) else _BOX for sign in unicodedata.normalize("NFC", words))
    for file, run in groupby(plain, _file_of):
        yield file, "".join(run)
