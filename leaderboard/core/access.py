"""Who may do what: roles scoped to a race or a season, scopes of API keys, and who sees a private race. Pure tables.

Called by every route and page, with the caller that leaderboard/api/identity.py found.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from leaderboard.core.errors import NotAllowed, Unauthorized
from leaderboard.core.race import RaceRecord
from leaderboard.core.states import EntryState
from shared.text import text

Role = Literal["racer", "organiser", "official", "commentator", "admin"]
ScopeKind = Literal["", "race", "season"]
KeyScope = Literal["results:write", "races:read", "live:write", "farm", "submissions:write"]
# What a key does as the person who made it: that person's own models, in races that the person is in.
PERSONAL_SCOPES: frozenset[KeyScope] = frozenset({"submissions:write"})


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, for everything ("" and ""), for one race, or for one season and its races."""

    role: Role
    scope: ScopeKind = ""
    scope_id: str = ""

    def covers(self, race_id: str, season_id: str) -> bool:
        """Whether the role holds for this race or season; "" for neither: for the whole leaderboard."""
        if self.scope == "":
            return True
        return bool(self.scope_id) and self.scope_id == (race_id if self.scope == "race" else season_id)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: nobody, an account through its session, or a program through an API key.

    `key_races`: the races that the key is bound to, empty for all. `session_id`: "" without a session. `key_owner`: of
    a key that submits models, the account and alias that it does so for; "" and "" for others.
    """

    account_id: str = ""
    alias: str = ""
    name: str = ""
    grants: frozenset[Grant] = frozenset()
    session_id: str = ""
    key_id: str = ""
    key_scopes: frozenset[KeyScope] = frozenset()
    key_races: frozenset[str] = frozenset()
    key_owner: tuple[str, str] = ("", "")

    def submitter(self) -> "Caller":
        """Who models belong to: of a key that submits, the person who made it, without roles; else the caller."""
        account_id, alias = self.key_owner
        if not account_id:
            return self
        return dataclasses.replace(self, account_id=account_id, alias=alias, key_owner=("", ""))

    @property
    def signed_in(self) -> bool:
        """Whether a person asks (an account, through a session)."""
        return bool(self.account_id)

    def has(self, role: Role, race_id: str = "", season_id: str = "") -> bool:
        """Whether the caller has the role here; an admin has each role everywhere."""
        return any(grant.role in (role, "admin") and grant.covers(race_id, season_id) for grant in self.grants)


NOBODY = Caller()
ADMIN = Caller(grants=frozenset({Grant("admin")}))  # the holder of the admin token

# What is done -> the roles that may do it, beside an admin. "owner": whoever organises that race; "account": any
# account; "self": an account for itself, which the service checks; "anyone": all who see the race.
Who = Literal["anyone", "account", "owner", "organiser", "official", "commentator", "admin"]
ACTIONS: Mapping[str, frozenset[Who]] = {
    "race.see": frozenset({"anyone"}),
    "race.create_community": frozenset({"account"}),
    "race.create_league": frozenset({"organiser"}),
    "race.edit": frozenset({"owner", "organiser"}),
    "race.publish": frozenset({"owner", "organiser"}),
    "race.close": frozenset({"owner", "organiser", "official"}),
    "race.finalise": frozenset({"owner", "organiser", "official"}),
    "race.unlock": frozenset({"official"}),
    "race.delete": frozenset({"owner", "organiser"}),
    "season.edit": frozenset({"organiser"}),
    "bracket.run": frozenset({"owner", "organiser", "official"}),
    "entry.enter_self": frozenset({"account"}),
    "entry.manage": frozenset({"owner", "organiser", "official"}),
    "invitation.manage": frozenset({"owner", "organiser"}),
    "results.import": frozenset({"organiser"}),
    "season.archive": frozenset(),
    "submission.make": frozenset({"account"}),
    "submission.manage": frozenset({"owner", "organiser", "official"}),
    "attempt.rule": frozenset({"official"}),
    "attempt.see_all": frozenset({"owner", "organiser", "official"}),
    "live.run": frozenset({"owner", "organiser", "official"}),
    "live.comment": frozenset({"owner", "organiser", "official", "commentator"}),
    "audit.see": frozenset({"official"}),
    "accounts.manage": frozenset({"admin"}),
    "account.rename": frozenset({"official"}),
}
_GRANTED: frozenset[Role] = frozenset({"organiser", "official", "commentator"})


def may(caller: Caller, action: str, race: RaceRecord | None = None, season_id: str = "") -> bool:
    """Whether the caller may do this: here (`race`, or `season_id`), or on the whole leaderboard with neither.

    Whether a private race is seen at all is `sees`, which is asked first.
    """
    race_id = race.race_id if race else ""
    season = race.season_id if race else season_id
    if caller.has("admin", race_id, season):
        return True
    who = ACTIONS[action]
    if "anyone" in who or ("account" in who and caller.signed_in):
        return True
    if race is not None and "owner" in who and owns(caller, race):
        return True
    return any(caller.has(role, race_id, season) for role in _GRANTED if role in who)


def may_grant(caller: Caller, grant: Grant, race: RaceRecord | None = None) -> bool:
    """Whether the caller may give or take this role: an admin any, who organises a race or season those for it.

    `race`: the one that the grant is for, None for a grant of another scope.
    """
    if caller.has("admin"):
        return True
    if grant.role in ("admin", "racer") or not grant.scope_id:
        return False
    if grant.scope == "race":
        return race is not None and may(caller, "race.edit", race)
    return may(caller, "season.edit", season_id=grant.scope_id)


def require(caller: Caller, action: str, race: RaceRecord | None = None, season_id: str = "") -> None:
    """Check that the caller may do this. Raises Unauthorized for nobody, NotAllowed for somebody."""
    if may(caller, action, race, season_id):
        return
    if caller == NOBODY:
        raise Unauthorized(text("This needs you to sign in, or the header `Authorization: Bearer` with a key."))
    raise NotAllowed(text("You may not do this here: it needs another role."))


def owns(caller: Caller, race: RaceRecord) -> bool:
    """Whether the caller organises this race as its owner."""
    return caller.signed_in and race.owner == caller.account_id


# An entry that lets its account see a private race; whoever was removed sees nothing of it.
_SEEING: frozenset[EntryState] = frozenset({"invited", "entered", "withdrawn", "disqualified"})


def public(race: RaceRecord) -> bool:
    """Whether the race exists for everybody."""
    return race.visibility == "public" and race.stage not in ("draft", "deleted")


def sees(caller: Caller, race: RaceRecord, entry: EntryState | None) -> bool:
    """Whether the race exists for this caller. `entry`: the state of the caller's own entry in it, None without one."""
    involved = owns(caller, race) or any(caller.has(role, race.race_id, race.season_id) for role in _GRANTED)
    if race.stage in ("draft", "deleted"):
        return involved
    if race.visibility == "public" or involved:
        return True
    if caller.key_id and race.race_id in caller.key_races:
        return True
    return caller.signed_in and entry in _SEEING


def key_may(caller: Caller, scope: KeyScope, race_id: str) -> bool:
    """Whether the caller's API key may do this in the race; an admin may without one."""
    if caller.has("admin"):
        return True
    return scope in caller.key_scopes and (not caller.key_races or race_id in caller.key_races)
