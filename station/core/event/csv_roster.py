"""The list of racers as a CSV file: read with a preview of what it would change, and written. Pure.

Files of other programs are read as well: with commas, semicolons or tabs, in UTF-8, UTF-16 or Windows' own encoding,
with headers in English or German in any order. What is wrong is said for each line; the rest can be imported in one
command (`ImportRacers`). A cell that a spreadsheet would take for a formula is written with an apostrophe before it,
which reading takes off again.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from shared.errors import Refused
from shared.rules.person_names import name_key
from shared.text import text
from station.core.event import csv_cells
from station.core.event.event_book import EventBook
from station.core.event.ownership import EnteredTransponder, OwnerIndex
from station.core.event.racers import MAX_RACERS, checked_racer, merged_entry
from station.core.event.records import Racer

MAX_BYTES = 1_000_000
MAX_CELL = 512
MAX_ERRORS = 200
COLUMNS = ("alias", "flag", "team", "colour", "car", "model", "transponders", "checked_in", "pronounce_as")
DELIMITERS = ",;\t"
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
LineKind = Literal["new", "changed", "same"]
NO_COUNTRIES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class RosterError:
    """What is wrong in a line of the file; `line` 0: in the file as a whole."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class RosterLine:
    """A line that can be imported. `racer`: as the file says; `becomes`: as he would be on file."""

    line: int
    kind: LineKind
    racer: Racer
    becomes: Racer


