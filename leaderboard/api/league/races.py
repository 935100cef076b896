"""The routes that create, edit and move races: POST|PATCH|DELETE races, their moves, editions and pictures."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import read_body
from leaderboard.api.league.calls import LeagueApi, body_of, respond
from leaderboard.api.league.race_bodies import NewRace, RaceChange, record_of, says_nothing, settings_of
from leaderboard.api.schemas import RaceShape
from leaderboard.core import access
from leaderboard.core.race import RaceRecord
from leaderboard.league.moves import ACTION_OF, Move
from leaderboard.league.pictures import MAX_PICTURE_BYTES
from leaderboard.scored_laps import utc_text
from shared.errors import Refused

_MOVES: dict[Move, tuple[str, str]] = {
    "publish": ("Publish a draft", "From now on everybody sees it who may see it."),
    "close": ("Close a race now", "No run that is finished later counts."),
    "reopen": ("Open a closed race again", "Without a planned close that has passed."),
    "results": ("Publish the results", "They are provisional: what was driven in time may still be posted."),
    "final": ("Make the results final", "Nothing changes them until an official unlocks them."),
    "unlock": ("Unlock final results", "Needs a reason; where the season says so, a second official too."),
    "restore": ("Take a race out of the bin", "To the state that it had; within 30 days."),
}


@dataclass(frozen=True, slots=True)
class MoveReason:
    """Why; kept with the change."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    why: str = ""


@dataclass(frozen=True, slots=True)
class EditionShape:
    """A race's settings at one edition, by name; times in nanoseconds since 1970."""

    edition: int
    at: str
    why: str
    settings: dict[str, Any]


def router(api: LeagueApi) -> APIRouter:
    """The routes under /api/v1/races."""
    routes = DescribedRouter(prefix="/api/v1/races", tags=["races"])
    _add_settings(routes, RaceCalls(api))
    for move, (summary, what) in _MOVES.items():
        routes.post(
            f"/{{race_id}}/{move}",
            response_model=RaceShape,
            responses=_answers(move),
            openapi_extra=json_extra(MoveReason, BY_KEY, required=False),
            summary=summary,
            description=what,
            response_description="The race as it is now",
            operation_id=f"{move}_race",
        )(_move_call(api, move))
    return routes


def _answers(move: Move) -> dict[int | str, dict[str, Any]]:
    declared = refusals(401, 403, 404, 413, 422)
    if move == "unlock":
        waits = {"model": RaceShape, "description": "Still final: a second official has to want it too, within a day"}
        return {202: waits} | declared | refusals(409)
    return declared | (refusals(410) if move == "restore" else {})


def _add_settings(routes: APIRouter, calls: "RaceCalls") -> None:
    routes.post(
        "",
        status_code=201,
        response_model=RaceShape,
        responses={200: {"model": RaceShape, "description": "It exists already"}, **refusals(401, 403, 409, 413, 422)},
        openapi_extra=json_extra(NewRace, BY_KEY),
        summary="Create a race",
        response_description="Created",
    )(calls.create)
    routes.patch(
        "/{race_id}",
        response_model=RaceShape,
        responses=refusals(401, 403, 404, 409, 413, 422),
        openapi_extra=json_extra(RaceChange, BY_KEY),
        summary="Change a race's settings, close it now, or open it again",
        response_description="The race as it is now",
    )(calls.change)
    routes.delete(
        "/{race_id}",
        response_model=RaceShape,
        responses=refusals(401, 403, 404, 422),
        openapi_extra=json_extra(security=BY_KEY),
        summary="Put a race into the bin, for 30 days",
        response_description="The race as it is now",
    )(calls.delete)
    routes.get(
        "/{race_id}/editions",
        response_model=list[EditionShape],
        responses=refusals(404),
        summary="The race's settings at each edition, the newest first",
        response_description="The editions that are kept",
    )(calls.editions)
    routes.put(
        "/{race_id}/picture",
        response_model=RaceShape,
        responses=refusals(401, 403, 404, 413, 422),
        openapi_extra=json_extra(security=BY_KEY) | {"requestBody": {"required": True, "content": PICTURE_TYPES}},
        summary="Give a race a picture: PNG, JPEG or WebP, at most 4 MB and 25 million pixels",
        response_description="The race as it is now",
    )(calls.set_picture)
    routes.delete(
        "/{race_id}/picture",
        response_model=RaceShape,
        responses=refusals(401, 403, 404, 422),
        openapi_extra=json_extra(security=BY_KEY),
        summary="Take a race's picture away",
        response_description="The race as it is now",
    )(calls.drop_picture)


PICTURE_TYPES = {
    kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/png", "image/jpeg", "image/webp")
}


class RaceCalls:
    """The handlers. Each finds out whether the caller may do it before it reads the body."""

    def __init__(self, api: LeagueApi) -> None:
        self._api, self._races, self._moves = api, api.league.races, api.league.moves

    async def create(self, request: Request) -> Response:
        """The caller is its owner. A league race needs an organiser; a racer's community races have a limit."""
        caller = self._api.caller(request)
        access.require(caller, "race.create_community")
        race = record_of(await body_of(request, NewRace))
        if race.kind == "community" and not access.may(caller, "race.create_league"):
            made = await run_in_threadpool(self._api.league.community.create, caller, race, self._api.utc_ns())
            return self._respond(made, 201)
        created = await run_in_threadpool(self._races.create, caller, race, self._api.utc_ns())
        stored = await run_in_threadpool(self._races.race, caller, race.race_id)
        return self._respond(stored, 201 if created else 200)

    async def change(self, request: Request, race_id: str) -> Response:
        """Each change of the settings is a new edition; `edition` of what you saw keeps two people apart."""
        caller = self._api.caller(request)
        race = await run_in_threadpool(self._races.race, caller, race_id)
        if not access.may(caller, ACTION_OF["close"], race):
            access.require(caller, "race.edit", race)
        wanted: RaceChange = await body_of(request, RaceChange)
        if says_nothing(wanted):
            raise Refused(
                "Say what to change: `closed` (true or false), `closes_at` (a time, or empty for none), `rules`, "
                "or any other setting of the race."
            )
        settings = settings_of(wanted, race)
        if settings:
            seen, why, now_utc_ns = wanted.edition, wanted.why, self._api.utc_ns()
            race = await run_in_threadpool(
                lambda: self._races.change(caller, race_id, settings, now_utc_ns, edition=seen, why=why)
            )
        if wanted.closed is not None:
            race = await run_in_threadpool(self._moves.set_closed, caller, race_id, wanted.closed, self._api.utc_ns())
        return self._respond(race)

    async def delete(self, request: Request, race_id: str) -> Response:
        """It disappears for all but its organisers, who can restore it."""
        caller = self._api.caller(request)
        done = await run_in_threadpool(self._moves.move, caller, race_id, "delete", self._api.utc_ns())
        return self._respond(done.race)

    def editions(self, request: Request, race_id: str) -> Response:
        """What changed when, for everybody who sees the race."""
        kept = self._races.editions(self._api.caller(request), race_id)
        return respond([EditionShape(each.edition, utc_text(each.at_utc_ns), each.why, each.settings) for each in kept])

    async def set_picture(self, request: Request, race_id: str) -> Response:
        """It is made anew from its pixels: metadata and everything else in the file is left out."""
        caller = self._api.caller(request)
        await run_in_threadpool(self._races.check_may_edit, caller, race_id)
        content = await read_body(request, MAX_PICTURE_BYTES)
        pictures, now_utc_ns = self._api.league.pictures, self._api.utc_ns()
        race = await run_in_threadpool(pictures.set_of_race, caller, race_id, content, now_utc_ns)
        return self._respond(race)

    async def drop_picture(self, request: Request, race_id: str) -> Response:
        """The race has none then."""
        caller, pictures = self._api.caller(request), self._api.league.pictures
        race = await run_in_threadpool(pictures.set_of_race, caller, race_id, None, self._api.utc_ns())
        return self._respond(race)

    def _respond(self, race: RaceRecord, status: int = 200) -> Response:
        return respond(schemas.race_shape(race, self._api.utc_ns()), status)


def _move_call(api: LeagueApi, move: Move) -> Callable[[Request, str], Awaitable[Response]]:
    async def call(request: Request, race_id: str) -> Response:
        caller = api.caller(request)
        race = await run_in_threadpool(api.league.races.race, caller, race_id)
        access.require(caller, ACTION_OF[move], race)
        reason: MoveReason = await body_of(request, MoveReason, optional=True)
        now_utc_ns = api.utc_ns()
        done = await run_in_threadpool(api.league.moves.move, caller, race_id, move, now_utc_ns, reason.why)
        return respond(schemas.race_shape(done.race, now_utc_ns), 202 if done.waits else 200)

    return call
