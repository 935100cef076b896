"""Derives racers' best attempts again: one racer's after a post, everybody's after the rules of a race have changed.

Called by board.py within its transaction. What was posted stays as it was; a score is what the race's rules make of the
posted laps, so other rules make other scores.
"""

import sqlalchemy as sa

from leaderboard.core import rank
from leaderboard.core.race import RaceRecord
from leaderboard.core.rank import BestAttempt, LineKey
from leaderboard.store import queries
from shared.protocol.results import Result
from shared.rules.ranking import RaceRules, score_run


def rescore_racer(db: sa.Connection, race: RaceRecord, key: LineKey) -> tuple[BestAttempt | None, BestAttempt | None]:
    """Derive and store the racer's best attempt in a table again; return the one before and the one now."""
    old = queries.line(db, race.race_id, key)
    attempts = queries.attempts_of(db, race.race_id, key.racer)
    new = rank.line_of([each for each in attempts if race.table_of(each.kind) == key.kind], race.rules, key.kind)
    if new != old:
        queries.set_line(db, race.race_id, key, old, new)
    return old, new


def rescore_race(db: sa.Connection, race: RaceRecord, rules_before: RaceRules) -> dict[LineKey, BestAttempt | None]:
    """Score every result of the race by its rules of now; return each racer's best attempt as it was before."""
    keys = set(queries.line_keys(db, race.race_id))
    for seq, score_ms, result in queries.results_of(db, race.race_id):
        keys.add(LineKey(race.table_of(result.kind), result.racer))
        fresh_ms = rescored(result, score_ms, rules_before, race.rules)
        if fresh_ms != score_ms:
            queries.set_score(db, seq, fresh_ms)
    return {key: rescore_racer(db, race, key)[0] for key in sorted(keys)}


def rescored(result: Result, score_ms: int | None, before: RaceRules, now: RaceRules) -> int | None:
    """The result's score by the rules of `now`; None if it has none, or was withdrawn or driven outside the window."""
    withdrawn = result.revision >= 2 and result.score_ms == 0
    outside = score_ms is None and score_run(result.laps, before) is not None
    score = None if withdrawn or outside else score_run(result.laps, now)
    return None if score is None else score.score_ms
