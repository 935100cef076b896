"""The runs that a node may drive now, in the order of the queue; read from the store only as far as they are taken."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core.evaluations.queue import QueuedRun, next_runs
from leaderboard.core.race import RaceRecord
from leaderboard.store.evaluations import claim_rows, queue_rows
from leaderboard.store.evaluations.evaluation_rows import Evaluation
from leaderboard.store.evaluations.queue_rows import QueuedSubmission
from leaderboard.store.submissions import submission_rows
from leaderboard.submissions.preparations import needs_preparation
from shared.conditions import Conditions
from shared.protocol.farm import PREPARATION


@dataclass(frozen=True, slots=True)
class OpenWork:
    """A race of which a node may drive runs."""

    race: RaceRecord
    conditions: Conditions
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChosenRun:
    """A run that is to be given out: one that waits, or number `run` of a submission that is only begun by it."""

    waiting: Evaluation | None = None
    submission: QueuedSubmission | None = None
    run: int = 0


@dataclass(order=True, slots=True)
class _FirstInLine:
    """What waits first of a racer in one race. `rank`: as QueuedRun.arrival, then by run."""

    rank: tuple[int, int, str]
    run: ChosenRun


class WaitingWork:
    """The queue as one claim sees it. `begun`: runs that wait, of submissions that were begun."""

    def __init__(
        self,
        db: sa.Connection,
        begun: Iterable[Evaluation],
        races: Mapping[str, OpenWork],
        node: str,
        wanted: int,
    ) -> None:
        self._db, self._races, self._wanted = db, races, wanted
        self._lines: dict[tuple[str, bool], list[_FirstInLine]] = {}
        self._chosen: dict[str, ChosenRun] = {}
        self._read: dict[tuple[str, str], list[QueuedSubmission]] = {}
        for each in begun:
            if each.race_id in races and node not in each.apart_from:
                account_id = "" if each.repeats else each.account_id
                self._push(account_id, each.race_id, (each.queued_utc_ns, 0, each.evaluation_id), ChosenRun(each))
        for race_id in races:
            for head in queue_rows.heads(db, race_id):
                self._push_submission(head)

    def choose(self, now_utc_ns: int) -> list[ChosenRun]:
        """The next runs, in order."""
        heads = [self._first(key) for key in self._lines]
        loads = claim_rows.loads(self._db, now_utc_ns)
        return [self._chosen[run.evaluation_id] for run in next_runs(heads, loads, self._following, self._wanted)]

    def _push(self, account_id: str, race_id: str, rank: tuple[int, int, str], run: ChosenRun) -> None:
        key = account_id, self._races[race_id].race.live
        heapq.heappush(self._lines.setdefault(key, []), _FirstInLine(rank, run))

    def _push_submission(self, head: QueuedSubmission, run: int = 1) -> None:
        # All of its runs came when it did; the first stands for them until it is taken.
        rank = head.queued_utc_ns, head.number, f"{head.submission_id}:{run}"
        self._push(head.account_id, head.race_id, rank, ChosenRun(None, head, run))

    def _push_other_runs(self, head: QueuedSubmission) -> None:
        """The submission's other runs come into the line; they wait while it is prepared."""
        conditions = self._races[head.race_id].conditions
        submission = submission_rows.get(self._db, head.submission_id)
        if not needs_preparation(self._db, submission, conditions):
            for run in range(2, conditions.runs + 1):
                self._push_submission(head, run)

    def _first(self, key: tuple[str, bool]) -> QueuedRun:
        line = self._lines[key][0]
        account_id, live = key
        self._chosen[line.rank[2]] = line.run
        return QueuedRun(line.rank[2], account_id, line.rank[0], live)

    def _following(self, taken: QueuedRun) -> QueuedRun | None:
        key = taken.racer, taken.live
        run = heapq.heappop(self._lines[key]).run
        if run.submission is not None and run.run == 1:
            self._push_other_runs(run.submission)
            self._bring_next(run.submission)
        return self._first(key) if self._lines[key] else None

    def _bring_next(self, head: QueuedSubmission) -> None:
        """The submission behind one that is taken comes into the line."""
        place = head.race_id, head.account_id
        if place not in self._read:
            self._read[place] = queue_rows.of_account(self._db, *place, self._wanted, head)
        if self._read[place]:
            self._push_submission(self._read[place].pop(0))


def first_of(runs: Iterable[Evaluation], number: int) -> Evaluation:
    """The run of this number, or the preparation that comes before it."""
    return next(each for each in runs if each.run in (number, PREPARATION))
