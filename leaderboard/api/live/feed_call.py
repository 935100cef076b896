"""POST /api/v1/races/{race_id}/live: what whoever times tells of the track, a few times a second."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api.bodies import json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response, read_body
from leaderboard.api.identity import CallerIdentification
from leaderboard.api.live import shapes
from leaderboard.api.live.shapes import LiveAnswerShape
from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import NotAllowed, Unauthorized
from leaderboard.live_races.service import LiveRaces
from leaderboard.stations.sender import Sender, sender_of
from shared import webhooks
from shared.errors import Refused
from shared.protocol.live import LIVE_PER_SECOND, MAX_LIVE_BYTES, LiveMessage, decode_live

_ANSWER = TypeAdapter(LiveAnswerShape)
_WORDS = {
    401: "Neither a good signature nor a key",
    403: "The key has neither the scope `live:write` nor `farm` for this race",
    404: "No such race",
    413: f"More than {MAX_LIVE_BYTES} bytes",
    429: f"More than {LIVE_PER_SECOND} a second: again after Retry-After seconds",
    503: "Busy or without its disk: send the next message instead",
}
_REFUSALS = refusals(401, 403, 404, 408, 413, 422, 429, 503, words=_WORDS)
_HEADERS = {
    "webhook-id": "`live.BOOT.SEQ`",
    "webhook-timestamp": "seconds since 1970 of this message",
    "webhook-signature": "'v1,' and base64(HMAC-SHA256(secret, id.timestamp.body)); absent with a key",
}
_EXTRA: dict[str, Any] = {
    "security": [{}, {"admin": []}],
    "parameters": [
        {"name": name, "in": "header", "required": False, "description": what, "schema": {"type": "string"}}
        for name, what in _HEADERS.items()
    ],
    **json_extra(LiveMessage),
}


def router(
    live: LiveRaces,
    callers: CallerIdentification,
    stations: Mapping[bytes, str],
    tolerance_s: int,
    utc_ns: Callable[[], int],
) -> APIRouter:
    """The route. `stations`: each key and its station ("": any station without a key of its own)."""
    # "results" too: a signature proves that the race is the station's to tell of (api/sight.py).
    routes = DescribedRouter(tags=["live", "results"])

    @routes.post(
        "/api/v1/races/{race_id}/live",
        response_model=LiveAnswerShape,
        responses=_REFUSALS,
        openapi_extra=_EXTRA,
        summary="Say what happens on the track now",
        response_description="Taken; the answer says what is wanted on the track",
    )
    async def post_live(request: Request, race_id: str) -> Response:
        """The newest message of a sender wins, whatever the order of arrival; only the last one is held."""
        body = await read_body(request, MAX_LIVE_BYTES)
        now_utc_ns = utc_ns()
        if "webhook-signature" in request.headers:
            sender = _signer(request, body, stations, tolerance_s, now_utc_ns)
            message = _message(body, race_id)
            sender.check(message.station)
            who = f"station:{message.station}"
        else:
            caller = await run_in_threadpool(callers.caller, request)
            _check_key(caller, race_id)
            # A farm drives private races too, as what is submitted to them.
            if not caller.has("admin") and not access.key_may(caller, "farm", race_id):
                await run_in_threadpool(live.race_for, caller, race_id)
            message = _message(body, race_id)
            who = f"key:{caller.key_id}:{message.station}"
        answer = await run_in_threadpool(live.receive, who, message, now_utc_ns)
        return json_response(_ANSWER.dump_json(shapes.answer_shape(answer)))

    return routes


def _signer(request: Request, body: bytes, stations: Mapping[bytes, str], tolerance_s: int, now_utc_ns: int) -> Sender:
    """Who signed the body. Raises BadSignature."""
    headers = request.headers
    webhook_id, signatures = headers.get("webhook-id", ""), headers.get("webhook-signature", "")
    timestamp, keys = headers.get("webhook-timestamp", ""), tuple(stations)
    webhooks.check(keys, webhook_id, timestamp, signatures, body, now_utc_ns, tolerance_s)
    return sender_of(webhooks.signers(keys, webhook_id, timestamp, signatures, body), stations)


def _check_key(caller: Caller, race_id: str) -> None:
    # Who drives the runs of a virtual race tells of them too.
    if access.key_may(caller, "live:write", race_id) or access.key_may(caller, "farm", race_id):
        return
    if not caller.key_id and not caller.signed_in:
        raise Unauthorized("A live message needs a signature (webhook-signature), or a key with the scope live:write.")
    raise NotAllowed("This needs a key with the scope `live:write` for this race.")


def _message(body: bytes, race_id: str) -> LiveMessage:
    message = decode_live(body)
    if message.race_id != race_id:
        raise Refused(f"The message is of the race {message.race_id[:80]!r}, the address names {race_id[:80]!r}.")
    return message
