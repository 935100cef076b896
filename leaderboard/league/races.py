"""Creates and edits races. Each change of a race's settings is a new edition, which is kept. Called by api/ and pages/.

Two officials at once: whoever sends the edition that was shown is told when it is no longer the present one.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from leaderboard.core import acceptance, access
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict
from leaderboard.core.league import editing
from leaderboard.core.race import RaceRecord, check_race_id
from leaderboard.league.changes import (
    add_race,
    check_may_create,
    check_places,
    check_track,
    edition_sentence,
    race_for,
    seen_race,
    sees_race,
    store_change,
)
from leaderboard.league.series import follow_moved_close
from leaderboard.stations.races import taken
from leaderboard.store import audit, league_rows, race_rows
from leaderboard.store.database import Store

_WORDS_ONLY = {"name", "description", "picture_sha256"}


class RaceService:
    """The races of one store, as their organisers see them. `changed(race_id)` is called after a commit."""

    def __init__(self, store: Store, changed: Callable[[str], None]) -> None:
        self._store, self._changed = store, changed

    def create(self, caller: Caller, race: RaceRecord, now_utc_ns: int) -> bool:
        """Add a race of the caller's; False if exactly this one exists.

        Raises Conflict, Refused, BadInput for a track that no farm has, NotAllowed, Unauthorized.
        """
        race = dataclasses.replace(race, owner=caller.account_id)
        check_race_id(race.race_id)
        _check_words(race)
        editing.check_settings(race)
        with self._store.write() as db:
            check_may_create(caller, race)
            check_places(db, caller, None, race)
            existing = race_rows.race_if_any(db, race.race_id, for_change=True)
            if existing is not None:
                if not sees_race(db, caller, existing):
                    raise Conflict(taken(race.race_id))
                if not _same(existing, race):
                    raise Conflict(_conflict(existing, race))
                return False
            check_track(db, race)
            add_race(db, caller, race, now_utc_ns)
        self._changed(race.race_id)
        return True

    def change(
        self,
        caller: Caller,
        race_id: str,
        settings: Mapping[str, Any],
        now_utc_ns: int,
        *,
        edition: int | None = None,
        why: str = "",
    ) -> RaceRecord:
        """Give a race other settings (names of `editing.SETTINGS`); nothing changes if they are what they were.

        `edition`: the one that the caller saw. Raises UnknownRace, Conflict if it is no longer the present one,
        Refused for what may not change any more, BadInput for a track that no farm has, NotAllowed, Unauthorized.
        """
        assert set(settings) <= set(editing.SETTINGS), settings
        editing.check_reason(why)
        with self._store.write() as db:
            before = race_for(db, caller, race_id, "race.edit")
            after = dataclasses.replace(before, **settings)
            changed = editing.changed_settings(before, after)
            if edition is not None and edition != before.edition:
                raise Conflict(edition_sentence(before.edition, edition))
            if not changed:
                return before
            editing.check_change(before, after, league_rows.results_in(db, race_id))
            _check_words(after)
            if set(changed) - _WORDS_ONLY:
                editing.check_settings(after)
            editing.check_description(after.description)
            check_places(db, caller, before, after)
            if {"track", "venue"} & set(changed):
                check_track(db, after)
            after = dataclasses.replace(after, edition=before.edition + 1)
            _keep(db, caller, before, after, now_utc_ns, why)
            followed = follow_moved_close(db, caller, before, after, now_utc_ns)
        for each in (race_id, *followed):
            self._changed(each)
        return after

    def race(self, caller: Caller, race_id: str) -> RaceRecord:
        """The race, if it exists for this caller. Raises UnknownRace."""
        with self._store.read() as db:
            return seen_race(db, caller, race_id)

    def check_may_edit(self, caller: Caller, race_id: str) -> RaceRecord:
        """The race, if the caller may edit it. Raises UnknownRace, NotAllowed, Unauthorized."""
        race = self.race(caller, race_id)
        access.require(caller, "race.edit", race)
        return race

    def editions(self, caller: Caller, race_id: str) -> list[league_rows.RaceEdition]:
        """The kept editions of a race, the newest first. Raises UnknownRace."""
        with self._store.read() as db:
            seen_race(db, caller, race_id)
            return league_rows.editions(db, race_id)

    def managed(self, caller: Caller) -> list[race_rows.RaceHead]:
        """The races that the caller may edit, the newest first; also drafts and those in the bin."""
        with self._store.read() as db:
            return [head for head in race_rows.heads(db) if access.may(caller, "race.edit", head.race)]

    def results_in(self, race_id: str) -> int:
        """How many results a race holds."""
        with self._store.read() as db:
            return league_rows.results_in(db, race_id)


def _keep(db: sa.Connection, caller: Caller, before: RaceRecord, after: RaceRecord, now_utc_ns: int, why: str) -> None:
    if not league_rows.has_edition(db, before):  # made before editions were kept, or by a station
        league_rows.add_edition(db, before, league_rows.created_utc_ns(db, before.race_id), "system")
    store_change(db, caller, "race.edit", before, after, now_utc_ns, why)
    league_rows.add_edition(db, after, now_utc_ns, audit.actor_of(caller), why)


def _check_words(race: RaceRecord) -> None:
    for field in ("name", "track"):
        acceptance.check_name(field, getattr(race, field), empty=field == "track" and bool(race.made_by))


def _same(existing: RaceRecord, race: RaceRecord) -> bool:
    kept = {"closed_utc_ns": None, "edition": 1, "owner": race.owner, "made_by": race.made_by}
    return dataclasses.replace(existing, **kept) == race  # type: ignore[arg-type]


def _conflict(existing: RaceRecord, race: RaceRecord) -> str:
    if _same(existing, dataclasses.replace(race, closes_utc_ns=existing.closes_utc_ns)):
        return f"The race {race.race_id!r} exists and closes at another time: move its close (PATCH, `closes_at`)."
    return taken(race.race_id)
