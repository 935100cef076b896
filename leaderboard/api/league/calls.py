"""What the routes of this folder share: bodies and responses."""

import dataclasses
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from pydantic import TypeAdapter

from leaderboard.api import schemas
from leaderboard.api.http import json_response, read_body
from leaderboard.core.access import Caller
from leaderboard.league.services import LeagueServices
from leaderboard.web.identity import CallerIdentification

MAX_BODY_BYTES = 65_536


@dataclasses.dataclass(frozen=True, slots=True)
class LeagueApi:
    """What every route needs: the services, who asks, and the time."""

    league: LeagueServices
    callers: CallerIdentification
    utc_ns: Callable[[], int]

    def caller(self, request: Request) -> Caller:
        """Who asks. Raises Unauthorized, NotAllowed."""
        return self.callers.caller(request)


async def body_of(request: Request, kind: type[Any], optional: bool = False) -> Any:
    """The JSON body as a checked `kind`; without one its defaults where it is optional. Raises BadInput."""
    payload = await read_body(request, MAX_BODY_BYTES)
    return kind() if optional and not payload else schemas.parse(payload, kind)


def respond(shape: Any, status: int = 200) -> Response:
    """The dataclass, or list of one kind of them, as JSON."""
    kind = type(shape)
    if isinstance(shape, list):
        kind = list[type(shape[0])] if shape else list[str]  # type: ignore[assignment, misc]
    return json_response(TypeAdapter(kind).dump_json(shape), status)
