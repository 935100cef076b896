"""Creates and edits seasons and their events. Called by api/ and pages/."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.acceptance import check_name
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, UnknownItem
from leaderboard.core.league.editing import check_description, check_reason
from leaderboard.core.league.local_time import check_zone
from leaderboard.core.league.records import EventRecord, SeasonRecord
from leaderboard.core.race import check_race_id, is_race_id
from leaderboard.league.changes import edition_sentence, sees_race
from leaderboard.store import audit, league_rows, race_rows
from leaderboard.store.database import Store
from shared.errors import Refused
from shared.text import text

Item = TypeVar("Item", SeasonRecord, EventRecord)
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class SeasonCalendar:
    """A season with its events, and those of its races that the caller may know of, the first to open first."""

    season: SeasonRecord
    events: tuple[EventRecord, ...]
    races: tuple[race_rows.RaceHead, ...]


class SeasonService:
    """The seasons and events of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, caller: Caller, season: SeasonRecord, now_utc_ns: int) -> bool:
        """Add a season; False if exactly this one exists. Raises Conflict, Refused, NotAllowed, Unauthorized."""
        check_race_id(season.season_id)
        _check_season(season)
        with self._store.write() as db:
            access.require(caller, "season.edit")
            existing = _if_any(lambda: league_rows.season(db, season.season_id))
            if existing is not None:
                return _exists(dataclasses.replace(existing, edition=1) == season, "season", season.season_id)
            league_rows.add_season(db, season, now_utc_ns)
            _record(db, caller, now_utc_ns, f"season:{season.season_id}", None, season, season.season_id)
        return True

    def change(
        self,
        caller: Caller,
        season_id: str,
        values: Mapping[str, Any],
        now_utc_ns: int,
        *,
        edition: int | None = None,
        why: str = "",
    ) -> SeasonRecord:
        """Give a season other values. Raises UnknownItem, Conflict, Refused, NotAllowed, Unauthorized."""
        check_reason(why)
        with self._store.write() as db:
            before = league_rows.season(db, season_id, for_change=True)
            if not _sees(caller, before):
                raise UnknownItem.of("season", season_id)
            access.require(caller, "season.edit", None, season_id)
            after = _changed(before, values, edition)
            if after == before:
                return before
            _check_season(after)
            league_rows.change_season(db, after)
            _record(db, caller, now_utc_ns, f"season:{season_id}", before, after, season_id, why)
        return after

    def season(self, caller: Caller, season_id: str) -> SeasonRecord:
        """The season, if it exists for this caller. Raises UnknownItem."""
        with self._store.read() as db:
            return seen_season(db, caller, season_id)

    def check_may_edit(self, caller: Caller, season_id: str) -> SeasonRecord:
        """The season, if the caller may edit it. Raises UnknownItem, NotAllowed, Unauthorized."""
        season = self.season(caller, season_id)
        access.require(caller, "season.edit", None, season_id)
        return season

    def seasons(self, caller: Caller) -> list[SeasonRecord]:
        """The seasons that the caller may know of, the newest first."""
        with self._store.read() as db:
            return [season for season in league_rows.seasons(db) if _sees(caller, season)]

    def calendar(self, caller: Caller, season_id: str) -> SeasonCalendar:
        """The season with its events and races. Raises UnknownItem."""
        with self._store.read() as db:
            season = seen_season(db, caller, season_id)
            heads = [head for head in race_rows.heads(db) if head.race.season_id == season_id]
            seen = [head for head in heads if head.race.stage != "deleted" and sees_race(db, caller, head.race)]
            events = league_rows.events(db, season_id)
        in_order = sorted(seen, key=lambda head: (head.race.opens_utc_ns or 0, head.race.race_id))
        return SeasonCalendar(season, tuple(events), tuple(in_order))

    def create_event(self, caller: Caller, event: EventRecord, now_utc_ns: int) -> bool:
        """Add an event; False if exactly this one exists. Raises Conflict, Refused, NotAllowed, Unauthorized."""
        check_race_id(event.event_id)
        _check_event(event)
        with self._store.write() as db:
            access.require(caller, "season.edit", None, event.season_id)
            _check_season_exists(db, event)
            existing = _if_any(lambda: league_rows.event(db, event.event_id))
            if existing is not None:
                return _exists(dataclasses.replace(existing, edition=1) == event, "event", event.event_id)
            league_rows.add_event(db, event, now_utc_ns)
            _record(db, caller, now_utc_ns, f"event:{event.event_id}", None, event, event.season_id)
        return True

    def change_event(
        self, caller: Caller, event_id: str, values: Mapping[str, Any], now_utc_ns: int, *, edition: int | None = None
    ) -> EventRecord:
        """Give an event other values. Raises UnknownItem, Conflict, Refused, NotAllowed, Unauthorized."""
        with self._store.write() as db:
            before = league_rows.event(db, event_id, for_change=True)
            access.require(caller, "season.edit", None, before.season_id)
            after = _changed(before, values, edition)
            if after == before:
                return before
            _check_event(after)
            access.require(caller, "season.edit", None, after.season_id)
            _check_season_exists(db, after)
            league_rows.change_event(db, after)
            _record(db, caller, now_utc_ns, f"event:{event_id}", before, after, after.season_id)
        return after

    def event(self, caller: Caller, event_id: str) -> tuple[EventRecord, tuple[race_rows.RaceHead, ...]]:
        """The event with those of its races that the caller may know of. Raises UnknownItem."""
        with self._store.read() as db:
            event = league_rows.event(db, event_id)
            if not _sees_event(db, caller, event):
                raise UnknownItem.of("event", event_id)
            heads = [head for head in race_rows.heads(db) if head.race.event_id == event_id]
            seen = [head for head in heads if head.race.stage != "deleted" and sees_race(db, caller, head.race)]
        return event, tuple(sorted(seen, key=lambda head: (head.race.opens_utc_ns or 0, head.race.race_id)))

    def events(self, caller: Caller, season_id: str | None = None) -> list[EventRecord]:
        """The events of a season (None: all) that the caller may know of, the first to begin first."""
        with self._store.read() as db:
            if season_id is not None and not is_race_id(season_id):
                return []  # PostgreSQL fails on text that no id of ours can be
            return [event for event in league_rows.events(db, season_id) if _sees_event(db, caller, event)]


