"""/api/v1/farm/heats: heats of brackets that farms drive, two models in one world."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.evaluations.farm_requests import FarmRequests
from leaderboard.api.http import json_response
from leaderboard.api.identity import CallerIdentification
from leaderboard.evaluations.brackets.heats import DrivenHeats
from shared.protocol.farm import FARM_PATH, ClaimReply, RunFailure, encode
from shared.protocol.farm_shows import HeatAnswer, HeatReport, HeatRequest

_WORDS = {
    401: "No key, or one that is not valid (any more)",
    403: "The key has not the scope `farm`",
    409: "The heat has another result, is not one that farms drive, or its race was changed meanwhile",
    503: "Busy or without its disk: the same again after Retry-After seconds",
}


def router(service: DrivenHeats, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the heats of one store."""
    routes = DescribedRouter(prefix=f"{FARM_PATH}/heats", tags=["farm", "brackets"])
    farms = FarmRequests(callers, utc_ns)

    @routes.post(
        "/claims",
        response_model=HeatAnswer,
        responses=refusals(401, 403, 408, 413, 422, 503, words=_WORDS),
        openapi_extra=json_extra(HeatRequest, BY_KEY),
        summary="Claim a heat of a bracket, to drive its two models against each other",
        response_description="The heat, or when to ask again",
        operation_id="claim_heat",
    )
    async def claim(request: Request) -> Response:
        caller, _body, asked = await farms.message(request, HeatRequest)
        return json_response(encode(await run_in_threadpool(service.claim, caller, asked, utc_ns())))

    @routes.post(
        "/{bracket_id}/{number}/result",
        response_model=ClaimReply,
        responses=refusals(401, 403, 408, 409, 413, 422, 503, words=_WORDS),
        openapi_extra=json_extra(HeatReport, BY_KEY),
        summary="Report a heat that was driven; the same again has the same answer",
        response_description="Who wins",
        operation_id="report_heat",
    )
    async def report(request: Request, bracket_id: str, number: int) -> Response:
        return await farms.answer(request, HeatReport, service.report, bracket_id, number)

    @routes.post(
        "/{bracket_id}/{number}/fail",
        response_model=ClaimReply,
        responses=refusals(401, 403, 408, 409, 413, 422, 503, words=_WORDS),
        openapi_extra=json_extra(RunFailure, BY_KEY),
        summary="Report a heat that came to nothing: it is given out again, three times in all",
        response_description="What it came to",
        operation_id="fail_heat",
    )
    async def fail(request: Request, bracket_id: str, number: int) -> Response:
        return await farms.answer(request, RunFailure, service.fail, bracket_id, number)

    return routes
