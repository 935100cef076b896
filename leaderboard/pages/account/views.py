"""Accounts, keys and roles as the words and figures of their pages."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from leaderboard.accounts.keys import ApiKeyRecord
from leaderboard.accounts.records import CredentialRecord
from leaderboard.accounts.self_service import OwnAccount
from leaderboard.core.access import Caller, Grant, Role
from leaderboard.pages.wording import minute_text
from leaderboard.scored_laps import utc_text
from shared.text import Sentence, joined, text

ROLE_WORDS: dict[Role, Sentence] = {
    "racer": text("Racer"),
    "organiser": text("Organiser"),
    "official": text("Official"),
    "commentator": text("Commentator"),
    "admin": text("Admin"),
}
_BROWSERS = ("Firefox", "Edg", "OPR", "SamsungBrowser", "Chrome", "Safari")
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "CrOS", "Linux")
_NAMES = {"Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet", "Mac OS X": "macOS", "CrOS": "ChromeOS"}


@dataclass(frozen=True, slots=True)
class WayIn:
    """A way to sign in, or a session: its words, since when, when last."""

    key: str
    words: str
    since: str
    used: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role in words, and its fields for the form that takes it away."""

    words: Sentence
    role: str
    race: str
    season: str


@dataclass(frozen=True, slots=True)
class AccountView:
    """The page of one's account."""

    alias: str
    name: str
    since: str
    roles: tuple[RoleView, ...]
    credentials: tuple[WayIn, ...]
    has_passphrase: bool
    sessions: tuple[WayIn, ...]
    codes_left: int


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key in words. `state`: "holds", "expired" or "revoked"."""

    key_id: str
    name: str
    scopes: str
    races: str
    since: str
    used: str
    expires: str
    state: str


def account_view(own: OwnAccount, caller: Caller) -> AccountView:
    """One's own account."""
    credentials = tuple(
        WayIn(
            each.credential_id,
            _credential_words(each),
            day(each.created_utc_ns),
            day(each.used_utc_ns),
        )
        for each in own.credentials
    )
    sessions = tuple(
        WayIn(
            each.session_id,
            browser_name(each.browser),
            minute_text(each.created_utc_ns),
            minute_text(each.used_utc_ns),
            each.session_id == caller.session_id,
        )
        for each in own.sessions
    )
    return AccountView(
        own.account.alias,
        own.account.name,
        day(own.account.created_utc_ns),
        role_views(caller.grants),
        credentials,
        any(each.kind == "passphrase" for each in own.credentials),
        sessions,
        own.codes_left,
    )


def _credential_words(credential: CredentialRecord) -> Sentence:
    if credential.kind == "passphrase":
        return text("Passphrase")
    return text("Passkey ({label})", label=browser_name(credential.label))


def role_views(grants: Iterable[Grant]) -> tuple[RoleView, ...]:
    """Roles in words, in one order."""
    views = []
    for each in sorted(grants, key=lambda grant: (grant.scope, grant.scope_id, grant.role)):
        place = {each.scope: each.scope_id}
        words = ROLE_WORDS[each.role]
        if each.scope == "race":
            words = text("{role} of the race {race}", role=words, race=each.scope_id)
        elif each.scope == "season":
            words = text("{role} of the season {season}", role=words, season=each.scope_id)
        views.append(RoleView(words, each.role, place.get("race", ""), place.get("season", "")))
    return tuple(views)


def key_views(keys: Iterable[ApiKeyRecord], now_utc_ns: int) -> tuple[KeyView, ...]:
    """Keys in words."""
    return tuple(
        KeyView(
            key.key_id,
            key.name,
            ", ".join(key.scopes),
            ", ".join(key.races) or text("all races"),
            day(key.created_utc_ns),
            day(key.used_utc_ns),
            day(key.expires_utc_ns),
            "revoked" if key.revoked_utc_ns is not None else "holds" if key.holds(now_utc_ns) else "expired",
        )
        for key in keys
    )


def browser_name(user_agent: str) -> Sentence | str:
    """A browser's own words about itself in two words: "Firefox, Android"; other text as it is."""
    if not re.match(r"Mozilla/|Opera/", user_agent):
        return user_agent or text("an unnamed browser")
    found = [next((each for each in among if each in user_agent), "") for among in (_BROWSERS, _SYSTEMS)]
    named = [_NAMES.get(each, each) for each in found if each]
    return joined(named, ", ") if named else text("an unknown browser")


def day(utc_ns: int | None) -> str:
    """A day: "2026-03-05"; "" for never."""
    return "" if utc_ns is None else utc_text(utc_ns)[:10]
