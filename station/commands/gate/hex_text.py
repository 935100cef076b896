"""Hex text as people and tools write bytes down, a frame a line: one line in, its bytes out. Pure.

Taken as they come: upper and lower case; digits run together or set apart by spaces, colons, dashes or commas; `0x8e`,
`\\x8e`; quotes and brackets around them; comments (`#`, `;`, `//`), alone or at the end; before the bytes a date, a
time of day, seconds since 1970 or `[...]`. Rows of hexdump -C, xxd and Wireshark (an offset before, a column of letters
behind) are pieces of a stream and end no frame. A digit without its partner at the end of a line is what a cut leaves
behind: it is dropped and reported.
"""

import itertools
import re
from dataclasses import dataclass

ROW = 16  # bytes of a dump's row
_BOM = b"\xef\xbb\xbf"
_COMMENT = re.compile(r"(?:^|\s)(?:#|;|//).*$")
_DUMPED = re.compile(r"([0-9A-Fa-f]{4,8})(:?)(?:\s+(.*))?")
_PAIR = re.compile(r"[0-9A-Fa-f]{2}")
_PAIRS = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_BEFORE = re.compile(
    r"(?:(?:\[[^\]]*\]|\([^)]*\)|[<>]+|\d{4}-\d\d-\d\d(?:[T_]\S*)?|\d{1,2}:\d\d:\d\d(?:[.,]\d+)?Z?|\d+[.]\d+:?"
    r"|1\d{9}(?:\d{3}){0,3})[ \t,]+)+"
)
_AROUND = "\"'{}[](),;"
_WITHIN = re.compile(r"\\x|(?<=[0-9A-Fa-f])[:-](?=[0-9A-Fa-f])")
_C_BYTE = re.compile(r"0[xX]([0-9A-Fa-f]+)")


@dataclass(frozen=True, slots=True)
class HexLine:
    """`row`: a piece of a dump, which ends no frame. `half`: the line ended in the middle of a byte."""

    data: bytes
    row: bool = False
    half: bool = False


def read(line: bytes, offset: int) -> HexLine | None:
    """The bytes of one line; None if it is not hex text. `offset`: how many bytes the rows before it held."""
    try:
        text = _COMMENT.sub("", line.removeprefix(_BOM).decode("ascii")).strip()
    except UnicodeDecodeError:
        return None
    return (_row(text, offset) or _frame(text)) if text else HexLine(b"")


def _row(text: str, offset: int) -> HexLine | None:
    """A row of a dump: its offset is where the rows before it end; the last one is that offset alone."""
    found = _DUMPED.fullmatch(text)
    if found is None or int(found[1], 16) != offset:
        return None
    body = (found[3] or "").split("|")[0].strip()
    if not body:
        return HexLine(b"", row=True) if offset else None
    if found[2]:
        words = body.split("  ")[0].split()
        whole = all(map(_PAIRS.fullmatch, words))
    else:
        words = list(itertools.takewhile(_PAIR.fullmatch, body.split()))[:ROW]
        whole = bool(words)
    return HexLine(bytes.fromhex("".join(words)), row=True) if whole else None


def _frame(text: str) -> HexLine | None:
    before = _BEFORE.match(text)
    words = re.split(r"[\s,]+", text[before.end() :] if before else text)
    *others, last = [_digits(word) for word in words if word.strip(_AROUND)] or [""]
    half = len(last) % 2 == 1
    # After whole bytes a lone digit is half of one; a longer odd word is a word.
    if any(len(word) % 2 for word in others) or (half and others and len(last) > 1):
        return None
    digits = "".join((*others, last))
    if not re.fullmatch(r"[0-9A-Fa-f]+", digits):
        return None
    return HexLine(bytes.fromhex(digits[:-1] if half else digits), half=half)


def _digits(word: str) -> str:
    """Without all that stands around and between a byte's digits; `0x2` is a whole byte."""
    bare = _WITHIN.sub("", word.strip(_AROUND).removeprefix("b'").removeprefix('b"'))
    return "".join(part.zfill(2) for part in _C_BYTE.findall(bare)) if _C_BYTE.match(bare) else bare
