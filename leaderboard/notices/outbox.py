"""Reads and writes subscriptions, notices, deliveries and marks. Each function is part of its caller's transaction."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from leaderboard.store.tables.notices import DELIVERIES, MARKS, NOTICES, SUBSCRIPTIONS, TRACK_RECORDS


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """Who gets which notices. `stopped`: why nothing is sent any more, "" while it is."""

    subscription_id: str
    url: str
    secret: str
    kinds: str
    race_id: str
    season_id: str
    owner: str
    created_utc_ns: int
    paused: bool = False
    stopped: str = ""
    failing_since_utc_ns: int | None = None


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice that is due for a subscription."""

    subscription: SubscriptionRow
    seq: int
    body: bytes
    attempts: int
    not_before_utc_ns: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """What became of a notice for a subscription."""

    seq: int
    kind: str
    race_id: str
    at_utc_ns: int
    state: str
    attempts: int
    not_before_utc_ns: int
    answer: str


_OF_DELIVERY = (DELIVERIES.c.seq, DELIVERIES.c.attempts, DELIVERIES.c.not_before_utc_ns)


def add_subscription(db: sa.Connection, row: SubscriptionRow) -> None:
    db.execute(sa.insert(SUBSCRIPTIONS), dataclasses.asdict(row))


def change_subscription(db: sa.Connection, subscription_id: str, **values: Any) -> None:
    db.execute(sa.update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.subscription_id == subscription_id).values(**values))


def drop_subscription(db: sa.Connection, subscription_id: str) -> None:
    """Remove the subscription and what still waits for it."""
    db.execute(sa.delete(DELIVERIES).where(DELIVERIES.c.subscription_id == subscription_id))
    db.execute(sa.delete(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.subscription_id == subscription_id))


def subscription(db: sa.Connection, subscription_id: str) -> SubscriptionRow | None:
    row = db.execute(sa.select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.subscription_id == subscription_id))
    found = row.mappings().first()
    return None if found is None else SubscriptionRow(**dict(found))


def subscriptions(db: sa.Connection, race_id: str | None = None) -> list[SubscriptionRow]:
    """All subscriptions, the oldest first; with `race_id` those of that race ("": of no single race)."""
    query = sa.select(SUBSCRIPTIONS).order_by(SUBSCRIPTIONS.c.created_utc_ns, SUBSCRIPTIONS.c.subscription_id)
    if race_id is not None:
        query = query.where(SUBSCRIPTIONS.c.race_id == race_id)
    return [SubscriptionRow(**dict(row)) for row in db.execute(query).mappings()]


def add_notice(db: sa.Connection, kind: str, race_id: str, at_utc_ns: int, body: bytes) -> int:
    values = {"kind": kind, "race_id": race_id, "at_utc_ns": at_utc_ns, "body": body}
    return int(db.execute(sa.insert(NOTICES).returning(NOTICES.c.seq), values).scalar_one())


def add_delivery(db: sa.Connection, subscription_id: str, seq: int, now_utc_ns: int) -> None:
    values = {"state": "pending", "attempts": 0, "not_before_utc_ns": now_utc_ns, "answer": ""}
    db.execute(sa.insert(DELIVERIES), values | {"subscription_id": subscription_id, "seq": seq})


def first_waiting(db: sa.Connection) -> list[DueNotice]:
    """Of each subscription that is sent to, the first notice that waits: the others wait for it."""
    first = (
        sa.select(DELIVERIES.c.subscription_id, sa.func.min(DELIVERIES.c.seq).label("seq"))
        .where(DELIVERIES.c.state == "pending")
        .group_by(DELIVERIES.c.subscription_id)
        .subquery()
    )
    query = (
        sa.select(
            SUBSCRIPTIONS, DELIVERIES.c.seq, DELIVERIES.c.attempts, DELIVERIES.c.not_before_utc_ns, NOTICES.c.body
        )
        .join(first, first.c.subscription_id == SUBSCRIPTIONS.c.subscription_id)
        .join(
            DELIVERIES,
            (DELIVERIES.c.subscription_id == SUBSCRIPTIONS.c.subscription_id) & (DELIVERIES.c.seq == first.c.seq),
        )
        .join(NOTICES, NOTICES.c.seq == DELIVERIES.c.seq)
        .where(sa.not_(SUBSCRIPTIONS.c.paused) & (SUBSCRIPTIONS.c.stopped == ""))
        .order_by(DELIVERIES.c.not_before_utc_ns)
    )
    fields = [field.name for field in dataclasses.fields(SubscriptionRow)]
    return [
        DueNotice(
            SubscriptionRow(**{name: row[name] for name in fields}),
            row["seq"],
            bytes(row["body"]),
            row["attempts"],
            row["not_before_utc_ns"],
        )
        for row in db.execute(query).mappings()
    ]


