"""The record of what was posted and what came back: sync.db, append-only, written by the sync process alone.

An attempt is on disk before the request leaves, and its answer before the row counts as settled. A `kill -9` in
between leaves an attempt without an answer: the row is `unknown`, and is posted again under the same `webhook-id`.
"""

import json
import pathlib
from dataclasses import dataclass
from typing import Any

import apsw

from shared.protocol.results import AnswerLost, PostAccepted, PostDeferred, PostRejected
from station.store.database import has_table, open_durable, storage_error, storage_errors
from station.sync.leaderboard_check import Target, readiness_of
from station.sync.schedule import NotPosted, OutboxRow, PostedWithOtherScore, Progress, State, SyncAnswer

_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
  id INTEGER PRIMARY KEY, result_id TEXT NOT NULL, revision INTEGER NOT NULL, at_utc_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS attempts_of_result ON attempts (result_id, revision);
CREATE TABLE IF NOT EXISTS answers (
  attempt_id INTEGER PRIMARY KEY REFERENCES attempts (id), kind TEXT NOT NULL, reason TEXT NOT NULL,
  status INTEGER, score_ms INTEGER, rank INTEGER, racers INTEGER, best INTEGER, at_utc_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS reopened (
  id INTEGER PRIMARY KEY, attempt_id INTEGER NOT NULL REFERENCES attempts (id), author TEXT NOT NULL,
  at_utc_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS reopened_attempt ON reopened (attempt_id);
CREATE TABLE IF NOT EXISTS race_checks (
  id INTEGER PRIMARY KEY, race_id TEXT NOT NULL, readiness TEXT NOT NULL, detail TEXT NOT NULL,
  differences TEXT NOT NULL, at_utc_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS checks_of_race ON race_checks (race_id);
CREATE TRIGGER IF NOT EXISTS reopened_stay BEFORE UPDATE ON reopened BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS reopened_last BEFORE DELETE ON reopened BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS attempts_stay BEFORE UPDATE ON attempts BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS attempts_last BEFORE DELETE ON attempts BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS answers_stay BEFORE UPDATE ON answers BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS answers_last BEFORE DELETE ON answers BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""

# The last attempt of every row with its answer, if one came, and whether a person requested another since.
_RECORDS = """
SELECT a.result_id, a.revision, g.attempts, a.at_utc_ns, a.id, {reopened},
       n.kind, n.reason, n.status, n.score_ms, n.rank, n.racers, n.best
FROM (SELECT count(*) AS attempts, min(id) AS first, max(id) AS last FROM attempts GROUP BY result_id, revision) g
JOIN attempts a ON a.id = g.last LEFT JOIN answers n ON n.attempt_id = a.id
ORDER BY g.first
"""
_CHECKS = """
SELECT race_id, readiness, detail, differences, at_utc_ns FROM race_checks
WHERE id IN (SELECT max(id) FROM race_checks WHERE ? = '' OR race_id = ? GROUP BY race_id)
"""
_LAST_ANSWER = """
SELECT readiness FROM race_checks WHERE race_id = ? AND readiness <> 'unreachable' ORDER BY id DESC LIMIT 1
"""
_SAME_ANSWER = """
UPDATE race_checks SET at_utc_ns = ? WHERE id = (SELECT max(id) FROM race_checks WHERE race_id = ?)
"""
_REOPENED = "EXISTS (SELECT 1 FROM reopened r WHERE r.attempt_id = a.id)"


@dataclass(frozen=True, slots=True)
class PostingRecord:
    """What is stored about one row: how often it was posted, when last, and the last answer (None: none came).

    `reopened`: it was rejected, and a person asked to send it again.
    """

    result_id: str
    revision: int
    attempts: int
    last_utc_ns: int
    answer: SyncAnswer | None
    attempt_id: int = 0
    reopened: bool = False

    @property
    def webhook_id(self) -> str:
        return f"{self.result_id}.{self.revision}"

    @property
    def state(self) -> State:
        """The row's state by what is on disk: an attempt without an answer is `unknown`, as its process may be gone."""
        match self.answer:
            case PostAccepted():
                return "confirmed"
            case PostRejected():
                return "pending" if self.reopened else "rejected"
            case NotPosted():
                return "kept"
            case None | AnswerLost():
                return "unknown"
            case PostDeferred():
                return "pending"


class AttemptStore:
    """The store of attempts and answers. Raises StorageError when the disk refuses."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._db = open_durable(path)
        with storage_errors(path):
            self._db.execute(_SCHEMA)

    def begin(self, row: OutboxRow, at_utc_ns: int) -> int:
        """Records that `row` is about to be posted; returns the attempt's number."""
        self._execute(
            "INSERT INTO attempts (result_id, revision, at_utc_ns) VALUES (?, ?, ?)",
            (row.result_id, row.revision, at_utc_ns),
        )
        return int(self._db.last_insert_rowid())

    def finish(self, attempt_id: int, answer: SyncAnswer, at_utc_ns: int) -> None:
        """Records the leaderboard's answer to attempt `attempt_id`."""
        self._execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (attempt_id, *_columns(answer), at_utc_ns)
        )

    def reopen(self, webhook_ids: frozenset[str] | None, author: str, at_utc_ns: int) -> list[str]:
        """Records that `author` asks to send rejected rows again (None: all); returns the ids of those pending now."""
        rejected = [
            record
            for record in self.records()
            if record.state == "rejected" and (webhook_ids is None or record.webhook_id in webhook_ids)
        ]
        with storage_errors(self._path), self._db:
            for record in rejected:
                self._db.execute(
                    "INSERT INTO reopened (attempt_id, author, at_utc_ns) VALUES (?, ?, ?)",
                    (record.attempt_id, author, at_utc_ns),
                )
        return [record.webhook_id for record in rejected]

    def last_answer(self, race_id: str) -> Target | None:
        """What the leaderboard itself last said of a race: while it was not reached it said nothing. None: nothing."""
        with storage_errors(self._path):
            row: Any = self._db.execute(_LAST_ANSWER, (race_id,)).fetchone()
        return Target(race_id, readiness_of(row[0])) if row is not None else None

    def record_target(self, target: Target, at_utc_ns: int, *, again: bool = False) -> None:
        """Records what is known of a race at the leaderboard if it has changed or (`again`) in any case."""
        known = next((each.target for each in read_checks(self._db, self._path, target.race_id)), None)
        if again or known is None or _row_of(known) != _row_of(target):
            self._execute(
                "INSERT INTO race_checks (race_id, readiness, detail, differences, at_utc_ns) VALUES (?, ?, ?, ?, ?)",
                (*_row_of(target), at_utc_ns),
            )

    def record_same_answer(self, race_id: str, at_utc_ns: int) -> None:
        """Moves the time of what is known of a race: asked each minute for months, the table does not grow."""
        self._execute(_SAME_ANSWER, (at_utc_ns, race_id))

    def records(self) -> list[PostingRecord]:
        """Every row that was ever posted, oldest first."""
        return read_records(self._db, self._path)

    def progress(self) -> dict[str, Progress]:
        """Each row's progress by `webhook_id`, for a new process: what is not settled is due at once."""
        return {record.webhook_id: Progress(record.state, record.attempts) for record in self.records()}

    def close(self) -> None:
        self._db.close()

    def _execute(self, sql: str, row: tuple[Any, ...]) -> None:
        try:
            self._db.execute(sql, row)
        except apsw.Error as error:
            raise storage_error(self._path, error) from None


def read_records(db: apsw.Connection, path: pathlib.Path) -> list[PostingRecord]:
    """Every row that was ever posted, oldest first, from a connection that may be read-only. Raises StorageError."""
    with storage_errors(path):
        # A file that an older sync wrote, and no newer one has opened yet, has no such table.
        query = _RECORDS.format(reopened=_REOPENED if has_table(db, "reopened") else "0")
        rows: list[tuple[Any, ...]] = db.execute(query).fetchall()
    return [PostingRecord(row[0], row[1], row[2], row[3], _answer(*row[6:]), row[4], bool(row[5])) for row in rows]


@dataclass(frozen=True, slots=True)
class RaceCheck:
    """What was last known of a race at the leaderboard, and since when (UTC ns)."""

    target: Target
    at_utc_ns: int


def read_checks(db: apsw.Connection, path: pathlib.Path, race_id: str = "") -> list[RaceCheck]:
    """The newest check of each race, or of this one alone; the connection may be read-only. Raises StorageError."""
    with storage_errors(path):
        if not has_table(db, "race_checks"):
            return []
        rows: list[Any] = db.execute(_CHECKS, (race_id, race_id)).fetchall()
    return [
        RaceCheck(Target(race, readiness_of(readiness), detail, tuple(json.loads(found))), at)
        for race, readiness, detail, found, at in rows
    ]


def _row_of(target: Target) -> tuple[str, str, str, str]:
    return target.race_id, target.readiness, target.detail, json.dumps(target.differences)


def _columns(answer: SyncAnswer) -> tuple[object, ...]:
    match answer:
        case PostedWithOtherScore(score_ms, rank, racers, best, ours_ms):
            return "other score", "" if ours_ms is None else str(ours_ms), None, score_ms, rank, racers, int(best)
        case PostAccepted(score_ms, rank, racers, best):
            return "posted", "", None, score_ms, rank, racers, int(best)
        case PostRejected(reason, status):
            return "rejected", reason, status, None, None, None, None
        case NotPosted(reason):
            return "kept", reason, None, None, None, None, None
        case AnswerLost(reason):
            return "lost", reason, None, None, None, None, None
        case PostDeferred(reason):
            return "later", reason, None, None, None, None, None


def _answer(
    kind: str | None,
    reason: str,
    status: int | None,
    score_ms: int | None,
    rank: int | None,
    racers: int | None,
    best: int | None,
) -> SyncAnswer | None:
    match kind:
        case "posted":
            return PostAccepted(score_ms, rank, racers or 0, bool(best))
        case "other score":
            return PostedWithOtherScore(score_ms, rank, racers or 0, bool(best), int(reason) if reason else None)
        case "rejected":
            return PostRejected(reason, status or 0)
        case "kept":
            return NotPosted(reason)
        case "lost":
            return AnswerLost(reason)
        case "later":
            return PostDeferred(reason)
        case _:
            return None
