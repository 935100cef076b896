"""Reads and writes seasons, events, series, editions and pictures, each within the transaction that it is given."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from leaderboard.core.errors import UnknownItem
from leaderboard.core.league.editing import SETTINGS
from leaderboard.core.league.records import EventRecord, SeasonRecord, SeriesRecord
from leaderboard.core.league.series import CalendarRule, SeriesPlace
from leaderboard.core.race import RaceRecord, is_race_id
from leaderboard.core.states import EntryState, RaceStage
from leaderboard.store import entries
from leaderboard.store.tables import BLOBS, EVENTS, RACE_VERSIONS, RACES, RESULTS, SEASONS, SERIES
from shared.rules.ranking import RaceRules


@dataclass(frozen=True, slots=True)
class RaceEdition:
    """A race's settings as they were at one edition, who made it, and why. `settings`: by name, as JSON values."""

    edition: int
    at_utc_ns: int
    actor: str
    settings: dict[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored picture."""

    sha256: str
    media_type: str
    width: int
    height: int
    content: bytes


def season(db: sa.Connection, season_id: str, for_change: bool = False) -> SeasonRecord:
    """The season. Raises UnknownItem."""
    return SeasonRecord(**_item(db, SEASONS, SEASONS.c.season_id, season_id, "season", for_change))


def seasons(db: sa.Connection) -> list[SeasonRecord]:
    """All seasons, the newest first."""
    query = sa.select(SEASONS).order_by(SEASONS.c.created_utc_ns.desc(), SEASONS.c.season_id)
    return [SeasonRecord(**_without_created(row)) for row in db.execute(query).mappings()]


def event(db: sa.Connection, event_id: str, for_change: bool = False) -> EventRecord:
    """The event. Raises UnknownItem."""
    return EventRecord(**_item(db, EVENTS, EVENTS.c.event_id, event_id, "event", for_change))


def events(db: sa.Connection, season_id: str | None = None) -> list[EventRecord]:
    """The events of a season (None: all), the first to begin first."""
    query = sa.select(EVENTS).order_by(EVENTS.c.starts_utc_ns, EVENTS.c.created_utc_ns, EVENTS.c.event_id)
    if season_id is not None:
        query = query.where(EVENTS.c.season_id == season_id)
    return [EventRecord(**_without_created(row)) for row in db.execute(query).mappings()]


def _item(
    db: sa.Connection, table: sa.Table, column: sa.Column[Any], item_id: str, kind: str, for_change: bool
) -> dict[str, Any]:
    query = sa.select(table).where(column == item_id)
    row = (
        db.execute(query.with_for_update() if for_change else query).mappings().first() if is_race_id(item_id) else None
    )
    if row is None:
        raise UnknownItem.of(kind, item_id)
    return _without_created(row)


def _without_created(row: sa.RowMapping) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "created_utc_ns"}


def add_season(db: sa.Connection, season: SeasonRecord, now_utc_ns: int) -> None:
    db.execute(sa.insert(SEASONS), dataclasses.asdict(season) | {"created_utc_ns": now_utc_ns})


def change_season(db: sa.Connection, season: SeasonRecord) -> None:
    db.execute(sa.update(SEASONS).where(SEASONS.c.season_id == season.season_id).values(dataclasses.asdict(season)))


def add_event(db: sa.Connection, event: EventRecord, now_utc_ns: int) -> None:
    db.execute(sa.insert(EVENTS), dataclasses.asdict(event) | {"created_utc_ns": now_utc_ns})


def change_event(db: sa.Connection, event: EventRecord) -> None:
    db.execute(sa.update(EVENTS).where(EVENTS.c.event_id == event.event_id).values(dataclasses.asdict(event)))


def series(db: sa.Connection, series_id: str, for_change: bool = False) -> SeriesRecord:
    """The series. Raises UnknownItem."""
    return _series(_item(db, SERIES, SERIES.c.series_id, series_id, "series", for_change))


def all_series(db: sa.Connection) -> list[SeriesRecord]:
    """All series, the newest first."""
    query = sa.select(SERIES).order_by(SERIES.c.created_utc_ns.desc(), SERIES.c.series_id)
    return [_series(_without_created(row)) for row in db.execute(query).mappings()]


def due_series(db: sa.Connection, now_utc_ns: int) -> list[str]:
    """The ids of the series that have a race to be made by now."""
    query = sa.select(SERIES.c.series_id).where(_makes_more(), SERIES.c.due_utc_ns <= now_utc_ns)
    return list(db.execute(query.order_by(SERIES.c.due_utc_ns, SERIES.c.series_id)).scalars())


def next_due_utc_ns(db: sa.Connection) -> int | None:
    """When the next race of any series is to be made; None if none is."""
    due_utc_ns: int | None = db.execute(sa.select(sa.func.min(SERIES.c.due_utc_ns)).where(_makes_more())).scalar()
    return due_utc_ns


def _makes_more() -> sa.ColumnElement[bool]:
    return sa.and_(~SERIES.c.stopped, sa.or_(SERIES.c.total.is_(None), SERIES.c.next_number <= SERIES.c.total))


def _series(row: dict[str, Any]) -> SeriesRecord:
    place = SeriesPlace(
        CalendarRule(**json.loads(row["rule"])),
        row["next_number"],
        row["next_opens_utc_ns"],
        row["due_utc_ns"],
        row["total"],
    )
    template = json.loads(row["template"])
    race = RaceRecord(**(template | {"rules": RaceRules(**template["rules"])}))
    return SeriesRecord(row["series_id"], row["name"], row["name_pattern"], race, place, row["stopped"], row["edition"])


def _series_values(series: SeriesRecord) -> dict[str, Any]:
    return {
        "series_id": series.series_id,
        "name": series.name,
        "name_pattern": series.name_pattern,
        "template": json.dumps(dataclasses.asdict(series.template), sort_keys=True, ensure_ascii=False),
        "rule": json.dumps(dataclasses.asdict(series.place.rule), sort_keys=True),
        "next_number": series.place.next_number,
        "next_opens_utc_ns": series.place.next_opens_utc_ns,
        "due_utc_ns": series.place.due_utc_ns,
        "total": series.place.total,
        "stopped": series.stopped,
        "edition": series.edition,
    }


def add_series(db: sa.Connection, series: SeriesRecord, now_utc_ns: int) -> None:
    db.execute(sa.insert(SERIES), _series_values(series) | {"created_utc_ns": now_utc_ns})


def change_series(db: sa.Connection, series: SeriesRecord) -> None:
    db.execute(sa.update(SERIES).where(SERIES.c.series_id == series.series_id).values(_series_values(series)))


def races_of_series(db: sa.Connection, series_id: str) -> list[str]:
    """The ids of the races that a series made, in the order of their opening."""
    query = sa.select(RACES.c.race_id).where(RACES.c.series_id == series_id)
    return list(db.execute(query.order_by(RACES.c.opens_utc_ns, RACES.c.race_id)).scalars())


def settings_of(race: RaceRecord) -> dict[str, Any]:
    """What a person sets of a race, by name, as JSON values."""
    every = dataclasses.asdict(race)
    return {name: every[name] for name in SETTINGS}


def add_edition(db: sa.Connection, race: RaceRecord, at_utc_ns: int, actor: str, why: str = "") -> None:
    """Keep the race's settings as they are at its edition."""
    settings = json.dumps(settings_of(race), sort_keys=True, ensure_ascii=False)
    keys = {"race_id": race.race_id, "edition": race.edition}
    db.execute(
        sa.insert(RACE_VERSIONS), keys | {"at_utc_ns": at_utc_ns, "actor": actor, "settings": settings, "why": why}
    )


def has_edition(db: sa.Connection, race: RaceRecord) -> bool:
    """Whether the settings of the race's present edition are kept already."""
    query = sa.select(RACE_VERSIONS.c.edition).where(
        RACE_VERSIONS.c.race_id == race.race_id, RACE_VERSIONS.c.edition == race.edition
    )
    return db.execute(query).first() is not None


def editions(db: sa.Connection, race_id: str) -> list[RaceEdition]:
    """All kept editions of a race, the newest first."""
    query = sa.select(RACE_VERSIONS).where(RACE_VERSIONS.c.race_id == race_id)
    return [
        RaceEdition(row.edition, row.at_utc_ns, row.actor, json.loads(row.settings), row.why)
        for row in db.execute(query.order_by(RACE_VERSIONS.c.edition.desc()))
    ]


def created_utc_ns(db: sa.Connection, race_id: str) -> int:
    return int(db.execute(sa.select(RACES.c.created_utc_ns).where(RACES.c.race_id == race_id)).scalar_one())


def results_in(db: sa.Connection, race_id: str) -> int:
    """How many results the race has accepted."""
    query = sa.select(sa.func.count()).select_from(RESULTS).where(RESULTS.c.race_id == race_id)
    return int(db.execute(query).scalar_one())


def stage_before(db: sa.Connection, race_id: str) -> RaceStage:
    """The stage from which the race was deleted; "draft" if nobody knows."""
    stage: RaceStage | None = db.execute(sa.select(RACES.c.stage_before).where(RACES.c.race_id == race_id)).scalar()
    return stage or "draft"


def set_stage_before(db: sa.Connection, race_id: str, stage: RaceStage | str) -> None:
    db.execute(sa.update(RACES).where(RACES.c.race_id == race_id).values(stage_before=stage))


def entry_state(db: sa.Connection, race_id: str, account_id: str) -> EntryState | None:
    """The state of the account's own entry in the race, None without one."""
    entry = entries.of_account(db, race_id, account_id)
    return None if entry is None else entry.state


def add_blob(db: sa.Connection, blob: Blob, now_utc_ns: int) -> None:
    """Keep a picture; one that is kept already stays as it is."""
    if db.execute(sa.select(BLOBS.c.sha256).where(BLOBS.c.sha256 == blob.sha256)).first() is None:
        values = {"sha256": blob.sha256, "media_type": blob.media_type, "width": blob.width, "height": blob.height}
        db.execute(sa.insert(BLOBS), values | {"bytes": blob.content, "created_utc_ns": now_utc_ns})


def blob(db: sa.Connection, sha256: str) -> Blob | None:
    row = db.execute(sa.select(BLOBS).where(BLOBS.c.sha256 == sha256)).first()
    return None if row is None else Blob(row.sha256, row.media_type, row.width, row.height, bytes(row.bytes))
