"""Hex text as people and tools write it, one frame per line: takes one line, returns its bytes. Pure.

Accepted: upper and lower case; digits run together or separated by spaces, colons, dashes or commas; `0x8e`, `\\x8e`;
quotes and brackets around them; comments (`#`, `;`, `//`), on their own or at the end; a date, a time of day, seconds
since 1970 or `[...]` before the bytes. Rows of hexdump -C, xxd and Wireshark (an offset in front, a column of letters
behind) are pieces of a stream and end no frame. A single digit at the end of a line is half a byte that was cut off: it
is dropped and reported.
"""

import itertools
import re
from dataclasses import dataclass

ROW = 16  # bytes in a row of a dump
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
    """The bytes of a line. `row`: a piece of a dump, which ends no frame. `half`: it ended in the middle of a byte."""

    data: bytes
    row: bool = False
    half: bool = False


def read(line: bytes, offset: int) -> HexLine | None:
    """The bytes of one line; None if it is not hex text. `offset`: how many bytes the dump's earlier rows held."""
    try:
        text = _COMMENT.sub("", line.removeprefix(_BOM).decode("ascii")).strip()
    except UnicodeDecodeError:
        return None
    return (_row(text, offset) or _frame(text)) if text else HexLine(b"")


def _row(text: str, offset: int) -> HexLine | None:
    """A row of a dump, whose offset must be where the rows before it end; the last row is that offset alone."""
    match = _DUMPED.fullmatch(text)
    if match is None or int(match[1], 16) != offset:
        return None
    body = (match[3] or "").split("|")[0].strip()
    if not body:
        return HexLine(b"", row=True) if offset else None
    if match[2]:
        words = body.split("  ")[0].split()
        is_hex = all(map(_PAIRS.fullmatch, words))
    else:
        words = list(itertools.takewhile(_PAIR.fullmatch, body.split()))[:ROW]
        is_hex = bool(words)
    return HexLine(bytes.fromhex("".join(words)), row=True) if is_hex else None


def _frame(text: str) -> HexLine | None:
    before = _BEFORE.match(text)
    words = re.split(r"[\s,]+", text[before.end() :] if before else text)
    *others, last = [_digits(word) for word in words if word.strip(_AROUND)] or [""]
    half = len(last) % 2 == 1
    # A single digit after whole bytes is half a byte; a longer word of odd length is not hex text.
    if any(len(word) % 2 for word in others) or (half and others and len(last) > 1):
        return None
    digits = "".join((*others, last))
    if not re.fullmatch(r"[0-9A-Fa-f]+", digits):
        return None
    return HexLine(bytes.fromhex(digits[:-1] if half else digits), half=half)


def _digits(word: str) -> str:
    """The word's hex digits, without what stands around and between them; `0x2` is a whole byte."""
    bare = _WITHIN.sub("", word.strip(_AROUND).removeprefix("b'").removeprefix('b"'))
    return "".join(part.zfill(2) for part in _C_BYTE.findall(bare)) if _C_BYTE.match(bare) else bare