@dataclass(frozen=True, slots=True)
class Roster:
    """What a file holds. `unread`: headers of columns that mean nothing here."""

    lines: tuple[RosterLine, ...] = ()
    errors: tuple[RosterError, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def racers(self) -> tuple[Racer, ...]:
        """The racers that an import would add or change."""
        return tuple(each.racer for each in self.lines if each.kind != "same")


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: list[str]


def write_roster(racers: Iterable[Racer]) -> str:
    """The list as CSV text, which `read_roster` reads back."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for each in racers:
        cells = (each.alias, each.flag, each.team, each.colour, each.car, each.model, "; ".join(each.transponders))
        here = "yes" if each.checked_in else "no"
        table.writerow([*map(neutralised, cells), here, neutralised(each.pronounce_as)])
    return out.getvalue()


def neutralised(cell: str) -> str:
    """The cell as no spreadsheet takes it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def read_roster(data: bytes, book: EventBook, countries: Mapping[str, str] = NO_COUNTRIES) -> Roster:
    """What the file holds, compared with the racers on file. Never raises: what is wrong is in `errors`.

    `countries`: names of countries, as `csv_cells.plain` writes them, to their two letters.
    """
    if len(data) > MAX_BYTES:
        return _unreadable(text("The file has more than {max} bytes: it is no list of racers.", max=MAX_BYTES))
    written = csv_cells.decoded(data)
    if written is None:
        return _unreadable(text("The file is no text: save it as CSV in UTF-8."))
    delimiter, first = _delimiter(written)
    rows, errors = _rows(written, delimiter, first)
    if not rows:
        return Roster(errors=(*errors, RosterError(0, text("The file is empty: it needs a line of headers."))))
    fields = [csv_cells.field_of(cell) for cell in rows[0].cells]
    unread = tuple(
        cell.strip()[:40] for cell, name in zip(rows[0].cells, fields, strict=True) if not name and cell.strip()
    )
    if not {"alias", "first_name", "last_name"} & set(fields):
        return _unreadable(
            text("The first line needs the header of a column with names: alias, racer, name or driver."), unread
        )
    if len(rows) - 1 > MAX_RACERS:
        return _unreadable(text("The file has more than {max} racers.", max=MAX_RACERS), unread)
    lines, wrong = _compared(rows[1:], fields, book, countries)
    errors += wrong
    if not lines and not errors:
        errors.append(RosterError(0, text("The file has headers and no racer.")))
    return Roster(tuple(lines), tuple(errors[:MAX_ERRORS]), unread)


def _unreadable(sentence: str, unread: tuple[str, ...] = ()) -> Roster:
    return Roster(errors=(RosterError(0, sentence),), unread=unread)


def _delimiter(written: str) -> tuple[str, int]:
    """The sign between cells, and the number of lines before the header: spreadsheets write one that names the sign."""
    first = written.partition("\n")[0]
    named = re.fullmatch(r"sep=([,;\t])", first.strip("\r").lower())
    if named:
        return named[1], 1

    def known_headers(delimiter: str) -> tuple[int, int]:
        cells = next(iter(_rows(first, delimiter)[0]), _Row(0, [])).cells
        return sum(bool(csv_cells.field_of(cell)) for cell in cells), len(cells)

    return max(DELIMITERS, key=known_headers), 0


def _rows(written: str, delimiter: str, skipped: int = 0) -> tuple[list[_Row], list[RosterError]]:
    """The lines that are not empty after the `skipped` ones, each with its number, up to the first that is no CSV."""
    reader = csv.reader(io.StringIO(written, newline=""), delimiter=delimiter, strict=True)
    rows: list[_Row] = []
    began = 0
    while len(rows) <= MAX_RACERS + 1:
        try:
            cells = next(reader, None)
        except csv.Error:
            sentence = text(
                "A quotation mark is open or stands in the wrong place: this line and the rest are not read."
            )
            return rows, [RosterError(began + 1, sentence)]
        if cells is None:
            break
        if began >= skipped and any(cell.strip() for cell in cells):
            rows.append(_Row(began + 1, cells))
        began = reader.line_num
    return rows, []


def _compared(
    rows: list[_Row], fields: list[str], book: EventBook, countries: Mapping[str, str]
) -> tuple[list[RosterLine], list[RosterError]]:
    """Each line as a racer beside the one on file; a racer or transponder that is there twice is wrong."""
    lines: list[RosterLine] = []
    errors: list[RosterError] = []
    seen: dict[str, int] = {}
    for row in rows:
        try:
            racer = _racer(row.cells, fields, countries)
            key = name_key(racer.alias)
            if key in seen:
                errors.append(
                    RosterError(row.line, text("{racer} is in line {line} already.", racer=racer.alias, line=seen[key]))
                )
                continue
        except Refused as refusal:
            errors.append(RosterError(row.line, refusal.args[0]))
            continue
        seen[key] = row.line
        known = book.racers.get(key)
        becomes = racer if known is None else merged_entry(known, racer)
        lines.append(
            RosterLine(row.line, "new" if known is None else "same" if becomes == known else "changed", racer, becomes)
        )
    return _owned(lines, errors, book)


def _owned(
    lines: list[RosterLine], errors: list[RosterError], book: EventBook
) -> tuple[list[RosterLine], list[RosterError]]:
    """Sorts out the lines with a transponder that would have two owners."""
    index = OwnerIndex()
    named = {name_key(each.racer.alias) for each in lines}
    index.add_all((racer for key, racer in book.racers.items() if key not in named), book.cars.values())
    fit: list[RosterLine] = []
    for each in lines:
        try:
            for transponder in each.becomes.transponders:
                index.add(EnteredTransponder(transponder, racer=each.becomes.alias))
        except Refused as refusal:
            errors.append(RosterError(each.line, refusal.args[0]))
        else:
            fit.append(each)
    return fit, sorted(errors, key=lambda error: error.line)


def _racer(cells: list[str], fields: list[str], countries: Mapping[str, str]) -> Racer:
    """The racer of a line. Raises Refused with what is wrong in it."""
    if len(cells) > len(fields) and any(cell.strip() for cell in cells[len(fields) :]):
        raise Refused(text("The line has {cells} cells, the header {headers}.", cells=len(cells), headers=len(fields)))
    values: dict[str, list[str]] = {}
    for name, cell in zip(fields, cells, strict=False):
        if len(cell) > MAX_CELL:
            raise Refused(text("A cell has more than {max} characters.", max=MAX_CELL))
        if name and (value := csv_cells.without_apostrophe(cell).strip()):
            values.setdefault(name, []).append(value)
    first = {name: value[0] for name, value in values.items()}
    alias = first.get("alias") or " ".join(first[name] for name in ("first_name", "last_name") if name in first)
    if not alias:
        raise Refused(text("The line has no name."))
    racer = Racer(
        alias=alias,
        flag=csv_cells.flag_of(first.get("flag", ""), countries),
        team=first.get("team", ""),
        colour=csv_cells.colour_of(first.get("colour", "")),
        model=first.get("model", ""),
        car=first.get("car", ""),
        transponders=tuple(each for cell in values.get("transponders", ()) for each in csv_cells.ids_of(cell)),
        checked_in=csv_cells.yes_or_no(first.get("checked_in", "")),
        pronounce_as=first.get("pronounce_as", ""),
    )
    return replace(checked_racer(racer), code="")
