"""What the calls about participants take and answer, as JSON."""

import base64
import binascii
from dataclasses import dataclass, field

from pydantic import ConfigDict

from leaderboard.core.invite import TokenEnd
from leaderboard.core.states import EntryState
from leaderboard.league.invitations import ENDS, InvitationLink
from leaderboard.scored_laps import utc_text
from leaderboard.store.entries import EntryRecord
from shared.errors import BadInput

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class NewEntry:
    """Who is to take part. Empty: the account that asks enters the race.

    `alias`: the account of this alias is let in, to enter by itself; with `confirm` it is entered, and what the race
    knows under its name already (results, a registered racer) is said to be its own. `racer`: a racer without an
    account is registered; `name` is what the standing shows of that one (default: `racer`).
    """

    __pydantic_config__ = _STRICT

    racer: str | None = None
    name: str | None = None
    alias: str | None = None
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class EntryShape:
    """A racer in a race. `account`: whether an account is behind it. `joined_by`: link, alias, self, official, ""."""

    race_id: str
    racer: str
    name: str
    state: EntryState = "entered"
    account: bool = False
    joined_by: str = ""


@dataclass(frozen=True, slots=True)
class ParticipantShape:
    """An entry in a list. `results`: how many the race has of the racer.

    `to_decide`: these may be another's, so that the account cannot enter before somebody confirms it (`confirm`).
    """

    entry: EntryShape
    results: int
    to_decide: bool


@dataclass(frozen=True, slots=True)
class ParticipantsShape:
    """A page of participants; `next` is the `after` of the next page, null if this is the last."""

    participants: tuple[ParticipantShape, ...]
    counts: dict[EntryState, int]
    next: str | None


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Limits of a link: when it expires (RFC 3339), and how many may join by it. Absent: no limit."""

    __pydantic_config__ = _STRICT

    expires_at: str | None = None
    max_uses: int | None = None


@dataclass(frozen=True, slots=True)
class InvitationShape:
    """A race's link. `url` null: the server's secrets are others than when it was made; a reset shows a new one.

    `generation` counts the links of the race; `ended`: which kind of dead it is, with `sentence` for a person.
    """

    race_id: str
    url: str | None
    generation: int
    uses: int
    max_uses: int | None
    expires_at: str | None
    ended: TokenEnd | None
    sentence: str = field(default="")


def entry_shape(entry: EntryRecord) -> EntryShape:
    return EntryShape(entry.race_id, entry.racer, entry.name, entry.state, bool(entry.account_id), entry.joined_by)


def invitation_shape(link: InvitationLink, base_url: str) -> InvitationShape:
    """`base_url`: of this server, as the caller reached it."""
    made = link.invitation
    return InvitationShape(
        race_id=made.race_id,
        url=join_address(base_url, link.token) if link.token else None,
        generation=made.generation,
        uses=made.uses,
        max_uses=made.max_uses,
        expires_at=None if made.expires_utc_ns is None else utc_text(made.expires_utc_ns),
        ended=link.ended,
        sentence="" if link.ended is None else ENDS[link.ended],
    )


def join_address(base_url: str, token: str) -> str:
    """The whole address of a link."""
    return f"{base_url.rstrip('/')}/join/{token}"


def cursor(racer: str) -> str | None:
    """The opaque mark of a page's last racer; None if no page follows."""
    return base64.urlsafe_b64encode(racer.encode()).decode() if racer else None


def after_cursor(mark: str) -> str:
    """The racer that the mark stands for. Raises BadInput."""
    try:
        racer = base64.b64decode(mark.encode("ascii", "strict"), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        racer = "\x00"
    if "\x00" in racer:
        raise BadInput("`after` is not one that this leaderboard gave: begin without it.")
    return racer
