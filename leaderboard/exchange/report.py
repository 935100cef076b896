"""What an import did, or why it did nothing: by line and field. Shown by the command, the API and the report's file."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["imported", "checked", "imported_before", "refused"]
MAX_ERRORS = 200  # of one file: whoever sent something else altogether needs no list of it


@dataclass(frozen=True, slots=True)
class RowNote:
    """One row's remark: what was changed or is worth a look; or, in a refused file, what is wrong with it."""

    line: int
    field: str
    what: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """One file's import. `rows`: all that hold something; `ranked`: those with a place, of `racers` racers.

    `errors` is not empty exactly if the outcome is "refused": then nothing was stored.
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
