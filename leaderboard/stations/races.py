"""Races as stations hold them: made, offered again, and given other rules, by which every result is scored again."""

import dataclasses
from collections.abc import Callable

import sqlalchemy as sa

from leaderboard.core import acceptance, access
from leaderboard.core.access import NOBODY
from leaderboard.core.errors import Conflict
from leaderboard.core.league import editing
from leaderboard.core.race import RaceRecord, check_race_id
from leaderboard.rescoring import rescore_race
from leaderboard.store import audit, league_rows, race_rows
from leaderboard.store.database import Store
from shared.errors import Refused
from shared.protocol.races import differences
from shared.rules.ranking import RaceRules


class StationRaces:
    """The races of one store, for its stations. `changed(race_id)` is called after a commit."""

    def __init__(self, store: Store, changed: Callable[[str], None]) -> None:
        self._store, self._changed = store, changed

    def create(self, race: RaceRecord, now_utc_ns: int) -> bool:
        """Add a race; False if exactly this one exists already. Raises Conflict if another has its id, Refused."""
        check_race_id(race.race_id)
        for field in ("name", "track"):
            acceptance.check_name(field, getattr(race, field))
        _check_times(race)
        editing.check_rules(race.rules)
        with self._store.write() as db:
            if (existing := race_rows.race_if_any(db, race.race_id, for_change=True)) is not None:
                if not _same(existing, race):
                    raise Conflict(_conflict(existing, race))
                return False
            _add_race(db, race, now_utc_ns)
        self._changed(race.race_id)
        return True

    def offer(self, race: RaceRecord, now_utc_ns: int) -> bool:
        """Take a race from the station `race.made_by`: create it, or give one of that station's its rules of now.

        True if it was created. An existing race that ranks alike is left as it is, whoever made it. Raises Conflict,
        whose sentence names what differs, if another made it and the race is public; Refused.
        """
        check_race_id(race.race_id)
        for field in ("name", "track"):
            acceptance.check_name(field, getattr(race, field), empty=field == "track")
        editing.check_rules(race.rules)
        with self._store.write() as db:
            existing = race_rows.race_if_any(db, race.race_id, for_change=True)
            if existing is None:
                _add_race(db, race, now_utc_ns)
            elif not _follows(db, existing, race, now_utc_ns):
                return False
        self._changed(race.race_id)
        return existing is None

    def change_rules(self, race_id: str, rules: RaceRules, now_utc_ns: int) -> RaceRecord:
        """Give a race other rules; every result in it is scored again. Raises UnknownRace, Refused."""
        editing.check_rules(rules)
        with self._store.write() as db:
            race = race_rows.race(db, race_id, for_change=True)
            changed = dataclasses.replace(race, rules=rules)
            if changed == race:
                return race
            _change_rules(db, race, changed, now_utc_ns)
        self._changed(race_id)
        return changed


def known_to_station(race: RaceRecord, station: str) -> bool:
    """Whether a station may be told what a race is like: everybody may, or it made the race."""
    return access.public(race) or (bool(station) and race.made_by == station)


def _follows(db: sa.Connection, existing: RaceRecord, race: RaceRecord, now_utc_ns: int) -> bool:
    """Whether the race changed to what its station offers. Raises Conflict if it may not."""
    found = differences(existing.rules, race.rules)
    other_venue = existing.venue not in (race.venue, "any")
    if (other_venue or found) and not known_to_station(existing, race.made_by):
        raise Conflict(taken(race.race_id))
    if other_venue:
        raise Conflict(f"The race {race.race_id!r} is {existing.venue} here, the station holds a {race.venue} one.")
    if found and existing.made_by != race.made_by:
        raise Conflict(
            f"The race {race.race_id!r} has other rules here ({'; '.join(found)}), and this station did not make "
            "it: its organiser changes them (PATCH, `rules`)."
        )
    changed = dataclasses.replace(existing, name=race.name, track=race.track, rules=race.rules)
    if existing.made_by != race.made_by or changed == existing:
        return False
    _change_rules(db, existing, changed, now_utc_ns)
    return True


def _same(existing: RaceRecord, race: RaceRecord) -> bool:
    return dataclasses.replace(existing, closed_utc_ns=None, edition=race.edition, made_by=race.made_by) == race


def _conflict(existing: RaceRecord, race: RaceRecord) -> str:
    if _same(dataclasses.replace(existing, closes_utc_ns=race.closes_utc_ns), race):
        return f"The race {race.race_id!r} exists and closes at another time: move its close (PATCH, `closes_at`)."
    return taken(race.race_id)


def taken(race_id: str) -> str:
    """What is said to whoever would give a race an id that another one has."""
    return f"Another race has the id {race_id!r} already; choose another `race_id`."


def _check_times(race: RaceRecord) -> None:
    if race.opens_utc_ns is not None and race.closes_utc_ns is not None and race.opens_utc_ns >= race.closes_utc_ns:
        raise Refused("The race would close before it opens.")


def _add_race(db: sa.Connection, race: RaceRecord, now_utc_ns: int) -> None:
    """Store a new race, made by its station or by the machine itself, with its first edition and its row of audit."""
    race_rows.add_race(db, race, now_utc_ns)
    actor = audit.actor_of_station(race.made_by) if race.made_by else audit.actor_of(NOBODY)
    league_rows.add_edition(db, race, now_utc_ns, actor)
    what = "race.create_league" if race.kind == "league" else "race.create_community"
    _record(db, what, None, race, now_utc_ns)


def _record(db: sa.Connection, what: str, before: RaceRecord | None, after: RaceRecord, now_utc_ns: int) -> None:
    subject, places = f"race:{after.race_id}", {"race_id": after.race_id, "season_id": after.season_id}
    audit.record(db, NOBODY, now_utc_ns, what, subject, before, after, station=after.made_by, **places)


def _change_rules(db: sa.Connection, before: RaceRecord, changed: RaceRecord, now_utc_ns: int) -> None:
    """Give a race its station's rules, as another edition: a person who edits an older one is told."""
    if not league_rows.has_edition(db, before):  # made before editions were kept
        league_rows.add_edition(db, before, league_rows.created_utc_ns(db, before.race_id), "system")
    changed = dataclasses.replace(changed, edition=before.edition + 1)
    race_rows.change_race(db, changed)
    actor = audit.actor_of_station(changed.made_by) if changed.made_by else audit.actor_of(NOBODY)
    league_rows.add_edition(db, changed, now_utc_ns, actor)
    _record(db, "race.edit", before, changed, now_utc_ns)
    undo = rescore_race(db, changed) if changed.rules != before.rules else None
    race_rows.bump(db, changed.race_id, undo)
