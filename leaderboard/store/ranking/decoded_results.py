"""Posted results by their number, decoded once: a revision that is stored never changes."""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Sequence

import sqlalchemy as sa

from leaderboard.core.rank import BestAttempt
from leaderboard.store import queries
from shared.protocol.results import Result

KEPT = 4096


class DecodedResults:
    """Holds the results that were shown last; from any thread."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._known: OrderedDict[tuple[int, str, int], Result] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, db: sa.Connection, lines: Sequence[BestAttempt]) -> dict[int, Result]:
        """The result behind each line, by its `seq`; if the station's clock was not set, with the time that counts."""
        with self._lock:
            found = {line.seq: self._known.get(_key(line)) for line in lines}
        missing = [line for line in lines if found[line.seq] is None]
        fresh = queries.results(db, [line.seq for line in missing])
        made = {line: _timed(fresh[line.seq], line) for line in missing}
        with self._lock:
            for line in lines[: self._kept]:
                if line in made:
                    self._known[_key(line)] = made[line]
                elif _key(line) in self._known:
                    self._known.move_to_end(_key(line))
            while len(self._known) > self._kept:
                self._known.popitem(last=False)
        shown = {seq: result for seq, result in found.items() if result is not None}
        return shown | {line.seq: result for line, result in made.items()}


def _key(line: BestAttempt) -> tuple[int, str, int]:
    return line.seq, line.racer, line.set_utc_ns


def _timed(result: Result, line: BestAttempt) -> Result:
    return result if result.evidence.clock_trusted else dataclasses.replace(result, finished_utc_ns=line.set_utc_ns)
