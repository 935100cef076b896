"""Writes CSV that a spreadsheet reads as text and numbers, and never as a formula. Pure.

RFC 4180: commas, CRLF, quotes where needed. What a person typed is neutralised: a cell that a spreadsheet would take
for a formula gets an apostrophe before it, which spreadsheets do not show (OWASP, "CSV Injection").
"""

import csv
import io
from collections.abc import Iterable, Sequence

BYTE_ORDER_MARK = "\N{BYTE ORDER MARK}"  # by which a spreadsheet knows that the file is UTF-8
_FORMULA_SIGNS = frozenset("=+-@|%\t\r\n＝＋－＠")

Cell = str | int | float | bool | None


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, mark: bool = False) -> str:
    """The table as CSV. `mark`: with a byte order mark, for spreadsheets; other programs want none."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([neutralised(column) for column in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return (BYTE_ORDER_MARK if mark else "") + text.getvalue()


def neutralised(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet could take it for a formula."""
    first = text.lstrip(" \N{NO-BREAK SPACE}\N{ZERO WIDTH NO-BREAK SPACE}")[:1]
    return f"'{text}" if first in _FORMULA_SIGNS and first else text


def _cell(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return neutralised("".join(sign for sign in value if sign != "\0"))
        case _:
            return str(value)
