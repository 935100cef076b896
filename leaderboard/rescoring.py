"""Derives racers' best attempts again: one racer's after a post, everybody's after the rules of a race have changed.

Called by stations/, league/ and exchange/ within their transactions. What was posted stays as it was; a score is what
the race's rules make of the posted laps, so other rules make other scores.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from leaderboard.core import rank
from leaderboard.core.attempts import AttemptVerdict, judged, quota_of, settle
from leaderboard.core.race import RaceRecord
from leaderboard.core.rank import Attempt, BestAttempt, LineKey
from leaderboard.core.states import HIDDEN
from leaderboard.store import attempt_rows, racer_rows, result_rows
from leaderboard.store.ranking import line_rows
from shared.protocol.results import Result
from shared.rules.ranking import RaceRules, score_run


def rescore_racer(db: sa.Connection, race: RaceRecord, key: LineKey) -> tuple[BestAttempt | None, BestAttempt | None]:
    """Derive and store the racer's best attempt in a table again; return the one before and the one now."""
    old = line_rows.line(db, race.race_id, key)
    attempts = [
        each for each in result_rows.attempts_of(db, race.race_id, key.racer) if race.table_of(each.kind) == key.kind
    ]
    settled, new = derived(db, race, key, attempts)
    attempt_rows.set_states(db, attempts, settled)
    if new != old:
        line_rows.set_line(db, race.race_id, key, old, new)
    return old, new


def derived(
    db: sa.Connection, race: RaceRecord, key: LineKey, attempts: Sequence[Attempt]
) -> tuple[list[Attempt], BestAttempt | None]:
    """What follows from all attempts of a racer in a table: how each of them stands, and the line."""
    hidden = racer_rows.entry_state(db, race.race_id, key.racer) in HIDDEN
    limited = race.rules.attempts_per_racer is not None or race.attempts_per_day is not None
    settled = settle(attempts, quota_of(race, attempt_rows.given_back(db, race.race_id, key) if limited else {}))
    return settled, None if hidden else rank.line_of(settled, key.kind)


def rescore_race(db: sa.Connection, race: RaceRecord) -> dict[LineKey, BestAttempt | None]:
    """Score every result of the race by its rules of now; return the lines that changed as they were before."""
    keys = set(line_rows.line_keys(db, race.race_id))
    for seq, verdict, result in result_rows.results_of(db, race.race_id):
        keys.add(LineKey(race.table_of(result.kind), result.racer))
        fresh = rescored(result, verdict, race.rules)
        if fresh != verdict:
            attempt_rows.set_verdict(db, seq, fresh)
    changes = ((key, *rescore_racer(db, race, key)) for key in sorted(keys))
    return {key: old for key, old, new in changes if new != old}


def rescored(result: Result, verdict: AttemptVerdict, rules: RaceRules) -> AttemptVerdict:
    """How the result stands by these rules; what was withdrawn or disqualified stays so, whatever its laps.

    One that is ranked without laps has the score that was published for it, which no rules can make again.
    """
    if verdict.state not in ("ranked", "unqualified") or (verdict.state == "ranked" and not result.laps):
        return verdict
    return judged(result.laps, score_run(result.laps, rules), rules)
