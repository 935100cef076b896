"""The public routes: races, standings, health."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from leaderboard.api import schemas
from leaderboard.api.bodies import shaped
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response
from leaderboard.api.identity import CallerIdentification
from leaderboard.api.schemas import CountedRaceShape, RaceShape, StandingShape
from leaderboard.board import LeaderboardService
from leaderboard.core.access import NOBODY
from leaderboard.core.race import Venue
from leaderboard.league.sight import RaceSight
from leaderboard.snapshots import AROUND, MAX_ROWS, WHOLE, Part
from leaderboard.web.search_throttle import SearchThrottle
from leaderboard.web.visitors import visitor
from shared.errors import BadInput

_UNKNOWN = {404: "No such race"}
_RACES = TypeAdapter(list[CountedRaceShape])
_RACE = TypeAdapter(RaceShape)
_KIND = Query(description="which table of a race that takes physical and virtual results; absent: its first")
_LIMIT = Query(ge=1, le=MAX_ROWS, description=f"how many rows; absent: {MAX_ROWS}, around a racer {AROUND}")
_AFTER = Query(max_length=200, description="the page behind one: what that gave as `next`")
_AROUND = Query(max_length=200, description="the lines before and behind this racer's")
_SEARCH = Query(max_length=200, description="lines of names that begin with or hold this, by name: at most 50")
_OF_STANDINGS = _UNKNOWN | {
    422: "No such table, or not a cursor of ours",
    429: "Too many searches inside the names of a large table: again after Retry-After seconds",
}


@dataclass(frozen=True, slots=True)
class HealthShape:
    """The store can be read; `races`: how many everybody may see."""

    ok: bool
    races: int


def router(
    board: LeaderboardService,
    sight: RaceSight,
    callers: CallerIdentification,
    searches: SearchThrottle,
    utc_ns: Callable[[], int],
) -> APIRouter:
    """The routes, over one board."""
    routes, calls = DescribedRouter(tags=["public"]), PublicCalls(board, sight, callers, searches, utc_ns)
    routes.get(
        "/api/v1/races",
        response_model=list[CountedRaceShape],
        summary="All races that exist for the caller, newest first",
        response_description="The races",
    )(calls.races)
    routes.get(
        "/api/v1/races/{race_id}",
        response_model=RaceShape,
        responses=refusals(404, words=_UNKNOWN),
        summary="One race",
        response_description="The race",
    )(calls.race)
    routes.get(
        "/api/v1/races/{race_id}/standings",
        response_model=StandingShape,
        responses=refusals(404, 422, 429, words=_OF_STANDINGS),
        summary="The standing, best first",
        response_description="The standing of one moment",
    )(calls.standings)
    routes.get(
        "/healthz",
        response_model=HealthShape,
        summary="Whether the store can be read",
        response_description="It can",
    )(calls.health)
    return routes


class PublicCalls:
    """The handlers. Lists leave out what does not exist for the caller (`sight`)."""

    def __init__(
        self,
        board: LeaderboardService,
        sight: RaceSight,
        callers: CallerIdentification,
        searches: SearchThrottle,
        utc_ns: Callable[[], int],
    ) -> None:
        self._board, self._sight, self._callers = board, sight, callers
        self._searches, self._utc_ns = searches, utc_ns

    def races(self, request: Request) -> Response:
        now_utc_ns, seen = self._utc_ns(), self._sight.seen_by(self._callers.caller(request))
        heads = [head for head in self._board.races() if seen(head.race)]
        return json_response(_RACES.dump_json([schemas.counted_race(head, now_utc_ns) for head in heads]))

    def race(self, race_id: str) -> Response:
        return json_response(_RACE.dump_json(schemas.race_shape(self._board.race(race_id), self._utc_ns())))

    def standings(
        self,
        request: Request,
        race_id: str,
        limit: Annotated[int | None, _LIMIT] = None,
        kind: Annotated[Venue | None, _KIND] = None,
        after: Annotated[str, _AFTER] = "",
        around: Annotated[str, _AROUND] = "",
        q: Annotated[str, _SEARCH] = "",
    ) -> Response:
        if bool(after) + bool(around) + bool(q) > 1:
            raise BadInput("Ask for one of `after`, `around` and `q` at a time.")
        part = Part(after, around, q, self._searches.by(visitor(request).address, self._utc_ns()))
        snapshot = self._board.snapshot(race_id, limit or (MAX_ROWS if part == WHOLE else None), kind, part)
        return json_response(schemas.STANDING.dump_json(schemas.standing_shape(snapshot, self._utc_ns())))

    def health(self) -> Response:
        seen = self._sight.seen_by(NOBODY)
        return shaped(HealthShape(True, sum(seen(head.race) for head in self._board.races())))
