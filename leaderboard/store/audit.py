"""Writes and reads the audit: every change by a person or a program, in the transaction that makes it."""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from leaderboard.core.access import Caller
from leaderboard.store.tables import AUDIT


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change. `before` and `after` hold only the fields that differ, as JSON values."""

    seq: int
    at_utc_ns: int
    actor: str
    actor_name: str
    what: str
    race_id: str
    season_id: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    why: str

    def differences(self) -> tuple[tuple[str, str, str], ...]:
        """What differs, down to single values: name ("turn.state" within a turn), before, after; "" if not there."""
        old, new = dict(_leaves(self.before)), dict(_leaves(self.after))
        names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        return tuple((name, old.get(name, ""), new.get(name, "")) for name in names)


def actor_of(caller: Caller) -> str:
    """How the audit names the caller."""
    if caller.account_id:
        return caller.account_id
    return f"key:{caller.key_id}" if caller.key_id else "admin" if caller.has("admin") else "system"


def actor_of_station(station: str) -> str:
    """How the audit names a station."""
    return f"station:{station}"


def record(
    db: sa.Connection,
    caller: Caller,
    now_utc_ns: int,
    what: str,
    subject: str,
    before: object = None,
    after: object = None,
    *,
    race_id: str = "",
    season_id: str = "",
    why: str = "",
    station: str = "",
) -> None:
    """Add one row. `before` and `after`: dataclasses or dicts of the same fields; None: it was not there.

    `station`: the station that did it, which signs what it sends and is no caller.
    """
    old, new = _fields(before), _fields(after)
    differing = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    db.execute(
        sa.insert(AUDIT),
        {
            "at_utc_ns": now_utc_ns,
            "actor": actor_of_station(station) if station else actor_of(caller),
            "actor_name": station or caller.alias,
            "what": what,
            "race_id": race_id,
            "season_id": season_id,
            "subject": subject,
            "before": _json({name: value for name, value in old.items() if name in differing}),
            "after": _json({name: value for name, value in new.items() if name in differing}),
            "why": why,
        },
    )


def rows(
    db: sa.Connection, *, race_id: str = "", season_id: str = "", before_seq: int | None = None, limit: int = 100
) -> list[AuditRow]:
    """The newest rows first; of one race or season, or all; `before_seq`: those older than this one."""
    query = sa.select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(limit)
    if race_id:
        query = query.where(AUDIT.c.race_id == race_id)
    if season_id:
        query = query.where(AUDIT.c.season_id == season_id)
    if before_seq is not None:
        query = query.where(AUDIT.c.seq < before_seq)
    return [_row(row) for row in db.execute(query).mappings()]


def _row(row: sa.RowMapping) -> AuditRow:
    return AuditRow(**(dict(row) | {"before": json.loads(row["before"]), "after": json.loads(row["after"])}))


def _fields(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    assert isinstance(value, dict), value
    return value


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _leaves(values: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(values, dict) and (values or name):
        for key, value in values.items():
            yield from _leaves(value, f"{name}.{key}" if name else str(key))
    elif isinstance(values, list) and any(isinstance(each, dict | list) for each in values):
        for number, value in enumerate(values, 1):
            yield from _leaves(value, f"{name}.{number}")
    elif name:
        yield (
            name,
            values if isinstance(values, str) else "" if values is None else json.dumps(values, ensure_ascii=False),
        )
