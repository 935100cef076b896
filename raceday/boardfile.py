"""A published board as a table, however its program wrote it: encoding, separator, headings, numbers and times.

Called by rank.py. UTF-8 (with a mark or without), UTF-16 and Windows-1252; comma, semicolon or tab; `sep=;` on a first
line; Racer or Alias. What can be read in two ways is refused with its line and column, and nothing is guessed.
"""

import csv
import io
import pathlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.errors import BadInput

MAX_BYTES = 256 * 1024 * 1024
MAX_MS = 2**53
SEPARATORS = ",;\t"
RACER, LAPS, ACCOUNT = "Racer", "LapCount", "UserId"
# What others call it, without case, blanks and signs -> our word.
HEADINGS = {
    "racer": RACER,
    "alias": RACER,
    "racername": RACER,
    "raceralias": RACER,
    "userid": ACCOUNT,
    "lapcount": LAPS,
    "laps": LAPS,
    "avglaptime": "AvgLapTime",
    "averagelaptime": "AvgLapTime",
    "bestlaptime": "BestLapTime",
    "fastestlaptime": "BestLapTime",
    "totallaptime": "TotalLapTime",
    "totaltime": "TotalLapTime",
}
_SEP = re.compile(r"sep=(.)\n", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?=$|[.,])", re.ASCII)
_NUMBER = re.compile(r"(\d{1,16})(?:[.,](\d*))?", re.ASCII)
_TWO_WAYS = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):([0-5]\d)(?:[.,](\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One row: cells by our words; `columns` are their places, counted from 1, for whoever must mend one."""

    line: int
    cells: Mapping[str, str]
    columns: Mapping[str, int]

    def wrong(self, source: str, what: str, column: str) -> BadInput:
        """The refusal that names the cell."""
        return BadInput(f"{source}, line {self.line}: {what} (column {self.columns[column]}).")


def read_text(path: pathlib.Path) -> str:
    """The file as text. Raises BadInput."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path}: is larger than {MAX_BYTES // 2**20} MiB, which no board is.")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}).") from None
    return decoded(data, str(path))


def decoded(data: bytes, source: str) -> str:
    """Bytes as text: a mark decides; else UTF-16 if every other byte is nought, UTF-8, or Windows-1252."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            tries = [encoding]
            break
    else:
        head = data[:400]
        nulls = "utf-16-le" if head[1::2].count(0) > len(head) // 4 else ""
        nulls = "utf-16-be" if head[::2].count(0) > len(head) // 4 else nulls
        tries = [nulls] if nulls else ["utf-8", "cp1252"]
    for encoding in tries:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadInput(f"{source}: is no text in UTF-8, UTF-16 or Windows-1252: save it as CSV in UTF-8.")


def rows(text: str, needed: str, source: str) -> Iterator[BoardRow]:
    """The rows that hold anything; each has Racer and the column `needed`. Raises BadInput."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    told = _SEP.match(text)
    text = text[told.end() :] if told else text
    separator = told[1] if told else _separator(text, needed)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    shift = 1 if told else 0
    try:
        columns = _columns(next(reader, []), needed, source)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(cells, columns, reader.line_num + shift, source)
    except csv.Error as error:
        raise BadInput(f"{source}, line {reader.line_num + shift}: is not CSV: {error}.") from None


def milliseconds(text: str) -> int | None:
    """A time as boards write it, in whole ms (a fraction is cut off, as all published times are); None: it is none.

    A number is in ms: 9812, 9812.5, 9812,5, 9 812. With a colon it is a time: 1:02.345, 00:45,123, 0:01:02.345.
    """
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds, fraction = clock.groups()
        if hours is not None and (int(minutes) > 59 or (int(hours) and fraction is None)):
            return None  # 1:02:34 may be hours, or minutes and hundredths
        whole_s = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
        return whole_s * 1000 + int((fraction or "").ljust(3, "0")[:3])
    number = _number(text)
    return None if number is None or number[0] > MAX_MS else number[0]


def two_ways(text: str) -> bool:
    """May be thousands, or a fraction: 9.812, 9,812."""
    return _TWO_WAYS.fullmatch(text) is not None


def count(text: str) -> int | None:
    """A whole number as spreadsheets write it: 3, 3.0, 3,00. None: it is none."""
    number = _number(text)
    return None if number is None or number[1].strip("0") else number[0]


def _number(text: str) -> tuple[int, str] | None:
    """Whole part and the digits of the fraction."""
    if grouped := _GROUPED.match(text):
        text = re.sub(r"\D", "", grouped[0]) + text[grouped.end() :]
    found = _NUMBER.fullmatch(text)
    return None if found is None else (int(found[1]), found[2] or "")


def _separator(text: str, needed: str) -> str:
    """The one that parts the heading into columns that we know."""
    heading = text.lstrip("\n").partition("\n")[0]

    def known(separator: str) -> tuple[int, int]:
        try:
            names = next(csv.reader([heading], delimiter=separator), [])
        except csv.Error:
            names = heading.split(separator)
        ours = [_word(name) for name in names]
        return sum(word in (RACER, needed) for word in ours), sum(word in HEADINGS.values() for word in ours)

    return max(SEPARATORS, key=known)


def _word(heading: str) -> str:
    """Our word for a heading; "" for one that says nothing to us."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", heading).casefold() if sign.isalnum())
    return HEADINGS.get(plain) or HEADINGS.get(plain.removesuffix("ms"), "")


def _columns(heading: list[str], needed: str, source: str) -> dict[str, int]:
    """Our words -> their columns, from 1; "" is how many there are."""
    columns: dict[str, int] = {}
    for place, name in enumerate(heading, 1):
        word = _word(name)
        if word and word in columns:
            both = f"{heading[columns[word] - 1].strip()!r} and {name.strip()!r}"
            raise BadInput(f"{source}, line 1: the columns {columns[word]} and {place} ({both}) are both the {word}.")
        if word:
            columns[word] = place
    missing = [name for name in (RACER, needed) if name not in columns]
    if missing:
        what = f"needs Racer (or Alias) and {needed}"
        raise BadInput(f"{source}: the column {missing[0]} is missing; this ranking {what}, parted by , ; or tab.")
    return columns | {"": len(heading)}


def _row(cells: list[str], columns: Mapping[str, int], line: int, source: str) -> BoardRow:
    width = columns[""]
    if any(cell.strip() for cell in cells[width:]):
        sentence = f"{len(cells)} columns, the heading has {width}: put a value with a comma in quotation marks"
        raise BadInput(f"{source}, line {line}: {sentence} (column {width + 1}).")
    named = {word: place for word, place in columns.items() if word}
    found = {word: cells[place - 1].strip() if place <= len(cells) else "" for word, place in named.items()}
    return BoardRow(line, found, named)