def seen_season(db: sa.Connection, caller: Caller, season_id: str) -> SeasonRecord:
    """The season, if it exists for this caller. Raises UnknownItem."""
    season = league_rows.season(db, season_id)
    if not _sees(caller, season):
        raise UnknownItem.of("season", season_id)
    return season


def _sees(caller: Caller, season: SeasonRecord) -> bool:
    return season.stage != "draft" or access.may(caller, "season.edit", None, season.season_id)


def _sees_event(db: sa.Connection, caller: Caller, event: EventRecord) -> bool:
    return not event.season_id or _sees(caller, league_rows.season(db, event.season_id))


def _changed(before: Item, values: Mapping[str, Any], edition: int | None) -> Item:
    """The item with other values, counted as an edition if they differ. Raises Conflict if `edition` is an old one."""
    if edition is not None and edition != before.edition:
        raise Conflict(edition_sentence(before.edition, edition))
    after = dataclasses.replace(before, **values)
    return after if after == before else dataclasses.replace(after, edition=before.edition + 1)


def _check_season(season: SeasonRecord) -> None:
    check_name("name", season.name)
    check_zone(season.zone)
    check_description(season.description)
    _check_window(season.starts_utc_ns, season.ends_utc_ns)


def _check_event(event: EventRecord) -> None:
    check_name("name", event.name)
    check_name("place", event.place, empty=True)
    check_zone(event.zone)
    check_description(event.description)
    _check_window(event.starts_utc_ns, event.ends_utc_ns)


def _check_window(starts_utc_ns: int | None, ends_utc_ns: int | None) -> None:
    if starts_utc_ns is not None and ends_utc_ns is not None and starts_utc_ns >= ends_utc_ns:
        raise Refused(text("It would end before it begins."))


def _check_season_exists(db: sa.Connection, event: EventRecord) -> None:
    if event.season_id and _if_any(lambda: league_rows.season(db, event.season_id)) is None:
        raise Refused(str(UnknownItem.of("season", event.season_id)))


def _exists(same: bool, kind: str, item_id: str) -> bool:
    if not same:
        raise Conflict(
            text("Another season has the id {item_id} already; choose another one.", item_id=repr(item_id))
            if kind == "season"
            else text("Another event has the id {item_id} already; choose another one.", item_id=repr(item_id))
        )
    return False


def _if_any(find: Callable[[], Found]) -> Found | None:
    try:
        return find()
    except UnknownItem:
        return None


def _record(
    db: sa.Connection,
    caller: Caller,
    now_utc_ns: int,
    subject: str,
    before: object,
    after: object,
    season_id: str,
    why: str = "",
) -> None:
    audit.record(db, caller, now_utc_ns, "season.edit", subject, before, after, season_id=season_id, why=why)
