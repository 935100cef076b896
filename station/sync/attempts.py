"""What was posted and what came back: sync.db, append-only, written by the sync process alone.

An attempt is on disk before the request leaves, its answer before the row counts as settled. A `kill -9`
anywhere in between leaves an attempt without an answer: the row is `unknown` and is posted again under the
same `webhook-id`.
"""

import pathlib
from dataclasses import dataclass
from typing import Any

import apsw

from shared.results import Answer, Later, Posted, Rejected
from station.sync.database import open_durable, storage_errors
from station.sync.outbox import AnswerLost, Progress, Row, State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
  id INTEGER PRIMARY KEY, result_id TEXT NOT NULL, revision INTEGER NOT NULL, at_utc_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS attempts_of_result ON attempts (result_id, revision);
CREATE TABLE IF NOT EXISTS answers (
  attempt_id INTEGER PRIMARY KEY REFERENCES attempts (id), kind TEXT NOT NULL, reason TEXT NOT NULL,
  status INTEGER, score_ms INTEGER, rank INTEGER, racers INTEGER, best INTEGER, at_utc_ns INTEGER NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS attempts_stay BEFORE UPDATE ON attempts BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS attempts_last BEFORE DELETE ON attempts BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS answers_stay BEFORE UPDATE ON answers BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS answers_last BEFORE DELETE ON answers BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""

# The last attempt of every row with its answer, if one came.
_RECORDS = """
SELECT a.result_id, a.revision, g.attempts, a.at_utc_ns,
       n.kind, n.reason, n.status, n.score_ms, n.rank, n.racers, n.best
FROM (SELECT count(*) AS attempts, min(id) AS first, max(id) AS last FROM attempts GROUP BY result_id, revision) g
JOIN attempts a ON a.id = g.last LEFT JOIN answers n ON n.attempt_id = a.id
ORDER BY g.first
"""


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of one row: how often it was posted, when last, and the last answer (None: none came)."""

    result_id: str
    revision: int
    attempts: int
    last_utc_ns: int
    answer: Answer | None

    @property
    def webhook_id(self) -> str:
        return f"{self.result_id}.{self.revision}"

    @property
    def state(self) -> State:
        """As seen from the disk: an attempt without an answer is `unknown`, for its process may be gone."""
        match self.answer:
            case Posted():
                return "confirmed"
            case Rejected():
                return "rejected"
            case None | AnswerLost():
                return "unknown"
            case Later():
                return "pending"


class Attempts:
    """The store of attempts and answers. Raises StorageError when the disk refuses."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._db = open_durable(path)
        with storage_errors(path):
            self._db.execute(_SCHEMA)

    def begin(self, row: Row, at_utc_ns: int) -> int:
        """Keep that `row` is about to be posted; the attempt's number."""
        with storage_errors(self._path):
            self._db.execute(
                "INSERT INTO attempts (result_id, revision, at_utc_ns) VALUES (?, ?, ?)",
                (row.result_id, row.revision, at_utc_ns),
            )
            return int(self._db.last_insert_rowid())

    def finish(self, attempt_id: int, answer: Answer, at_utc_ns: int) -> None:
        """Keep what the leaderboard said to attempt `attempt_id`."""
        with storage_errors(self._path):
            self._db.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (attempt_id, *_columns(answer), at_utc_ns)
            )

    def records(self) -> list[Record]:
        """Every row that was ever posted, oldest first."""
        return read_records(self._db, self._path)

    def progress(self, *, retry_rejected: bool = False) -> dict[str, Progress]:
        """Where a new process goes on, by `webhook_id`: what is not settled is due at once.

        `retry_rejected`: the operator has mended what the leaderboard refused (a secret, a race, a clock).
        """
        return {
            record.webhook_id: Progress(record.state, record.attempts)
            for record in self.records()
            if not (retry_rejected and record.state == "rejected")
        }

    def close(self) -> None:
        self._db.close()


def read_records(db: apsw.Connection, path: pathlib.Path) -> list[Record]:
    """As `Attempts.records`, for a reader with a read-only connection. Raises StorageError."""
    with storage_errors(path):
        rows: list[tuple[Any, ...]] = db.execute(_RECORDS).fetchall()
    return [Record(row[0], row[1], row[2], row[3], _answer(*row[4:])) for row in rows]


def _columns(answer: Answer) -> tuple[object, ...]:
    match answer:
        case Posted(score_ms, rank, racers, best):
            return "posted", "", None, score_ms, rank, racers, int(best)
        case Rejected(reason, status):
            return "rejected", reason, status, None, None, None, None
        case AnswerLost(reason):
            return "lost", reason, None, None, None, None, None
        case Later(reason):
            return "later", reason, None, None, None, None, None


def _answer(
    kind: str | None,
    reason: str,
    status: int | None,
    score_ms: int | None,
    rank: int | None,
    racers: int | None,
    best: int | None,
) -> Answer | None:
    match kind:
        case "posted":
            return Posted(score_ms, rank, racers or 0, bool(best))
        case "rejected":
            return Rejected(reason, status or 0)
        case "lost":
            return AnswerLost(reason)
        case "later":
            return Later(reason)
        case _:
            return None
