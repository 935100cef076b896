"""Reads and writes the videos of runs."""

import dataclasses
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from leaderboard.core.evaluations.videos import RunVideo
from leaderboard.store.tables import RUN_VIDEOS

_FIELDS = [RUN_VIDEOS.c[field.name] for field in dataclasses.fields(RunVideo)]


def add(db: sa.Connection, video: RunVideo) -> None:
    """Store it, if none of this trace is there."""
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    db.execute(insert(RUN_VIDEOS).values(dataclasses.asdict(video)).on_conflict_do_nothing())


def get(db: sa.Connection, trace_sha256: str) -> RunVideo | None:
    """The video of this trace's run; None if nobody asked for it."""
    return _first(db, RUN_VIDEOS.c.trace_sha256 == trace_sha256)


def of_claim(db: sa.Connection, claim_id: str) -> RunVideo | None:
    """The video that is made under this claim."""
    return _first(db, (RUN_VIDEOS.c.claim_id == claim_id) & (RUN_VIDEOS.c.state == "running"))


def store(db: sa.Connection, changed: RunVideo, file: bytes | None = None) -> RunVideo:
    """Store it as it is now, with its file if it is done."""
    values: dict[str, Any] = dataclasses.asdict(changed) | {"file": file}
    db.execute(sa.update(RUN_VIDEOS).where(RUN_VIDEOS.c.trace_sha256 == changed.trace_sha256).values(values))
    return changed


def file(db: sa.Connection, trace_sha256: str) -> bytes | None:
    """The file of a video that is done."""
    found = db.execute(sa.select(RUN_VIDEOS.c.file).where(RUN_VIDEOS.c.trace_sha256 == trace_sha256)).scalar()
    return None if found is None else bytes(found)


def expired(db: sa.Connection, now_utc_ns: int) -> list[RunVideo]:
    """Those whose farm did not say anything in time."""
    which = (RUN_VIDEOS.c.state == "running") & (RUN_VIDEOS.c.until_utc_ns <= now_utc_ns)
    return [RunVideo(*row) for row in db.execute(sa.select(*_FIELDS).where(which))]


def waiting(db: sa.Connection, limit: int) -> list[RunVideo]:
    """Those that wait, the earliest first."""
    query = sa.select(*_FIELDS).where(RUN_VIDEOS.c.state == "waiting").order_by(RUN_VIDEOS.c.asked_utc_ns)
    return [RunVideo(*row) for row in db.execute(query.limit(limit))]


def drop(db: sa.Connection, asked_before_utc_ns: int) -> None:
    """Forget those that were asked for before: they can be made again."""
    old = RUN_VIDEOS.c.state.in_(("done", "failed")) & (RUN_VIDEOS.c.asked_utc_ns < asked_before_utc_ns)
    db.execute(sa.delete(RUN_VIDEOS).where(old))


def _first(db: sa.Connection, which: sa.ColumnElement[bool]) -> RunVideo | None:
    row = db.execute(sa.select(*_FIELDS).where(which)).first()
    return None if row is None else RunVideo(*row)
