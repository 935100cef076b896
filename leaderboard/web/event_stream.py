"""Sends an event stream past what every other answer passes: of a stream, only the head concerns it.

With thousands of watchers, each function between a stream and its connection is called thousands of times an event. So
where the connection is our server's, an event is written to it as a chunk (RFC 9112, 7.1) without h11, whose state is
the same after a chunk as before it; the head and the end of the stream go through it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import RequestResponseCycle

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
        connection = connection_of(scope, direct)
        gone = asyncio.create_task(_until_gone(receive))
        try:
            async with contextlib.aclosing(self._events) as events:  # type: ignore[type-var]
                async for event in events:
                    if gone.done():
                        return
                    if connection is None:
                        await direct({"type": "http.response.body", "body": event, "more_body": True})
                        continue
                    if connection.flow.write_paused:
                        await connection.flow.drain()
                    if event and not connection.disconnected:  # an empty chunk would end the answer
                        connection.transport.write(b"%x\r\n%b\r\n" % (len(event), event))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()


def connection_of(scope: Scope, send: Send) -> RequestResponseCycle | None:
    """The connection behind `send` where chunks may be written to it: of our server, by HTTP/1.1; else None."""
    cycle = getattr(send, "__self__", None)
    return cycle if isinstance(cycle, RequestResponseCycle) and scope["http_version"] == "1.1" else None


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
