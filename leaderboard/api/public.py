"""The public routes: races, standings, health."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from leaderboard.api import schemas
from leaderboard.api.http import json_response
from leaderboard.api.schemas import CountedRaceShape, ErrorShape, RaceShape, StandingShape
from leaderboard.board import LeaderboardService
from leaderboard.core.race import Venue

_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": ErrorShape, "description": "No such race"}}
_RACES = TypeAdapter(list[CountedRaceShape])
_RACE = TypeAdapter(RaceShape)
_STANDING = TypeAdapter(StandingShape)
_KIND = Query(description="which table of a race that takes physical and virtual results; absent: its first")
_LIMIT = Query(ge=1, le=100_000, description="how many rows, from the top; absent: all")


def router(board: LeaderboardService, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over one board."""
    routes = APIRouter(tags=["public"])

    @routes.get(
        "/api/v1/races",
        response_model=list[CountedRaceShape],
        summary="All races, newest first",
        response_description="The races",
    )
    def races() -> Response:
        now_utc_ns = utc_ns()
        return json_response(_RACES.dump_json([schemas.counted_race(head, now_utc_ns) for head in board.races()]))

    @routes.get(
        "/api/v1/races/{race_id}",
        response_model=RaceShape,
        responses=_UNKNOWN,
        summary="One race",
        response_description="The race",
    )
    def race(race_id: str) -> Response:
        return json_response(_RACE.dump_json(schemas.race_shape(board.race(race_id), utc_ns())))

    @routes.get(
        "/api/v1/races/{race_id}/standings",
        response_model=StandingShape,
        responses=_UNKNOWN,
        summary="The standing, best first",
        response_description="The standing of one moment",
    )
    def standings(
        race_id: str, limit: Annotated[int | None, _LIMIT] = None, kind: Annotated[Venue | None, _KIND] = None
    ) -> Response:
        snapshot = board.snapshot(race_id, limit, kind)
        return json_response(_STANDING.dump_json(schemas.standing_shape(snapshot, utc_ns())))

    @routes.get("/healthz", summary="Whether the store can be read", response_description="It can")
    def health() -> dict[str, object]:
        return {"ok": True, "races": len(board.races())}

    return routes
