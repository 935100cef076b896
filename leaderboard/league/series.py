"""Series: races after one template that open by a calendar. Called by api/, pages/ and the task in app.py.

What is made follows from the stored series and the time alone: a leaderboard that slept over several openings makes the
same races as one that never slept, and of two processes on one database one makes each.
"""

import dataclasses
from collections.abc import Callable

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.acceptance import check_name
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, UnknownItem
from leaderboard.core.league import editing, series
from leaderboard.core.league.records import SeriesRecord
from leaderboard.core.league.series import CalendarRule, SeriesPlace, SeriesRace
from leaderboard.core.race import RaceRecord, check_race_id
from leaderboard.league.changes import (
    add_race,
    check_may_create,
    check_places,
    check_track,
    edition_sentence,
    store_change,
)
from leaderboard.league.community import check_limit
from leaderboard.store import audit, league_rows, race_rows
from leaderboard.store.database import Store
from shared.errors import Refused
from shared.text import text
from shared.units import NS_PER_S

SYSTEM = Caller()  # makes the races that are due: nobody asks then
_YEAR_NS = 366 * 24 * 3600 * NS_PER_S
_MAX_ID = 56  # leaves room for the number of a race
MAX_TOTAL = 1000


class SeriesService:
    """The series of one store. `changed(race_id)` is called after a commit, `rescheduled()` if one may be due.

    `community_limit`: how many open or future races whoever organises nothing may have when a series of theirs begins.
    """

    def __init__(
        self,
        store: Store,
        changed: Callable[[str], None],
        community_limit: int,
        rescheduled: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._changed, self._rescheduled = store, changed, rescheduled
        self._community_limit = community_limit

    def on_rescheduled(self, call: Callable[[], None]) -> None:
        """Call this whenever a race may be due earlier than before, instead of what was called so far."""
        self._rescheduled = call

    def create(
        self,
        caller: Caller,
        series_id: str,
        names: tuple[str, str],
        template: RaceRecord,
        rule: CalendarRule,
        now_utc_ns: int,
        total: int | None = None,
    ) -> SeriesRecord:
        """Begin a series; its first race is made at once, and the second when that one opens.

        `names`: of the series, and the pattern of its races' names. Raises Conflict, Refused, NotAllowed, Unauthorized.
        """
        check_race_id(series_id)
        if len(series_id) > _MAX_ID:
            raise Refused(text("The id of a series has at most {max} characters.", max=_MAX_ID))
        for name in names:
            check_name("name", name)
        if total is not None and not 1 <= total <= MAX_TOTAL:
            raise Refused(text("A series has 1 to {max} races, or no end.", max=MAX_TOTAL))
        place = series.start(rule, now_utc_ns, total)
        if place.next_opens_utc_ns < now_utc_ns - _YEAR_NS:
            raise Refused(text("The first race of the series would have opened more than a year ago."))
        template = dataclasses.replace(template, owner=caller.account_id, series_id=series_id, zone=rule.zone)
        made = SeriesRecord(series_id, names[0], names[1], template, place)
        with self._store.write() as db:
            check_may_create(caller, template)
            check_places(db, caller, None, template)
            if not access.may(caller, "race.create_league", None, template.season_id):
                check_limit(db, caller, self._community_limit, now_utc_ns)
            if _series_if_any(db, series_id) is not None:
                raise Conflict(text("Another series has the id {series_id} already.", series_id=repr(series_id)))
            _check_template(db, made)
            league_rows.add_series(db, made, now_utc_ns)
            _record(db, caller, now_utc_ns, None, made)
            made, races = _make_due(db, made, now_utc_ns)
        self._publish(races)
        return made

    def change(
        self,
        caller: Caller,
        series_id: str,
        now_utc_ns: int,
        *,
        stopped: bool | None = None,
        template: RaceRecord | None = None,
        name_pattern: str | None = None,
        edition: int | None = None,
    ) -> SeriesRecord:
        """Stop a series or let it go on, or give its races to come another template; made ones stay as they are.

        Raises UnknownItem, Conflict, Refused, NotAllowed, Unauthorized.
        """
        with self._store.write() as db:
            before = league_rows.series(db, series_id, for_change=True)
            access.require(caller, "race.edit", before.template)
            if edition is not None and edition != before.edition:
                raise Conflict(edition_sentence(before.edition, edition))
            after = dataclasses.replace(
                before,
                stopped=before.stopped if stopped is None else stopped,
                template=before.template if template is None else template,
                name_pattern=before.name_pattern if name_pattern is None else check_name("name", name_pattern),
            )
            if after == before:
                return before
            check_places(db, caller, before.template, after.template)
            _check_template(db, after)
            after = dataclasses.replace(after, edition=before.edition + 1)
            if before.stopped and not after.stopped:
                after = dataclasses.replace(after, place=_resumed(after.place, now_utc_ns))
            league_rows.change_series(db, after)
            _record(db, caller, now_utc_ns, before, after)
            after, races = _make_due(db, after, now_utc_ns)
        self._publish(races)
        return after

    def series(self, caller: Caller, series_id: str) -> SeriesRecord:
        """The series, for whoever may edit its races. Raises UnknownItem."""
        with self._store.read() as db:
            found = league_rows.series(db, series_id)
        if not access.may(caller, "race.edit", found.template):
            raise UnknownItem.of("series", series_id)
        return found

    def managed(self, caller: Caller) -> list[SeriesRecord]:
        """The series that the caller may edit, the newest first."""
        with self._store.read() as db:
            every = league_rows.all_series(db)
        return [each for each in every if access.may(caller, "race.edit", each.template)]

    def catch_up(self, now_utc_ns: int) -> list[str]:
        """Make every race that is due by now, also those that were missed; return their ids."""
        with self._store.read() as db:
            due = league_rows.due_series(db, now_utc_ns)
        made: list[str] = []
        for series_id in due:
            with self._store.write() as db:
                found = league_rows.series(db, series_id, for_change=True)
                # Another process may have made them meanwhile, or stopped the series.
                races = [] if found.stopped else _make_due(db, found, now_utc_ns)[1]
            for race_id in races:
                self._changed(race_id)
            made += races
        return made

    def next_due_utc_ns(self) -> int | None:
        """When the next race of any series is to be made; None if none is."""
        with self._store.read() as db:
            return league_rows.next_due_utc_ns(db)

    def _publish(self, races: list[str]) -> None:
        for race_id in races:
            self._changed(race_id)
        self._rescheduled()


def follow_moved_close(
    db: sa.Connection, caller: Caller, before: RaceRecord, after: RaceRecord, now_utc_ns: int
) -> list[str]:
    """Let the next race of the series open when this one is now planned to close; the ids of the races that moved.

    A race that is open already stays as it is, and so does the calendar of those after it.
    """
    windows = [(race.opens_utc_ns, race.closes_utc_ns) for race in (before, after)]
    if not after.series_id or after.closes_utc_ns is None or windows[0] == windows[1]:
        return []
    found = league_rows.series(db, after.series_id, for_change=True)
    in_order = league_rows.races_of_series(db, after.series_id)
    at = in_order.index(after.race_id)
    if at + 1 == len(in_order):
        opens_utc_ns = found.place.due_utc_ns if after.opens_utc_ns is None else after.opens_utc_ns
        place = dataclasses.replace(found.place, next_opens_utc_ns=after.closes_utc_ns, due_utc_ns=opens_utc_ns)
        league_rows.change_series(db, dataclasses.replace(found, place=place))
        return []
    following = race_rows.race(db, in_order[at + 1], for_change=True)
    if following.stage != "published" or (following.opens_utc_ns or 0) <= now_utc_ns:
        return []
    if following.opens_utc_ns != after.closes_utc_ns:
        _open_then(db, caller, found, following, after.closes_utc_ns, now_utc_ns)
    return [following.race_id]


def _open_then(
    db: sa.Connection, caller: Caller, found: SeriesRecord, race: RaceRecord, opens_utc_ns: int, now_utc_ns: int
) -> None:
    """Move the opening of the race that comes next; its close moves only if it would be before that."""
    closes_utc_ns = race.closes_utc_ns
    if closes_utc_ns is not None and closes_utc_ns <= opens_utc_ns:
        closes_utc_ns = series.closing_utc_ns(found.place.rule, found.place.next_number - 1, opens_utc_ns)
    moved = dataclasses.replace(race, opens_utc_ns=opens_utc_ns, closes_utc_ns=closes_utc_ns, edition=race.edition + 1)
    why = "the race before it closes then"
    store_change(db, caller, "race.edit", race, moved, now_utc_ns, why)
    league_rows.add_edition(db, moved, now_utc_ns, audit.actor_of(caller), why)
    # The series makes its next race when this one opens, and lets it open when this one closes.
    place = dataclasses.replace(
        found.place, due_utc_ns=opens_utc_ns, next_opens_utc_ns=closes_utc_ns or found.place.next_opens_utc_ns
    )
    league_rows.change_series(db, dataclasses.replace(found, place=place))


def _make_due(db: sa.Connection, found: SeriesRecord, now_utc_ns: int) -> tuple[SeriesRecord, list[str]]:
    if found.stopped:
        return found, []
    races, place = series.due(found.place, now_utc_ns)
    if not races:
        return found, []
    made = [_add(db, found, each, now_utc_ns) for each in races]
    found = dataclasses.replace(found, place=place)
    league_rows.change_series(db, found)
    return found, made


def _add(db: sa.Connection, found: SeriesRecord, made: SeriesRace, now_utc_ns: int) -> str:
    race = _race(found, made)
    race = dataclasses.replace(race, race_id=_free_id(db, race.race_id))
    add_race(db, SYSTEM, race, now_utc_ns, f"the series {found.series_id}")
    return race.race_id


def _race(found: SeriesRecord, made: SeriesRace) -> RaceRecord:
    return dataclasses.replace(
        found.template,
        race_id=f"{found.series_id}-{made.number}",
        name=series.race_name(found.name_pattern, made.number, made.opens_utc_ns, found.place.rule.zone),
        opens_utc_ns=made.opens_utc_ns,
        closes_utc_ns=made.closes_utc_ns,
        stage="published",
        edition=1,
    )


def _free_id(db: sa.Connection, wanted: str) -> str:
    """The id, or one like it if somebody gave it to another race: a series does not end for that."""
    race_id, more = wanted, 1
    while race_rows.race_if_any(db, race_id) is not None:
        more += 1
        race_id = f"{wanted}-{more}"[:64]
    return race_id


def _check_template(db: sa.Connection, found: SeriesRecord) -> None:
    """Check the race that the template makes next. Raises Refused, BadInput."""
    rule, opens_utc_ns = found.place.rule, found.place.next_opens_utc_ns
    closes_utc_ns = series.closing_utc_ns(rule, found.place.next_number, opens_utc_ns)
    example = _race(found, SeriesRace(found.place.next_number, opens_utc_ns, closes_utc_ns))
    for field in ("name", "track"):
        check_name(field, getattr(example, field))
    editing.check_settings(example)
    check_track(db, example)
    try:
        if example.season_id:
            league_rows.season(db, example.season_id)
        if example.event_id and league_rows.event(db, example.event_id).season_id != example.season_id:
            raise Refused(text("The event and the race are of different seasons: choose one of this season."))
    except UnknownItem as error:
        raise Refused(str(error)) from None


def _resumed(place: SeriesPlace, now_utc_ns: int) -> SeriesPlace:
    """The place of a series that goes on after a stop: what it would have opened meanwhile is left out."""
    if place.next_opens_utc_ns >= now_utc_ns:
        return place
    opens_utc_ns = series.closing_utc_ns(place.rule, place.next_number, now_utc_ns)
    return dataclasses.replace(place, next_opens_utc_ns=opens_utc_ns, due_utc_ns=now_utc_ns)


def _record(
    db: sa.Connection, caller: Caller, now_utc_ns: int, before: SeriesRecord | None, after: SeriesRecord
) -> None:
    subject, season = f"series:{after.series_id}", after.template.season_id
    audit.record(db, caller, now_utc_ns, "race.edit", subject, before, after, season_id=season)


def _series_if_any(db: sa.Connection, series_id: str) -> SeriesRecord | None:
    try:
        return league_rows.series(db, series_id)
    except UnknownItem:
        return None
