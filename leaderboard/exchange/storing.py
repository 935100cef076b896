"""Stores the lines of an imported file, part after part, within one transaction: memory holds one part at a time."""

from collections.abc import Sequence

import sqlalchemy as sa

from leaderboard.core.race import RaceRecord, Venue
from leaderboard.core.rank import BestAttempt, LineKey
from leaderboard.exchange.staging import LineOfFile
from leaderboard.rescoring import rescore_racer
from leaderboard.store import bulk, race_rows
from leaderboard.store.bulk import ImportedFile, ImportedRow, NewResult
from leaderboard.store.ranking import ranks


class FileWriter:
    """Writes what a file brings to a race. `known`: the racers whom the race has, as they are spelled in it."""

    def __init__(self, db: sa.Connection, race: RaceRecord, known: set[str], now_utc_ns: int) -> None:
        self._db, self._race, self._now_utc_ns = db, race, now_utc_ns
        self._known, self._entered = known, bulk.entered(db, race.race_id)
        self._place = 0

    def add_board(self, file: ImportedFile, lines: Sequence[LineOfFile]) -> None:
        """The next lines of a published board: no other line has one of their racers."""
        results = [line.new for line in lines]
        names = self._add_racers(results)
        seqs = bulk.add_results(self._db, results, self._now_utc_ns)
        rows = []
        for line, seq in zip(lines, seqs, strict=True):
            self._place += 1
            rows.append(ImportedRow(line.line, seq, self._place if line.new.score_ms is not None else None, line.cells))
        bulk.add_imported_rows(self._db, file, rows)
        bulk.add_lines(self._db, self._race.race_id, self._lines(results, seqs), names)

    def finish_board(self, table: Venue | None) -> None:
        """Count the lines for the ranks once all are there. `table`: in which they are; None: there are none."""
        if table is not None:
            ranks.rebuild(self._db, self._race.race_id, table)
        race_rows.bump(self._db, self._race.race_id, {})

    def add_runs(self, lines: Sequence[LineOfFile]) -> None:
        """The next runs, of racers who may have others."""
        results = [line.new for line in lines]
        names = self._add_racers(results)
        self._known |= names.keys()
        self._entered |= names.keys()
        bulk.add_results(self._db, results, self._now_utc_ns)

    def finish_runs(self, keys: set[LineKey]) -> None:
        """Have the lines of these racers follow from their runs."""
        undo: dict[LineKey, BestAttempt | None] = {}
        for key in sorted(keys):
            old, _ = rescore_racer(self._db, self._race, key)
            if len(undo) <= race_rows.MAX_ARROWS:
                undo[key] = old
        race_rows.bump(self._db, self._race.race_id, undo)

    def _add_racers(self, results: Sequence[NewResult]) -> dict[str, str]:
        """Store racers who are new to the race; returns the name of every racer of these results."""
        names = {each.result.racer: each.name for each in results}
        bulk.add_racers(self._db, self._race.race_id, [racer for racer in names if racer not in self._known])
        new = {racer: name for racer, name in names.items() if racer not in self._entered}
        bulk.add_entries(self._db, self._race.race_id, new, self._now_utc_ns)
        return names

    def _lines(self, results: Sequence[NewResult], seqs: Sequence[int]) -> list[BestAttempt]:
        """The line of each racer of a published board, who has one result each."""
        return [
            BestAttempt(
                each.result.racer,
                each.score_ms,
                each.result.finished_utc_ns,
                seq,
                seq,
                1,
                self._race.table_of(each.result.kind),
            )
            for each, seq in zip(results, seqs, strict=True)
            if each.score_ms is not None
        ]
