"""Who takes part in a race: enter, withdraw, invite, remove and restore, each with its row of audit.

The racer of an account's entry is the account's alias. Where a race knows that name already from somebody without an
account, nobody but an official can say whether both are one: entering is refused until one of them confirms it.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import acceptance, access
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, NotAllowed, UnknownRacer
from leaderboard.core.race import RaceRecord
from leaderboard.core.rank import LineKey
from leaderboard.core.states import EntryState, entry_after
from leaderboard.league.changes import seen_race
from leaderboard.league.people import KnownPerson, PeopleBook
from leaderboard.rescoring import rescore_racer
from leaderboard.store import audit, race_rows, racer_rows, season_rows
from leaderboard.store import entries as stored
from leaderboard.store.database import Store
from leaderboard.store.entries import EntryRecord
from shared.errors import Refused
from shared.text import text


@dataclass(frozen=True, slots=True)
class Participant:
    """An entry with what its organiser is shown. `to_decide`: results of its name may be another's."""

    entry: EntryRecord
    results: int
    to_decide: bool


@dataclass(frozen=True, slots=True)
class ParticipantPage:
    """Some participants in the order of their names; `after` names the last one, "" if no more follow."""

    participants: tuple[Participant, ...]
    counts: dict[EntryState, int]
    after: str


def add_person(
    db: sa.Connection, race: RaceRecord, person: KnownPerson, joined_by: str, now_utc_ns: int, claims: bool = False
) -> EntryRecord:
    """Give the account an entry as `invited`; a registered entry of its name becomes its own if it `claims` that.

    Raises Conflict if somebody else is entered under the name, Refused if the race is for another division.
    """
    racer = racer_rows.spelling(db, race.race_id, person.alias)
    season_rows.check_may_enter(db, race, racer)
    there = stored.of_racer(db, race.race_id, racer)
    if there is None:
        entry = EntryRecord(
            race.race_id, racer, person.name or person.alias, now_utc_ns, person.account_id, "invited", joined_by
        )
        stored.add(db, entry)
        return entry
    if there.account_id or not claims:
        raise Conflict(_taken(person.alias))
    entry = dataclasses.replace(there, account_id=person.account_id)
    stored.change(db, entry)
    return entry


def _taken(alias: str) -> str:
    return text(
        "A racer named {alias} is in this race already, without an account: ask its organiser or an official, who can "
        "say on the page of the participants whether that is you.",
        alias=repr(alias),
    )


class EntryService:
    """Entries of all races of one store. `changed(race_id)` is called after a commit that standings show."""

    def __init__(self, store: Store, people: PeopleBook, changed: Callable[[str], None]) -> None:
        self._store, self._people, self._changed = store, people, changed

    def own(self, caller: Caller, race_id: str) -> EntryRecord | None:
        """The caller's entry in the race; None without one. Raises UnknownRace."""
        with self._store.read() as db:
            seen_race(db, caller, race_id)
            return stored.of_account(db, race_id, caller.account_id)

    def enter(self, caller: Caller, race_id: str, now_utc_ns: int) -> EntryRecord:
        """Enter the caller in a race that is to open or open; again if that was withdrawn. Once entered, no change.

        Raises UnknownRace, Unauthorized, NotAllowed, Refused, Conflict.
        """
        with self._store.write() as db:
            race = seen_race(db, caller, race_id, for_change=True)
            access.require(caller, "entry.enter_self", race)
            if not caller.signed_in:
                raise NotAllowed(text("Only an account enters a race; a program registers racers by name."))
            before = stored.of_account(db, race_id, caller.account_id)
            if before is not None and before.state == "entered":
                return before
            if race.state(now_utc_ns) not in ("published", "open"):
                raise Refused(text("The race is over: nobody can enter it any more."))
            if before is not None and before.state == "removed":
                raise NotAllowed(text("The organiser removed you from this race: ask them to let you in again."))
            entry = before or add_person(db, race, _person(caller), "self", now_utc_ns)
            season_rows.check_may_enter(db, race, entry.racer)
            if before is None or before.state == "invited":
                self._check_name_free(db, entry)
            after = dataclasses.replace(entry, state=entry_after(entry.state, "enter"), entered_utc_ns=now_utc_ns)
            self._store_change(db, caller, now_utc_ns, "entry.enter_self", before, after)
        self._changed(race_id)
        return after

    @staticmethod
    def _check_name_free(db: sa.Connection, entry: EntryRecord) -> None:
        if stored.drove(db, entry.race_id, entry.racer):
            raise Conflict(
                text(
                    "Results of a racer named {racer}, without an account, are in this race already: ask its organiser "
                    "or an official, who can say on the page of the participants whether they are yours.",
                    racer=repr(entry.racer),
                )
            )

    def withdraw(self, caller: Caller, race_id: str, now_utc_ns: int) -> EntryRecord:
        """Withdraw the caller's entry; it can be entered again. Raises UnknownRace, UnknownRacer, Refused."""
        with self._store.write() as db:
            race = seen_race(db, caller, race_id, for_change=True)
            before = stored.of_account(db, race_id, caller.account_id)
            if before is None:
                raise UnknownRacer(text("You have no entry in this race."))
            _check_not_final(race)
            if before.state == "withdrawn":
                return before
            after = dataclasses.replace(before, state=entry_after(before.state, "withdraw"))
            self._store_change(db, caller, now_utc_ns, "entry.enter_self", before, after)
        self._changed(race_id)
        return after

    def register(
        self, caller: Caller, race_id: str, given: str, name: str, now_utc_ns: int
    ) -> tuple[EntryRecord, bool]:
        """Enter a racer without an account, and whether that is new. Another spelling means the same racer.

        Raises Conflict if the racer is entered under another name, UnknownRace, Unauthorized, NotAllowed, Refused.
        """
        given, name = acceptance.racer_name(given), acceptance.racer_name(name)
        with self._store.write() as db:
            race = seen_race(db, caller, race_id, for_change=True)
            access.require(caller, "entry.manage", race)
            racer = racer_rows.spelling(db, race_id, given)
            name = racer if name == given else name
            before = stored.of_racer(db, race_id, racer)
            if before is not None and (before.account_id or before.name == name):
                return before, False
            if before is not None:
                raise Conflict(
                    text(
                        "Racer {racer} is entered as {name} already; a name cannot be changed.",
                        racer=repr(racer),
                        name=repr(before.name),
                    )
                )
            season_rows.check_may_enter(db, race, racer)
            entry = EntryRecord(race_id, racer, name, now_utc_ns, joined_by="official")
            stored.add(db, entry)
            race_rows.bump(db, race_id)
            audit.record(db, caller, now_utc_ns, "entry.manage", _subject(entry), None, entry, race_id=race_id)
        self._changed(race_id)
        return entry, True

    def invite(self, caller: Caller, race_id: str, alias: str, now_utc_ns: int) -> tuple[EntryRecord, bool]:
        """Let an account in by its alias; the entry, and whether it is new.

        Raises UnknownRacer if no account has the alias, Conflict, UnknownRace, Unauthorized, NotAllowed.
        """
        with self._store.write() as db:
            race = seen_race(db, caller, race_id, for_change=True)
            access.require(caller, "entry.manage", race)
            person = self._account(db, alias)
            before = stored.of_account(db, race_id, person.account_id)
            if before is not None and before.state != "removed":
                return before, False
            if before is not None:
                raise Conflict(text("{alias} was removed from this race: restore the entry instead.", alias=alias))
            entry = add_person(db, race, person, "alias", now_utc_ns)
            audit.record(db, caller, now_utc_ns, "entry.manage", _subject(entry), None, entry, race_id=race_id)
        self._changed(race_id)
        return entry, True

    def confirm(self, caller: Caller, race_id: str, alias: str, now_utc_ns: int) -> EntryRecord:
        """Say that the racer whom the race knows by the account's alias is that account: its entry is entered then.

        Raises UnknownRacer, Conflict, UnknownRace, Unauthorized, NotAllowed, Refused.
        """
        with self._store.write() as db:
            race = seen_race(db, caller, race_id, for_change=True)
            access.require(caller, "entry.manage", race)
            _check_not_final(race)
            person = self._account(db, alias)
            before = stored.of_account(db, race_id, person.account_id)
            if before is None:
                racer = racer_rows.spelling(db, race_id, person.alias)
                there = stored.of_racer(db, race_id, racer)
                entry = add_person(db, race, person, "official", now_utc_ns, claims=True)
                before = there
            else:
                entry = before
            after = entry
            if entry.state in ("invited", "withdrawn"):
                season_rows.check_may_enter(db, race, entry.racer)
                after = dataclasses.replace(entry, state=entry_after(entry.state, "enter"), entered_utc_ns=now_utc_ns)
            self._store_change(db, caller, now_utc_ns, "entry.manage", before, after)
        self._changed(race_id)
        return after

    def remove(self, caller: Caller, race_id: str, racer: str, now_utc_ns: int, why: str = "") -> EntryRecord:
        """Take a racer out: no access any more, and results that are kept and not shown. Repeating it changes nothing.

        Raises UnknownRacer, UnknownRace, Unauthorized, NotAllowed, Refused.
        """
        return self._move(caller, race_id, racer, "remove", now_utc_ns, why)

    def restore(self, caller: Caller, race_id: str, racer: str, now_utc_ns: int, why: str = "") -> EntryRecord:
        """Undo `remove`: the entry is what it was, and its results are shown again. Raises as `remove` does."""
        return self._move(caller, race_id, racer, "restore", now_utc_ns, why)

    def _move(self, caller: Caller, race_id: str, racer: str, move: str, now_utc_ns: int, why: str) -> EntryRecord:
        with self._store.write() as db:
            race = seen_race(db, caller, race_id, for_change=True)
            access.require(caller, "entry.manage", race)
            _check_not_final(race)
            before = self._entry_of(db, race_id, racer, now_utc_ns)
            if move == "remove" and before.state == "removed":
                return before
            if move == "restore" and before.state == "disqualified":
                raise Refused(text("The entry is disqualified: an official restores it with a reason."))
            state = entry_after(before.state, move)
            if move == "restore":
                state = _STATES.get(before.state_before, state)
            kept = before.state if move == "remove" else ""
            after = dataclasses.replace(before, state=state, state_before=kept)
            self._store_change(db, caller, now_utc_ns, "entry.manage", before, after, why)
        self._changed(race_id)
        return after

    def _entry_of(self, db: sa.Connection, race_id: str, racer: str, now_utc_ns: int) -> EntryRecord:
        """The entry by any spelling; of a racer who only drove, one that says so. Raises UnknownRacer."""
        known = racer_rows.known_spelling(db, race_id, racer)
        entry = None if known is None else stored.of_racer(db, race_id, known)
        if entry is not None:
            return entry
        if known is None or not stored.drove(db, race_id, known):
            raise UnknownRacer(text("There is no racer {racer} in this race.", racer=repr(racer[:80])))
        entry = EntryRecord(race_id, known, known, now_utc_ns, joined_by="official")
        stored.add(db, entry)
        return entry

    def _account(self, db: sa.Connection, alias: str) -> KnownPerson:
        person = self._people.by_alias(db, alias)
        if person is None:
            raise UnknownRacer(text("There is no account with the alias {alias}.", alias=repr(alias[:80])))
        return person

    @staticmethod
    def _store_change(
        db: sa.Connection,
        caller: Caller,
        now_utc_ns: int,
        what: str,
        before: EntryRecord | None,
        after: EntryRecord,
        why: str = "",
    ) -> None:
        stored.change(db, after)
        race = race_rows.race(db, after.race_id)
        keys = [LineKey(table, after.racer) for table in race.tables()]
        lines = {key: rescore_racer(db, race, key) for key in keys}
        undo = {key: old for key, (old, new) in lines.items() if old != new}
        race_rows.bump(db, after.race_id, undo or None)
        audit.record(db, caller, now_utc_ns, what, _subject(after), before, after, race_id=after.race_id, why=why)

    def participants(self, caller: Caller, race_id: str, after: str = "", limit: int = 200) -> ParticipantPage:
        """Participants in the order of their names: all of them for organiser and officials, who entered for others.

        Raises UnknownRace.
        """
        with self._store.read() as db:
            race = seen_race(db, caller, race_id)
            rows = stored.page(db, race_id, after, limit + 1)
            counts = stored.counts(db, race_id)
        last = rows[limit - 1][0].racer if len(rows) > limit else ""
        shown = [
            Participant(entry, results, bool(results) and entry.state == "invited") for entry, results in rows[:limit]
        ]
        if not access.may(caller, "entry.manage", race):
            shown = [each for each in shown if each.entry.state == "entered"]
            counts = {state: count for state, count in counts.items() if state == "entered"}
        return ParticipantPage(tuple(shown), counts, last)


def _person(caller: Caller) -> KnownPerson:
    return KnownPerson(caller.account_id, caller.alias, caller.name)


def _subject(entry: EntryRecord) -> str:
    return f"entry:{entry.race_id}/{entry.racer}"


def _check_not_final(race: RaceRecord) -> None:
    if race.stage == "final":
        raise Refused(text("The results are final: an official unlocks the race first."))


_STATES: dict[str, EntryState] = {"invited": "invited", "entered": "entered", "withdrawn": "withdrawn"}
