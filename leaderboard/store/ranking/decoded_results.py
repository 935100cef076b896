"""Posted results by their number, decoded once: a revision that is stored never changes."""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Sequence

import sqlalchemy as sa

from leaderboard.core.rank import BestAttempt
from leaderboard.store import result_rows
from shared.protocol.results import Result

KEPT = 4096


class DecodedResults:
    """Holds the results that were shown last; from any thread."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._known: OrderedDict[tuple[int, str, int], Result] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, db: sa.Connection, lines: Sequence[BestAttempt]) -> list[Result]:
        """The result behind each line; if the station's clock was not set, with the time that counts."""
        keys = [(line.seq, line.racer, line.set_utc_ns) for line in lines]
        with self._lock:
            known = [self._known.get(key) for key in keys]
        missing = [line for line, result in zip(lines, known, strict=True) if result is None]
        fresh = result_rows.results(db, [line.seq for line in missing])
        shown = [
            _timed(fresh[line.seq], line) if result is None else result
            for line, result in zip(lines, known, strict=True)
        ]
        with self._lock:
            for key, result in zip(keys[: self._kept], shown, strict=False):
                self._known[key] = result
                self._known.move_to_end(key)
            while len(self._known) > self._kept:
                self._known.popitem(last=False)
        return shown


def _timed(result: Result, line: BestAttempt) -> Result:
    return result if result.evidence.clock_trusted else dataclasses.replace(result, finished_utc_ns=line.set_utc_ns)
