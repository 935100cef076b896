"""The organiser's call that registers racers. It needs the bearer token, or an account that organises."""

import dataclasses
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.http import json_response, read_body
from leaderboard.api.identity import CallerIdentification, check
from leaderboard.api.schemas import EntryShape, ErrorShape, NewEntry
from leaderboard.board import LeaderboardService

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
        "/{race_id}/entries",
        status_code=201,
        response_model=EntryShape,
        responses={200: {"model": EntryShape, "description": "Registered before"}, **_REFUSALS},
        openapi_extra=_extra(NewEntry),
        summary="Register a racer",
        response_description="Registered",
    )(calls.enter)
    return routes


class AdminCalls:
    """The handlers of the admin routes, over one board. Each checks the token before it reads the body."""

    def __init__(self, board: LeaderboardService, callers: CallerIdentification, utc_ns: Callable[[], int]) -> None:
        self._board, self._callers, self._utc_ns = board, callers, utc_ns

    async def enter(self, request: Request, race_id: str) -> Response:
        entry: NewEntry = await self._body(request, NewEntry)
        name = entry.racer if entry.name is None else entry.name
        created = await run_in_threadpool(self._board.enter, race_id, entry.racer, name, self._utc_ns())
        stored = await run_in_threadpool(self._board.entry, race_id, entry.racer)
        return _respond(EntryShape(race_id, *(stored or (entry.racer, name))), 201 if created else 200)

    async def _body(self, request: Request, kind: type[Any]) -> Any:
        check(self._callers.caller(request), "race.create_league")
        return schemas.parse(await read_body(request, _MAX_BYTES), kind)


def _respond(shape: Any, status: int) -> Response:
    return json_response(TypeAdapter(type(shape)).dump_json(shape), status)


def _extra(kind: type[Any]) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema()
    assert dataclasses.is_dataclass(kind)
    return {
        "security": [{"admin": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }
