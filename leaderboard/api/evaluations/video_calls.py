"""/api/v1/submissions/{id}/video: a racer asks for the video of a run. /api/v1/farm/videos: farms make them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api.bodies import BY_EITHER, BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.evaluations.farm_requests import FarmRequests
from leaderboard.api.http import json_response
from leaderboard.api.identity import CallerIdentification
from leaderboard.core.evaluations.videos import VIDEO_WORDS, VideoState
from leaderboard.evaluations.replays.videos import RunVideos
from leaderboard.web.identity import somebody
from shared.protocol.farm import FARM_PATH, RunFailure
from shared.protocol.videos import MAX_VIDEO_BYTES, VideoWork, encode_work

_WORDS = {
    401: "Nobody is signed in, or the key is wrong",
    403: "The key has not the scope `farm`",
    404: "No such submission for the caller, or it was not driven to its end",
    410: "The claim is over: nothing changes by it",
    422: "The body is no MP4, or no failure",
    503: "Busy or without its disk: the same again after Retry-After seconds",
}


@dataclass(frozen=True, slots=True)
class VideoShape:
    """How a video stands that is not there yet."""

    state: Literal["waiting", "running", "failed"]
    sentence: str


_SHAPE = TypeAdapter(VideoShape)
_RANGE = re.compile(r"bytes=([0-9]{1,12})-([0-9]{0,12})")


def router(videos: RunVideos, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the videos of one store."""
    routes, calls = DescribedRouter(tags=["submissions"]), VideoCalls(videos, callers, utc_ns)
    routes.get(
        "/api/v1/submissions/{submission_id}/video",
        responses={
            200: {"content": {"video/mp4": {}}, "description": "The video"},
            202: {"model": VideoShape, "description": "It is not there yet: how it stands"},
            **refusals(401, 403, 404, 422, 503, words=_WORDS),
        },
        openapi_extra=json_extra(security=BY_EITHER),
        summary="The video of a submission's run; asked for the first time, a farm makes it when it has time",
    )(calls.video)
    farm = f"{FARM_PATH}/videos"
    routes.post(
        f"{farm}/claims",
        response_model=VideoWork,
        responses={204: {"description": "None waits"}, **refusals(401, 403, 503, words=_WORDS)},
        openapi_extra=json_extra(security=BY_KEY),
        summary="Claim the next video to make, for a farm that has nothing to drive",
        response_description="The trace, and what it was driven by",
        operation_id="claim_video",
    )(calls.claim)
    routes.put(
        f"{farm}/{{video_claim}}",
        status_code=204,
        responses=refusals(401, 403, 408, 410, 413, 422, 503, words=_WORDS),
        openapi_extra={
            **json_extra(security=BY_KEY),
            "requestBody": {"required": True, "content": {"video/mp4": {}}},
        },
        summary="Bring a video that was claimed",
        operation_id="bring_video",
    )(calls.bring)
    routes.post(
        f"{farm}/{{video_claim}}/fail",
        status_code=204,
        responses=refusals(401, 403, 408, 410, 413, 422, 503, words=_WORDS),
        openapi_extra=json_extra(RunFailure, BY_KEY),
        summary="Say why a video could not be made; another farm may try",
        operation_id="fail_video",
    )(calls.fail)
    return routes


class VideoCalls:
    """The handlers."""

    def __init__(self, videos: RunVideos, callers: CallerIdentification, utc_ns: Callable[[], int]) -> None:
        self._videos, self._callers, self._utc_ns = videos, callers, utc_ns
        self._farms = FarmRequests(callers, utc_ns)

    def video(self, request: Request, submission_id: str) -> Response:
        caller = somebody(self._callers.caller(request))
        video = self._videos.ask(caller, submission_id, self._utc_ns())
        if video.state != "done":
            return _stands(video.state)
        headers = {"content-disposition": f'inline; filename="{submission_id}.mp4"', "cache-control": "no-store"}
        return _ranged(request, self._videos.file(video), headers)

    def claim(self, request: Request) -> Response:
        work = self._videos.claim(self._callers.caller(request), self._utc_ns())
        return Response(status_code=204) if work is None else json_response(encode_work(work))

    async def bring(self, request: Request, video_claim: str) -> Response:
        caller, file = await self._farms.file(request, MAX_VIDEO_BYTES)
        await run_in_threadpool(self._videos.bring, caller, video_claim, file, self._utc_ns())
        return Response(status_code=204)

    async def fail(self, request: Request, video_claim: str) -> Response:
        caller, _body, failure = await self._farms.message(request, RunFailure)
        await run_in_threadpool(self._videos.fail, caller, video_claim, failure.sentence, self._utc_ns())
        return Response(status_code=204)


def _stands(state: VideoState) -> Response:
    assert state != "done"
    shape = VideoShape(state, str(VIDEO_WORDS[state]))
    return json_response(_SHAPE.dump_json(shape), 202, {"retry-after": "5"})


def _ranged(request: Request, file: bytes, headers: dict[str, str]) -> Response:
    """The file, or the one part of it that a player asks for."""
    headers = headers | {"accept-ranges": "bytes"}
    part = _RANGE.fullmatch(request.headers.get("range", ""))
    if part is None or int(part[1]) >= len(file):
        return Response(file, media_type="video/mp4", headers=headers)
    first, last = int(part[1]), min(int(part[2] or len(file)), len(file) - 1)
    headers["content-range"] = f"bytes {first}-{last}/{len(file)}"
    return Response(file[first : last + 1], 206, headers, "video/mp4")
