"""POST /api/v1/results: takes results from stations. The signature is checked on the raw body before it is parsed."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response

from leaderboard.api.bodies import json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response, read_body
from leaderboard.api.identity import CallerIdentification
from leaderboard.board import LeaderboardService
from leaderboard.config import LeaderboardLimits
from leaderboard.core.access import Caller, key_may
from leaderboard.core.errors import NotAllowed
from leaderboard.stations.sender import Sender, sender_of
from leaderboard.web.post_figures import PostFigures
from leaderboard.web.statuses import status_of
from shared import webhooks
from shared.errors import RacedayError, RetryLater
from shared.protocol.results import MAX_RESULT_BYTES, RESULT_PATH, PostAccepted, Result, decode_result
from shared.text import text

_HEADERS = {
    "webhook-id": "result_id and revision, joined by a dot: the idempotency key, constant over all attempts",
    "webhook-timestamp": "seconds since 1970 of this attempt",
    "webhook-signature": "one or more, separated by spaces: 'v1,' and base64(HMAC-SHA256(secret, id.timestamp.body))",
}
_WORDS = {
    401: "Bad signature or key, or a timestamp too far from now",
    403: "The API key is not for results of this race",
    404: "No such race (yet): nothing is stored, it may be posted again",
    409: "The same webhook-id was used with another body",
    413: f"More than {MAX_RESULT_BYTES} bytes",
    422: "Not acceptable; the sentence says why; nothing is stored",
    503: "Busy or without its disk: post the same again after Retry-After seconds",
}
_REFUSALS = refusals(401, 403, 404, 408, 409, 413, 422, 503, words=_WORDS)
_EXTRA: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "header", "required": True, "description": what, "schema": {"type": "string"}}
        for name, what in _HEADERS.items()
    ],
    **json_extra(Result),
}


def sender_by_key(program: Caller, body: bytes, stations: Mapping[bytes, str]) -> Sender:
    """The sender of a post with an API key, which is for the race that the body names. Raises NotAllowed, BadInput.

    Such a key names no station, so that stations with a secret of their own stay theirs.
    """
    race_id = decode_result(body).race_id
    if not key_may(program, "results:write", race_id):
        raise NotAllowed(text("This key may not post results of the race {race}.", race=repr(race_id[:80])))
    return Sender(named=frozenset(stations.values()) - {""})


def router(
    board: LeaderboardService,
    stations: Mapping[bytes, str],
    callers: CallerIdentification,
    limits: LeaderboardLimits,
    utc_ns: Callable[[], int],
    figures: PostFigures,
) -> APIRouter:
    """The route, over one board. `stations`: each key and its station ("": any station without a key of its own)."""
    routes, calls = DescribedRouter(tags=["results"]), ResultCalls(board, stations, callers, limits, utc_ns, figures)
    routes.post(
        RESULT_PATH,
        status_code=201,
        response_model=PostAccepted,
        responses={200: {"model": PostAccepted, "description": "Applied before: the same response"}, **_REFUSALS},
        openapi_extra=_EXTRA,
        summary="Post a qualified result",
        response_description="Applied now, and stored on disk",
    )(calls.post_result)
    return routes


class ResultCalls:
    """The handler."""

    def __init__(
        self,
        board: LeaderboardService,
        stations: Mapping[bytes, str],
        callers: CallerIdentification,
        limits: LeaderboardLimits,
        utc_ns: Callable[[], int],
        figures: PostFigures,
    ) -> None:
        self._board, self._stations, self._callers = board, stations, callers
        self._limits, self._utc_ns = limits, utc_ns
        self._keys = tuple(stations)
        self._figures = figures
        # Threads of their own: posts that wait for the disk keep no page waiting, and share its commits (GroupCommit).
        self._threads = CapacityLimiter(limits.posts_at_once)

    async def post_result(self, request: Request) -> Response:
        """Applied exactly once however often it is sent; the response is sent after it is on disk."""
        began_s, status = time.monotonic(), 500
        try:
            response = await self._posted(request)
            status = response.status_code
        except RacedayError as refusal:
            status = status_of(refusal)
            raise
        finally:
            self._figures.observe(status, time.monotonic() - began_s)
        return response

    async def _posted(self, request: Request) -> Response:
        program = self._callers.caller(request)
        if program.key_id and "results:write" not in program.key_scopes:
            raise NotAllowed(text("This key may not post results: it needs the scope {scope}.", scope="results:write"))
        # Half a body or an unsigned one takes no place from those who post results.
        body = await read_body(request, MAX_RESULT_BYTES)
        now_utc_ns = self._utc_ns()
        webhook_id, sender = self._sender(request, program, body, now_utc_ns)
        if self._figures.in_work >= self._limits.posts_at_once:
            raise RetryLater("The leaderboard is busy with other results.", after_s=1.0)
        self._figures.in_work += 1
        try:
            answer = await to_thread.run_sync(
                self._board.apply, webhook_id, body, now_utc_ns, sender, limiter=self._threads
            )
        finally:
            self._figures.in_work -= 1
        return json_response(answer.body, answer.status)

    def _sender(self, request: Request, program: Caller, body: bytes, now_utc_ns: int) -> tuple[str, Sender]:
        """The webhook-id and who posts: by a key, or by a signature over the raw body."""
        headers = request.headers
        signed = (
            headers.get("webhook-id", ""),
            headers.get("webhook-timestamp", ""),
            headers.get("webhook-signature", ""),
        )
        if program.key_id:
            return signed[0], sender_by_key(program, body, self._stations)
        webhook_id = webhooks.check(self._keys, *signed, body, now_utc_ns, self._limits.tolerance_s)
        return webhook_id, sender_of(webhooks.signers(self._keys, *signed, body), self._stations)
