"""The link that invites to a race: make, limit, reset, look at, and join by it."""

import dataclasses
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import access, invite
from leaderboard.core.access import Caller
from leaderboard.core.errors import Gone, NotAllowed, Unauthorized, UnknownInvitation
from leaderboard.core.invite import Invitation, TokenEnd
from leaderboard.core.race import RaceRecord
from leaderboard.league.changes import seen_race
from leaderboard.league.entries import add_person
from leaderboard.league.people import KnownPerson, PeopleBook
from leaderboard.store import audit, race_rows
from leaderboard.store import entries as stored
from leaderboard.store import invitations as links
from leaderboard.store.database import Store
from leaderboard.store.entries import EntryRecord
from shared.errors import Refused
from shared.text import Sentence, text

ENDS: dict[TokenEnd, Sentence] = {
    "race_over": text("This race is over, and its invitations with it."),
    "reset": text("The organiser replaced this link by another: ask for the new one."),
    "expired": text("This link has expired: ask the organiser for a new one."),
    "used_up": text("This link was used by as many racers as it was for: ask the organiser for a new one."),
}


@dataclass(frozen=True, slots=True)
class InvitationLink:
    """A race's link as its organiser is shown it. `token` "": only a reset can show one again. `ended`: why it is dead.

    A token cannot be shown again once the server's secret file is another than when the link was made.
    """

    invitation: Invitation
    token: str
    ended: TokenEnd | None


@dataclass(frozen=True, slots=True)
class InvitedTo:
    """What a link says before somebody joins by it. `entry`: the caller's entry in the race, None without one."""

    race: RaceRecord
    organiser: str
    entry: EntryRecord | None


class InvitationService:
    """Invitations to all races of one store. `secret`: of the server, not in the store; tokens are derived from it."""

    def __init__(self, store: Store, people: PeopleBook, secret: str, changed: Callable[[str], None]) -> None:
        self._store, self._people, self._changed = store, people, changed
        self._key = hashlib.sha256(b"raceday invitations\n" + secret.encode()).digest()

    def current(self, caller: Caller, race_id: str, now_utc_ns: int) -> InvitationLink | None:
        """The race's link, None if none was made. Raises UnknownRace, Unauthorized, NotAllowed."""
        with self._store.read() as db:
            race = self._managed(db, caller, race_id)
            newest = links.newest(db, race_id)
        return None if newest is None else self._link(newest, race, now_utc_ns)

    def make(
        self,
        caller: Caller,
        race_id: str,
        now_utc_ns: int,
        expires_utc_ns: int | None = None,
        max_uses: int | None = None,
    ) -> tuple[InvitationLink, bool]:
        """The race's link with these limits, and whether it is new; an existing one stays and takes the limits.

        Raises UnknownRace, Unauthorized, NotAllowed, Refused.
        """
        invite.check_limits(expires_utc_ns, max_uses, now_utc_ns)
        with self._store.write() as db:
            race = self._managed(db, caller, race_id, for_change=True)
            _check_not_over(race, now_utc_ns)
            before = links.newest(db, race_id)
            if before is None:
                after = self._add(db, caller, race, 1, now_utc_ns, expires_utc_ns, max_uses)
            else:
                after = dataclasses.replace(before, expires_utc_ns=expires_utc_ns, max_uses=max_uses)
                links.change(db, after)
            if after != before:
                _record(db, caller, now_utc_ns, before, after)
        return self._link(after, race, now_utc_ns), before is None

    def reset(self, caller: Caller, race_id: str, now_utc_ns: int) -> InvitationLink:
        """A new link in place of the old one, which nobody can join by from now on; who has joined stays.

        The limit of uses stays, and counts anew; a time of expiry that has passed does not. Raises as `make` does.
        """
        with self._store.write() as db:
            race = self._managed(db, caller, race_id, for_change=True)
            _check_not_over(race, now_utc_ns)
            before = links.newest(db, race_id)
            expires_utc_ns = None if before is None else before.expires_utc_ns
            if expires_utc_ns is not None and expires_utc_ns <= now_utc_ns:
                expires_utc_ns = None
            generation = 1 if before is None else before.generation + 1
            max_uses = None if before is None else before.max_uses
            after = self._add(db, caller, race, generation, now_utc_ns, expires_utc_ns, max_uses)
            _record(db, caller, now_utc_ns, before, after)
        return self._link(after, race, now_utc_ns)

    def look(self, caller: Caller, token: str, now_utc_ns: int) -> InvitedTo:
        """What the link invites to. Raises UnknownInvitation; Gone, whose sentence says why the link is dead."""
        with self._store.read() as db:
            invitation, race = _invited_to(db, token)
            own = stored.of_account(db, race.race_id, caller.account_id)
            if own is None:
                _check_works(db, invitation, race, now_utc_ns)
            organiser = self._people.by_id(db, race.owner) if race.owner else None
        return InvitedTo(race, "" if organiser is None else organiser.name or organiser.alias, own)

    def join(self, caller: Caller, token: str, now_utc_ns: int) -> EntryRecord:
        """Let the caller in by the link, once; whoever is in stays in, also by a link that is dead by now.

        Raises UnknownInvitation, Gone, Unauthorized, NotAllowed, Conflict.
        """
        with self._store.write() as db:
            _, race = _invited_to(db, token)
            race_rows.race(db, race.race_id, for_change=True)  # others who join wait here, then the link is read again
            invitation, race = _invited_to(db, token)
            own = stored.of_account(db, race.race_id, caller.account_id)
            if own is None or own.state == "removed":
                _check_works(db, invitation, race, now_utc_ns)
            if not caller.signed_in:
                raise Unauthorized(text("To join needs an account: sign in, or make one."))
            if own is not None and own.state == "removed":
                raise NotAllowed(text("The organiser removed you from this race: ask them to let you in again."))
            if own is not None:
                return own
            person = KnownPerson(caller.account_id, caller.alias, caller.name)
            entry = add_person(db, race, person, "link", now_utc_ns)
            if not access.owns(caller, race):
                links.count_use(db, invitation)
            subject = f"entry:{race.race_id}/{entry.racer}"
            audit.record(db, caller, now_utc_ns, "entry.join", subject, None, entry, race_id=race.race_id)
        self._changed(race.race_id)
        return entry

    def _managed(self, db: sa.Connection, caller: Caller, race_id: str, for_change: bool = False) -> RaceRecord:
        race = seen_race(db, caller, race_id, for_change)
        access.require(caller, "invitation.manage", race)
        return race

    def _add(
        self,
        db: sa.Connection,
        caller: Caller,
        race: RaceRecord,
        generation: int,
        now_utc_ns: int,
        expires_utc_ns: int | None,
        max_uses: int | None,
    ) -> Invitation:
        salt = secrets.token_hex(16)
        digest = invite.token_sha256(invite.token(self._key, race.race_id, generation, salt))
        by = audit.actor_of(caller)
        made = Invitation(race.race_id, generation, digest, salt, now_utc_ns, by, expires_utc_ns, max_uses)
        links.add(db, made)
        return made

    def _link(self, invitation: Invitation, race: RaceRecord, now_utc_ns: int) -> InvitationLink:
        token = invite.token(self._key, race.race_id, invitation.generation, invitation.salt)
        same = secrets.compare_digest(invite.token_sha256(token), invitation.token_sha256)
        end = invite.ended(invitation, invitation.generation, race, now_utc_ns)
        return InvitationLink(invitation, token if same else "", end)


def _invited_to(db: sa.Connection, token: str) -> tuple[Invitation, RaceRecord]:
    found = links.by_token(db, invite.token_sha256(token)) if invite.is_token(token) else None
    if found is None:
        raise UnknownInvitation(text("There is no such invitation: check that the link was copied whole."))
    race = race_rows.race(db, found.race_id)
    if race.stage == "draft":
        raise UnknownInvitation(text("The race is not published yet: try the link again once it is."))
    return found, race


def _check_works(db: sa.Connection, invitation: Invitation, race: RaceRecord, now_utc_ns: int) -> None:
    newest = links.newest(db, race.race_id)
    assert newest is not None
    end = invite.ended(invitation, newest.generation, race, now_utc_ns)
    if end is not None:
        raise Gone(ENDS[end])


def _check_not_over(race: RaceRecord, now_utc_ns: int) -> None:
    if race.state(now_utc_ns) not in ("draft", "published", "open"):
        raise Refused(text("The race is over: nobody can be invited to it any more."))


def _record(db: sa.Connection, caller: Caller, now_utc_ns: int, before: Invitation | None, after: Invitation) -> None:
    # Neither hash nor salt: the audit is read by more people than the links are for.
    shown = [None if each is None else _limits(each) for each in (before, after)]
    subject = f"invitation:{after.race_id}"
    audit.record(db, caller, now_utc_ns, "invitation.manage", subject, *shown, race_id=after.race_id)


def _limits(invitation: Invitation) -> dict[str, object]:
    names = ("generation", "expires_utc_ns", "max_uses", "uses")
    return {name: getattr(invitation, name) for name in names}
