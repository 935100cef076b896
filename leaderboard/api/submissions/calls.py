"""/api/v1/races/{race_id}/submissions and /api/v1/submissions: submit a model, see how it stands, rule on it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.bodies import BY_EITHER, BY_KEY, json_extra, shaped
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import read_body
from leaderboard.api.identity import CallerIdentification
from leaderboard.api.sight import SUBMITTED
from leaderboard.api.submissions.shapes import (
    ModelToSubmit,
    SubmissionDetailShape,
    SubmissionListShape,
    SubmissionReason,
    SubmissionShape,
    detail_shape,
    list_shape,
    submission_shape,
)
from leaderboard.core.submissions.states import SubmissionMove, SubmissionState
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.submissions.eligibility import submitter_of
from leaderboard.submissions.service import NewSubmission
from leaderboard.submissions.services import SubmissionServices
from leaderboard.web.identity import somebody

_MAX_JSON = 4096
_WORDS = {
    401: "Nobody is signed in, or the key is wrong",
    403: "The caller may not do this here",
    404: "No such race, submission or model, or none that the caller may know of",
    409: "The Idempotency-Key stood for another submission",
    422: "Not acceptable: the race takes none, no attempt is left, or the state forbids it; the sentence says so",
}
_REFUSALS = refusals(401, 403, 404, 422, words=_WORDS)
_RULINGS: tuple[tuple[SubmissionMove, str], ...] = (
    ("cancel", "Cancel a submission that is not decided: one's own, or as an official with a reason"),
    ("rerun", "Have a submission driven once more, as an official with a reason"),
    ("disqualify", "Disqualify a submission, with the attempt that it became"),
)


def router(services: SubmissionServices, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the submissions of one store."""
    routes = DescribedRouter(prefix="/api/v1", tags=[SUBMITTED])
    calls = SubmissionCalls(services, callers, utc_ns)
    routes.post(
        "/races/{race_id}/submissions",
        status_code=201,
        response_model=SubmissionShape,
        responses={
            200: {"model": SubmissionShape, "description": "This request was made before: its submission as it stands"},
            **refusals(401, 403, 404, 409, 422, words=_WORDS),
        },
        openapi_extra=json_extra(ModelToSubmit, BY_EITHER),
        summary="Submit a model of yours to a virtual race that you entered",
        response_description="Submitted",
    )(calls.submit)
    routes.get(
        "/races/{race_id}/submissions",
        response_model=SubmissionListShape,
        responses=_REFUSALS,
        openapi_extra=json_extra(security=BY_EITHER),
        summary="One's own submissions in a race; with `every`, to its organiser and officials, those of all racers",
        response_description="Submissions as they stand",
    )(calls.listed)
    routes.get(
        "/submissions/{submission_id}",
        response_model=SubmissionDetailShape,
        responses=_REFUSALS,
        openapi_extra=json_extra(security=BY_EITHER),
        summary="A submission with its history, its place in the queue, and what its racer has left",
        response_description="The submission as it stands",
    )(calls.shown)
    for what, summary in _RULINGS:
        routes.post(
            f"/submissions/{{submission_id}}/{what}",
            response_model=SubmissionShape,
            responses=_REFUSALS,
            openapi_extra=json_extra(SubmissionReason, BY_KEY, required=what != "cancel"),
            summary=summary,
            response_description="The submission as it stands now",
            operation_id=f"{what}_submission",
        )(calls.ruling(what))
    return routes


class SubmissionCalls:
    """The handlers."""

    def __init__(self, services: SubmissionServices, callers: CallerIdentification, utc_ns: Callable[[], int]) -> None:
        self._service, self._rulings = services.submissions, services.rulings
        self._callers, self._utc_ns = callers, utc_ns

    async def submit(
        self,
        request: Request,
        race_id: str,
        idempotency_key: Annotated[
            str, Header(max_length=100, description="your own id of this request: repeated, it submits nothing twice")
        ] = "",
    ) -> Response:
        caller = self._callers.caller(request)
        submitter_of(caller)
        wanted: ModelToSubmit = schemas.parse(await read_body(request, _MAX_JSON), ModelToSubmit)
        new = NewSubmission(wanted.model_sha256, wanted.checkpoint.strip(), idempotency_key.strip())
        made, is_new = await run_in_threadpool(self._service.submit, caller, race_id, new, self._utc_ns())
        return shaped(submission_shape(made), 201 if is_new else 200)

    def listed(
        self,
        request: Request,
        race_id: str,
        every: Annotated[bool, Query(description="those of all racers")] = False,
        state: Annotated[SubmissionState | None, Query(description="only those in this state")] = None,
        after: Annotated[int | None, Query(ge=1, lt=2**63, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Response:
        found = self._service.submissions(
            self._callers.caller(request),
            race_id,
            every=every,
            state=state,
            before=after,
            limit=limit,
            now_utc_ns=self._utc_ns(),
        )
        return shaped(list_shape(found))

    def shown(self, request: Request, submission_id: str) -> Response:
        caller = somebody(self._callers.caller(request))
        return shaped(detail_shape(self._service.submission(caller, submission_id, self._utc_ns())))

    def ruling(self, what: SubmissionMove) -> Callable[..., object]:
        """The handler of this move."""
        move: Callable[..., ModelSubmission] = getattr(self._rulings, what)

        async def ruled(request: Request, submission_id: str) -> Response:
            caller = somebody(self._callers.caller(request))
            await run_in_threadpool(self._rulings.check_may, caller, submission_id, what)
            wanted: SubmissionReason = schemas.parse(await read_body(request, _MAX_JSON) or b"{}", SubmissionReason)
            after = await run_in_threadpool(move, caller, submission_id, wanted.why, self._utc_ns())
            return shaped(submission_shape(after))

        return ruled
