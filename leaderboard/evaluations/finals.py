"""Finals: once a race is closed, the first in rank are driven again on its final seeds, and those results count.

Nobody could tune to the final seeds, so that whoever was only lucky with the others is found out. Called with each
claim, which is when there is somebody to drive them.
"""

import sqlalchemy as sa

from leaderboard.core.submissions.submission import submission_of_result
from leaderboard.evaluations.interruptions import FARM
from leaderboard.store import race_rows
from leaderboard.store.evaluations import condition_rows, final_rows, queue_rows
from leaderboard.store.submissions import submission_rows
from shared.text import text

_SENTENCE = text("The race is closed: it is driven again on the final seeds, which decide.")


def begin_due(db: sa.Connection, now_utc_ns: int) -> None:
    """Put the first in rank into the queue again, in each race whose time it is."""
    for race_id in final_rows.due(db, now_utc_ns):
        race = race_rows.race(db, race_id, for_change=True)
        conditions = condition_rows.conditions(db, race.conditions_sha256)
        if conditions is None or race.state(now_utc_ns) != "closed" or queue_rows.in_work(db, race_id):
            continue  # whatever was brought in time is scored first: it may be among the first in rank
        condition_rows.begin_finals(db, race_id, now_utc_ns)
        table = race.table_of("virtual")
        for result_id in final_rows.first_results(db, race_id, table, conditions.final_top_n):
            submission_id = submission_of_result(result_id)
            if submission_id is None:
                continue  # a result that was posted in another way is not the farm's to drive
            submission = submission_rows.get(db, submission_id, for_change=True)
            if submission.state == "scored":
                submission_rows.move(db, submission, "rerun", FARM, now_utc_ns, _SENTENCE)
