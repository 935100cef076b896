"""Text in a picture, in the letters of our pages: each character in the font file that has it. Called by card.py.

The files and their characters are those that tokens.css names for browsers. What none of them has (Chinese, say) is
drawn in a font of this machine (machine_fonts.py); what that has not either is a plain bar as long as the text.
"""

import functools
import pathlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import cast

from PIL import ImageDraw, ImageFont, features

import shared.web.look
from leaderboard.pages.public.machine_fonts import MachineFont, machine_fonts

_LOOK = pathlib.Path(next(iter(shared.web.look.__path__)))
_FACE = re.compile(r'@font-face \{[^}]*url\("([\w-]+\.woff2)[^"]*"\)[^}]*unicode-range: ([^;]+);')
_BOLD = 600
_BAR = "#4a566b"
_FORMLESS = ("Cc", "Cf", "Me", "Mn")  # a joiner, a direction: nothing by itself
_Face = str | MachineFont | None  # one of our files, a font of the machine, or none


@dataclass(frozen=True, slots=True)
class Letters:
    """Text of one size and weight (100 to 900)."""

    size: int
    weight: int = 400

    def width(self, words: str) -> float:
        """How wide the text will be."""
        return sum(self._width(face, run) for face, run in self._runs(words))

    def draw(self, on: ImageDraw.ImageDraw, at: tuple[float, float], words: str, colour: str) -> None:
        """Draw the text with its base line beginning at this point."""
        x, y = at
        for face, run in self._runs(words):
            wide = self._width(face, run)
            if face is None:
                high = 0.62 * self.size
                on.rounded_rectangle((x, y - high, x + wide - 0.12 * self.size, y), high / 4, fill=_BAR)
            else:
                on.text((x, y), run, font=self._font(face), fill=colour, anchor="ls")
            x += wide

    def fitted(self, words: str, width: float) -> str:
        """The text, or as much of it as fits, with dots."""
        if self.width(words) <= width:
            return words
        low, high = 0, len(words)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.width(words[:middle].rstrip() + "…") <= width else (low, middle - 1)
        return words[:low].rstrip() + "…"

    def _width(self, face: _Face, run: str) -> float:
        if face is not None:
            return self._font(face).getlength(run)
        return sum(0.95 if unicodedata.east_asian_width(sign) in "WF" else 0.6 for sign in run) * self.size

    def _font(self, face: str | MachineFont) -> ImageFont.FreeTypeFont:
        if isinstance(face, MachineFont):
            return _machine_font(face.file, face.index, self.size)
        return _font(face, self.size, self.weight)

    def _runs(self, words: str) -> Iterator[tuple[_Face, str]]:
        """The text in parts, each with the font that has it, None if there is none."""
        drawn, face = list[tuple[_Face, str]](), cast(_Face, None)
        for sign in unicodedata.normalize("NFC", words):
            # Words from right to left stand in their order only as one text: the space between them belongs to it.
            if not (sign == " " and isinstance(face, MachineFont) and face.has(sign)):
                face = _face_of(sign, bold=self.weight >= _BOLD)
            if face is not None or unicodedata.category(sign) not in _FORMLESS:
                drawn.append((face, sign))
        for face, run in groupby(drawn, lambda each: each[0]):
            yield face, "".join(sign for _, sign in run)


@functools.cache
def _font(file: str, size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(_LOOK / file, size)
    # Whatever other axes a file has (optical size) stay as they are.
    font.set_variation_by_axes([
        float((weight if (axis["minimum"], axis["maximum"]) == (100, 900) else axis["default"]) or 0)
        for axis in font.get_variation_axes()
    ])  # fmt: skip
    return font


@functools.lru_cache(maxsize=32)
def _machine_font(file: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, size, index)


@functools.cache
def _faces() -> tuple[tuple[str, tuple[range, ...]], ...]:
    style = (_LOOK / "tokens.css").read_text(encoding="utf-8")
    return tuple((file, tuple(_ranges(listed))) for file, listed in _FACE.findall(style))


def _ranges(listed: str) -> Iterator[range]:
    for each in listed.split(","):
        first, _, last = each.strip().removeprefix("U+").partition("-")
        yield range(int(first, 16), int(last or first, 16) + 1)


@functools.lru_cache(maxsize=4096)
def _face_of(sign: str, *, bold: bool) -> _Face:
    # Later faces win, as in a browser.
    ours = [file for file, ranges in _faces() if any(ord(sign) in each for each in ranges)]
    if ours:
        return ours[-1]
    if unicodedata.bidirectional(sign) in ("R", "AL") and not features.check("raqm"):
        return None  # it would stand in the wrong order
    theirs = [font for font in machine_fonts() if font.has(sign)]
    return next((font for font in theirs if font.bold == bold), theirs[0] if theirs else None)
