"""/api/v1/brackets: seeded from a race, run heat by heat."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.seasons.bracket_shapes import BracketShape, HeatOutcome, HeatRerun, NewBracket, bracket_shape
from leaderboard.api.seasons.calls import SeasonApi, as_json, parsed_body
from leaderboard.core.access import NOBODY
from leaderboard.core.errors import NotAllowed, Unauthorized
from leaderboard.core.seasons.bracket import HeatResult
from leaderboard.seasons.brackets import BracketNow, WantedBracket
from shared.text import text

_ID = Query(max_length=64)


def router(api: SeasonApi) -> APIRouter:
    """The routes."""
    routes = DescribedRouter(prefix="/api/v1/brackets", tags=["brackets"])
    answers = refusals(401, 403, 404, 409, 413, 422)
    calls = BracketCalls(api)
    routes.get(
        "",
        response_model=list[BracketShape],
        responses=refusals(422),
        summary="The brackets of a race or of a season, or all",
        response_description="The brackets, the newest first",
    )(calls.brackets)
    routes.get(
        "/{bracket_id}",
        response_model=BracketShape,
        responses=refusals(404),
        summary="One bracket with its heats",
        response_description="The bracket as it stands",
    )(calls.bracket)
    routes.post(
        "",
        status_code=201,
        response_model=BracketShape,
        responses=answers,
        openapi_extra=json_extra(NewBracket, BY_KEY),
        summary="Seed a bracket from the standing of a race",
        response_description="Created",
    )(calls.create)
    routes.post(
        "/{bracket_id}/heats/{number}",
        response_model=BracketShape,
        responses=answers,
        openapi_extra=json_extra(HeatOutcome, BY_KEY),
        summary="Enter the result of a heat",
        response_description="The bracket as it stands then",
    )(calls.enter)
    routes.post(
        "/{bracket_id}/heats/{number}/rerun",
        response_model=BracketShape,
        responses=answers,
        openapi_extra=json_extra(HeatRerun, BY_KEY),
        summary="Take back the result of a heat, so that it is run again",
        response_description="The bracket as it stands then",
    )(calls.rerun)
    return routes


class BracketCalls:
    """The handlers."""

    def __init__(self, api: SeasonApi) -> None:
        self._api, self._brackets = api, api.seasons.brackets

    def brackets(self, request: Request, race: Annotated[str, _ID] = "", season: Annotated[str, _ID] = "") -> Response:
        found = self._brackets.brackets(self._api.caller(request), race, season)
        return as_json(list[BracketShape], [bracket_shape(each) for each in found])

    def bracket(self, request: Request, bracket_id: str) -> Response:
        return _shown(self._brackets.bracket(self._api.caller(request), bracket_id))

    async def create(self, request: Request) -> Response:
        caller = self._api.caller(request)
        # Whether the caller may, the service says once it knows the race.
        if caller == NOBODY:
            raise Unauthorized(text("This needs you to sign in, or the header `Authorization: Bearer` with a key."))
        if not caller.signed_in and not caller.has("admin"):
            raise NotAllowed(text("You may not do this here: it needs another role."))
        body: NewBracket = await parsed_body(request, NewBracket)
        wanted = WantedBracket(
            body.race_id, body.name, body.size, body.elimination, body.byes, body.third, body.table, body.driven
        )
        return _shown(await run_in_threadpool(self._brackets.create, caller, wanted, self._api.utc_ns()), 201)

    async def enter(self, request: Request, bracket_id: str, number: int) -> Response:
        await self._check(request, bracket_id)
        body: HeatOutcome = await parsed_body(request, HeatOutcome)
        result = HeatResult(body.winner, body.first_score_ms, body.second_score_ms)
        caller, now_utc_ns = self._api.caller(request), self._api.utc_ns()
        return _shown(
            await run_in_threadpool(self._brackets.enter, caller, bracket_id, number, result, now_utc_ns, body.edition)
        )

    async def rerun(self, request: Request, bracket_id: str, number: int) -> Response:
        await self._check(request, bracket_id)
        body: HeatRerun = await parsed_body(request, HeatRerun)
        caller, now_utc_ns = self._api.caller(request), self._api.utc_ns()
        return _shown(
            await run_in_threadpool(
                self._brackets.rerun, caller, bracket_id, number, body.why, now_utc_ns, body.edition
            )
        )

    async def _check(self, request: Request, bracket_id: str) -> None:
        await run_in_threadpool(self._brackets.check_may_run, self._api.caller(request), bracket_id)


def _shown(now: BracketNow, status: int = 200) -> Response:
    return as_json(BracketShape, bracket_shape(now), status)
