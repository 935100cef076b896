"""/api/v1/farm/live: turns of LIVE virtual races, claimed and reported by nodes that drive them in real time."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.evaluations.farm_requests import FarmRequests
from leaderboard.api.http import json_response
from leaderboard.api.identity import CallerIdentification
from leaderboard.evaluations.live.live_turns import LiveTurns
from shared.protocol.farm import FARM_PATH, ClaimReply, LiveHeatReport, RunFailure, RunReport, encode
from shared.protocol.farm_shows import LiveTurnAnswer, LiveTurnRequest

_WORDS = {
    401: "No key, or one that is not valid (any more)",
    403: "The key has not the scope `farm`",
    409: "Another result was reported of this launch before",
    410: "The turn is over, or another farm drives it: nothing changes by it",
    503: "Busy or without its disk: the same again after Retry-After seconds",
}
_Launch = Annotated[int, Path(ge=1, le=10_000)]


def router(service: LiveTurns, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the turns of one store."""
    routes = DescribedRouter(prefix=f"{FARM_PATH}/live", tags=["farm", "live"])
    farms = FarmRequests(callers, utc_ns)

    @routes.post(
        "/claims",
        response_model=LiveTurnAnswer,
        responses=refusals(401, 403, 408, 413, 422, 503, words=_WORDS),
        openapi_extra=json_extra(LiveTurnRequest, BY_KEY),
        summary="Claim the turn of a LIVE race that is launched, to drive it in real time",
        response_description="The turn, or when to ask again",
        operation_id="claim_live_turn",
    )
    async def claim(request: Request) -> Response:
        caller, _body, asked = await farms.message(request, LiveTurnRequest)
        return json_response(encode(await run_in_threadpool(service.claim, caller, asked, utc_ns())))

    _add_reports(routes, farms, service)
    return routes


def _add_reports(routes: DescribedRouter, farms: FarmRequests, service: LiveTurns) -> None:
    """What a turn came to: the run of one racer, those of a heat, or nothing."""

    @routes.post(
        "/{turn}/{launch}/result",
        response_model=ClaimReply,
        responses=refusals(401, 403, 408, 409, 410, 413, 422, 503, words=_WORDS),
        openapi_extra=json_extra(RunReport, BY_KEY),
        summary="Report a LIVE run that was driven; the same again has the same answer",
        response_description="What it came to",
        operation_id="report_live_run",
    )
    async def report(request: Request, turn: str, launch: _Launch) -> Response:
        return await farms.answer(request, RunReport, service.report, turn, launch)

    @routes.post(
        "/{turn}/{launch}/heat",
        response_model=ClaimReply,
        responses=refusals(401, 403, 408, 409, 410, 413, 422, 503, words=_WORDS),
        openapi_extra=json_extra(LiveHeatReport, BY_KEY),
        summary="Report a LIVE heat that was driven, the runs of both; the same again has the same answer",
        response_description="Who wins, and why",
        operation_id="report_live_heat",
    )
    async def report_heat(request: Request, turn: str, launch: _Launch) -> Response:
        return await farms.answer(request, LiveHeatReport, service.report_heat, turn, launch)

    @routes.post(
        "/{turn}/{launch}/fail",
        response_model=ClaimReply,
        responses=refusals(401, 403, 408, 410, 413, 422, 503, words=_WORDS),
        openapi_extra=json_extra(RunFailure, BY_KEY),
        summary="Report a LIVE run that came to nothing: its turn has failed, with this sentence",
        response_description="What it came to",
        operation_id="fail_live_run",
    )
    async def fail(request: Request, turn: str, launch: _Launch) -> Response:
        return await farms.answer(request, RunFailure, service.fail, turn, launch)
