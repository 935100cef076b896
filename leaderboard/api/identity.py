"""Who asks: finds a request's caller, and refuses what the caller may not do or see. Used by all routes and pages."""

import hmac
from typing import Protocol

from fastapi import Request

from leaderboard.core import access
from leaderboard.core.access import ADMIN, NOBODY, Caller
from leaderboard.core.errors import Unauthorized, UnknownRace
from leaderboard.core.race import RaceRecord
from leaderboard.core.states import EntryState


class CallerIdentification(Protocol):
    """Finds who asks."""

    def caller(self, request: Request) -> Caller:
        """The caller; NOBODY without credentials. Raises Unauthorized for credentials that are not valid (any more)."""
        ...


class TokenIdentification:
    """Knows only the holder of the admin token."""

    def __init__(self, admin_token: str) -> None:
        self._admin_token = admin_token

    def caller(self, request: Request) -> Caller:
        header = request.headers.get("authorization")
        if header is None:
            return NOBODY
        scheme, _, token = header.partition(" ")
        if hmac.compare_digest(token.strip().encode(), self._admin_token.encode()) and scheme.lower() == "bearer":
            return ADMIN
        raise Unauthorized("This call needs the header `Authorization: Bearer` with the admin's token.")


def check(caller: Caller, action: str, race: RaceRecord | None = None, season_id: str = "") -> None:
    """Check that the caller may do this. Raises Unauthorized for nobody, NotAllowed for somebody."""
    access.require(caller, action, race, season_id)


def check_sees(caller: Caller, race: RaceRecord, entry: EntryState | None) -> None:
    """Check that the race exists for the caller. Raises UnknownRace, in the words of a race that never was."""
    if not access.sees(caller, race, entry):
        raise UnknownRace.of(race.race_id)