def claim(db: sa.Connection, delivery: DueNotice, until_utc_ns: int) -> bool:
    """Take a delivery for one attempt; False if another process took it. If that one dies, it is due again then."""
    taken = db.execute(
        sa.update(DELIVERIES)
        .where(
            (DELIVERIES.c.subscription_id == delivery.subscription.subscription_id)
            & (DELIVERIES.c.seq == delivery.seq)
            & (DELIVERIES.c.state == "pending")
            & (DELIVERIES.c.not_before_utc_ns == delivery.not_before_utc_ns)
        )
        .values(not_before_utc_ns=until_utc_ns, attempts=DELIVERIES.c.attempts + 1)
    )
    return taken.rowcount == 1


def settle(
    db: sa.Connection, delivery: DueNotice, state: str, not_before_utc_ns: int, answer: str, now_utc_ns: int
) -> None:
    db.execute(
        sa.update(DELIVERIES)
        .where(
            (DELIVERIES.c.subscription_id == delivery.subscription.subscription_id) & (DELIVERIES.c.seq == delivery.seq)
        )
        .values(state=state, not_before_utc_ns=not_before_utc_ns, answer=answer, last_utc_ns=now_utc_ns)
    )


def due_at_once(db: sa.Connection, subscription_id: str, now_utc_ns: int) -> None:
    """Let what waits for a subscription wait no longer."""
    db.execute(
        sa.update(DELIVERIES)
        .where((DELIVERIES.c.subscription_id == subscription_id) & (DELIVERIES.c.state == "pending"))
        .values(not_before_utc_ns=now_utc_ns)
    )


def deliveries(db: sa.Connection, subscription_id: str, limit: int) -> list[DeliveryRow]:
    """The newest deliveries of a subscription."""
    query = (
        sa.select(
            DELIVERIES.c.seq,
            NOTICES.c.kind,
            NOTICES.c.race_id,
            NOTICES.c.at_utc_ns,
            DELIVERIES.c.state,
            DELIVERIES.c.attempts,
            DELIVERIES.c.not_before_utc_ns,
            DELIVERIES.c.answer,
        )
        .join(NOTICES, NOTICES.c.seq == DELIVERIES.c.seq)
        .where(DELIVERIES.c.subscription_id == subscription_id)
        .order_by(DELIVERIES.c.seq.desc())
        .limit(limit)
    )
    return [DeliveryRow(**dict(row)) for row in db.execute(query).mappings()]


def mark(db: sa.Connection, race_id: str) -> str | None:
    found: str | None = db.execute(sa.select(MARKS.c.mark).where(MARKS.c.race_id == race_id)).scalar()
    return found


def set_mark(db: sa.Connection, race_id: str, text: str) -> None:
    if db.execute(sa.update(MARKS).where(MARKS.c.race_id == race_id).values(mark=text)).rowcount == 0:
        db.execute(sa.insert(MARKS), {"race_id": race_id, "mark": text})


def record(db: sa.Connection, key: str) -> tuple[int, str, str] | None:
    """The record of this key: score in ms, race, racer."""
    row = db.execute(sa.select(TRACK_RECORDS).where(TRACK_RECORDS.c.key == key)).first()
    return None if row is None else (row.score_ms, row.race_id, row.racer)


def set_record(db: sa.Connection, key: str, score_ms: int, race_id: str, racer: str) -> None:
    values = {"score_ms": score_ms, "race_id": race_id, "racer": racer}
    if db.execute(sa.update(TRACK_RECORDS).where(TRACK_RECORDS.c.key == key).values(**values)).rowcount == 0:
        db.execute(sa.insert(TRACK_RECORDS), values | {"key": key})
