"""The routes of series under /api/v1: races that open by themselves."""

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import refusals
from leaderboard.api.league import season_shapes as shapes
from leaderboard.api.league.calls import LeagueApi, body_of, respond
from leaderboard.core import access

_OF_SEASON = Query(max_length=64, description="only those of this season")


def add_series(routes: APIRouter, api: LeagueApi) -> None:
    """Add the routes to those of seasons."""
    calls = SeriesCalls(api)
    routes.get(
        "/series",
        response_model=list[shapes.SeriesShape],
        summary="The series that the caller may edit, the newest first",
        response_description="The series",
    )(calls.all_series)
    routes.post(
        "/series",
        status_code=201,
        response_model=shapes.SeriesShape,
        responses=refusals(401, 403, 409, 413, 422),
        openapi_extra=json_extra(shapes.NewSeries, BY_KEY),
        summary="Begin a series of races that open by themselves",
        response_description="Created, with its first race",
    )(calls.create_series)
    routes.get(
        "/series/{series_id}",
        response_model=shapes.SeriesShape,
        responses=refusals(404),
        summary="One series",
        response_description="The series",
    )(calls.one_series)
    routes.patch(
        "/series/{series_id}",
        response_model=shapes.SeriesShape,
        responses=refusals(401, 403, 404, 409, 413, 422),
        openapi_extra=json_extra(shapes.SeriesChange, BY_KEY),
        summary="Stop a series, let it go on, or name its races to come otherwise",
        response_description="The series as it is now",
    )(calls.change_series)


class SeriesCalls:
    """The handlers of series."""

    def __init__(self, api: LeagueApi) -> None:
        self._api, self._series = api, api.league.series

    def all_series(self, request: Request) -> Response:
        self._series.catch_up(self._api.utc_ns())
        return respond([shapes.series_shape(each) for each in self._series.managed(self._api.caller(request))])

    async def create_series(self, request: Request) -> Response:
        caller = self._api.caller(request)
        access.require(caller, "race.create_community")
        new: shapes.NewSeries = await body_of(request, shapes.NewSeries)
        series_id, names, template, rule = shapes.series_parts(new)
        made = await run_in_threadpool(
            self._series.create, caller, series_id, names, template, rule, self._api.utc_ns(), new.total
        )
        return respond(shapes.series_shape(made), 201)

    def one_series(self, request: Request, series_id: str) -> Response:
        self._series.catch_up(self._api.utc_ns())
        return respond(shapes.series_shape(self._series.series(self._api.caller(request), series_id)))

    async def change_series(self, request: Request, series_id: str) -> Response:
        caller = self._api.caller(request)
        await run_in_threadpool(self._series.series, caller, series_id)
        wanted: shapes.SeriesChange = await body_of(request, shapes.SeriesChange)
        now_utc_ns = self._api.utc_ns()
        after = await run_in_threadpool(
            lambda: self._series.change(
                caller,
                series_id,
                now_utc_ns,
                stopped=wanted.stopped,
                name_pattern=wanted.name_pattern,
                edition=wanted.edition,
            )
        )
        return respond(shapes.series_shape(after))
