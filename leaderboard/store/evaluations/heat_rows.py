"""Reads and writes the runs of heats that farms drove. Each function is part of the transaction that it is given."""

from collections.abc import Sequence

import sqlalchemy as sa

from leaderboard.store.tables import HEAT_RUNS, HEATS, RUN_TRACES
from shared.protocol.farm_shows import HeatRun


def add(db: sa.Connection, bracket_id: str, number: int, run: int, runs: Sequence[HeatRun]) -> None:
    """Keep what each run of a heat came to; `run`: of the heat's result, how often it was run by then."""
    values = [
        {
            "bracket_id": bracket_id,
            "number": number,
            "run": run,
            "place": place,
            "front_side": each.in_front,
            "winner_side": each.winner,
            "reason": each.reason,
            "by_ms": each.by_ms,
            "by_mm": each.by_mm,
            "first_trace_sha256": each.traces[0],
            "second_trace_sha256": each.traces[1],
        }
        for place, each in enumerate(runs, 1)
    ]
    if values:
        db.execute(sa.insert(HEAT_RUNS), values)


def shown(db: sa.Connection, bracket_id: str) -> dict[int, list[HeatRun]]:
    """The runs of each heat whose result counts, in the order of their seeds, if all their traces are kept."""
    counts = (
        (HEATS.c.bracket_id == HEAT_RUNS.c.bracket_id)
        & (HEATS.c.number == HEAT_RUNS.c.number)
        & (HEATS.c.run == HEAT_RUNS.c.run)
        & ~HEATS.c.taken_back
    )
    query = sa.select(HEAT_RUNS).join(HEATS, counts).where(HEAT_RUNS.c.bracket_id == bracket_id)
    found: dict[int, list[HeatRun]] = {}
    for row in db.execute(query.order_by(HEAT_RUNS.c.number, HEAT_RUNS.c.place)):
        traces = (row.first_trace_sha256, row.second_trace_sha256)
        one = HeatRun(row.front_side, row.winner_side, row.reason, traces, row.by_ms, row.by_mm)
        found.setdefault(row.number, []).append(one)
    kept = _kept(db, bracket_id)
    return {number: runs for number, runs in found.items() if all(kept.issuperset(run.traces) for run in runs)}


def _kept(db: sa.Connection, bracket_id: str) -> set[str]:
    """The traces of the bracket's runs that are kept."""
    of_bracket = HEAT_RUNS.c.bracket_id == bracket_id
    named = [
        sa.select(column).where(of_bracket)
        for column in (HEAT_RUNS.c.first_trace_sha256, HEAT_RUNS.c.second_trace_sha256)
    ]
    which = RUN_TRACES.c.trace_sha256.in_(sa.union(*named).subquery().select())
    return set(db.execute(sa.select(RUN_TRACES.c.trace_sha256).where(which)).scalars())
