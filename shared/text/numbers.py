"""Numbers as people enter and read them: comma or point, whichever they are used to. Used by units.py and the pages.

Race times are not written by locale: 1:02.345 is the form of the field everywhere.
"""

import re

from shared.errors import BadInput
from shared.text.sentence import text

_MARKS = ".,' \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
_NUMBER = re.compile(rf"(?P<sign>[-+\u2212]?) ?(?P<digits>\d{{1,12}}(?:[{_MARKS}]\d{{1,12}}){{0,4}})", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?P<mark>\D)\d{3}(?:(?P=mark)\d{3})*", re.ASCII)
MAX_SHOWN = 40


def parse_number(entered: str, unit: str = "") -> float:
    """'1.5', '1,5', '-2', '1.234,5', '1,234.5', '1.5 s' (with `unit` "s") to a number. Raises BadInput.

    The last comma or point is the decimal one. If it stands alone before exactly three digits it may also group
    thousands: unless 0 stands before it, that is refused, and the sentence says how to write either.
    """
    bare = entered.strip()
    if unit:
        bare = bare.removesuffix(unit).rstrip()
    match = _NUMBER.fullmatch(bare)
    if match is None:
        raise BadInput(text("{entered!r} is no number: write it as 1.5 or 1,5.", entered=entered[:MAX_SHOWN]))
    value = _value(match["digits"], entered[:MAX_SHOWN])
    return -value if match["sign"] in ("-", "\N{MINUS SIGN}") else value


def _value(digits: str, entered: str) -> float:
    marks = re.sub(r"\d", "", digits)
    if not marks:
        return float(digits)
    last = marks[-1]
    whole, _, decimals = digits.rpartition(last)
    if len(marks) == 1 and last in ".,":
        if len(decimals) == 3 and int(whole) and len(whole) <= 3:
            raise BadInput(ambiguous(entered, whole, decimals))
        return float(f"{whole}.{decimals}")
    if len(set(marks)) == 1 and _GROUPED.fullmatch(digits):
        return float(digits.replace(last, ""))
    if last in ".," and last not in whole and (whole.isdecimal() or _GROUPED.fullmatch(whole)):
        return float(re.sub(r"\D", "", whole) + "." + decimals)
    raise BadInput(text("{entered!r} is no number: write it as 1.5 or 1,5.", entered=entered))


def ambiguous(entered: str, whole: str, decimals: str) -> str:
    """The sentence for '1.500', which is one and a half or fifteen hundred."""
    part, many = f"{whole}.{decimals}".rstrip("0").rstrip("."), f"{whole}{decimals}"
    clear = part if decimals.endswith("0") else f"{part}0"
    return text(
        "{entered!r} can be read as {part} or as {many}: write {clear} or {many}.",
        entered=entered,
        part=part,
        many=many,
        clear=clear,
    )


def parse_whole(entered: str, low: int, high: int) -> int:
    """A whole number between two bounds, both included. Raises BadInput with the bounds."""
    bare = entered.strip()
    if not (bare.removeprefix("-").isdecimal() and bare.isascii()) or len(bare) > 12 or not low <= int(bare) <= high:
        raise BadInput(
            text(
                "{entered!r} is no whole number from {low} to {high}.", entered=entered[:MAX_SHOWN], low=low, high=high
            )
        )
    return int(bare)
