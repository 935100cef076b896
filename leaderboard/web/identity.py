"""Who asks, and the refusal of what the caller may not do or see. Used by all routes and pages:

caller = callers.caller(request)              # never waits: the middleware (identification.py) has looked it up
check(caller, "race.edit", race)              # 401 for nobody, 403 for somebody
check_sees(caller, race, entry_state)         # 404, in the words of a race that never was
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request
from starlette.requests import HTTPConnection

from leaderboard.core import access
from leaderboard.core.access import NOBODY, Caller
from leaderboard.core.errors import Unauthorized, UnknownRace
from leaderboard.core.race import RaceRecord
from leaderboard.core.states import EntryState
from shared.errors import RacedayError


class CallerIdentification(Protocol):
    """Finds who asks."""

    def caller(self, request: Request) -> Caller:
        """The caller; NOBODY without credentials.

        Raises Unauthorized for a key that is not valid (any more), NotAllowed for a browser's call from another site.
        """
        ...

    def caller_now(self, request: Request) -> Caller:
        """Who it is by now, for an answer that lasts: NOBODY once a session is over. Waits. Raises Unauthorized."""
        ...


def _still_nobody() -> Caller:
    return NOBODY


@dataclass(frozen=True, slots=True)
class Asking:
    """What the middleware found of a request. `refusal`: why it may do nothing that needs to know the caller.

    `session`: the token in the session's cookie, "" if it is of no session; `form`: that of a visitor's forms. `again`:
    who it is by now, for an answer that lasts; it waits, and raises Unauthorized for a key that was revoked.
    """

    caller: Caller = NOBODY
    session: str = ""
    form: str = ""
    refusal: RacedayError | None = None
    again: Callable[[], Caller] = _still_nobody


def asking(request: HTTPConnection) -> Asking:
    """What the middleware found of this request."""
    found: Asking = getattr(request.state, "asking", _NOBODY)
    return found


_NOBODY = Asking()


class RequestIdentification:
    """Takes the caller from what the middleware found."""

    def caller(self, request: Request) -> Caller:
        found = asking(request)
        if found.refusal is not None:
            raise found.refusal
        return found.caller

    def caller_now(self, request: Request) -> Caller:
        return asking(request).again()


def check(caller: Caller, action: str, race: RaceRecord | None = None, season_id: str = "") -> None:
    """Check that the caller may do this. Raises Unauthorized for nobody, NotAllowed for somebody."""
    access.require(caller, action, race, season_id)


def check_sees(caller: Caller, race: RaceRecord, entry: EntryState | None) -> None:
    """Check that the race exists for the caller. Raises UnknownRace, in the words of a race that never was."""
    if not access.sees(caller, race, entry):
        raise UnknownRace.of(race.race_id)


def somebody(caller: Caller) -> Caller:
    """The caller, if anybody: what may be done is asked when it is known what is wanted. Raises Unauthorized."""
    if caller == NOBODY:
        raise Unauthorized("This needs you to sign in, or the header `Authorization: Bearer` with a key.")
    return caller
