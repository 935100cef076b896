"""Sends an event stream past what every other answer passes: of a stream, only the head concerns it.

With thousands of watchers, each function between a stream and its connection is called thousands of times an event.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_CONNECTION = "raceday.send"


class KeepConnectionSend:
    """ASGI middleware, the outermost: keeps the connection's own `send` for event streams."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope[_CONNECTION] = send
        await self._app(scope, receive, send)


class EventStreamResponse(Response):
    """The events until they end or the browser has gone; they come often enough that this shows soon."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        direct: Send = scope.get(_CONNECTION, send)
        gone = asyncio.create_task(_until_gone(receive))
        try:
            async with contextlib.aclosing(self._events) as events:  # type: ignore[type-var]
                async for event in events:
                    if gone.done():
                        return
                    await direct({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
