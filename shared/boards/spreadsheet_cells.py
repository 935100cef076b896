"""Cells that a spreadsheet would take for a formula: neutralised on the way out, restored exactly on the way in.

Used by what writes CSV for others: the leaderboard's files, protest bundles, `raceday rank`. Needs only the standard
library: a protest bundle carries it. A cell that begins with = + - @ TAB CR or LF, or with a wide form of one, gets an
apostrophe in front (OWASP, "CSV injection"). So does one that begins with apostrophes before such a sign, so that every
cell can be told apart again: `restored(neutralised(cell)) == cell` for any text. A plain number (-1.5) is no formula
and stays as it is.
"""

import re

_BEGINS_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"'*[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def neutralised(cell: str) -> str:
    """The cell as it is written to a file for others."""
    return f"'{cell}" if _is_dangerous(cell) else cell


def restored(cell: str) -> str:
    """The cell as it was before `neutralised`; a cell that needed nothing is unchanged."""
    return cell[1:] if cell.startswith("'") and _is_dangerous(cell[1:]) else cell


def _is_dangerous(cell: str) -> bool:
    return _BEGINS_FORMULA.match(cell) is not None and _NUMBER.fullmatch(cell) is None
