"""Where in the queue a submission stands: asked through an interface, as who is next is decided by the farm's part."""

from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.store.submissions import submission_rows


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """How many are driven before it, and when it is expected to be driven (None: nobody can say)."""

    before: int
    expected_utc_ns: int | None = None


class QueuePlaces(Protocol):
    """Says where submissions stand."""

    def place(self, db: sa.Connection, submission: ModelSubmission, now_utc_ns: int, /) -> QueuePlace | None:
        """The place of a submission; None for one that is not queued."""
        ...


class PlacesByArrival:
    """The place by arrival, without a guess at when: as long as nobody says how the queue is worked off."""

    def place(self, db: sa.Connection, submission: ModelSubmission, _now_utc_ns: int, /) -> QueuePlace | None:
        if submission.state != "queued" or submission.queued_utc_ns is None:
            return None
        return QueuePlace(submission_rows.queued_before(db, submission))
