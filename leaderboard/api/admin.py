"""The organiser's calls: create and close races. Each needs the bearer token."""

import dataclasses
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.http import json_response, read_body
from leaderboard.api.identity import CallerIdentification, check
from leaderboard.api.schemas import ErrorShape, NewRace, RaceChange, RaceShape
from leaderboard.board import LeaderboardService
from leaderboard.core.race import RaceRecord, slug
from shared.errors import Refused
from shared.rules.track_lengths import shortest_lap_s

_MAX_BYTES = 16_384
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorShape, "description": "The admin's bearer token is missing or wrong"},
    404: {"model": ErrorShape, "description": "No such race"},
    409: {"model": ErrorShape, "description": "Something else has this id or name"},
    422: {"model": ErrorShape, "description": "Not acceptable; the sentence says why"},
}


def router(board: LeaderboardService, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes under /api/v1/races that need the admin's token."""
    routes = APIRouter(prefix="/api/v1/races", tags=["admin"])
    calls = AdminCalls(board, callers, utc_ns)
    routes.post(
        "",
        status_code=201,
        response_model=RaceShape,
        responses={200: {"model": RaceShape, "description": "It exists already"}, **_REFUSALS},
        openapi_extra=_extra(NewRace),
        summary="Create a race",
        response_description="Created",
    )(calls.create)
    routes.patch(
        "/{race_id}",
        response_model=RaceShape,
        responses=_REFUSALS,
        openapi_extra=_extra(RaceChange),
        summary="Close a race now, open it again, move its planned close, or give it other rules",
        response_description="The race as it is now",
    )(calls.change)
    return routes


class AdminCalls:
    """The handlers of the admin routes, over one board. Each checks the token before it reads the body."""

    def __init__(self, board: LeaderboardService, callers: CallerIdentification, utc_ns: Callable[[], int]) -> None:
        self._board, self._callers, self._utc_ns = board, callers, utc_ns

    async def create(self, request: Request) -> Response:
        race = _race(await self._body(request, NewRace))
        created = await run_in_threadpool(self._board.create_race, race, self._utc_ns())
        stored = await run_in_threadpool(self._board.race, race.race_id)
        return _respond(schemas.race_shape(stored, self._utc_ns()), 201 if created else 200)

    async def change(self, request: Request, race_id: str) -> Response:
        wanted: RaceChange = await self._body(request, RaceChange)
        if wanted.closed is None and wanted.closes_at is None and wanted.rules is None:
            raise Refused(
                "Say what to change: `closed` (true or false), `closes_at` (a time, or empty for none), or `rules`."
            )
        closes_utc_ns = schemas.utc_ns(wanted.closes_at) if wanted.closes_at else None
        if wanted.rules is not None:
            rules = schemas.rules(wanted.rules)
            race = await run_in_threadpool(self._board.change_rules, race_id, rules)
        if wanted.closes_at is not None:
            race = await run_in_threadpool(self._board.move_close, race_id, closes_utc_ns)
        if wanted.closed is not None:
            race = await run_in_threadpool(self._board.close_race, race_id, wanted.closed, self._utc_ns())
        return _respond(schemas.race_shape(race, self._utc_ns()), 200)

    async def _body(self, request: Request, kind: type[Any]) -> Any:
        check(self._callers.caller(request), "race.create_league")
        return schemas.parse(await read_body(request, _MAX_BYTES), kind)


def _race(new: NewRace) -> RaceRecord:
    opens, closes = (None if text is None else schemas.utc_ns(text) for text in (new.opens_at, new.closes_at))
    race_id = slug(new.name) if new.race_id is None else new.race_id
    if (length_m := new.track_length_m) is not None and not 1.0 <= length_m <= 1000.0:
        raise Refused(f"`track_length_m` is {length_m:g}; allowed is 1 to 1000.")
    min_lap_s = shortest_lap_s(new.track, length_m)
    rules = schemas.rules(new.rules if min_lap_s is None else {"min_lap_s": min_lap_s} | new.rules)
    return RaceRecord(race_id, new.name, new.kind, new.venue, new.track, rules, new.entry, opens, closes)


def _respond(shape: Any, status: int) -> Response:
    return json_response(TypeAdapter(type(shape)).dump_json(shape), status)


def _extra(kind: type[Any]) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema()
    assert dataclasses.is_dataclass(kind)
    return {
        "security": [{"admin": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }
