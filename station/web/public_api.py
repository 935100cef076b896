"""The read-only API for other people's screens: event, races, results, runs, queue, and a stream of what is on now.

Everybody may read it, from any page (CORS) and any program; it changes nothing and holds nothing that is not public.
Described by OpenAPI at /openapi.json. Addresses and names are stable: only additions.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response, StreamingResponse
from pydantic import TypeAdapter

from shared.text import text
from shared.web.language import JSONAnswer
from station.exports.ical import StartEntry, calendar_text
from station.exports.public_shapes import (
    ApiEvent,
    ApiPlace,
    ApiQueueLine,
    ApiRace,
    ApiResults,
    ApiRun,
    ApiState,
    api_event,
    api_queue,
    api_results,
    api_run,
    api_state,
)
from station.views.results.race_results import RaceResults
from station.views.views import View
from station.web.site import Site, UnknownHere
from station.web.streaming.event_stream import EventStream

API_VERSION = "1.0"
DESCRIPTION = (
    "Reads a Raceday station: the event, its races with results, runs and laps, the queue, and what is on the track. "
    "Nothing can be changed here, and nothing needs a key. Times of laps are milliseconds, truncated as published."
)
# Any page may read this, wherever it comes from: it is public, and no cookie goes along.
OPEN = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "etag",
    "cross-origin-resource-policy": "cross-origin",
    "cache-control": "no-cache",
}
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such race or run"}}


def public_api_routes(site: Site, live: EventStream) -> APIRouter:
    """All routes, each by GET."""
    router = APIRouter(prefix="/api/v1", tags=["public"])
    _race_routes(router, site)
    _now_routes(router, site, live)
    return router


def _race_routes(router: APIRouter, site: Site) -> None:
    """The event and its races, with all that was driven."""

    @router.get("/event", response_model=ApiEvent, summary="The event with its races")
    async def event(request: Request) -> Response:
        """The event that is on, with its races."""
        return _answer(request, ApiEvent, api_event(site.service.snapshot()))

    @router.get("/races", response_model=list[ApiRace], summary="The races of the event")
    async def races(request: Request) -> Response:
        """The races of the event, in the order in which they were created."""
        return _answer(request, tuple[ApiRace, ...], api_event(site.service.snapshot()).races)

    @router.get("/races/{race_id}", response_model=ApiResults, responses=UNKNOWN, summary="A race with all its results")
    async def race(request: Request, race_id: str) -> Response:
        """A race with its places, its runs and their laps."""
        return await _of_race(request, site, race_id, ApiResults, api_results)

    @router.get(
        "/races/{race_id}/standings", response_model=list[ApiPlace], responses=UNKNOWN, summary="The places of a race"
    )
    async def standings(request: Request, race_id: str) -> Response:
        """The places of a race, the leader first."""
        return await _of_race(request, site, race_id, tuple[ApiPlace, ...], lambda found: api_results(found).places)

    @router.get(
        "/races/{race_id}/runs/{run_id}", response_model=ApiRun, responses=UNKNOWN, summary="A run with its laps"
    )
    async def run(request: Request, race_id: str, run_id: str) -> Response:
        """A run of a race with its laps."""

        def one(results: RaceResults) -> ApiRun:
            found = results.run(run_id)
            if found is None:
                raise UnknownHere(text("There is no run {run} in this race.", run=repr(run_id[:64])))
            return api_run(found)

        return await _of_race(request, site, race_id, ApiRun, one)


def _now_routes(router: APIRouter, site: Site, live: EventStream) -> None:
    """What is on, and who is next."""

    @router.get("/now", response_model=ApiState, summary="What is on the track now")
    async def now(request: Request) -> Response:
        """The runs on the track (else the last one), the standings of their race, and the queue."""
        return _answer(request, ApiState, api_state(site.service.snapshot()))

    @router.get("/queue", response_model=list[ApiQueueLine], summary="Who drives next")
    async def queue(request: Request) -> Response:
        """The queue of the race that is on, with predicted starts."""
        return _answer(request, tuple[ApiQueueLine, ...], api_queue(site.service.snapshot()))

    @router.get("/queue.ics", summary="The queue as a calendar", response_class=Response)
    async def calendar(racer: str = "") -> Response:
        """The queue as an iCalendar file; `racer`: the starts of this racer alone."""
        content = queue_calendar(site.service.snapshot(), racer)
        return Response(content.encode(), media_type="text/calendar; charset=utf-8", headers=OPEN)

    @router.get("/now/stream", summary="A stream of what is on the track", response_class=StreamingResponse)
    async def stream() -> Response:
        """Server-sent events: `state` with the JSON of /now after a change, at most ten a second; `alive` between."""
        if live.full():
            return JSONAnswer({"error": text("Too many screens are open; close one.")}, 503, {"retry-after": "5"})
        return StreamingResponse(
            _states(live), media_type="text/event-stream", headers=OPEN | {"x-accel-buffering": "no"}
        )


def describe(app: FastAPI, router: APIRouter) -> None:
    """Makes the app's /openapi.json describe these routes alone."""
    made: dict[str, Any] = {}

    def document() -> dict[str, Any]:
        if not made:
            made.update(
                get_openapi(title="Raceday station", version=API_VERSION, description=DESCRIPTION, routes=router.routes)
            )
        return made

    app.openapi = document  # type: ignore[method-assign]


def queue_calendar(view: View, racer: str) -> str:
    """The queue of this view as an iCalendar file; `racer` "": everybody's starts."""
    race = view.race
    name = race.name if race is not None else ""
    lines = [line for line in view.queue.lines if not racer or line.racer.casefold() == racer.casefold()]
    entries = [
        StartEntry(
            uid=f"{race.race_id if race else 'race'}.{hashlib.sha256(line.racer.encode()).hexdigest()[:16]}",
            summary=text("{racer} drives in {race}", racer=line.racer, race=name),
            begins_utc_ns=line.start_utc_ns,
            ends_utc_ns=line.start_utc_ns + view.queue.run_ns,
            description=text("Predicted start; it moves with the runs before. Be at the line five minutes earlier."),
            location=race.track if race is not None else "",
        )
        for line in lines
    ]
    return calendar_text(text("{race}: queue", race=name), entries, view.clock.utc_ns, f"{view.station}.raceday")


async def _of_race(
    request: Request, site: Site, race_id: str, kind: Any, shape: Callable[[RaceResults], object]
) -> Response:
    def made() -> object:
        results = site.service.race_results(race_id)
        if results is None:
            raise UnknownHere(text("There is no race {race} here.", race=repr(race_id[:64])))
        return shape(results)

    return _answer(request, kind, await anyio.to_thread.run_sync(made))


def _answer(request: Request, kind: Any, shape: object) -> Response:
    """The shape as JSON; 304 without a body if the reader has the same already."""
    body = TypeAdapter(kind).dump_json(shape)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = OPEN | {"etag": tag}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


async def _states(live: EventStream) -> AsyncIterator[bytes]:
    """The messages of the stream."""
    yield b"retry: 2000\n\n"
    async for view in live.views():
        if view is None:
            yield b"event: alive\ndata: {}\n\n"
            continue
        body = TypeAdapter(ApiState).dump_json(api_state(view))
        yield b"event: state\nid: %d\ndata: %s\n\n" % (view.version, body)
        await asyncio.sleep(0.1)
