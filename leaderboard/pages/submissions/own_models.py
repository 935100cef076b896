"""/account/models: the models of an account and its unfinished uploads, with how much room they take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from leaderboard.core.submissions.archive import MB
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.wording import minute_text
from leaderboard.scored_laps import utc_text
from leaderboard.store.submissions.model_rows import ModelRecord, UploadRecord
from leaderboard.submissions.services import SubmissionServices
from leaderboard.web.forms import PostedForm
from leaderboard.web.statuses import status_of
from shared.errors import BadInput, RacedayError, Refused, RetryLater
from shared.text import Sentence, text


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model of the account, or an upload (`upload_id`) that is not whole."""

    name: str
    sha256: str
    size: Sentence
    at: str
    at_text: str
    upload_id: str = ""


def router(services: SubmissionServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, for whoever is signed in."""
    routes, pages = APIRouter(include_in_schema=False), ModelPages(services, site, utc_ns)

    @routes.get("/account/models")
    def own(request: Request) -> Response:
        return pages.page(request)

    @routes.post("/account/models")
    def changed(request: Request, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.changed(request, form)

    return routes


class ModelPages:
    """The page and its forms."""

    def __init__(self, services: SubmissionServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> None:
        self._services, self._site, self._utc_ns = services, site, utc_ns

    def page(self, request: Request, refusal: RacedayError | None = None) -> Response:
        caller = self._site.account(request)
        own = self._services.models.own(caller)
        return self._site.page(
            request,
            "submissions/models.html",
            200 if refusal is None else status_of(refusal),
            models=[_model_view(each) for each in own.models],
            uploads=[_upload_view(each) for each in self._services.uploads.uploads(caller)],
            used=text("{used:.1f} of {max} MB", used=own.use.size_bytes / MB, max=own.max_mb),
            refusal=refusal,
        )

    def changed(self, request: Request, form: PostedForm) -> Response:
        caller, now_utc_ns = self._site.account(request), self._utc_ns()
        try:
            if form.get("what") == "cancel":
                self._services.uploads.cancel(caller, form.get("upload"), now_utc_ns)
                done = text("The upload is cancelled.")
            else:
                self._services.models.delete(caller, form.get("model"), now_utc_ns)
                done = text("The model is deleted.")
        except (Refused, BadInput, RetryLater) as refusal:
            return self.page(request, refusal)
        return self._site.done(request, "/account/models", done)


def _model_view(model: ModelRecord) -> ModelView:
    size = text("{mb:.1f} MB", mb=model.size_bytes / MB)
    at_utc_ns = model.created_utc_ns
    return ModelView(model.name, model.sha256, size, utc_text(at_utc_ns), minute_text(at_utc_ns))


def _upload_view(upload: UploadRecord) -> ModelView:
    size = text("{done:.1f} of {all:.1f} MB are here", done=upload.offset_bytes / MB, all=upload.size_bytes / MB)
    at_utc_ns = upload.touched_utc_ns
    return ModelView(upload.name, upload.sha256, size, utc_text(at_utc_ns), minute_text(at_utc_ns), upload.upload_id)
