"""The organiser's calls: create and close races, register racers. Each needs the bearer token."""

import dataclasses
import hmac
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.http import Unauthorized, json_response, read_body
from leaderboard.api.schemas import EntryShape, ErrorShape, NewEntry, NewRace, RaceChange, RaceShape
from leaderboard.board import LeaderboardService
from leaderboard.domain import RaceRecord
from shared.errors import Refused
from shared.rules.track_lengths import least_lap_s

_MAX_BYTES = 16_384
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorShape, "description": "The admin's bearer token is missing or wrong"},
    404: {"model": ErrorShape, "description": "No such race"},
    409: {"model": ErrorShape, "description": "Something else has this id or name"},
    422: {"model": ErrorShape, "description": "Not acceptable; the sentence says why"},
}


def router(board: LeaderboardService, admin_token: str, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over one board."""
    routes = APIRouter(prefix="/api/v1/races", tags=["admin"])

    async def asked(request: Request, kind: type[Any]) -> Any:
        _authorize(request, admin_token)
        return schemas.parse(await read_body(request, _MAX_BYTES), kind)

    @routes.post(
        "",
        status_code=201,
        response_model=RaceShape,
        responses={200: {"model": RaceShape, "description": "It is there already"}, **_REFUSALS},
        openapi_extra=_extra(NewRace),
        summary="Create a race",
        response_description="Created",
    )
    async def create(request: Request) -> Response:
        race = _race(await asked(request, NewRace))
        created = await run_in_threadpool(board.create_race, race, utc_ns())
        kept = await run_in_threadpool(board.race, race.race_id)
        return _respond(schemas.race_shape(kept, utc_ns()), 201 if created else 200)

    @routes.patch(
        "/{race_id}",
        response_model=RaceShape,
        responses=_REFUSALS,
        openapi_extra=_extra(RaceChange),
        summary="Close a race now, open it again, or move its planned close",
        response_description="The race as it is now",
    )
    async def change(request: Request, race_id: str) -> Response:
        wanted: RaceChange = await asked(request, RaceChange)
        if wanted.closed is None and wanted.closes_at is None:
            raise Refused("Say what to change: `closed` (true or false), or `closes_at` (a time, or empty for none).")
        closes = schemas.utc_ns(wanted.closes_at) if wanted.closes_at else None
        if wanted.closes_at is not None:
            race = await run_in_threadpool(board.move_close, race_id, closes)
        if wanted.closed is not None:
            race = await run_in_threadpool(board.close_race, race_id, wanted.closed, utc_ns())
        return _respond(schemas.race_shape(race, utc_ns()), 200)

    @routes.post(
        "/{race_id}/entries",
        status_code=201,
        response_model=EntryShape,
        responses={200: {"model": EntryShape, "description": "Registered before"}, **_REFUSALS},
        openapi_extra=_extra(NewEntry),
        summary="Register a racer",
        response_description="Registered",
    )
    async def enter(request: Request, race_id: str) -> Response:
        entry: NewEntry = await asked(request, NewEntry)
        name = entry.racer if entry.name is None else entry.name
        created = await run_in_threadpool(board.enter, race_id, entry.racer, name, utc_ns())
        kept = await run_in_threadpool(board.entry, race_id, entry.racer)
        return _respond(EntryShape(race_id, *(kept or (entry.racer, name))), 201 if created else 200)

    return routes


def _authorize(request: Request, admin_token: str) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not hmac.compare_digest(token.strip().encode(), admin_token.encode()) or scheme.lower() != "bearer":
        raise Unauthorized("This call needs the header `Authorization: Bearer` with the admin's token.")


def _race(new: NewRace) -> RaceRecord:
    opens, closes = (None if text is None else schemas.utc_ns(text) for text in (new.opens_at, new.closes_at))
    race_id = slug(new.name) if new.race_id is None else new.race_id
    if (length_m := new.track_length_m) is not None and not 1.0 <= length_m <= 1000.0:
        raise Refused(f"`track_length_m` is {length_m:g}; allowed is 1 to 1000.")
    least_s = least_lap_s(new.track, length_m)
    rules = schemas.rules(new.rules if least_s is None else {"min_lap_s": least_s} | new.rules)
    return RaceRecord(race_id, new.name, new.kind, new.venue, new.track, rules, new.entry, opens, closes)


def slug(name: str) -> str:
    """'Sommer-Cup Zürich 2026' to 'sommer-cup-zurich-2026'; what is left of any name, at most 64 characters."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")


def _respond(shape: Any, status: int) -> Response:
    return json_response(TypeAdapter(type(shape)).dump_json(shape), status)


def _extra(kind: type[Any]) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema()
    assert dataclasses.is_dataclass(kind)
    return {
        "security": [{"admin": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }
