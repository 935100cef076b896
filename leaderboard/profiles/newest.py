"""The newest results of a race, for its feed."""

from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core.states import HIDDEN
from leaderboard.store.database import Store
from leaderboard.store.tables import ENTRIES, RESULTS

MAX_RESULTS = 50


@dataclass(frozen=True, slots=True)
class FeedResult:
    """A result that is ranked: whose, its score, and when its newest revision came in."""

    result_id: str
    racer: str
    name: str
    score_ms: int
    accepted_utc_ns: int


def newest_results(store: Store, race_id: str, limit: int = MAX_RESULTS) -> list[FeedResult]:
    """The last ranked results of this race, the newest first, each at its newest revision."""
    later = RESULTS.alias("later")
    replaced = sa.exists().where((later.c.result_id == RESULTS.c.result_id) & (later.c.revision > RESULTS.c.revision))
    query = (
        sa.select(
            RESULTS.c.result_id,
            RESULTS.c.racer,
            sa.func.coalesce(ENTRIES.c.name, RESULTS.c.racer),
            RESULTS.c.score_ms,
            RESULTS.c.accepted_utc_ns,
        )
        .outerjoin(ENTRIES, (ENTRIES.c.race_id == RESULTS.c.race_id) & (ENTRIES.c.racer == RESULTS.c.racer))
        .where(RESULTS.c.race_id == race_id, RESULTS.c.state == "ranked", RESULTS.c.score_ms.is_not(None), ~replaced)
        .where(sa.or_(ENTRIES.c.state.is_(None), ENTRIES.c.state.not_in(HIDDEN)))
        .order_by(RESULTS.c.seq.desc())
        .limit(limit)
    )
    with store.read() as db:
        return [FeedResult(*row) for row in db.execute(query)]
