"""Reads from sync.db what the station's pages show about sync, without disturbing its writer."""

import pathlib
from collections.abc import Sequence
from dataclasses import replace

import apsw

from shared.errors import StorageError
from shared.files import hold_lock, is_locked
from shared.protocol.results import PostDeferred, PostRejected
from shared.text import Sentence, ntext, text
from station.store.database import has_table, open_reading, storage_errors
from station.store.event_files.race_offers import OffersReader
from station.sync.attempts import PostingRecord, RaceCheck, read_checks, read_records
from station.sync.operator.pause import SyncPause, pause_of
from station.sync.schedule import PostedWithOtherScore, score_mismatch
from station.views.system_views import ResultProblem, SyncView, TargetView

DATABASE = "sync.db"
LOCK = "sync.lock"
MAX_PROBLEMS = 20  # as many lines as a person reads


def hold_sync_lock(data_dir: pathlib.Path) -> int:
    """Locks the folder for one sync process, for as long as this process lives; returns the lock's descriptor.

    Raises OperatorError if another sync process runs on it.
    """
    return hold_lock(data_dir / LOCK, "another sync process already posts for this station")


class SyncStatusReader:
    """Reads the state of sync from the station's data folder; sync may never have run.

    `configured`: the station has the address of a leaderboard.
    """

    def __init__(self, data_dir: pathlib.Path, *, configured: bool = True) -> None:
        self._configured = configured
        self._data_dir = data_dir
        self._path = data_dir / DATABASE
        self._lock = data_dir / LOCK
        self._offers = OffersReader(data_dir)
        self._db: apsw.Connection | None = None

    def view(self, due: int) -> SyncView:
        """What the pages show of sync; never raises. `due`: how many outbox rows the station has committed so far."""
        alive = is_locked(self._lock)
        try:
            records = self._records()
            view = summary(records, due, alive, self._checks(), self._offers.offers().current)
            if (paused := pause_of(self._data_dir)) is not None:
                view = replace(view, sentence=paused_sentence(paused))
        except StorageError as error:
            view = SyncView(due, 0, due, 0, alive, str(error))
        return replace(view, configured=self._configured)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _records(self) -> list[PostingRecord]:
        if self._db is None and self._path.exists():
            self._db = open_reading(self._path)
        with storage_errors(self._path):
            ready = self._db is not None and has_table(self._db, "answers")
        if self._db is None or not ready:
            return []
        return read_records(self._db, self._path)

    def _checks(self) -> list[RaceCheck]:
        return [] if self._db is None else read_checks(self._db, self._path)


def paused_sentence(paused: SyncPause) -> Sentence:
    """What officials are told while posting is paused."""
    who = text(" by {author}", author=paused.author) if paused.author else ""
    return text("Posting is paused{who}: results wait on this station's disk.", who=who)


def summary(
    records: list[PostingRecord], due: int, alive: bool, checks: Sequence[RaceCheck] = (), race_id: str = ""
) -> SyncView:
    """What the pages show: counts, the newest problems, and one sentence: the newest problem, or that there is none.

    `due`: how many outbox rows there are; `alive`: whether a sync process runs; `checks`: what is known of the races at
    the leaderboard; `race_id`: the race that is on.
    """
    posted = sum(record.state == "confirmed" for record in records)
    rejected = sum(record.state == "rejected" for record in records)
    kept = sum(record.state == "kept" for record in records)
    pending = max(0, due - posted - rejected - kept)
    sentence = _sentence(records, due, pending, alive)
    targets = tuple(_target_view(check) for check in checks)
    now = next((each for each in targets if each.race_id == race_id), TargetView(race_id))
    if now.state in ("missing", "differs"):
        sentence = now.sentence
    problems = tuple(_line(record) for record in _problems(records)[:MAX_PROBLEMS])
    missing = now.state == "missing"
    return SyncView(due, posted, pending, rejected, alive, sentence, problems, missing, now.sentence, targets)


def _target_view(check: RaceCheck) -> TargetView:
    target = check.target
    return TargetView(target.race_id, target.readiness, target.sentence, target.differences, check.at_utc_ns)


def _sentence(records: list[PostingRecord], due: int, pending: int, alive: bool) -> str:
    if not alive and pending:
        return text("The sync service is not running: results wait on this station's disk.")
    problems = _problems(records)
    if problems:
        return _problem(problems[0])
    if pending:
        return "Posting."
    return text("Every result is posted.") if due else text("No result is due yet.")


def _problems(records: list[PostingRecord]) -> list[PostingRecord]:
    """The records that are not settled, were rejected, or have another score at the leaderboard, newest first."""
    problems = [
        r for r in records if r.state not in ("confirmed", "kept") or isinstance(r.answer, PostedWithOtherScore)
    ]
    return sorted(problems, key=lambda record: record.last_utc_ns, reverse=True)


def _line(record: PostingRecord) -> ResultProblem:
    state = "other score" if isinstance(record.answer, PostedWithOtherScore) else record.state
    return ResultProblem(record.result_id, record.revision, state, _problem(record))


def _problem(record: PostingRecord) -> str:
    if record.reopened:
        return text("{result_id} is sent again, as requested.", result_id=record.result_id)
    match record.answer:
        case PostedWithOtherScore():
            return text(
                "{result_id} is posted, but {why}",
                result_id=record.result_id,
                why=score_mismatch(record.answer),
            )
        case PostRejected(reason, status):
            return text(
                "{result_id} was rejected ({status}): {reason}",
                result_id=record.result_id,
                status=status,
                reason=reason,
            )
        case PostDeferred(reason):
            return f"{reason} {record.result_id} waits ({_tries(record.attempts)})."
        case _:
            return text(
                "{result_id} was sent; its answer is awaited ({words}).",
                result_id=record.result_id,
                words=_tries(record.attempts),
            )


def _tries(attempts: int) -> str:
    return ntext("{n} try so far", "{n} tries so far", n=attempts)
