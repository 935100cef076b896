"""/api/v1/submissions/{submission_id}/trace, simtrace and metrics: a run's trace, and the field's files of it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from leaderboard.api.bodies import BY_EITHER, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.identity import CallerIdentification
from leaderboard.api.sight import SUBMITTED
from leaderboard.evaluations.run_logs import LoggedRun, RunLogs
from shared.traces.field_files import metrics_json, simtrace_csv

Run = Annotated[int | None, Query(ge=1, le=9, description="its number; absent: the run that counts")]
_WORDS = {404: "No such submission or run, or none that the caller may know of; or no trace of it was kept"}
# What is called how, of which type, and made of what.
_FILES: tuple[tuple[str, str, str], ...] = (
    ("trace", "application/octet-stream", "The trace of a run: a few kilobytes, whose hash the result names"),
    ("simtrace", "text/csv; charset=utf-8", "The run as the field's simtrace.csv"),
    ("metrics", "application/json", "The run as the field's metrics.json"),
)


def router(logs: RunLogs, callers: CallerIdentification) -> APIRouter:
    """The routes, over the runs of one store."""
    routes, calls = (
        DescribedRouter(prefix="/api/v1/submissions/{submission_id}", tags=[SUBMITTED]),
        LogCalls(logs, callers),
    )
    for name, kind, summary in _FILES:
        routes.get(
            f"/{name}",
            responses={
                200: {"content": {kind.split(";")[0]: {}}, "description": "The file"},
                **refusals(404, 422, 503, words=_WORDS | {503: "The disk of the traces refuses"}),
            },
            openapi_extra=json_extra(security=BY_EITHER),
            summary=summary,
        )(calls.sender(name, kind))
    return routes


class LogCalls:
    """The handlers."""

    def __init__(self, logs: RunLogs, callers: CallerIdentification) -> None:
        self._logs, self._callers = logs, callers

    def sender(self, name: str, kind: str) -> Callable[..., Response]:
        """The handler of one of the files."""

        def send(request: Request, submission_id: str, run: Run = None) -> Response:
            found = self._logs.run(self._callers.caller(request), submission_id, run)
            ending = {"trace": "trace", "simtrace": "csv", "metrics": "json"}[name]
            disposition = f'attachment; filename="{submission_id}-{found.run}.{ending}"'
            headers = {"cache-control": "no-store", "content-disposition": disposition}
            return Response(self._content(name, found), media_type=kind, headers=headers)

        send.__name__ = f"{name}_of_run"
        return send

    def _content(self, name: str, run: LoggedRun) -> bytes:
        if name == "trace":
            return self._logs.file(run)
        trace = self._logs.trace(run)
        text = simtrace_csv(trace, run.ended_utc_ns) if name == "simtrace" else metrics_json(trace)
        return text.encode()
