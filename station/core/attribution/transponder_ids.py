"""Transponder ids as numbers and as text: which two ways of writing mean one transponder. Pure.

Decoders give each protocol's own form (P3, RC-4, TranX, Cano: decimal; IPICO and long RFID tags: hexadecimal; LapRF,
Carrera: the slot). Other programs and stickers write the same id otherwise. So two ids are one, in this order: the
same text; the same without blanks, colons, dashes, dots, case and leading zeros; the same number, one of the two being
hexadecimal. Digits alone may be either: as hexadecimal they count only from six digits on.

Example: `plain_id("0012-34")` is "1234"; `same_number(reading("255"), reading("0xFF"))` is True.
"""

import functools
import unicodedata
from dataclasses import dataclass

MARKS = str.maketrans("", "", " :-_.,'/")
MIN_HEX_DIGITS = 6  # of an id of digits that is taken as hexadecimal
MAX_DIGITS = 16  # of an id that is compared as a number; longer ones have one notation
_DIGITS, _HEX = frozenset("0123456789"), frozenset("0123456789ABCDEF")


@dataclass(frozen=True, slots=True)
class IdReading:
    """What an id says: `plain` text to compare, and as which number it can be read. `sure`: it cannot be decimal."""

    plain: str
    decimal: int | None
    hexadecimal: int | None
    sure: bool


@functools.lru_cache(maxsize=1024)  # the same few ids come with every crossing
def reading(text: str) -> IdReading:
    """An id as text to compare and as numbers that it may mean."""
    plain = unicodedata.normalize("NFKC", text).translate(MARKS).upper()
    prefixed = plain.startswith("0X") and len(plain) > 2
    digits = plain[2:] if prefixed else plain
    is_hex = bool(digits) and _HEX.issuperset(digits)
    sure = is_hex and (prefixed or not _DIGITS.issuperset(digits))
    short = len(digits.lstrip("0")) <= MAX_DIGITS
    told_apart = "0X" if prefixed and _DIGITS.issuperset(digits) else ""
    return IdReading(
        told_apart + (digits.lstrip("0") or digits[:1]),
        int(digits) if is_hex and short and not sure else None,
        int(digits, 16) if is_hex and short else None,
        sure,
    )


def plain_id(text: str) -> str:
    """The id without blanks, separators, case and leading zeros."""
    return reading(text).plain


def same_number(known: IdReading, read: IdReading) -> bool:
    """Whether the two are one number, one as decimal and the other as hexadecimal."""
    return the_hexadecimal(known, read) is not None


def the_hexadecimal(known: IdReading, read: IdReading) -> IdReading | None:
    """Which of the two is hexadecimal, where they are one number so; None if they are not."""
    for tens, sixteens in ((known, read), (read, known)):
        if tens.decimal is not None and tens.decimal == sixteens.hexadecimal:
            return sixteens if sixteens.sure or len(sixteens.plain) >= MIN_HEX_DIGITS else None
    return None
