"""The routes of events under /api/v1."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import refusals
from leaderboard.api.league import season_shapes as shapes
from leaderboard.api.league.calls import LeagueApi, body_of, respond
from leaderboard.core import access

_OF_SEASON = Query(max_length=64, description="only those of this season")


def add_events(routes: APIRouter, api: LeagueApi) -> None:
    """Add the routes to those of seasons."""
    calls = EventCalls(api)
    routes.get(
        "/events",
        response_model=list[shapes.EventShape],
        summary="All events that the caller may know of, the first to begin first",
        response_description="The events",
    )(calls.events)
    routes.post(
        "/events",
        status_code=201,
        response_model=shapes.EventShape,
        responses={200: {"model": shapes.EventShape, "description": "It exists"}, **refusals(401, 403, 409, 413, 422)},
        openapi_extra=json_extra(shapes.NewEvent, BY_KEY),
        summary="Create an event",
        response_description="Created",
    )(calls.create_event)
    routes.patch(
        "/events/{event_id}",
        response_model=shapes.EventShape,
        responses=refusals(401, 403, 404, 409, 413, 422),
        openapi_extra=json_extra(shapes.EventChange, BY_KEY),
        summary="Change an event",
        response_description="The event as it is now",
    )(calls.change_event)


class EventCalls:
    """The handlers of events."""

    def __init__(self, api: LeagueApi) -> None:
        self._api, self._seasons = api, api.league.seasons

    def events(self, request: Request, season_id: Annotated[str | None, _OF_SEASON] = None) -> Response:
        return respond(
            [shapes.event_shape(event) for event in self._seasons.events(self._api.caller(request), season_id)]
        )

    async def create_event(self, request: Request) -> Response:
        caller = self._api.caller(request)
        if not caller.has("organiser") and not any(grant.scope == "season" for grant in caller.grants):
            access.require(caller, "season.edit")
        event = shapes.event_of(await body_of(request, shapes.NewEvent))
        created = await run_in_threadpool(self._seasons.create_event, caller, event, self._api.utc_ns())
        stored, _ = await run_in_threadpool(self._seasons.event, caller, event.event_id)
        return respond(shapes.event_shape(stored), 201 if created else 200)

    async def change_event(self, request: Request, event_id: str) -> Response:
        caller = self._api.caller(request)
        before, _ = await run_in_threadpool(self._seasons.event, caller, event_id)
        access.require(caller, "season.edit", None, before.season_id)
        wanted: shapes.EventChange = await body_of(request, shapes.EventChange)
        values, now_utc_ns = shapes.event_values(wanted, before), self._api.utc_ns()
        after = await run_in_threadpool(
            lambda: self._seasons.change_event(caller, event_id, values, now_utc_ns, edition=wanted.edition)
        )
        return respond(shapes.event_shape(after))
