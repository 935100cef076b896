"""The rows of a published league board: its columns under any heading in use, and each row's figures. Pure.

What is kept of a row is its score, rank, time and racer; all its cells are stored beside, so that nothing is lost.
Whatever can be understood is taken, and remarked on; only a score that is no time at all is an error.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from leaderboard.exchange.csv_table import RawRow
from leaderboard.exchange.report import RowNote
from shared.boards import board_file
from shared.boards.board_text import mended
from shared.errors import BadInput
from shared.rules.ranking import Method
from shared.text import text
from shared.units import NS_PER_MS, NS_PER_S

TIMING_METHODS: dict[str, Method] = {
    "AVG_LAP_TIME": "average",
    "BEST_LAP_TIME": "best_lap",
    "TOTAL_TIME": "total_time",
}
SCORE_COLUMN: dict[Method, str] = {"average": "AvgLapTime", "best_lap": "BestLapTime", "total_time": "TotalLapTime"}
HEADINGS = {
    "alias": "Racer", "racer": "Racer", "racername": "Racer", "raceralias": "Racer",
    "submissiontime": "SubmissionTime", "lapcount": "LapCount", "laps": "LapCount",
    "avglaptime": "AvgLapTime", "averagelaptime": "AvgLapTime",
    "bestlaptime": "BestLapTime", "fastestlaptime": "BestLapTime",
    "totallaptime": "TotalLapTime", "totaltime": "TotalLapTime",
    "rank": "Rank", "rankingscore": "RankingScore", "score": "RankingScore",
    "leaderboardsubmissionstatustype": "Status", "userid": "UserId",
}  # fmt: skip
_NEVER_TWO = frozenset({"RankingScore", *SCORE_COLUMN.values()})
_MAX_SCORE_MS = 2**53
_LAST_UTC_NS = 9_214_646_400 * NS_PER_S  # the end of 2261, as far as the store can tell times
_FIRST_UTC_NS = 31_536_000 * NS_PER_S
_NUMBER = re.compile(r"\d{1,18}(?:[.,]\d{0,20})?(?:[eE]\+?\d{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class LeagueRow:
    """A row of a published board. `score_ms` None: it has none and no place. `at_utc_ns` None: no time is known."""

    line: int
    cells: tuple[str, ...]
    racer: str
    account: str
    score_ms: int | None
    rank: int | None
    at_utc_ns: int | None


class LeagueColumns:
    """Where the columns of a board are. Raises BadInput without a racer or a score, or with two scores."""

    def __init__(self, heading: Sequence[str], method: Method, source: str) -> None:
        self.places: dict[str, int] = {}
        for place, name in enumerate(heading):
            word = HEADINGS.get(board_file.plain(name))
            if word is None:
                continue
            if word in self.places and word not in _NEVER_TWO:
                continue  # the first of a kind counts; the others are kept as they are
            if word in self.places:
                both = f"{heading[self.places[word]].strip()!r} and {name.strip()!r}"
                raise BadInput(
                    text(
                        "{source}: the columns {first} and {second} ({both}) are both {word}.",
                        source=source,
                        first=self.places[word] + 1,
                        second=place + 1,
                        both=both,
                        word=word,
                    )
                )
            self.places[word] = place
        self.width = len(heading)
        self.by_method = SCORE_COLUMN[method]
        if "Racer" not in self.places:
            raise BadInput(
                text(
                    "{source}: the column Racer (or Alias) is missing; columns are separated by , ; or tab.",
                    source=source,
                )
            )
        if "RankingScore" not in self.places and self.by_method not in self.places:
            raise BadInput(
                text(
                    "{source}: the columns RankingScore and {by_method} are missing: there is no score.",
                    source=source,
                    by_method=self.by_method,
                )
            )

    def cell(self, row: RawRow, word: str) -> str:
        """The row's cell under this heading, without blanks around; "" if there is none."""
        place = self.places.get(word)
        return row.cells[place].strip() if place is not None and place < len(row.cells) else ""


def league_row(row: RawRow, columns: LeagueColumns) -> tuple[LeagueRow | None, list[RowNote], list[RowNote]]:
    """The row's figures, remarks on it, and errors; None if there are errors."""
    notes: list[RowNote] = []
    errors = list(_shape_errors(row, columns))
    score_ms, rank = _score_ms(row, columns, notes, errors), _rank(row, columns, notes)
    racer = columns.cell(row, "Racer")
    if was := mended(racer):
        what = f"{racer[:40]!r} may have been {was[:40]!r} before its UTF-8 was read as something else"
        notes.append(RowNote(row.line, "Racer", what))
    if errors:
        return None, notes, errors
    at_utc_ns = _time(row, columns, notes)
    account = columns.cell(row, "UserId")
    return LeagueRow(row.line, row.cells, racer, account, score_ms, rank, at_utc_ns), notes, errors


