"""Finds what happened in a race since it was looked at last, and puts the notices into the outboxes.

Called after each commit that a page would show, and when a race opens by the clock. One transaction compares, stores
the mark and fills the outboxes; whoever looks at a race while another process does finds nothing new.
"""

import json
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from leaderboard.core.errors import UnknownRace
from leaderboard.core.race import RaceRecord
from leaderboard.notices import outbox as rows
from leaderboard.notices.events import (
    BestScore,
    Leader,
    Notice,
    RaceMark,
    is_record,
    mark_of,
    notices_between,
    record_key,
    record_notice,
)
from leaderboard.notices.outbox import SubscriptionRow
from leaderboard.store import race_rows
from leaderboard.store.database import Store
from leaderboard.store.ranking.windows import TableReader
from leaderboard.store.tables import RACES, RESULTS


class NoticeCollector:
    """Over one store; from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self, race_id: str, now_utc_ns: int) -> int:
        """Put what happened in this race into the outboxes; how many they were. Nothing if nobody listens."""
        with self._store.read() as db:
            if not rows.subscriptions(db) or _unchanged(db, race_id, now_utc_ns):
                return 0
        with self._store.write() as db:
            listening = rows.subscriptions(db)
            return _collect(db, race_id, now_utc_ns, listening)

    def look_at_all(self, db: sa.Connection, now_utc_ns: int) -> None:
        """Note every race as it is, without a notice: before the first subscription nobody looked."""
        for race_id in db.execute(sa.select(RACES.c.race_id)).scalars().all():
            _collect(db, race_id, now_utc_ns, [])

    def opened(self, since_utc_ns: int, now_utc_ns: int) -> list[str]:
        """The races whose planned opening or closing lies between these moments."""
        between = sa.or_(
            sa.and_(RACES.c.opens_utc_ns > since_utc_ns, RACES.c.opens_utc_ns <= now_utc_ns),
            sa.and_(RACES.c.closes_utc_ns > since_utc_ns, RACES.c.closes_utc_ns <= now_utc_ns),
        )
        with self._store.read() as db:
            return list(db.execute(sa.select(RACES.c.race_id).where(between)).scalars())

    def next_opening(self, now_utc_ns: int) -> int | None:
        """When the next race opens by its plan; None if none does."""
        with self._store.read() as db:
            query = sa.select(sa.func.min(RACES.c.opens_utc_ns)).where(RACES.c.opens_utc_ns > now_utc_ns)
            found: int | None = db.execute(query).scalar()
        return found

    def all_races(self) -> list[str]:
        """Every race, to look at once at the start: what happened while nothing ran is found then."""
        with self._store.read() as db:
            return list(db.execute(sa.select(RACES.c.race_id)).scalars()) if rows.subscriptions(db) else []


def _unchanged(db: sa.Connection, race_id: str, now_utc_ns: int) -> bool:
    """Whether nothing is to be noticed: without a lock, as most results change no leader."""
    try:
        race = race_rows.race(db, race_id)
    except UnknownRace:
        return True
    before = _read_mark(rows.mark(db, race_id))
    return mark_of(race, _leaders(db, race), before, now_utc_ns) == before


def _collect(db: sa.Connection, race_id: str, now_utc_ns: int, listening: list[SubscriptionRow]) -> int:
    try:
        race = race_rows.race(db, race_id, for_change=True)
    except UnknownRace:
        return 0
    before = _read_mark(rows.mark(db, race_id))
    leaders = _leaders(db, race)
    now = mark_of(race, leaders, before, now_utc_ns)
    if now == before:
        return 0
    rows.set_mark(db, race_id, json.dumps(asdict(now), sort_keys=True))
    if race.stage in ("draft", "deleted"):
        return 0
    found = notices_between(race, before, now, now_utc_ns) + _records(db, race, leaders, now_utc_ns)
    for notice in found:
        _publish(db, race, notice, listening, now_utc_ns)
    return len(found)


def _publish(
    db: sa.Connection, race: RaceRecord, notice: Notice, listening: list[SubscriptionRow], now_utc_ns: int
) -> None:
    wanted = [each for each in listening if _wants(each, race, notice)]
    if not wanted:
        return
    seq = rows.add_notice(db, notice.kind, race.race_id, notice.at_utc_ns, notice.body)
    for each in wanted:
        rows.add_delivery(db, each.subscription_id, seq, now_utc_ns)


def _wants(subscription: SubscriptionRow, race: RaceRecord, notice: Notice) -> bool:
    if notice.kind not in subscription.kinds.split() or subscription.stopped:
        return False
    if subscription.race_id:
        return subscription.race_id == race.race_id
    if subscription.season_id and subscription.season_id != race.season_id:
        return False
    return race.visibility == "public"  # of a private race only its own subscriptions hear


def _records(db: sa.Connection, race: RaceRecord, leaders: dict[str, Leader], now_utc_ns: int) -> list[Notice]:
    if race.visibility != "public" or not race.track:
        return []
    found = []
    for table, leader in leaders.items():
        key = record_key(race, table)
        stored = rows.record(db, key)
        before = None if stored is None else BestScore(*stored)
        if is_record(leader, before):
            rows.set_record(db, key, leader.score_ms, race.race_id, leader.racer)
            found.append(record_notice(race, table, leader, before, now_utc_ns))
    return found


def _leaders(db: sa.Connection, race: RaceRecord) -> dict[str, Leader]:
    found: dict[str, Leader] = {}
    for table in race.tables():
        for row in TableReader(db, race.race_id, table).top(1).rows:
            line = row.line
            result_id = db.execute(sa.select(RESULTS.c.result_id).where(RESULTS.c.seq == line.seq)).scalar_one()
            found[table] = Leader(line.racer, row.name, line.score_ms, result_id)
    return found


def _read_mark(text: str | None) -> RaceMark:
    if text is None:
        return RaceMark()
    stored: dict[str, Any] = json.loads(text)
    leaders = {table: Leader(**leader) for table, leader in stored["leaders"].items()}
    return RaceMark(stored["opened"], stored["final"], leaders)
