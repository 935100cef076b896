"""Holds each request to the bounds of its body before the app reads a byte of it: ASGI middleware of all web apps.

FastAPI reads a declared body before it asks who is there, so the app behind cannot be the one to check. The guard asks
who sends (`refusal`), compares the declared length, and counts what really arrives; a body that is too long, too slow
or of the wrong sender is answered, and the rest of it stays unread: `CountedHttpProtocol` then ends the connection.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.text import text
from shared.web.bodies.bounds import BodyBound, BodyBounds

_END: Message = {"type": "http.request", "body": b"", "more_body": False}
_GONE: Message = {"type": "http.disconnect"}
MAX_DIGITS = 15


@dataclass(frozen=True, slots=True)
class BodyRefusal:
    """Why a body is not taken: the HTTP status, and a sentence for whoever sent it."""

    status: int
    sentence: str


class BodyGuard:
    """ASGI middleware; the last before the routes, below whatever says who sends.

    `refusal(scope, bound)`: why this sender's body is not taken at all, None if it is. `answer(scope, refusal)`: the
    response in the form of this app.
    """

    def __init__(
        self,
        app: ASGIApp,
        bounds: BodyBounds,
        refusal: Callable[[Scope, BodyBound], Awaitable[BodyRefusal | None]],
        answer: Callable[[Scope, BodyRefusal], Awaitable[Response]],
    ) -> None:
        self._app, self._bounds, self._refusal, self._answer = app, bounds, refusal, answer
        self._in_work: Counter[BodyBound] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = declared_bytes(Headers(scope=scope)) if scope["type"] == "http" else 0
        if declared == 0:
            await self._app(scope, receive, send)
            return
        bound = self._bounds.of(scope["method"], scope["path"])
        if bound.sender == "nobody":
            await self._app(scope, _UnreadBody(receive).receive, send)
            return
        refused = await self._refusal(scope, bound) or self._too_large(declared, bound) or self._too_many(bound)
        if refused is not None:
            await self._send(refused, scope, receive, send)
            return
        self._in_work[bound] += 1
        try:
            await self._held_to(bound, scope, receive, send)
        finally:
            self._in_work[bound] -= 1

    async def _held_to(self, bound: BodyBound, scope: Scope, receive: Receive, send: Send) -> None:
        body = _BoundedBody(bound, receive, send)
        try:
            await self._app(scope, body.receive, body.send)
        except ClientDisconnect:
            if body.refusal is None:
                raise
        if body.refusal is not None and not body.begun:
            await self._send(body.refusal, scope, receive, send)

    async def _send(self, refused: BodyRefusal, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(scope, refused)
        await response(scope, receive, send)

    def _too_large(self, declared: int | None, bound: BodyBound) -> BodyRefusal | None:
        return None if declared is None or declared <= bound.max_bytes else too_large(bound)

    def _too_many(self, bound: BodyBound) -> BodyRefusal | None:
        if not bound.at_once or self._in_work[bound] < bound.at_once:
            return None
        return BodyRefusal(503, text("Another file is being received here: try again when it has arrived."))


def declared_bytes(headers: Headers) -> int | None:
    """How long the body is said to be: 0 without one, None if it ends when it ends."""
    if "transfer-encoding" in headers:
        return None
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal()):
        return None
    return int(length) if len(length) <= MAX_DIGITS else int("9" * MAX_DIGITS)


def too_large(bound: BodyBound) -> BodyRefusal:
    """The refusal of a body that is longer than its bound."""
    if bound.max_bytes < 1_000_000:
        return BodyRefusal(413, text("What is sent here has at most {max_bytes} bytes.", max_bytes=bound.max_bytes))
    limit = f"{bound.max_bytes / 1_000_000:.0f} MB"
    return BodyRefusal(413, text("The file is larger than {limit}, which is the most that is taken here.", limit=limit))


class _UnreadBody:
    """A body of which nothing is read: the app sees an empty one."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._has_ended = receive, False

    async def receive(self) -> Message:
        if self._has_ended:
            return await self._receive()
        self._has_ended = True
        return _END


class _BoundedBody:
    """Counts and times a body. Once it is refused, the app sees a client that has gone, and nobody sees its answer."""

    def __init__(self, bound: BodyBound, receive: Receive, send: Send) -> None:
        self._bound, self._receive, self._send = bound, receive, send
        self._size, self._has_ended = 0, False
        self._ends_at_s: float | None = None
        self.refusal: BodyRefusal | None = None
        self.begun = False  # the app has begun its answer

    async def receive(self) -> Message:
        if self.refusal is not None:
            return _GONE
        if self._has_ended:
            return await self._receive()
        try:
            async with asyncio.timeout(self._left_s()):
                message = await self._receive()
        except TimeoutError:
            self.refusal = BodyRefusal(408, text("What was sent did not arrive in time: send it again."))
            return _GONE
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            self._has_ended = not message.get("more_body", False)
            if self._size > self._bound.max_bytes:
                self.refusal = too_large(self._bound)
                return _GONE
        return message

    async def send(self, message: Message) -> None:
        if self.refusal is None or self.begun:
            self.begun = True
            await self._send(message)

    def _left_s(self) -> float:
        now_s = asyncio.get_running_loop().time()
        if self._ends_at_s is None:
            self._ends_at_s = now_s + self._bound.within_s
        return min(self._bound.silence_s, self._ends_at_s - now_s)
