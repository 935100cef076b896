"""/races/RACE/submissions/ID/video: a racer has the video of a run made, watches and downloads it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from leaderboard.core.evaluations.videos import VIDEO_WORDS
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.replays.videos import RunVideos
from leaderboard.pages.site import LeaderboardSite
from leaderboard.store.submissions.submission_rows import UnknownSubmission
from leaderboard.submissions.service import SubmissionService
from leaderboard.web.forms import PostedForm
from leaderboard.web.statuses import status_of
from shared.errors import RacedayError, Refused
from shared.text import recorded


def router(
    videos: RunVideos, submissions: SubmissionService, site: LeaderboardSite, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes. A race in an address is one that exists for the caller: api/sight.py has asked."""
    routes = APIRouter(include_in_schema=False)
    pages = VideoPages(videos, submissions, site, utc_ns)

    @routes.get("/races/{race_id}/submissions/{submission_id}/video")
    def shown(request: Request, race_id: str, submission_id: str) -> Response:
        return pages.page(request, race_id, submission_id)

    @routes.post("/races/{race_id}/submissions/{submission_id}/video")
    def asked(
        request: Request, race_id: str, submission_id: str, _form: Annotated[PostedForm, Depends(site.form)]
    ) -> Response:
        return pages.asked(request, race_id, submission_id)

    return routes


class VideoPages:
    """The page of one submission's video."""

    def __init__(
        self, videos: RunVideos, submissions: SubmissionService, site: LeaderboardSite, utc_ns: Callable[[], int]
    ) -> None:
        self._videos, self._submissions, self._site, self._utc_ns = videos, submissions, site, utc_ns

    def page(self, request: Request, race_id: str, submission_id: str, refusal: RacedayError | None = None) -> Response:
        """How the video stands: to be asked for, on its way, or to be watched. Raises UnknownSubmission."""
        one = self._submission(request, race_id, submission_id)
        video = self._videos.found(self._site.account(request), submission_id, self._utc_ns())
        return self._site.page(
            request,
            "replay/video.html",
            200 if refusal is None else status_of(refusal),
            race_id=race_id,
            one=one,
            video=video,
            words="" if video is None else VIDEO_WORDS[video.state],
            reason="" if video is None else recorded(video.reason),
            refusal=refusal,
        )

    def asked(self, request: Request, race_id: str, submission_id: str) -> Response:
        """Have it made."""
        self._submission(request, race_id, submission_id)
        try:
            self._videos.ask(self._site.account(request), submission_id, self._utc_ns())
        except Refused as refusal:
            return self.page(request, race_id, submission_id, refusal)
        return self._site.done(request, f"/races/{race_id}/submissions/{submission_id}/video")

    def _submission(self, request: Request, race_id: str, submission_id: str) -> ModelSubmission:
        caller = self._site.account(request)
        one = self._submissions.submission(caller, submission_id, self._utc_ns()).submission
        if one.race_id != race_id:
            raise UnknownSubmission.of(submission_id)
        return one
