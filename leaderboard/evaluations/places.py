"""Where in the queue a submission stands, and when it is expected to be driven."""

import sqlalchemy as sa

from leaderboard.core.evaluations.queue import expected_wait_ms
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.repetitions import NODE_IS_THERE_NS
from leaderboard.store import race_rows
from leaderboard.store.evaluations import claim_rows, condition_rows, node_rows, queue_rows
from leaderboard.submissions.queue_places import QueuePlace
from shared.units import NS_PER_MS

_USUAL_RUNS = 3


class FairPlaces:
    """Places by the order in which the farm takes submissions: in turn from each racer, each racer's oldest first."""

    def place(self, db: sa.Connection, submission: ModelSubmission, now_utc_ns: int, /) -> QueuePlace | None:
        """The place of a submission; None for one that is not queued."""
        if submission.state != "queued" or submission.queued_utc_ns is None:
            return None
        own = queue_rows.older_of_account(db, submission.account_id, submission.queued_utc_ns, submission.number)
        others = queue_rows.waiting_by_account(db)
        # Before this racer's third comes the turn of everybody else three times at most.
        before = own + sum(min(n, own + 1) for account, n in others.items() if account != submission.account_id)
        hour = claim_rows.last_hour(db, now_utc_ns)
        present = node_rows.every(db, since_utc_ns=now_utc_ns - NODE_IS_THERE_NS)
        cores = sum(node.cores for node in present if node.state == "active")
        if not hour.runs:
            return QueuePlace(before)
        race = race_rows.race(db, submission.race_id)
        conditions = condition_rows.conditions(db, race.conditions_sha256)
        runs = _USUAL_RUNS if conditions is None else conditions.runs
        wait_ms = expected_wait_ms((before + 1) * runs, hour.cost_ms // hour.runs, cores)
        return QueuePlace(before, None if wait_ms is None else now_utc_ns + wait_ms * NS_PER_MS)
