"""uvicorn's HTTP/1.1 for one connection that is counted: it reports its stage, and reads no body that nobody wants.

Made by `CountingServer` (server.py) for each connection that the `Acceptor` hands over.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.web.connection_limits import Stage, WebConnection

LINGER_S = 2.0  # from an answer before the end of the body to the end of the connection
SHORT_BYTES = 16_384  # of a refused body that often comes just after its head
LINGER_BYTES = 2 << 20  # dropped meanwhile as they arrive: about what the kernel holds of a connection anyway


class CountedHttpProtocol(H11Protocol):
    """Ends the connection where an answer came before the end of the body: uvicorn would read all the rest of it."""

    connection: WebConnection
    on_closed: Callable[[WebConnection], None]
    _bytes_to_drop: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_LingeringTransport(transport, self._leave_unread))  # type: ignore[arg-type]
        self.connection.close = transport.abort
        if self.connection.group is None:  # closed while it was on its way here
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.on_closed(self.connection)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._bytes_to_drop is not None:
            self._bytes_to_drop -= len(data)
            if self._bytes_to_drop < 0:
                self.transport.abort()
            return
        super().data_received(data)
        self._report_stage()

    def on_response_complete(self) -> None:
        self.connection.enter_stage("resting", time.monotonic())
        if self._rest_is_short() or not self._leave_unread():
            super().on_response_complete()
            self._report_stage()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.connection.unread_since_s = time.monotonic()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.connection.unread_since_s = None

    def _rest_is_short(self) -> bool:
        """Is what is still to come of a body at most SHORT_BYTES? Then it is dropped, and the connection goes on."""
        named = dict(self.headers or ())
        length = named.get(b"content-length", b"")
        return b"transfer-encoding" not in named and length.isdigit() and int(length[:12]) <= SHORT_BYTES

    def _leave_unread(self) -> bool:
        """Is the body left unread? Then the connection ends, a moment after its answer.

        A socket that is closed with bytes unread is reset, and a reset takes the answer from a client that has not read
        it yet (RFC 9112, 9.6): so our half is closed, and what still arrives is dropped for a while.
        """
        if self._bytes_to_drop is None:
            if self.conn.their_state is not h11.SEND_BODY:
                return False
            self._bytes_to_drop = LINGER_BYTES
            self.cycle.body = bytearray()
            self.flow.resume_reading()
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self.loop.call_later(LINGER_S, self.transport.abort)
        return True

    def _report_stage(self) -> None:
        self.connection.enter_stage(self._stage(), time.monotonic())

    def _stage(self) -> Stage:
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return "waiting" if cycle is None else "resting"
        return "sending" if cycle.more_body else "served"


class _LingeringTransport:
    """A transport that is not closed while `leaves_unread()` says that it ends by itself in a moment."""

    def __init__(self, transport: asyncio.Transport, leaves_unread: Callable[[], bool]) -> None:
        self._transport, self._leaves_unread = transport, leaves_unread

    def close(self) -> None:
        if not self._leaves_unread():
            self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
