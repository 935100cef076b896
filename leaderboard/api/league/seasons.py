"""The routes of seasons, events and series under /api/v1. Standings of a season: see the routes of seasons/."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.api.described import DescribedRouter
from leaderboard.api.http import read_body
from leaderboard.api.league import season_shapes as shapes
from leaderboard.api.league.calls import KEYED, LeagueApi, body_of, refusals, respond, takes
from leaderboard.api.league.races import PICTURE_TYPES
from leaderboard.core import access
from leaderboard.league.pictures import MAX_PICTURE_BYTES

_OF_SEASON = Query(max_length=64, description="only those of this season")


def router(api: LeagueApi) -> APIRouter:
    """The routes, over the services of one leaderboard."""
    routes = DescribedRouter(prefix="/api/v1", tags=["seasons"])
    _add_seasons(routes, api)
    _add_pictures(routes, PictureCalls(api))
    _add_events(routes, api)
    _add_series(routes, api)
    return routes


def _add_seasons(routes: APIRouter, api: LeagueApi) -> None:
    seasons = api.league.seasons

    @routes.get(
        "/seasons",
        response_model=list[shapes.SeasonShape],
        summary="All seasons that the caller may know of, the newest first",
        response_description="The seasons",
    )
    def every(request: Request) -> Response:
        return respond([shapes.season_shape(season) for season in seasons.seasons(api.caller(request))])

    @routes.post(
        "/seasons",
        status_code=201,
        response_model=shapes.SeasonShape,
        responses={200: {"model": shapes.SeasonShape, "description": "It exists"}, **refusals(401, 403, 409, 413, 422)},
        openapi_extra=takes(shapes.NewSeason),
        summary="Create a season",
        response_description="Created",
    )
    async def create(request: Request) -> Response:
        caller = api.caller(request)
        access.require(caller, "season.edit")
        season = shapes.season_of(await body_of(request, shapes.NewSeason))
        created = await run_in_threadpool(seasons.create, caller, season, api.utc_ns())
        stored = await run_in_threadpool(seasons.season, caller, season.season_id)
        return respond(shapes.season_shape(stored), 201 if created else 200)

    @routes.get(
        "/seasons/{season_id}",
        response_model=shapes.SeasonShape,
        responses=refusals(404),
        summary="One season",
        response_description="The season",
    )
    def season(request: Request, season_id: str) -> Response:
        return respond(shapes.season_shape(seasons.season(api.caller(request), season_id)))

    @routes.patch(
        "/seasons/{season_id}",
        response_model=shapes.SeasonShape,
        responses=refusals(401, 403, 404, 409, 413, 422),
        openapi_extra=takes(shapes.SeasonChange),
        summary="Change a season",
        response_description="The season as it is now",
    )
    async def change(request: Request, season_id: str) -> Response:
        caller = api.caller(request)
        before = await run_in_threadpool(seasons.check_may_edit, caller, season_id)
        wanted: shapes.SeasonChange = await body_of(request, shapes.SeasonChange)
        values, now_utc_ns = shapes.season_values(wanted, before), api.utc_ns()
        after = await run_in_threadpool(
            lambda: seasons.change(caller, season_id, values, now_utc_ns, edition=wanted.edition, why=wanted.why)
        )
        return respond(shapes.season_shape(after))


def _add_pictures(routes: APIRouter, calls: "PictureCalls") -> None:
    routes.put(
        "/seasons/{season_id}/picture",
        response_model=shapes.SeasonShape,
        responses=refusals(401, 403, 404, 413, 422),
        openapi_extra=KEYED | {"requestBody": {"required": True, "content": PICTURE_TYPES}},
        summary="Give a season a picture: PNG, JPEG or WebP, at most 4 MB and 25 million pixels",
        response_description="The season as it is now",
    )(calls.set)
    routes.delete(
        "/seasons/{season_id}/picture",
        response_model=shapes.SeasonShape,
        responses=refusals(401, 403, 404, 422),
        openapi_extra=KEYED,
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


def _add_events(routes: APIRouter, api: LeagueApi) -> None:
    seasons = api.league.seasons

    @routes.get(
        "/events",
        response_model=list[shapes.EventShape],
        summary="All events that the caller may know of, the first to begin first",
        response_description="The events",
    )
    def events(request: Request, season_id: Annotated[str | None, _OF_SEASON] = None) -> Response:
        return respond([shapes.event_shape(event) for event in seasons.events(api.caller(request), season_id)])

    @routes.post(
        "/events",
        status_code=201,
        response_model=shapes.EventShape,
        responses={200: {"model": shapes.EventShape, "description": "It exists"}, **refusals(401, 403, 409, 413, 422)},
        openapi_extra=takes(shapes.NewEvent),
        summary="Create an event",
        response_description="Created",
    )
    async def create_event(request: Request) -> Response:
        caller = api.caller(request)
        if not caller.has("organiser") and not any(grant.scope == "season" for grant in caller.grants):
            access.require(caller, "season.edit")
        event = shapes.event_of(await body_of(request, shapes.NewEvent))
        created = await run_in_threadpool(seasons.create_event, caller, event, api.utc_ns())
        stored, _ = await run_in_threadpool(seasons.event, caller, event.event_id)
        return respond(shapes.event_shape(stored), 201 if created else 200)

    @routes.patch(
        "/events/{event_id}",
        response_model=shapes.EventShape,
        responses=refusals(401, 403, 404, 409, 413, 422),
        openapi_extra=takes(shapes.EventChange),
        summary="Change an event",
        response_description="The event as it is now",
    )
    async def change_event(request: Request, event_id: str) -> Response:
        caller = api.caller(request)
        before, _ = await run_in_threadpool(seasons.event, caller, event_id)
        access.require(caller, "season.edit", None, before.season_id)
        wanted: shapes.EventChange = await body_of(request, shapes.EventChange)
        values, now_utc_ns = shapes.event_values(wanted, before), api.utc_ns()
        after = await run_in_threadpool(
            lambda: seasons.change_event(caller, event_id, values, now_utc_ns, edition=wanted.edition)
        )
        return respond(shapes.event_shape(after))


def _add_series(routes: APIRouter, api: LeagueApi) -> None:
    series = api.league.series

    @routes.get(
        "/series",
        response_model=list[shapes.SeriesShape],
        summary="The series that the caller may edit, the newest first",
        response_description="The series",
    )
    def all_series(request: Request) -> Response:
        series.catch_up(api.utc_ns())
        return respond([shapes.series_shape(each) for each in series.managed(api.caller(request))])

    @routes.post(
        "/series",
        status_code=201,
        response_model=shapes.SeriesShape,
        responses=refusals(401, 403, 409, 413, 422),
        openapi_extra=takes(shapes.NewSeries),
        summary="Begin a series of races that open by themselves",
        response_description="Created, with its first race",
    )
    async def create_series(request: Request) -> Response:
        caller = api.caller(request)
        access.require(caller, "race.create_community")
        new: shapes.NewSeries = await body_of(request, shapes.NewSeries)
        series_id, names, template, rule = shapes.series_parts(new)
        made = await run_in_threadpool(series.create, caller, series_id, names, template, rule, api.utc_ns(), new.total)
        return respond(shapes.series_shape(made), 201)

    @routes.get(
        "/series/{series_id}",
        response_model=shapes.SeriesShape,
        responses=refusals(404),
        summary="One series",
        response_description="The series",
    )
    def one_series(request: Request, series_id: str) -> Response:
        series.catch_up(api.utc_ns())
        return respond(shapes.series_shape(series.series(api.caller(request), series_id)))

    @routes.patch(
        "/series/{series_id}",
        response_model=shapes.SeriesShape,
        responses=refusals(401, 403, 404, 409, 413, 422),
        openapi_extra=takes(shapes.SeriesChange),
        summary="Stop a series, let it go on, or name its races to come otherwise",
        response_description="The series as it is now",
    )
    async def change_series(request: Request, series_id: str) -> Response:
        caller = api.caller(request)
        await run_in_threadpool(series.series, caller, series_id)
        wanted: shapes.SeriesChange = await body_of(request, shapes.SeriesChange)
        now_utc_ns = api.utc_ns()
        after = await run_in_threadpool(
            lambda: series.change(
                caller,
                series_id,
                now_utc_ns,
                stopped=wanted.stopped,
                name_pattern=wanted.name_pattern,
                edition=wanted.edition,
            )
        )
        return respond(shapes.series_shape(after))
