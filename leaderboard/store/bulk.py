"""Writes many results of one race at once, as an import brings them: one statement a table instead of one a row.

Each function is part of the transaction whose connection it is given.
"""

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa

from leaderboard.core.attempts import AttemptVerdict
from leaderboard.core.rank import BestAttempt
from leaderboard.core.search import folded
from leaderboard.store.tables import ENTRIES, IMPORTED_ROWS, IMPORTS, LINES, RACERS, RACES, RESULTS
from shared.protocol.results import Result
from shared.rules.person_names import name_key

_AT_ONCE = 2_000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class NewResult:
    """A result to store: its body, how it stands by itself, and the name under which its racer is shown."""

    result: Result
    payload: bytes
    verdict: AttemptVerdict
    name: str

    @property
    def score_ms(self) -> int | None:
        """Its score; None: it has none."""
        return self.verdict.score_ms


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A file that was imported into a race; `heading` and `dialect` are JSON, "" where the file is no board."""

    race_id: str
    sha256: str
    format: str
    file: str
    heading: str
    dialect: str
    actor: str
    at_utc_ns: int


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A row of a published board: its line, its result's number, the place that it got (None: none), its cells."""

    line: int
    seq: int
    place: int | None
    cells: tuple[str, ...]


def parts(rows: Iterable[_T]) -> Iterator[list[_T]]:
    """The rows so many at once as are written with one statement."""
    every = iter(rows)
    while part := list(islice(every, _AT_ONCE)):
        yield part


def _insert(db: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    for part in parts(rows):
        db.execute(sa.insert(table), part)


def spellings(db: sa.Connection, race_id: str) -> dict[str, str]:
    """The racers of a race: each one's key, and the spelling that came first."""
    stored = db.execute(sa.select(RACERS.c.racer).where(RACERS.c.race_id == race_id)).scalars()
    return {name_key(racer): racer for racer in stored}


def add_racers(db: sa.Connection, race_id: str, racers: Sequence[str]) -> None:
    """Store the spellings of racers that the race does not have yet."""
    keys = [hashlib.sha256(name_key(racer).encode()).hexdigest() for racer in racers]
    rows = [{"race_id": race_id, "key_sha256": key, "racer": racer} for key, racer in zip(keys, racers, strict=True)]
    _insert(db, RACERS, rows)


def stored(db: sa.Connection, result_ids: Sequence[str]) -> set[str]:
    """Those of the results that are stored."""
    found: set[str] = set()
    for start in range(0, len(result_ids), 500):
        ids = RESULTS.c.result_id.in_(result_ids[start : start + 500])
        found |= set(db.execute(sa.select(RESULTS.c.result_id).where(ids)).scalars())
    return found


def entered(db: sa.Connection, race_id: str) -> set[str]:
    """The racers who are entered in the race."""
    return set(db.execute(sa.select(ENTRIES.c.racer).where(ENTRIES.c.race_id == race_id)).scalars())


def add_entries(db: sa.Connection, race_id: str, names: Mapping[str, str], at_utc_ns: int) -> None:
    """Enter racers who are not entered yet, under these names."""
    shared = {"race_id": race_id, "entered_utc_ns": at_utc_ns, "joined_by": "import"}
    _insert(db, ENTRIES, [shared | {"racer": racer, "name": name} for racer, name in names.items()])


def add_results(db: sa.Connection, results: Sequence[NewResult], at_utc_ns: int) -> list[int]:
    """Store results; returns their numbers in the order of acceptance, which is that of `results`."""
    for race_id, count in Counter(each.result.race_id for each in results).items():
        more = sa.update(RACES).where(RACES.c.race_id == race_id).values(results=RACES.c.results + count)
        db.execute(more)
    statement = sa.insert(RESULTS).returning(RESULTS.c.seq, sort_by_parameter_order=True)
    numbers: list[int] = []
    for part in parts([_result_row(each, at_utc_ns) for each in results]):
        numbers += db.execute(statement, part).scalars()
    return numbers


def _result_row(new: NewResult, at_utc_ns: int) -> dict[str, Any]:
    result = new.result
    return {
        "result_id": result.result_id,
        "revision": result.revision,
        "race_id": result.race_id,
        "racer": result.racer,
        "score_ms": new.score_ms,
        "finished_utc_ns": result.finished_utc_ns,
        "uncertainty_ns": result.evidence.uncertainty_ns,
        "accepted_utc_ns": at_utc_ns,
        "payload": new.payload,
        "kind": result.kind,
        "state": new.verdict.state,
        "reason": str(new.verdict.reason),
        "verdict": new.verdict.state,
        "verdict_reason": str(new.verdict.reason),
    }


def add_lines(db: sa.Connection, race_id: str, lines: Sequence[BestAttempt], names: Mapping[str, str]) -> None:
    """Store lines of racers, shown by these names, that have none yet in their table; `ranks.rebuild` counts them."""
    fields = [field.name for field in dataclasses.fields(BestAttempt)]
    shared = {"race_id": race_id}
    rows = [
        shared | {name: getattr(line, name) for name in fields} | {"folded": folded(names[line.racer])}
        for line in lines
    ]
    _insert(db, LINES, rows)


def imported(db: sa.Connection, race_id: str) -> list[ImportedFile]:
    """The files that were imported into the race, the earliest first."""
    query = sa.select(IMPORTS).where(IMPORTS.c.race_id == race_id).order_by(IMPORTS.c.at_utc_ns, IMPORTS.c.sha256)
    return [ImportedFile(**row) for row in db.execute(query).mappings()]


def add_import(db: sa.Connection, file: ImportedFile) -> None:
    db.execute(sa.insert(IMPORTS), dataclasses.asdict(file))


def add_imported_rows(db: sa.Connection, file: ImportedFile, rows: Sequence[ImportedRow]) -> None:
    """Keep what the rows of a board said, and which result was made of each."""
    keys = {"race_id": file.race_id, "sha256": file.sha256}
    columns = [
        {"line": row.line, "seq": row.seq, "place": row.place, "cells": json.dumps(row.cells, ensure_ascii=False)}
        for row in rows
    ]
    _insert(db, IMPORTED_ROWS, [keys | each for each in columns])


def imported_rows(db: sa.Connection, race_id: str, sha256: str) -> Iterator[ImportedRow]:
    """The rows of a board, in the order of the file."""
    of_file = (IMPORTED_ROWS.c.race_id == race_id) & (IMPORTED_ROWS.c.sha256 == sha256)
    for row in db.execute(sa.select(IMPORTED_ROWS).where(of_file).order_by(IMPORTED_ROWS.c.line)):
        yield ImportedRow(row.line, row.seq, row.place, tuple(json.loads(row.cells)))
