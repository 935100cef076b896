"""Reads and writes the traces of runs."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from leaderboard.store.tables import RUN_TRACES


def keep(db: sa.Connection, trace_sha256: str, file: bytes, now_utc_ns: int) -> None:
    """Store the trace, if it is not there."""
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    values = {"trace_sha256": trace_sha256, "file": file, "kept_utc_ns": now_utc_ns}
    db.execute(insert(RUN_TRACES).values(values).on_conflict_do_nothing())


def file(db: sa.Connection, trace_sha256: str) -> bytes | None:
    """The trace's file; None if it is not kept."""
    found = db.execute(sa.select(RUN_TRACES.c.file).where(RUN_TRACES.c.trace_sha256 == trace_sha256)).scalar()
    return None if found is None else bytes(found)


def kept(db: sa.Connection, hashes: Sequence[str]) -> set[str]:
    """Those of these traces that are kept."""
    which = RUN_TRACES.c.trace_sha256.in_(hashes)
    return set(db.execute(sa.select(RUN_TRACES.c.trace_sha256).where(which)).scalars())
