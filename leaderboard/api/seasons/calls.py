"""What the routes of this folder share: who asks, bodies, responses, and the refusals that they declare."""

import base64
import binascii
import dataclasses
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from pydantic import TypeAdapter

from leaderboard.api import schemas
from leaderboard.api.http import json_response, read_body
from leaderboard.core.access import Caller
from leaderboard.seasons.services import SeasonServices
from leaderboard.web.identity import CallerIdentification
from shared.errors import BadInput

MAX_SEASON_BYTES = 262_144


@dataclasses.dataclass(frozen=True, slots=True)
class SeasonApi:
    """What every route needs: the services, who asks, and the time."""

    seasons: SeasonServices
    callers: CallerIdentification
    utc_ns: Callable[[], int]

    def caller(self, request: Request) -> Caller:
        """Who asks. Raises Unauthorized, NotAllowed."""
        return self.callers.caller(request)


async def parsed_body(request: Request, kind: Any) -> Any:
    """The JSON body as a checked `kind`. Raises BadInput, BodyTooLarge, BodyTooSlow."""
    return schemas.parse(await read_body(request, MAX_SEASON_BYTES), kind)


def as_json(kind: Any, shape: Any, status: int = 200) -> Response:
    """A value of this kind as JSON."""
    return json_response(TypeAdapter(kind).dump_json(shape), status)


def cursor_of(racer: str) -> str:
    """The opaque cursor of the page after this racer."""
    return base64.urlsafe_b64encode(racer.encode()).decode().rstrip("=")


def racer_of(cursor: str) -> str:
    """The racer after whom the page of this cursor begins. Raises BadInput."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        raise BadInput("This cursor is not one of ours: take `next` of the page before.") from None
