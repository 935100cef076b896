"""/races/RACE/submissions, where a racer submits and watches, and /races/RACE/submissions/all for its officials."""

import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.core import access
from leaderboard.core.submissions.archive import MB
from leaderboard.core.submissions.states import SUBMISSION_STATES, SubmissionState
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.submissions.views import filters, model_choices, submission_view, submissions_left_text
from leaderboard.store.submissions.model_rows import ModelRecord
from leaderboard.submissions.service import NewSubmission
from leaderboard.submissions.services import SubmissionServices
from leaderboard.submissions.uploads import NewUpload
from leaderboard.web.forms import MAX_FORM_BYTES, PostedFile, PostedForm, read_form
from leaderboard.web.statuses import status_of
from shared.errors import BadInput, RacedayError, Refused, StorageError
from shared.text import Sentence, text

PAGE_LIMIT = 50
# What a form without a script may carry: it is in memory at once. The script sends any archive in chunks.
MAX_FORM_FILE_BYTES = 20 * MB
# What the script sends at once: small enough that a slow line has it within a proxy's minute.
CHUNK_BYTES = 4 * 1024 * 1024


def router(services: SubmissionServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes. A race in an address is one that exists for the caller: api/sight.py has asked."""
    routes = APIRouter(include_in_schema=False)
    racers, officials = SubmitPages(services, site, utc_ns), SubmissionDesk(services, site, utc_ns)
    before_this = Annotated[int | None, Query(ge=1, lt=2**63)]

    @routes.get("/races/{race_id}/submissions")
    def own(request: Request, race_id: str, before: before_this = None) -> Response:
        site.account(request)
        return racers.page(request, race_id, before)

    @routes.post("/races/{race_id}/submissions")
    async def sent(request: Request, race_id: str) -> Response:
        site.account(request)
        form = await read_form(request, MAX_FORM_FILE_BYTES + MAX_FORM_BYTES)
        return await run_in_threadpool(racers.sent, request, race_id, form)

    @routes.get("/races/{race_id}/submissions/all")
    def every(
        request: Request,
        race_id: str,
        state: Annotated[str, Query(max_length=20)] = "",
        before: before_this = None,
    ) -> Response:
        return officials.page(request, race_id, state, before)

    @routes.post("/races/{race_id}/submissions/all")
    def ruled(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return officials.ruled(request, race_id, form)

    return routes


class SubmitPages:
    """A racer's own submissions in a race, and the form for one more."""

    def __init__(self, services: SubmissionServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> None:
        self._services, self._site, self._utc_ns = services, site, utc_ns

    def page(
        self,
        request: Request,
        race_id: str,
        before: int | None = None,
        refusal: RacedayError | None = None,
        form: PostedForm | None = None,
    ) -> Response:
        caller, now_utc_ns = self._site.account(request), self._utc_ns()
        service = self._services.submissions
        found = service.submissions(caller, race_id, before=before, limit=PAGE_LIMIT, now_utc_ns=now_utc_ns)
        # Whoever has an upload under way needs the form to go on with it.
        going_on = any(each.state == "uploading" for each in found.submissions)
        closed = "" if going_on else service.why_closed(caller, race_id, now_utc_ns)
        return self._site.page(
            request,
            "submissions/submit.html",
            200 if refusal is None else status_of(refusal),
            race=found.race,
            closed=closed,
            models=model_choices(self._services.models.own(caller).models),
            left=submissions_left_text(found.left),
            submissions=[submission_view(each) for each in service.details(found, now_utc_ns)],
            older=found.submissions[-1].number if found.more else None,
            manages=access.may(caller, "submission.manage", found.race),
            max_mb=self._services.max_archive_mb,
            form_mb=MAX_FORM_FILE_BYTES // MB,
            chunk_bytes=CHUNK_BYTES,
            refusal=refusal,
            form=form or PostedForm({}),
        )

    def sent(self, request: Request, race_id: str, form: PostedForm) -> Response:
        """Submit a model, or cancel a submission."""
        try:
            done = self._cancelled(request, form) if form.get("what") == "cancel" else self._new(request, race_id, form)
        except (Refused, BadInput, StorageError) as refusal:
            return self.page(request, race_id, None, refusal, form)
        return self._site.done(request, f"/races/{race_id}/submissions", done)

    def _cancelled(self, request: Request, form: PostedForm) -> Sentence:
        caller = self._site.account(request)
        self._services.rulings.cancel(caller, form.get("submission"), "", self._utc_ns())
        return text("The submission is cancelled.")

    def _new(self, request: Request, race_id: str, form: PostedForm) -> Sentence:
        caller, file = self._site.account(request), form.files.get("file")
        sha256 = form.get("model")
        if file is not None and file.content:
            sha256 = self._uploaded(request, file, form.get("name"))
        if not sha256:
            raise BadInput(text("Choose the file of a model, or one that is here already."))
        new = NewSubmission(sha256, form.get("checkpoint"))
        made, _ = self._services.submissions.submit(caller, race_id, new, self._utc_ns())
        return text("{model} is submitted.", model=made.model_name)

    def _uploaded(self, request: Request, file: PostedFile, name: str) -> str:
        """The hash of the model that came with the form, which is there now."""
        caller, uploads = self._site.account(request), self._services.uploads
        sha256 = hashlib.sha256(file.content).hexdigest()
        wanted = NewUpload(sha256, len(file.content), name or _plain_name(file.name))
        begun = uploads.begin(caller, wanted, self._utc_ns())
        if isinstance(begun, ModelRecord):
            return sha256
        with uploads.receive(caller, begun.upload_id, begun.offset_bytes) as chunk:
            chunk.write(file.content[begun.offset_bytes :])
            chunk.finish(self._utc_ns())
        return sha256


class SubmissionDesk:
    """All submissions of a race, for its organiser and officials."""

    def __init__(self, services: SubmissionServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> None:
        self._service, self._rulings = services.submissions, services.rulings
        self._site, self._utc_ns = site, utc_ns

    def page(
        self, request: Request, race_id: str, state: str, before: int | None, refusal: RacedayError | None = None
    ) -> Response:
        caller, now_utc_ns = self._site.account(request), self._utc_ns()
        wanted: SubmissionState | None = next((each for each in SUBMISSION_STATES if each == state), None)
        found = self._service.submissions(
            caller, race_id, every=True, state=wanted, before=before, limit=PAGE_LIMIT, now_utc_ns=now_utc_ns
        )
        return self._site.page(
            request,
            "submissions/desk.html",
            200 if refusal is None else status_of(refusal),
            race=found.race,
            state=wanted or "",
            filters=filters(self._service.counts(caller, race_id)),
            submissions=[submission_view(each) for each in self._service.details(found, now_utc_ns)],
            older=found.submissions[-1].number if found.more else None,
            rules=access.may(caller, "attempt.rule", found.race),
            refusal=refusal,
        )

    def ruled(self, request: Request, race_id: str, form: PostedForm) -> Response:
        caller, one, why = self._site.account(request), form.get("submission"), form.get("why")
        try:
            if form.get("what") == "cancel":
                self._rulings.cancel(caller, one, why, self._utc_ns())
                done = text("The submission is cancelled.")
            elif form.get("what") == "rerun":
                self._rulings.rerun(caller, one, why, self._utc_ns())
                done = text("The submission is driven once more.")
            else:
                self._rulings.disqualify(caller, one, why, self._utc_ns())
                done = text("The submission is disqualified.")
        except (Refused, BadInput) as refusal:
            return self.page(request, race_id, "", None, refusal)
        return self._site.done(request, f"/races/{race_id}/submissions/all", done)


def _plain_name(file_name: str) -> str:
    """What a model is called whose sender says nothing: its file without folders and endings."""
    name = file_name.replace("\\", "/").rpartition("/")[2]
    for end in (".gz", ".tgz", ".tar", ".zip", ".onnx"):
        name = name.removesuffix(end)
    return "".join(sign for sign in name if sign.isprintable()).strip()[:100] or "model"
