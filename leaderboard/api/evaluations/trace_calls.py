"""/api/v1/farm/traces: farms bring traces. /api/v1/submissions/{id}/trace, simtrace and metrics: racers take them."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.api.bodies import BY_EITHER, BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.evaluations.farm_requests import FarmRequests
from leaderboard.api.identity import CallerIdentification
from leaderboard.evaluations.traces import MAX_TRACE_BYTES, RunTraces, read_kept
from leaderboard.web.identity import somebody
from shared.protocol.farm import FARM_PATH
from shared.traces.field_files import metrics_json, simtrace_csv

_WORDS = {
    401: "Nobody is signed in, or the key is wrong",
    403: "The key has not the scope `farm`",
    404: "No such submission for the caller, or it was not driven to its end",
    409: "The trace has another hash than the one in the address",
    422: "The body is no trace",
    503: "Busy or without its disk: the same again after Retry-After seconds",
}
_FILES = (
    ("trace", "application/octet-stream", "The trace of a submission's run: where the car was at each frame"),
    ("simtrace", "text/csv", "The run as the simulator's simtrace.csv, which racers' tools read"),
    ("metrics", "application/json", "The run as the simulator's evaluation metrics"),
)


def router(traces: RunTraces, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the traces of one store."""
    routes, calls = DescribedRouter(tags=["submissions"]), TraceCalls(traces, callers, utc_ns)
    routes.put(
        f"{FARM_PATH}/traces/{{trace_sha256}}",
        status_code=204,
        responses=refusals(401, 403, 408, 409, 413, 422, 503, words=_WORDS),
        openapi_extra={
            **json_extra(security=BY_KEY),
            "requestBody": {"required": True, "content": {"application/octet-stream": {}}},
        },
        summary="Keep the trace of a run, by its hash; the same again changes nothing",
    )(calls.keep)
    for name, kind, summary in _FILES:
        routes.get(
            f"/api/v1/submissions/{{submission_id}}/{name}",
            responses={
                200: {"content": {kind: {}}, "description": "The file"},
                **refusals(401, 403, 404, 422, words=_WORDS),
            },
            openapi_extra=json_extra(security=BY_EITHER),
            summary=summary,
            operation_id=f"submission_{name}",
        )(getattr(calls, name))
    return routes


class TraceCalls:
    """The handlers."""

    def __init__(self, traces: RunTraces, callers: CallerIdentification, utc_ns: Callable[[], int]) -> None:
        self._traces, self._callers, self._utc_ns = traces, callers, utc_ns
        self._farms = FarmRequests(callers, utc_ns)

    async def keep(self, request: Request, trace_sha256: str) -> Response:
        caller, file = await self._farms.file(request, MAX_TRACE_BYTES)
        await run_in_threadpool(self._traces.keep, caller, trace_sha256, file, self._utc_ns())
        return Response(status_code=204)

    def trace(self, request: Request, submission_id: str) -> Response:
        return _file(self._stored(request, submission_id), "application/octet-stream", f"{submission_id}.trace")

    def simtrace(self, request: Request, submission_id: str) -> Response:
        written = simtrace_csv(read_kept(self._stored(request, submission_id)), 0)
        return _file(written.encode(), "text/csv", f"{submission_id}-simtrace.csv")

    def metrics(self, request: Request, submission_id: str) -> Response:
        written = metrics_json(read_kept(self._stored(request, submission_id)))
        return _file(written.encode(), "application/json", f"{submission_id}-metrics.json")

    def _stored(self, request: Request, submission_id: str) -> bytes:
        caller = somebody(self._callers.caller(request))
        return self._traces.of_submission(caller, submission_id, self._utc_ns())


def _file(content: bytes, kind: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=kind, headers=headers)
