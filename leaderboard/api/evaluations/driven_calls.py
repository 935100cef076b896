"""/api/v1/submissions/{id}/result and model: what a racer drives a result again with (`raceday verify`)."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse

from leaderboard.api.bodies import BY_EITHER, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response
from leaderboard.api.identity import CallerIdentification
from leaderboard.evaluations.replays.driven_results import DrivenResults
from leaderboard.web.identity import somebody
from shared.protocol.driven_results import DrivenResult, write_result

_WORDS = {
    401: "Nobody is signed in, or the key is wrong",
    403: "The key submits no models",
    404: "No such submission for the caller, or it was not driven to its end",
    409: "The race is not over: its seeds are told when it is closed",
    503: "Busy or without its disk: the same again after Retry-After seconds",
}


def router(results: DrivenResults, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the results of one store."""
    routes = DescribedRouter(prefix="/api/v1/submissions/{submission_id}", tags=["submissions"])
    calls = DrivenCalls(results, callers, utc_ns)
    routes.get(
        "/result",
        response_model=DrivenResult,
        responses=refusals(401, 403, 404, 409, 422, words=_WORDS),
        openapi_extra=json_extra(security=BY_EITHER),
        summary="What was driven of a submission, once its race is closed: conditions, seeds, laps, hashes of traces",
        response_description="The document that `raceday verify` drives again",
    )(calls.result)
    routes.get(
        "/model",
        responses={
            200: {"content": {"application/octet-stream": {}}, "description": "The archive, or what is kept of it"},
            **refusals(401, 403, 404, 422, 503, words=_WORDS),
        },
        openapi_extra=json_extra(security=BY_EITHER),
        summary="The archive of a submission's model, to its owner",
    )(calls.model)
    return routes


class DrivenCalls:
    """The handlers."""

    def __init__(self, results: DrivenResults, callers: CallerIdentification, utc_ns: Callable[[], int]) -> None:
        self._results, self._callers, self._utc_ns = results, callers, utc_ns

    def result(self, request: Request, submission_id: str) -> Response:
        caller = somebody(self._callers.caller(request))
        return json_response(write_result(self._results.result(caller, submission_id, self._utc_ns())).encode())

    def model(self, request: Request, submission_id: str) -> Response:
        path = self._results.model(somebody(self._callers.caller(request)), submission_id, self._utc_ns())
        return FileResponse(path, media_type="application/octet-stream", headers={"cache-control": "no-store"})