def _shape_errors(row: RawRow, columns: LeagueColumns) -> Iterator[RowNote]:
    if any(cell.strip() for cell in row.cells[columns.width :]):
        what = f"{len(row.cells)} cells, the heading has {columns.width}: put what holds a separator in quotation marks"
        yield RowNote(row.line, f"column {columns.width + 1}", what)


def _score_ms(row: RawRow, columns: LeagueColumns, notes: list[RowNote], errors: list[RowNote]) -> int | None:
    published, by_method = columns.cell(row, "RankingScore"), columns.cell(row, columns.by_method)
    word = "RankingScore" if published or "RankingScore" in columns.places else columns.by_method
    if word == "RankingScore" and not published and by_method and columns.cell(row, "Rank"):
        notes.append(
            RowNote(
                row.line,
                "RankingScore",
                text("is blank: {by_method} {by_it} is the score", by_method=columns.by_method, by_it=by_method),
            )
        )
        word = columns.by_method
    written = columns.cell(row, word)
    if not written:
        return None
    score_ms = _milliseconds(written)
    if score_ms is None:
        errors.append(
            RowNote(
                row.line,
                word,
                text("is {written}, which may be thousands or a fraction", written=repr(written[:30]))
                if board_file.two_ways(written)
                else text("is {written}, not milliseconds or a time as 1:02.345", written=repr(written[:30])),
            )
        )
        return None
    if score_ms == 0 and not columns.cell(row, "Rank"):
        return None  # timers write 0 for no time
    number = written.replace(",", ".")
    if "." in number and ":" not in number and number.rpartition(".")[2].strip("0"):
        notes.append(
            RowNote(
                row.line, word, text("is {written}: counts as {score_ms} ms", written=written[:30], score_ms=score_ms)
            )
        )
    if word == "RankingScore" and by_method and _milliseconds(by_method) not in (score_ms, None):
        notes.append(
            RowNote(
                row.line,
                word,
                text(
                    "is {published}, {by_method} {by_it}: the former counts",
                    published=published[:30],
                    by_method=columns.by_method,
                    by_it=by_method[:30],
                ),
            )
        )
    return score_ms


def _milliseconds(written: str) -> int | None:
    if board_file.two_ways(written):
        return None
    if _NUMBER.fullmatch(written):
        whole = int(Decimal(written.replace(",", ".")))
        return whole if whole <= _MAX_SCORE_MS else None
    return board_file.milliseconds(written)


def _rank(row: RawRow, columns: LeagueColumns, notes: list[RowNote]) -> int | None:
    written = columns.cell(row, "Rank")
    rank = board_file.count(written) if written else None
    if written and (rank is None or not 0 < rank < 2**31):
        notes.append(
            RowNote(row.line, "Rank", text("is {written}, not a place: the score decides", written=repr(written[:30])))
        )
        return None
    return rank


def _time(row: RawRow, columns: LeagueColumns, notes: list[RowNote]) -> int | None:
    written = columns.cell(row, "SubmissionTime")
    at_utc_ns = _utc_ns(written) if written else None
    if written and at_utc_ns is None:
        notes.append(
            RowNote(
                row.line,
                "SubmissionTime",
                text("is {written}, not a time: it counts from the close", written=repr(written[:30])),
            )
        )
    return at_utc_ns


def _utc_ns(written: str) -> int | None:
    """Milliseconds since 1970 (or seconds, if it has ten digits), or ISO 8601 (UTC without a zone); None for others."""
    if _NUMBER.fullmatch(written):
        number = Decimal(written.replace(",", "."))
        at_utc_ns = int(number * (NS_PER_S if number < 10**11 else NS_PER_MS))
    else:
        at_utc_ns = iso_utc_ns(written) or 0
    return at_utc_ns if _FIRST_UTC_NS <= at_utc_ns <= _LAST_UTC_NS else None


def iso_utc_ns(written: str) -> int | None:
    """A time as ISO 8601 to UTC nanoseconds; UTC if it has no zone; None if it is no such time."""
    try:
        at = datetime.fromisoformat(written)
        since = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return ((since.days * 86_400 + since.seconds) * 10**6 + since.microseconds) * 1000
