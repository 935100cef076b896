"""Finals: once a race is closed, the first in rank are driven again on its final seeds, and those results count.

Nobody could tune to the final seeds, so that whoever was only lucky with the others is found out. Who falls back makes
room for somebody who was not driven on them, or for another submission of the same racer: those are driven as well,
until all of the first in rank stand there by the final seeds. Asked for with each claim, which is when there is
somebody to drive them.
"""

import sqlalchemy as sa

from leaderboard.core.race import RaceRecord
from leaderboard.core.submissions.submission import ModelSubmission, submission_of_result
from leaderboard.evaluations.interruptions import FARM
from leaderboard.store import race_rows
from leaderboard.store.evaluations import condition_rows, evaluation_rows, final_rows, queue_rows
from leaderboard.store.submissions import submission_rows
from shared.text import text

_SENTENCE = text("The race is closed: it is driven again on the final seeds, which decide.")


class Finals:
    """The finals of one store. Used within transactions that exclude one another."""

    def __init__(self) -> None:
        # Race -> the count of its changes at which its finals were decided: as long as nothing changed, they are.
        self._decided: dict[str, int] = {}

    def begin_due(self, db: sa.Connection, now_utc_ns: int) -> None:
        """Put those of the first in rank into the queue who are to be driven again, in each race whose time it is."""
        for race_id, version in final_rows.due(db, now_utc_ns).items():
            if self._decided.get(race_id) == version:
                continue
            race = race_rows.race(db, race_id, for_change=True)
            conditions = condition_rows.conditions(db, race.conditions_sha256)
            if conditions is None or race.state(now_utc_ns) not in ("closed", "provisional"):
                continue
            if queue_rows.any_to_drive(db, race_id):
                continue  # whatever was brought in time is scored first: it may be among the first in rank
            if not _drive_again(db, race, conditions.final_top_n, now_utc_ns):
                self._decided[race_id] = version


def _drive_again(db: sa.Connection, race: RaceRecord, top_n: int, now_utc_ns: int) -> bool:
    """Whether any of the first in rank has to be driven yet; they wait then."""
    kept = condition_rows.virtual_race(db, race.race_id)
    assert kept is not None, "its row was found a moment ago"
    if kept.finals_utc_ns is None:
        condition_rows.begin_finals(db, race.race_id, now_utc_ns)
    any_left = False
    for result_id in final_rows.first_results(db, race.race_id, race.table_of("virtual"), top_n):
        submission_id = submission_of_result(result_id)
        if submission_id is None:
            continue  # a result that was posted in another way is not the farm's to drive
        submission = submission_rows.get(db, submission_id, for_change=True)
        if submission.state == "scored" and not _is_of(db, submission, kept.seeds.final):
            submission_rows.move(db, submission, "rerun", FARM, now_utc_ns, _SENTENCE)
            any_left = True
    return any_left


def _is_of(db: sa.Connection, submission: ModelSubmission, seeds: tuple[int, ...]) -> bool:
    """Whether the submission was driven on these seeds."""
    runs = evaluation_rows.of_round(db, submission.submission_id, submission.round)
    return bool(runs) and all(each.seed in seeds for each in runs)
