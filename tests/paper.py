"""Reads what a browser printed to PDF: the words of each page, its size, and the colours of its letters.

It knows the documents that Chromium writes, and no others: ISO 32000-1 with deflated streams and ToUnicode maps.
"""

import re
import zlib
from dataclasses import dataclass

_OBJECT = re.compile(rb"(?:^|\s)(\d+) 0 obj\b(.*?)\bendobj", re.DOTALL)
_TOKEN = re.compile(rb"<([0-9A-Fa-f\s]*)>|\((?:\\.|[^\\()])*\)|/([\w.+-]+)|[-+.\d]+|[A-Za-z'\"*]+|\[|\]")


@dataclass(frozen=True, slots=True)
class PrintedPage:
    """One page. `words`: all of them, without spaces; `size_pt`: width and height; `inks`: RGB of letters, 0 to 1."""

    words: str
    size_pt: tuple[int, int]
    inks: frozenset[tuple[float, float, float]]

    def says(self, text: str) -> bool:
        return re.sub(r"\s", "", text) in self.words


def printed(document: bytes) -> list[PrintedPage]:
    """The pages of the document, in their order."""
    objects = {int(number): body for number, body in _OBJECT.findall(document)}
    pages = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b(?!s)", body)]
    assert pages, "not a document of Chromium's"
    return [_page(body, objects) for body in pages]


def _page(body: bytes, objects: dict[int, bytes]) -> PrintedPage:
    box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", body)
    contents = re.search(rb"/Contents (\d+) 0 R", body)
    assert box is not None
    assert contents is not None
    fonts = {
        name: _letters(objects[int(number)], objects)
        for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", body)
        if int(number) in objects
    }
    words, inks = _written(_stream(objects[int(contents[1])]), fonts)
    return PrintedPage(words, (round(float(box[1])), round(float(box[2]))), inks)


def _stream(body: bytes) -> bytes:
    _, _, rest = body.partition(b"stream")
    data = rest.lstrip(b"\r\n").rpartition(b"endstream")[0]
    return zlib.decompress(data) if b"/FlateDecode" in body else data


def _letters(font: bytes, objects: dict[int, bytes]) -> dict[int, str]:
    """From a glyph's id to its letters."""
    named = re.search(rb"/ToUnicode (\d+) 0 R", font)
    if named is None:
        return {}
    table, letters = _stream(objects[int(named[1])]), dict[int, str]()
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, text in re.findall(rb"<(\w+)>\s*<(\w+)>", block):
            letters[int(glyph, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, text in re.findall(rb"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block):
            for glyph in range(int(first, 16), int(last, 16) + 1):
                letters[glyph] = chr(int(text, 16) + glyph - int(first, 16))
    return letters


def _written(content: bytes, fonts: dict[bytes, dict[int, str]]) -> tuple[str, frozenset[tuple[float, float, float]]]:
    """The letters that the page shows, and the colours in which it fills them."""
    words, inks = list[str](), set[tuple[float, float, float]]()
    letters, ink, saved, operands = dict[int, str](), (0.0, 0.0, 0.0), list[tuple[float, float, float]](), list[bytes]()
    for token in _TOKEN.finditer(content):
        word = token[0]
        if word == b"Tf":
            letters = fonts.get(operands[-2].lstrip(b"/"), {})
        elif word == b"rg":
            ink = (float(operands[-3]), float(operands[-2]), float(operands[-1]))
        elif word == b"q":
            saved.append(ink)
        elif word == b"Q":
            ink = saved.pop()
        elif word in (b"Tj", b"TJ"):
            glyphs = b"".join(each.strip(b"<>") for each in operands if each.startswith(b"<")).decode()
            words += [letters.get(int(glyphs[at : at + 4], 16), "\ufffd") for at in range(0, len(glyphs), 4)]
            inks.add(ink)
        if not word.isalpha():
            operands.append(word)
        else:
            operands.clear()
    return re.sub(r"\s", "", "".join(words)), frozenset(inks)
