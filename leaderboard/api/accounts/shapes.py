"""What the JSON of the calls about accounts looks like, in and out."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ConfigDict

from leaderboard.accounts.administration import ListedAccount
from leaderboard.accounts.entrance.entrance import SignedIn
from leaderboard.accounts.records import AccountRecord, CredentialKind
from leaderboard.accounts.self_service import OwnAccount
from leaderboard.core.access import Caller, Grant, Role
from leaderboard.scored_laps import utc_text
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
                each.credential_id, each.kind, each.label, utc_text(each.created_utc_ns), at_or_never(each.used_utc_ns)
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


def at_or_never(utc_ns: int | None) -> str | None:
    """A time as RFC 3339 text; null for never."""
    return None if utc_ns is None else utc_text(utc_ns)
