"""Reads a published leaderboard as a table, whatever separators, headings, numbers and times its program writes.

Called by raceday/rank.py and, for numbers and headings, by leaderboard/exchange. Comma, semicolon or tab; `sep=;` on a
first line; Racer or Alias; many names for the number of laps. Ambiguous values are refused with line and column;
nothing is guessed.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.errors import BadInput

MAX_MS = 2**53
SEPARATORS = ",;\t"
RACER, LAPS, ACCOUNT = "Racer", "LapCount", "UserId"
# Headings of other programs, in lower case without blanks and signs -> our heading.
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
# Other names for the number of laps, used if no column has one of the two above.
ALSO_LAPS = frozenset({
    "completedlapcount", "completedlaps", "completelaps", "countoflaps", "finishedlaps", "lapcounts", "lapscomplete",
    "lapscompleted", "lapscount", "lapsdone", "lapsdriven", "lapsfinished", "lapstotal", "laptotal", "nlaps",
    "nooflaps", "numberoflaps", "numlaps", "numoflaps", "totallapcount", "totallaps",
})  # fmt: skip
_SEP = re.compile(r'\s*"?sep=([^\n"])"?[\s,;]*', re.IGNORECASE)
_EMPTY = re.compile(r'(?:[\s,;]|"\s*")*')
# What else a heading may mean than how many laps there are: a time, a difference, one lap of many. Several laps, or a
# number of them, are a count whichever laps they are (timed, recorded, of the best run).
_NO_COUNT = re.compile(
    r"time(?!d)|best|fast|quick|slow|last|first|worst|avg|average|mean|median|gap|diff|delta|interval|speed|pace|behind"
    r"|elapse|collaps|overlap|laptop|lap\d|lap(?:ms|sec|seconds)$|record"
)
_SEVERAL = re.compile(r"laps|lap(?:count|qty|quantity)|(?:count|number|num|no)of(?:the)?lap")
_NONE_OF_SEVERAL = re.compile(
    r"time(?!d)|gap|diff|delta|interval|speed|pace|behind|down|lapsled|ledlaps|elapse|collaps|overlap|lapse[ds]"
    r"|(?:ms|sec|seconds|minutes)$"
)
_GROUPED = re.compile(r"\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?=$|[.,])", re.ASCII)
_NUMBER = re.compile(r"(\d{1,16})(?:[.,](\d*))?", re.ASCII)
_TWO_WAYS = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):([0-5]\d)(?:[.,](\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One row: its cells by our headings, and their column numbers from 1 for error messages."""

    line: int
    cells: Mapping[str, str]
    columns: Mapping[str, int]

    def wrong(self, source: str, what: str, column: str) -> BadInput:
        """The BadInput that says `what` is wrong, with the row's line and the number of the column."""
        return BadInput(f"{source}, line {self.line}: {what} (column {self.columns[column]}).")


