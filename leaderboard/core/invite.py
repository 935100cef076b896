"""Invitations to a race: the secret of a link, and whether the link still works. Called by league/invitations.py.

A race has one link at a time; each reset makes the next generation, and the links of those before are dead. The store
holds hashes only: the token of a link is derived from a secret file of the server, so that its organiser can be shown
the link again, and whoever reads the database cannot.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Literal

from leaderboard.core.race import RaceRecord
from shared.errors import Refused
from shared.units import NS_PER_S

TokenEnd = Literal["reset", "expired", "used_up", "race_over"]

MAX_USES = 10_000
_TOKEN_BYTES = 16  # 128 bit
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_LONGEST_NS = 366 * 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Invitation:
    """One generation of a race's link. `uses`: who joined by it; `max_uses` and `expires_utc_ns` None: no limit."""

    race_id: str
    generation: int
    token_sha256: str
    salt: str
    created_utc_ns: int
    created_by: str = ""
    expires_utc_ns: int | None = None
    max_uses: int | None = None
    uses: int = 0


def token(key: bytes, race_id: str, generation: int, salt: str) -> str:
    """The token of a link: 22 characters that hold 128 bit. `salt`: random, stored beside the hash."""
    text = f"invitation\n{race_id}\n{generation}\n{salt}"
    digest = hmac.digest(key, text.encode(), hashlib.sha256)[:_TOKEN_BYTES]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_token(text: str) -> bool:
    """Could a link have this token? None is looked up."""
    return _TOKEN.fullmatch(text) is not None


def token_sha256(text: str) -> str:
    """What the store holds of a token."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_limits(expires_utc_ns: int | None, max_uses: int | None, now_utc_ns: int) -> None:
    """Check what the organiser wants of a link. Raises Refused."""
    if max_uses is not None and not 1 <= max_uses <= MAX_USES:
        raise Refused(f"A link for {max_uses} racers is not possible: give 1 to {MAX_USES}, or no limit.")
    if expires_utc_ns is None:
        return
    if expires_utc_ns <= now_utc_ns:
        raise Refused("The link would have expired already: give a time to come, or none.")
    if expires_utc_ns - now_utc_ns > _LONGEST_NS:
        raise Refused("The link would be valid for more than a year: give an earlier time, or none.")


def ended(invitation: Invitation, newest: int, race: RaceRecord, now_utc_ns: int) -> TokenEnd | None:
    """Why the link is dead, or None while it works. `newest`: the generation of the race's link of now.

    The end of the race comes first: a new link would not help then.
    """
    if race.state(now_utc_ns) not in ("published", "open"):
        return "race_over"
    if invitation.generation != newest:
        return "reset"
    if invitation.expires_utc_ns is not None and now_utc_ns >= invitation.expires_utc_ns:
        return "expired"
    if invitation.max_uses is not None and invitation.uses >= invitation.max_uses:
        return "used_up"
    return None
