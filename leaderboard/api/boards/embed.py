"""/embed/{race_id}.json: the first lines of a public race's board, which scripts of any site may read."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Response

from leaderboard.api import schemas
from leaderboard.api.described import DescribedRouter
from leaderboard.board import LeaderboardService
from leaderboard.core.access import NOBODY
from leaderboard.core.race import Venue
from leaderboard.league.sight import RaceSight

ROWS = 10
MAX_ROWS = 50
_HEADERS = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "cache-control": "public, max-age=60",
}


def router(board: LeaderboardService, sight: RaceSight, utc_ns: Callable[[], int]) -> APIRouter:
    """The route. It answers as nobody sees the race, whoever asks."""
    routes = DescribedRouter(include_in_schema=False)

    @routes.get("/embed/{race_id}.json")
    def standing(
        race_id: str,
        rows: Annotated[int, Query(ge=1, le=MAX_ROWS)] = ROWS,
        kind: Annotated[Venue | None, Query()] = None,
    ) -> Response:
        sight.race(NOBODY, race_id)
        shown = schemas.standing_shape(board.snapshot(race_id, rows, kind), utc_ns())
        return Response(schemas.STANDING.dump_json(shown), media_type="application/json", headers=_HEADERS)

    return routes
