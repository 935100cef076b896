"""Attempts as racers and officials see them: own ones and all, disqualify and restore, and attempts given back.

Each ruling changes the standing in its own transaction, with its row of audit.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from leaderboard.core import acceptance, access
from leaderboard.core.access import Caller
from leaderboard.core.attempts import AttemptsLeft, day_of, left, quota_of
from leaderboard.core.errors import UnknownAttempt, UnknownRace, UnknownRacer
from leaderboard.core.race import RaceRecord, Venue
from leaderboard.core.rank import LineKey
from leaderboard.core.states import AttemptState, attempt_after
from leaderboard.league.changes import race_for, seen_race
from leaderboard.rescoring import rescore_racer
from leaderboard.store import attempt_rows, audit, entries, race_rows, racer_rows, result_rows
from leaderboard.store.attempt_rows import AttemptRow
from leaderboard.store.database import Store
from leaderboard.store.submissions import submission_rows
from shared.errors import BadInput, Refused
from shared.rules.person_names import name_key
from shared.text import text

MAX_GIVEN_BACK = 1000
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class AttemptList:
    """Some attempts of a race, those that came last first. `every`: of all racers, as officials see them.

    `more`: older ones follow.
    """

    race: RaceRecord
    attempts: tuple[AttemptRow, ...]
    every: bool
    more: bool


class AttemptService:
    """Attempts of all races of one store. `changed(race_id)` is called after a commit that standings show."""

    def __init__(self, store: Store, changed: Callable[[str], None]) -> None:
        self._store, self._changed = store, changed

    def attempts(
        self,
        caller: Caller,
        race_id: str,
        *,
        state: AttemptState | None = None,
        racer: str = "",
        before: int | None = None,
        limit: int = 100,
    ) -> AttemptList:
        """The caller's own attempts in the race; to its officials those of all, or of one racer.

        `before`: those that came before this number. Raises UnknownRace, Unauthorized.
        """
        with self._store.read() as db:
            race = seen_race(db, caller, race_id)
            every = access.may(caller, "attempt.see_all", race)
            if not every:
                access.require(caller, "entry.enter_self", race)  # any account has attempts of its own
            racers = None if every else own_racers(db, caller, race_id)
            if racer:
                known = racer_rows.known_spelling(db, race_id, racer)
                racers = {name for name in {known} if name is not None and (racers is None or name in racers)}
            rows = attempt_rows.attempts(db, race_id, racers=racers, state=state, before=before, limit=limit + 1)
        return AttemptList(race, tuple(rows[:limit]), every, len(rows) > limit)

    def race(self, caller: Caller, race_id: str) -> RaceRecord:
        """The race, if it exists for the caller. Raises UnknownRace."""
        with self._store.read() as db:
            return seen_race(db, caller, race_id)

    def check_may_rule(self, caller: Caller, race_id: str) -> None:
        """Check that the caller rules on attempts of this race. Raises UnknownRace, NotAllowed, Unauthorized."""
        with self._store.read() as db:
            access.require(caller, "attempt.rule", seen_race(db, caller, race_id))

    def check_may_rule_on(self, caller: Caller, attempt_id: str) -> None:
        """Check that the caller rules on this attempt. Raises UnknownAttempt, NotAllowed, Unauthorized."""
        with self._store.read() as db:
            race_id = attempt_rows.attempt(db, attempt_id).race_id
        try:
            self.check_may_rule(caller, race_id)
        except UnknownRace:
            raise UnknownAttempt.of(attempt_id) from None

    def sees_all_of(self, caller: Caller, race_id: str, racer: str) -> bool:
        """Whether this racer's attempts are the caller's own, or the caller's to see. Raises UnknownRace."""
        with self._store.read() as db:
            race = seen_race(db, caller, race_id)
            return access.may(caller, "attempt.see_all", race) or racer in own_racers(db, caller, race_id)

    def left(self, caller: Caller, race_id: str, racer: str, table: Venue | None, now_utc_ns: int) -> AttemptsLeft:
        """How many attempts the racer has left in a table (None: the race's first). Raises UnknownRace, Refused."""
        with self._store.read() as db:
            race = seen_race(db, caller, race_id)
            return _left(db, race, LineKey(race.table_named(table), racer), now_utc_ns)

    def disqualify(self, caller: Caller, attempt_id: str, why: str, now_utc_ns: int) -> AttemptRow:
        """Disqualify an attempt: it is kept, counted and not ranked. Raises UnknownAttempt, NotAllowed, Refused."""
        reason = _reason(why)

        def rule(db: sa.Connection, attempt: AttemptRow) -> None:
            attempt_after(attempt.state, "disqualify")
            attempt_rows.disqualify(db, attempt.race_id, attempt_id, reason, now_utc_ns)

        return self._rule(caller, attempt_id, rule, reason, now_utc_ns)

    def restore(self, caller: Caller, attempt_id: str, why: str, now_utc_ns: int) -> AttemptRow:
        """Take a disqualification back: the attempt stands as its laps say. Raises as `disqualify` does."""
        reason = _reason(why)

        def rule(db: sa.Connection, attempt: AttemptRow) -> None:
            if attempt_rows.restore(db, attempt_id):
                return
            attempt_after(attempt.state, "restore")
            raise Refused(text("The officials at the track disqualified it: they reinstate it there."))

        return self._rule(caller, attempt_id, rule, reason, now_utc_ns)

    def _rule(
        self,
        caller: Caller,
        attempt_id: str,
        rule: Callable[[sa.Connection, AttemptRow], None],
        why: str,
        now_utc_ns: int,
    ) -> AttemptRow:
        with self._store.write() as db:
            race_id = attempt_rows.attempt(db, attempt_id).race_id
            try:
                race = race_for(db, caller, race_id, "attempt.rule")
            except UnknownRace:
                raise UnknownAttempt.of(attempt_id) from None  # of a race that is none to this caller
            _check_not_final(race)
            before = attempt_rows.attempt(db, attempt_id)  # once more: writers of the race wait for us from here on
            rule(db, before)
            _derive_again(db, race, LineKey(race.table_of(before.kind), before.racer))
            after = attempt_rows.attempt(db, attempt_id)
            actor = audit.actor_of(caller)
            submission_rows.follow_ruling(db, attempt_id, after.state, why, actor, now_utc_ns)
            audit.record(
                db,
                caller,
                now_utc_ns,
                "attempt.rule",
                f"attempt:{attempt_id}",
                {"state": before.state},
                {"state": after.state},
                race_id=race.race_id,
                season_id=race.season_id,
                why=why,
            )
        self._changed(race.race_id)
        return after

    def give_back(
        self,
        caller: Caller,
        race_id: str,
        racer: str,
        attempts: int,
        why: str,
        now_utc_ns: int,
        *,
        day: str = "",
        table: Venue | None = None,
    ) -> AttemptsLeft:
        """Let more attempts of a racer count: in the race, and on `day` (ISO; "": today in the race's zone).

        Returns what is left now. Raises UnknownRace, UnknownRacer, NotAllowed, BadInput, Refused.
        """
        reason = _reason(why)
        with self._store.write() as db:
            race = race_for(db, caller, race_id, "attempt.rule")
            _check_not_final(race)
            if race.rules.attempts_per_racer is None and race.attempts_per_day is None:
                raise Refused(text("This race limits no attempts: there is nothing to give back."))
            known = racer_rows.known_spelling(db, race_id, racer)
            if known is None:
                raise UnknownRacer(text("There is no racer {racer} in this race.", racer=repr(racer[:80])))
            key, on = LineKey(race.table_named(table), known), _day(day) or day_of(now_utc_ns, race.zone)
            before = attempt_rows.given_back(db, race_id, key).get(on, 0)
            if not 1 <= attempts <= MAX_GIVEN_BACK - before:
                raise BadInput(f"`attempts` is {attempts}; 1 to {MAX_GIVEN_BACK - before} can be given back here.")
            attempt_rows.give_back(db, race_id, key, on, before + attempts)
            _derive_again(db, race, key)
            audit.record(
                db,
                caller,
                now_utc_ns,
                "attempt.rule",
                f"attempts:{race_id}/{known}",
                {"given_back": before, "day": ""},
                {"given_back": before + attempts, "day": on},
                race_id=race_id,
                season_id=race.season_id,
                why=reason,
            )
            remaining = _left(db, race, key, now_utc_ns)
        self._changed(race_id)
        return remaining

    def check_of_race(self, race_id: str, attempt_id: str) -> None:
        """Check that the attempt is one of this race. Raises UnknownAttempt."""
        with self._store.read() as db:
            if attempt_rows.attempt(db, attempt_id).race_id != race_id:
                raise UnknownAttempt.of(attempt_id)

    def counts(self, caller: Caller, race_id: str) -> Mapping[AttemptState, int]:
        """How many attempts of the race stand in each state. Raises UnknownRace, NotAllowed, Unauthorized."""
        with self._store.read() as db:
            access.require(caller, "attempt.see_all", seen_race(db, caller, race_id))
            return attempt_rows.counts(db, race_id)

    def changes(self, caller: Caller, race_id: str, limit: int = 50) -> list[audit.AuditRow]:
        """The newest rows of the race's audit. Raises UnknownRace, NotAllowed, Unauthorized."""
        with self._store.read() as db:
            access.require(caller, "audit.see", seen_race(db, caller, race_id))
            return audit.rows(db, race_id=race_id, limit=limit)


def own_racers(db: sa.Connection, caller: Caller, race_id: str) -> set[str]:
    """The racers of the race that are this account: by its entry, and by its alias where nobody else has that entry."""
    if not caller.signed_in:
        return set()
    entry = entries.of_account(db, race_id, caller.account_id)
    own = set() if entry is None else {entry.racer}
    named = racer_rows.known_spelling(db, race_id, caller.alias)
    if named is not None and name_key(named) == name_key(caller.alias):
        other = entries.of_racer(db, race_id, named)
        if other is None or other.account_id == caller.account_id:
            own.add(named)
    return own


def _left(db: sa.Connection, race: RaceRecord, key: LineKey, now_utc_ns: int) -> AttemptsLeft:
    attempts = [a for a in result_rows.attempts_of(db, race.race_id, key.racer) if race.table_of(a.kind) == key.kind]
    return left(attempts, quota_of(race, attempt_rows.given_back(db, race.race_id, key)), now_utc_ns)


def _derive_again(db: sa.Connection, race: RaceRecord, key: LineKey) -> None:
    old, new = rescore_racer(db, race, key)
    race_rows.bump(db, race.race_id, {key: old} if old != new else None)


def _check_not_final(race: RaceRecord) -> None:
    if race.stage == "final":
        raise Refused(text("The results of this race are final: an official unlocks them first."))


def _reason(why: str) -> str:
    reason = why.strip()
    if not reason:
        raise BadInput(text("Give the reason (`why`): it is kept with the decision, and the racer is shown it."))
    return acceptance.check_name("why", reason)


def _day(day: str) -> str:
    if not day:
        return ""
    try:
        fine = _ISO_DAY.fullmatch(day) is not None and bool(date.fromisoformat(day))
    except ValueError:
        fine = False
    if not fine:
        raise BadInput(f"`day` is {day[:40]!r}; write it as 2026-03-05.")
    return day
