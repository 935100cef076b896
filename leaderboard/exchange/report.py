"""What an import did, or why it did nothing: by line and field. Shown by the command, the API and the report's file."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["imported", "checked", "imported_before", "refused"]
MAX_ERRORS = 200  # of one file: whoever sent something else altogether needs no list of it
MAX_NOTES = 10_000  # that a report holds


@dataclass(frozen=True, slots=True)
class RowNote:
    """One row's remark: what was changed or is worth a look; or, in a refused file, what is wrong with it."""

    line: int
    field: str
    what: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """One file's import. `rows`: all that hold something; `ranked`: those with a place, of `racers` racers.

    `errors` is not empty exactly if the outcome is "refused": then nothing was stored. `notes_left_out`: how many more
    remarks there are than `notes` has.
    """

    outcome: Outcome
    race_id: str
    source: str
    sha256: str
    rows: int = 0
    ranked: int = 0
    racers: int = 0
    notes: tuple[RowNote, ...] = ()
    errors: tuple[RowNote, ...] = ()
    notes_left_out: int = 0


class Remarks:
    """Remarks on a file as they are made: the first of them, and how many more there are."""

    def __init__(self, first: Iterable[RowNote] = ()) -> None:
        self._kept: list[RowNote] = []
        self.left_out = 0
        self.add(first)

    def add(self, notes: Iterable[RowNote]) -> None:
        """Keep these too, as long as there are few."""
        for note in notes:
            if len(self._kept) < MAX_NOTES:
                self._kept.append(note)
            else:
                self.left_out += 1

    def copy(self) -> "Remarks":
        """The same remarks, to which others are added."""
        made = Remarks(self._kept)
        made.left_out = self.left_out
        return made

    def by_line(self) -> tuple[RowNote, ...]:
        """Those that are kept, in the order of the file."""
        return tuple(sorted(self._kept, key=lambda note: note.line))


def refusal_sentence(report: ImportReport) -> str:
    """The sentence for a refused file: its first error, and how many there are."""
    first = report.errors[0]
    where = f"{report.source}, line {first.line}, {first.field}" if first.line else f"{report.source}, {first.field}"
    more = len(report.errors) - 1
    others = "" if not more else f" There {'is 1 more error' if more == 1 else f'are {more} more errors'}."
    return f"{where}: {first.what}. Nothing was imported.{others}"


def summary(report: ImportReport) -> str:
    """One sentence for the person who imported."""
    rows = f"{report.rows} row{'' if report.rows == 1 else 's'}"
    if report.outcome == "imported_before":
        return f"{report.source}: was imported into {report.race_id} before; nothing was changed."
    if report.outcome == "refused":
        return refusal_sentence(report)
    what = "imported into" if report.outcome == "imported" else "could be imported into"
    return (
        f"{report.source}: {rows} {what} {report.race_id}: {report.ranked} ranked, {report.rows - report.ranked} not."
    )


def shortened(notes: Iterable[RowNote], each_field: int) -> list[str]:
    """The first notes of each field as lines of text, and how many more there are of it."""
    shown: list[str] = []
    counts: Counter[str] = Counter()
    for note in notes:
        counts[note.field] += 1
        if counts[note.field] <= each_field:
            where = f"line {note.line}, {note.field}" if note.line else note.field
            shown.append(f"{where}: {note.what}")
    hidden = [(field, count - each_field) for field, count in counts.items() if count > each_field]
    return shown + [f"{field}: {count} more like these" for field, count in hidden]
