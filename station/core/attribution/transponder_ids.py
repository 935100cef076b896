"""Transponder ids as numbers and as text: which two notations mean the same transponder. Pure.

Decoders give each protocol's own form (P3, RC-4, TranX, Cano: decimal; IPICO and long RFID tags: hexadecimal; LapRF,
Carrera: the slot). Other programs and stickers write the same id differently. So two ids are the same if, in this
order: their texts are equal; they are equal without blanks, colons, dashes, dots, case and leading zeros; they are the
same number, one of them being hexadecimal. Digits alone may be either; only from six digits on are they tried as
hexadecimal.

Example: `plain_id("0012-34")` is "1234"; `same_number(reading("255"), reading("0xFF"))` is True.
"""

import functools
import unicodedata
from dataclasses import dataclass

MARKS = str.maketrans("", "", " :-_.,'/")
MIN_HEX_DIGITS = 6  # of an id of digits only that is read as hexadecimal
MAX_DIGITS = 16  # of an id that is compared as a number; longer ones are compared as text only
_DIGITS, _HEX = frozenset("0123456789"), frozenset("0123456789ABCDEF")


@dataclass(frozen=True, slots=True)
class IdReading:
    """An id as it can be read: as `plain` text and as numbers. `sure`: it can only be hexadecimal."""

    plain: str
    decimal: int | None
    hexadecimal: int | None
    sure: bool


@functools.lru_cache(maxsize=1024)  # the same few ids come again with every crossing
def reading(text: str) -> IdReading:
    """Reads an id: as text to compare, and as the numbers that it may mean."""
    plain = unicodedata.normalize("NFKC", text).translate(MARKS).upper()
    prefixed = plain.startswith("0X") and len(plain) > 2
    digits = plain[2:] if prefixed else plain
    is_hex = bool(digits) and _HEX.issuperset(digits)
    sure = is_hex and (prefixed or not _DIGITS.issuperset(digits))
    short = len(digits.lstrip("0")) <= MAX_DIGITS
    prefix = "0X" if prefixed and _DIGITS.issuperset(digits) else ""
    return IdReading(
        prefix + (digits.lstrip("0") or digits[:1]),
        int(digits) if is_hex and short and not sure else None,
        int(digits, 16) if is_hex and short else None,
        sure,
    )


def plain_id(text: str) -> str:
    """The id without blanks, separators and leading zeros, in capitals."""
    return reading(text).plain


def same_number(known: IdReading, read: IdReading) -> bool:
    """Whether the two are the same number, one read as decimal and the other as hexadecimal."""
    return the_hexadecimal(known, read) is not None


def the_hexadecimal(known: IdReading, read: IdReading) -> IdReading | None:
    """The one of the two that is hexadecimal, if they are the same number that way; else None."""
    for decimal, hexadecimal in ((known, read), (read, known)):
        if decimal.decimal is not None and decimal.decimal == hexadecimal.hexadecimal:
            return hexadecimal if hexadecimal.sure or len(hexadecimal.plain) >= MIN_HEX_DIGITS else None
    return None
