"""Bodies with a limit, refusals as `{"error": sentence}`, and the headers that every answer carries."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leaderboard.board import error_body
from leaderboard.domain import Conflict, UnknownRace
from shared.errors import BadInput, RacedayError, Refused, RetryLater, StorageError
from shared.protocol.results import CONTRACT, CONTRACT_HEADER, RACES_PATH, RESULT_PATH
from shared.web.refusal_log import Refusals, log_refusal
from shared.webhooks import BadSignature

_BODY_WITHIN_S = 10.0
_LOG = logging.getLogger("leaderboard")

# Pages hold only what we serve ourselves; nobody frames them, no form leaves them.
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}

_FOR_GOOD = "public, max-age=31536000, immutable"


class Unauthorized(RacedayError):
    """An admin call without the admin's token."""


class BodyTooLarge(RacedayError):
    """The body is larger than any that we read."""


class BodyTooSlow(RacedayError):
    """The body did not arrive in time."""


# The first that fits decides; whoever must wait is told how long.
_STATUSES: tuple[tuple[type[RacedayError], int], ...] = (
    (Unauthorized, 401),
    (BadSignature, 401),
    (BodyTooLarge, 413),
    (BodyTooSlow, 408),
    (UnknownRace, 404),
    (Conflict, 409),
    (Refused, 422),
    (BadInput, 422),
    (StorageError, 503),
    (RetryLater, 503),
)


async def read_body(request: Request, most_bytes: int) -> bytes:
    """The whole body, as sent. Raises BodyTooLarge, BodyTooSlow."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 12 or int(declared) > most_bytes:
        raise BodyTooLarge(f"The body is larger than {most_bytes} bytes.")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                if size > most_bytes:
                    raise BodyTooLarge(f"The body is larger than {most_bytes} bytes.")
    except ClientDisconnect:
        raise BodyTooSlow("The body broke off.") from None
    except TimeoutError:
        raise BodyTooSlow(f"The body did not arrive within {_BODY_WITHIN_S:.0f} s.") from None
    return b"".join(parts)


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Bytes that are JSON already."""
    return Response(body, status, headers, media_type="application/json")


def refuse_plainly(app: FastAPI, missing_page: Callable[[str], str]) -> None:
    """Every error that the app can meet becomes one sentence; a bug is logged and says nothing of itself.

    `missing_page(sentence)` is the HTML of an address that is none.
    """

    async def ours(request: Request, error: Exception) -> Response:
        if isinstance(error, UnknownRace) and _wants_page(request):
            return HTMLResponse(missing_page(str(error)), 404)
        status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
        headers = {"retry-after": _retry_after(error)} if status == 503 else {}
        if isinstance(error, Unauthorized):
            headers["www-authenticate"] = "Bearer"
        if isinstance(error, StorageError):
            _LOG.error("%s", error)
        return json_response(error_body(error), status, headers)

    async def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404 and _wants_page(request):
            return HTMLResponse(missing_page("There is no such page."), 404)
        return json_response(error_body(Refused(f"{error.detail}.")), error.status_code, error.headers)

    async def malformed(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        return json_response(error_body(Refused(f"{first['loc'][-1]!r} is not valid: {first['msg']}.")), 422)

    async def bug(_request: Request, _error: Exception) -> Response:
        return json_response(error_body(Refused("The leaderboard failed at this request; its log tells why.")), 500)

    app.add_exception_handler(RacedayError, ours)
    app.add_exception_handler(HTTPException, unknown)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(Exception, bug)


def _wants_page(request: Request) -> bool:
    return request.method == "GET" and not request.url.path.startswith("/api/") and request.url.path != "/healthz"


def _retry_after(error: Exception) -> str:
    after_s = error.after_s if isinstance(error, RetryLater) else None
    return str(max(1, round(after_s or 5.0)))


class SafeHeaders:
    """ASGI layer that adds the headers above; it touches no body, so that streams flow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._refusals = Refusals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                log_refusal(self._refusals, scope, message["status"], time.monotonic())
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                # A static address with its content's hash never changes its meaning; all else is of this moment.
                kept = scope["path"].startswith("/static/") and scope["query_string"].startswith(b"v=")
                headers.setdefault("cache-control", _FOR_GOOD if kept else "no-store")
                if scope["path"] == RESULT_PATH or scope["path"].startswith(f"{RACES_PATH}/"):
                    headers.setdefault(CONTRACT_HEADER, CONTRACT)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