def rows(text: str, needed: str, source: str) -> Iterator[BoardRow]:
    """The rows that are not empty; each has Racer and the column `needed`. Raises BadInput."""
    text, declared, above = _from_heading(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    separator = declared or _separator(text, needed)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = _columns(next(reader, []), needed, f"{source}, line {above + 1}")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(cells, columns, reader.line_num + above, source)
    except csv.Error as error:
        raise BadInput(f"{source}, line {reader.line_num + above}: is not CSV: {error}.") from None


def _from_heading(text: str) -> tuple[str, str, int]:
    """The text from its heading on, the separator declared above it ("" if none), and the number of lines above it."""
    declared, above = "", 0
    while "\n" in text:
        line, _, rest = text.partition("\n")
        sep = None if declared else _SEP.fullmatch(line)
        if sep is None and not _EMPTY.fullmatch(line):
            break
        text, above, declared = rest, above + 1, sep[1] if sep else declared
    return text, declared, above


def milliseconds(text: str) -> int | None:
    """A time of a board in whole ms, fractions truncated as in all published times; None if it is not a time.

    A number is in ms: 9812, 9812.5, 9812,5, 9 812. With a colon it is a time: 1:02.345, 00:45,123, 0:01:02.345.
    """
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds, fraction = clock.groups()
        if hours is not None and (int(minutes) > 59 or (int(hours) and fraction is None)):
            return None  # 1:02:34 is ambiguous: hours, or minutes and hundredths
        whole_s = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
        return whole_s * 1000 + int((fraction or "").ljust(3, "0")[:3])
    number = _number(text)
    return None if number is None or number[0] > MAX_MS else number[0]


def two_ways(text: str) -> bool:
    """Is the number ambiguous, thousands or a fraction: 9.812, 9,812?"""
    return _TWO_WAYS.fullmatch(text) is not None


def count(text: str) -> int | None:
    """A whole number as spreadsheets write it: 3, 3.0, 3,00; None if it is not one."""
    number = _number(text)
    return None if number is None or number[1].strip("0") else number[0]


def _number(text: str) -> tuple[int, str] | None:
    """The whole part and the digits of the fraction; None if it is not a number."""
    if grouped := _GROUPED.match(text):
        text = re.sub(r"\D", "", grouped[0]) + text[grouped.end() :]
    match = _NUMBER.fullmatch(text)
    return None if match is None else (int(match[1]), match[2] or "")


def _separator(text: str, needed: str) -> str:
    """The separator that splits the heading into the most columns that we know."""
    heading = text.partition("\n")[0]

    def known(separator: str) -> tuple[int, int]:
        try:
            names = next(csv.reader([heading], delimiter=separator), [])
        except csv.Error:
            names = heading.split(separator)
        ours = [_word(name) for name in names]
        return sum(word in (RACER, needed) for word in ours), sum(word in HEADINGS.values() for word in ours)

    return max(SEPARATORS, key=known)


def plain(heading: str) -> str:
    """A heading in lower case, without blanks and signs."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", heading).casefold() if sign.isalnum())


def _word(heading: str) -> str:
    """Our name of a heading; "" for an unknown one."""
    letters = plain(heading)
    return HEADINGS.get(letters) or HEADINGS.get(letters.removesuffix("ms"), "")


def _columns(heading: list[str], needed: str, where: str) -> dict[str, int]:
    """Our headings -> column numbers from 1; the key "" holds the number of columns. Raises BadInput."""
    columns: dict[str, int] = {}
    for place, name in enumerate(heading, 1):
        word = _word(name)
        if word and word in columns:
            both = f"{heading[columns[word] - 1].strip()!r} and {name.strip()!r}"
            raise BadInput(f"{where}: the columns {columns[word]} and {place} ({both}) are both the {word}.")
        if word:
            columns[word] = place
    missing = [name for name in (RACER, needed) if name not in columns]
    if missing:
        what = f"needs Racer (or Alias) and {needed}"
        raise BadInput(f"{where}: the column {missing[0]} is missing; this ranking {what}, separated by , ; or tab.")
    if LAPS not in columns and (place := _laps_by_another_name(heading, where)):
        columns[LAPS] = place
    return columns | {"": len(heading)}


def _laps_by_another_name(heading: list[str], where: str) -> int:
    """The column with the number of laps, 0 if there is none. Raises BadInput if an unknown heading may be one."""
    known = [place for place, name in enumerate(heading, 1) if plain(name) in ALSO_LAPS]
    if len(known) > 1:
        both = f"{heading[known[0] - 1].strip()!r} and {heading[known[1] - 1].strip()!r}"
        raise BadInput(f"{where}: the columns {known[0]} and {known[1]} ({both}) are both the {LAPS}.")
    if known:
        return known[0]
    for place, name in enumerate(heading, 1):
        if not _word(name) and _may_count_laps(plain(name)):
            what = f"{name.strip()[:40]!r} may say how many laps there are"
            raise BadInput(f"{where}: {what}: call it {LAPS} if so, or leave it out (column {place}).")
    return 0


def _may_count_laps(letters: str) -> bool:
    """May the heading of these letters be that of a number of laps?"""
    other = _NONE_OF_SEVERAL if _SEVERAL.search(letters) else _NO_COUNT
    return "lap" in letters and not other.search(letters)


def _row(cells: list[str], columns: Mapping[str, int], line: int, source: str) -> BoardRow:
    width = columns[""]
    if any(cell.strip() for cell in cells[width:]):
        sentence = f"{len(cells)} columns, the heading has {width}: put a value with a comma in quotation marks"
        raise BadInput(f"{source}, line {line}: {sentence} (column {width + 1}).")
    named = {word: place for word, place in columns.items() if word}
    by_heading = {word: cells[place - 1].strip() if place <= len(cells) else "" for word, place in named.items()}
    return BoardRow(line, by_heading, named)
