"""/api/v1/farm/traces: farms bring traces. /api/v1/submissions/{id}/trace, simtrace and metrics: racers take them."""

from collections.abc import Callable
from dataclasses import dataclass

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
_SUMMARIES = {
    "trace": "The trace of a submission's run: where the car was at each frame",
    "simtrace": "The run as the simulator's simtrace.csv, which racers' tools read",
    "metrics": "The run as the simulator's evaluation metrics",
}


@dataclass(frozen=True, slots=True)
class TraceFile:
    """A kind of file that is made of a stored trace: its media type, how its name ends, and what writes it."""

    kind: str
    suffix: str
    write: Callable[[bytes], bytes]

    def response(self, stored: bytes, name: str) -> Response:
        """The file as a download called `name` and its suffix."""
        headers = {
            "content-disposition": f'attachment; filename="{name}{self.suffix}"',
            "cache-control": "no-store",
        }
        return Response(self.write(stored), media_type=self.kind, headers=headers)


_FILES = {
    "trace": TraceFile("application/octet-stream", ".trace", lambda stored: stored),
    "simtrace": TraceFile("text/csv", "-simtrace.csv", lambda stored: simtrace_csv(read_kept(stored), 0).encode()),
    "metrics": TraceFile("application/json", "-metrics.json", lambda stored: metrics_json(read_kept(stored)).encode()),
}


def trace_file(name: str) -> TraceFile:
    """What the call of this name answers with: `trace`, `simtrace` or `metrics`."""
    return _FILES[name]


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
    for name, summary in _SUMMARIES.items():
        routes.get(
            f"/api/v1/submissions/{{submission_id}}/{name}",
            responses={
                200: {"content": {trace_file(name).kind: {}}, "description": "The file"},
                **refusals(401, 403, 404, 422, words=_WORDS),
            },
            openapi_extra=json_extra(security=BY_EITHER),
            summary=summary,
            operation_id=f"submission_{name}",
        )(calls.file(name))
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

    def file(self, name: str) -> Callable[..., Response]:
        """The handler of one kind of file."""
        made = trace_file(name)

        def answer(request: Request, submission_id: str) -> Response:
            caller = somebody(self._callers.caller(request))
            return made.response(self._traces.of_submission(caller, submission_id, self._utc_ns()), submission_id)

        return answer
