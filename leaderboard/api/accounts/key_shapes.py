"""What the JSON of API keys looks like, in and out."""

from dataclasses import dataclass, field

from pydantic import ConfigDict

from leaderboard.accounts.keys import ApiKeyRecord
from leaderboard.api.accounts.shapes import at_or_never
from leaderboard.core.access import KeyScope
from leaderboard.scored_laps import utc_text

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to make. `races`: those that it is for; none: all, which only an admin may say. `expires_at`: RFC 3339."""

    __pydantic_config__ = _STRICT

    name: str
    scopes: list[KeyScope]
    races: list[str] = field(default_factory=list)
    expires_at: str | None = None


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


def key_shape(key: ApiKeyRecord) -> KeyShape:
    return KeyShape(
        key.key_id,
        key.name,
        list(key.scopes),
        list(key.races),
        utc_text(key.created_utc_ns),
        at_or_never(key.expires_utc_ns),
        at_or_never(key.used_utc_ns),
        at_or_never(key.revoked_utc_ns),
    )
