"""How many submissions a racer of a race has left, from what is stored. Called by service.py within its transaction."""

import sqlalchemy as sa

from leaderboard.core.attempts import AttemptQuota, AttemptsLeft, quota_of
from leaderboard.core.race import RaceRecord
from leaderboard.core.rank import LineKey
from leaderboard.core.submissions import quota as rules
from leaderboard.core.submissions.quota import CountedAttempt
from leaderboard.core.submissions.submission import submission_of_result
from leaderboard.store import attempt_rows, result_rows
from leaderboard.store.submissions import submission_rows


class SubmissionQuotas:
    """Counts. `in_work_per_racer`: how many at once, in a race that says nothing of it."""

    def __init__(self, in_work_per_racer: int) -> None:
        self._in_work_per_racer = in_work_per_racer

    def left(self, db: sa.Connection, race: RaceRecord, account_id: str, racer: str, now_utc_ns: int) -> AttemptsLeft:
        """How many more the racer may submit; None: any number."""
        return rules.submissions_left(_counted(db, race, account_id, racer), _quota(db, race, racer), now_utc_ns)

    def check_room(self, db: sa.Connection, race: RaceRecord, account_id: str, racer: str, now_utc_ns: int) -> None:
        """Check that the racer may submit one more. Raises Refused."""
        counted, quota = _counted(db, race, account_id, racer), _quota(db, race, racer)
        rules.check_room(race, counted, quota, self._in_work_per_racer, now_utc_ns)


def _quota(db: sa.Connection, race: RaceRecord, racer: str) -> AttemptQuota:
    key = LineKey(race.table_of("virtual"), racer)
    return quota_of(race, attempt_rows.given_back(db, race.race_id, key))


def _counted(db: sa.Connection, race: RaceRecord, account_id: str, racer: str) -> list[CountedAttempt]:
    counted = [CountedAttempt(*each) for each in submission_rows.counted(db, race.race_id, account_id)]
    # What reached the board in another way counts as well: a station posts virtual runs, too.
    for attempt in result_rows.attempts_of(db, race.race_id, racer):
        ours = race.table_of(attempt.kind) == race.table_of("virtual") and not attempt.discarded
        if ours and attempt.state != "refused" and submission_of_result(attempt.result_id) is None:
            counted.append(CountedAttempt(attempt.finished_utc_ns))
    return counted
