"""What the JSON of the calls about accounts looks like, in and out."""

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ConfigDict

from leaderboard.accounts.administration import ListedAccount
from leaderboard.accounts.entrance.entrance import SignedIn
from leaderboard.accounts.keys import ApiKeyRecord
from leaderboard.accounts.records import AccountRecord, CredentialKind
from leaderboard.accounts.self_service import OwnAccount
from leaderboard.core.access import Caller, Grant, KeyScope, Role
from leaderboard.scored_laps import utc_text
from leaderboard.store.audit import AuditRow
from shared.access.tokens import form_token

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to create. `alias` is set once; `name`: how you are called, the alias if absent."""

    __pydantic_config__ = _STRICT

    alias: str
    passphrase: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class SignInWish:
    """Sign in by alias, with the passphrase or a recovery code."""

    __pydantic_config__ = _STRICT

    alias: str
    passphrase: str = ""
    recovery_code: str = ""


@dataclass(frozen=True, slots=True)
class PasskeyQuestion:
    """What the passkey is for: a new account (with alias and name), signing in, or one more for your account."""

    __pydantic_config__ = _STRICT

    purpose: Literal["sign_up", "sign_in", "add"]
    alias: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class PasskeyAnswer:
    """The browser's answer: `credential` is what `navigator.credentials` gave, as JSON. `label`: of an added one."""

    __pydantic_config__ = _STRICT

    purpose: Literal["sign_up", "sign_in", "add"]
    challenge_id: str
    credential: dict[str, Any]
    label: str = ""


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What to change of one's account; absent: as it is."""

    __pydantic_config__ = _STRICT

    name: str | None = None
    passphrase: str | None = None


@dataclass(frozen=True, slots=True)
class AliasChange:
    """Another alias for somebody's account, and why."""

    __pydantic_config__ = _STRICT

    alias: str
    why: str


@dataclass(frozen=True, slots=True)
class RoleWish:
    """A role for a race, for a season, or (neither) for the whole leaderboard."""

    __pydantic_config__ = _STRICT

    role: Role
    race: str = ""
    season: str = ""

    def grant(self) -> Grant:
        """The role as the rules know it."""
        return grant_of(self.role, self.race, self.season)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to make. `races`: those that it is for; none: all, which only an admin may say. `expires_at`: RFC 3339."""

    __pydantic_config__ = _STRICT

    name: str
    scopes: list[KeyScope]
    races: list[str] = field(default_factory=list)
    expires_at: str | None = None


@dataclass(frozen=True, slots=True)
class AccountShape:
    account_id: str
    alias: str
    name: str
    created_at: str


@dataclass(frozen=True, slots=True)
class GrantShape:
    """A role; `race` and `season` are empty for the whole leaderboard."""

    role: Role
    race: str
    season: str


@dataclass(frozen=True, slots=True)
class ListedAccountShape:
    account: AccountShape
    roles: list[GrantShape]


@dataclass(frozen=True, slots=True)
class SignedInShape:
    """The session is in the cookie. A browser's calls send `csrf_token` as the header `x-csrf-token`.

    `recovery_codes`: of a new account, shown this once.
    """

    account: AccountShape
    session_id: str
    csrf_token: str
    expires_at: str
    recovery_codes: list[str]


@dataclass(frozen=True, slots=True)
class CredentialShape:
    credential_id: str
    kind: CredentialKind
    label: str
    created_at: str
    used_at: str | None


@dataclass(frozen=True, slots=True)
class SessionShape:
    session_id: str
    current: bool
    browser: str
    created_at: str
    used_at: str


@dataclass(frozen=True, slots=True)
class OwnAccountShape:
    account: AccountShape
    roles: list[GrantShape]
    credentials: list[CredentialShape]
    sessions: list[SessionShape]
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class PasskeyChallengeShape:
    """`options`: for `navigator.credentials.create` or `.get`, as JSON (`parseCreationOptionsFromJSON`)."""

    challenge_id: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RecoveryCodesShape:
    recovery_codes: list[str]


@dataclass(frozen=True, slots=True)
class KeyShape:
    key_id: str
    name: str
    scopes: list[KeyScope]
    races: list[str]
    created_at: str
    expires_at: str | None
    used_at: str | None
    revoked_at: str | None


@dataclass(frozen=True, slots=True)
class NewKeyShape:
    """The key itself is shown this once."""

    key: str
    record: KeyShape


@dataclass(frozen=True, slots=True)
class AuditShape:
    """A change: who, what, before, after, why. `before` and `after` hold the fields that differ."""

    number: int
    at: str
    actor: str
    actor_name: str
    what: str
    race: str
    season: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class AuditPageShape:
    """The newest changes first; `next`: the `before` of the page after this one, null at the end."""

    rows: list[AuditShape]
    next: str | None


def grant_of(role: Role, race: str, season: str) -> Grant:
    """A role from a call's fields; one that names both has a scope that no check accepts."""
    if race and season:
        return Grant(role, "race", "")
    return Grant(role, "race", race) if race else Grant(role, "season", season) if season else Grant(role)


def account_shape(account: AccountRecord) -> AccountShape:
    return AccountShape(account.account_id, account.alias, account.name, utc_text(account.created_utc_ns))


def grant_shapes(grants: tuple[Grant, ...] | frozenset[Grant]) -> list[GrantShape]:
    places = [(each.role, {each.scope: each.scope_id}) for each in grants]
    shapes = [GrantShape(role, place.get("race", ""), place.get("season", "")) for role, place in places]
    return sorted(shapes, key=lambda shape: (shape.role, shape.race, shape.season))


def listed_shape(listed: ListedAccount) -> ListedAccountShape:
    return ListedAccountShape(account_shape(listed.account), grant_shapes(listed.grants))


def signed_in_shape(signed_in: SignedIn) -> SignedInShape:
    session = signed_in.session
    return SignedInShape(
        account_shape(signed_in.account),
        session.session_id,
        form_token(session.token),
        utc_text(session.expires_utc_ns),
        list(signed_in.codes),
    )


def own_shape(own: OwnAccount, caller: Caller) -> OwnAccountShape:
    return OwnAccountShape(
        account_shape(own.account),
        grant_shapes(caller.grants),
        [
            CredentialShape(
                each.credential_id, each.kind, each.label, utc_text(each.created_utc_ns), _at(each.used_utc_ns)
            )
            for each in own.credentials
        ],
        [
            SessionShape(
                each.session_id,
                each.session_id == caller.session_id,
                each.browser,
                utc_text(each.created_utc_ns),
                utc_text(each.used_utc_ns),
            )
            for each in own.sessions
        ],
        own.codes_left,
    )


def key_shape(key: ApiKeyRecord) -> KeyShape:
    return KeyShape(
        key.key_id,
        key.name,
        list(key.scopes),
        list(key.races),
        utc_text(key.created_utc_ns),
        _at(key.expires_utc_ns),
        _at(key.used_utc_ns),
        _at(key.revoked_utc_ns),
    )


def audit_shape(row: AuditRow) -> AuditShape:
    return AuditShape(
        row.seq,
        utc_text(row.at_utc_ns),
        row.actor,
        row.actor_name,
        row.what,
        row.race_id,
        row.season_id,
        row.subject,
        row.before,
        row.after,
        row.why,
    )


def _at(utc_ns: int | None) -> str | None:
    return None if utc_ns is None else utc_text(utc_ns)
