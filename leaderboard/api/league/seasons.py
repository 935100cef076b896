"""The routes of seasons under /api/v1, with those of events and series. Standings: see the routes of seasons/."""

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import read_body
from leaderboard.api.league import season_shapes as shapes
from leaderboard.api.league.calls import LeagueApi, body_of, respond
from leaderboard.api.league.events import add_events
from leaderboard.api.league.races import PICTURE_TYPES
from leaderboard.api.league.series import add_series
from leaderboard.core import access
from leaderboard.league.pictures import MAX_PICTURE_BYTES

_OF_SEASON = Query(max_length=64, description="only those of this season")


def router(api: LeagueApi) -> APIRouter:
    """The routes, over the services of one leaderboard."""
    routes = DescribedRouter(prefix="/api/v1", tags=["seasons"])
    _add_seasons(routes, SeasonCalls(api))
    _add_pictures(routes, PictureCalls(api))
    add_events(routes, api)
    add_series(routes, api)
    return routes


def _add_seasons(routes: APIRouter, calls: "SeasonCalls") -> None:
    routes.get(
        "/seasons",
        response_model=list[shapes.SeasonShape],
        summary="All seasons that the caller may know of, the newest first",
        response_description="The seasons",
    )(calls.every)
    routes.post(
        "/seasons",
        status_code=201,
        response_model=shapes.SeasonShape,
        responses={200: {"model": shapes.SeasonShape, "description": "It exists"}, **refusals(401, 403, 409, 413, 422)},
        openapi_extra=json_extra(shapes.NewSeason, BY_KEY),
        summary="Create a season",
        response_description="Created",
    )(calls.create)
    routes.get(
        "/seasons/{season_id}",
        response_model=shapes.SeasonShape,
        responses=refusals(404),
        summary="One season",
        response_description="The season",
    )(calls.season)
    routes.patch(
        "/seasons/{season_id}",
        response_model=shapes.SeasonShape,
        responses=refusals(401, 403, 404, 409, 413, 422),
        openapi_extra=json_extra(shapes.SeasonChange, BY_KEY),
        summary="Change a season",
        response_description="The season as it is now",
    )(calls.change)


class SeasonCalls:
    """The handlers of seasons."""

    def __init__(self, api: LeagueApi) -> None:
        self._api, self._seasons = api, api.league.seasons

    def every(self, request: Request) -> Response:
        return respond([shapes.season_shape(season) for season in self._seasons.seasons(self._api.caller(request))])

    async def create(self, request: Request) -> Response:
        caller = self._api.caller(request)
        access.require(caller, "season.edit")
        season = shapes.season_of(await body_of(request, shapes.NewSeason))
        created = await run_in_threadpool(self._seasons.create, caller, season, self._api.utc_ns())
        stored = await run_in_threadpool(self._seasons.season, caller, season.season_id)
        return respond(shapes.season_shape(stored), 201 if created else 200)

    def season(self, request: Request, season_id: str) -> Response:
        return respond(shapes.season_shape(self._seasons.season(self._api.caller(request), season_id)))

    async def change(self, request: Request, season_id: str) -> Response:
        caller = self._api.caller(request)
        before = await run_in_threadpool(self._seasons.check_may_edit, caller, season_id)
        wanted: shapes.SeasonChange = await body_of(request, shapes.SeasonChange)
        values, now_utc_ns = shapes.season_values(wanted, before), self._api.utc_ns()
        after = await run_in_threadpool(
            lambda: self._seasons.change(caller, season_id, values, now_utc_ns, edition=wanted.edition, why=wanted.why)
        )
        return respond(shapes.season_shape(after))


def _add_pictures(routes: APIRouter, calls: "PictureCalls") -> None:
    routes.put(
        "/seasons/{season_id}/picture",
        response_model=shapes.SeasonShape,
        responses=refusals(401, 403, 404, 413, 422),
        openapi_extra=json_extra(security=BY_KEY) | {"requestBody": {"required": True, "content": PICTURE_TYPES}},
        summary="Give a season a picture: PNG, JPEG or WebP, at most 4 MB and 25 million pixels",
        response_description="The season as it is now",
    )(calls.set)
    routes.delete(
        "/seasons/{season_id}/picture",
        response_model=shapes.SeasonShape,
        responses=refusals(401, 403, 404, 422),
        openapi_extra=json_extra(security=BY_KEY),
        summary="Take a season's picture away",
        response_description="The season as it is now",
    )(calls.drop)


class PictureCalls:
    """The handlers of a season's picture."""

    def __init__(self, api: LeagueApi) -> None:
        self._api, self._pictures = api, api.league.pictures

    async def set(self, request: Request, season_id: str) -> Response:
        caller = self._api.caller(request)
        await run_in_threadpool(self._api.league.seasons.check_may_edit, caller, season_id)
        content = await read_body(request, MAX_PICTURE_BYTES)
        season = await run_in_threadpool(self._pictures.set_of_season, caller, season_id, content, self._api.utc_ns())
        return respond(shapes.season_shape(season))

    def drop(self, request: Request, season_id: str) -> Response:
        caller = self._api.caller(request)
        season = self._pictures.set_of_season(caller, season_id, None, self._api.utc_ns())
        return respond(shapes.season_shape(season))
