"""Reads the audit for those who may: of everything, of a race, of a season; page by page, the newest first."""

from dataclasses import dataclass

from leaderboard.core.race import RaceRecord
from leaderboard.store import audit, race_rows
from leaderboard.store.audit import AuditRow
from leaderboard.store.database import Store

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class AuditExcerpt:
    """Changes, the newest first. `next_seq`: what to ask for the page after this one with, None at the end."""

    rows: tuple[AuditRow, ...]
    next_seq: int | None


class AuditLog:
    """The audit over one store. Whether the caller may see it is asked before."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def race(self, race_id: str) -> RaceRecord:
        """The race whose audit is asked for. Raises UnknownRace."""
        with self._store.read() as db:
            return race_rows.race(db, race_id)

    def page(
        self, race_id: str = "", season_id: str = "", before_seq: int | None = None, limit: int = 50
    ) -> AuditExcerpt:
        """A page of changes."""
        if not season_id.isprintable():  # PostgreSQL fails on text that no id of ours can be
            return AuditExcerpt((), None)
        limit = min(max(limit, 1), MAX_PAGE)
        with self._store.read() as db:
            rows = audit.rows(db, race_id=race_id, season_id=season_id, before_seq=before_seq, limit=limit + 1)
        shown = tuple(rows[:limit])
        return AuditExcerpt(shown, shown[-1].seq if len(rows) > limit else None)
