"""Reads which races have finals to drive, and whose submissions are the first in rank."""

import sqlalchemy as sa

from leaderboard.store.tables import CONDITIONS, LINES, RACES, RESULTS, VIRTUAL_RACES


def due(db: sa.Connection, now_utc_ns: int) -> dict[str, int]:
    """The races that are closed, not final yet, and have final places to drive for; with the count of their changes."""
    over = (RACES.c.closes_utc_ns <= now_utc_ns) | (RACES.c.closed_utc_ns <= now_utc_ns)
    # The document is canonical: there is one way to write that there are none.
    with_finals = CONDITIONS.c.document.not_like('%"final_top_n":0,%')
    query = (
        sa.select(VIRTUAL_RACES.c.race_id, RACES.c.version)
        .join(RACES, RACES.c.race_id == VIRTUAL_RACES.c.race_id)
        .join(CONDITIONS, CONDITIONS.c.sha256 == RACES.c.conditions_sha256)
        .where(RACES.c.stage.in_(("published", "provisional")) & over & with_finals)
        .order_by(VIRTUAL_RACES.c.race_id)
    )
    return {row.race_id: row.version for row in db.execute(query)}


def first_results(db: sa.Connection, race_id: str, table: str, count: int) -> list[str]:
    """The results behind the first lines of a table of the race, in the order of their rank."""
    query = (
        sa.select(RESULTS.c.result_id)
        .join(LINES, LINES.c.seq == RESULTS.c.seq)
        .where((LINES.c.race_id == race_id) & (LINES.c.kind == table))
        .order_by(LINES.c.score_ms, LINES.c.set_utc_ns, LINES.c.order)
        .limit(count)
    )
    return list(db.execute(query).scalars())
