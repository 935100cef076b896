"""Events reach a browser as they were made: as chunks written to the connection itself, or by the server's own way."""

import http.client
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Scope, Send

from leaderboard.web import event_stream
from leaderboard.web.event_stream import EventStreamResponse, KeepConnectionSend
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import BackgroundServer, CountingServer, listening_socket, server_config

EVENTS = [b"retry: 2000\n\n", b"", "data: Zoë\n\n".encode(), b"data: " + b"x" * 300_000 + b"\n\n", b"data: last\n\n"]


async def _events() -> AsyncIterator[bytes]:
    for each in EVENTS:
        yield each


async def _stream(_request: Request) -> EventStreamResponse:
    return EventStreamResponse(_events())


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each stream, whether it was written to the connection itself."""
    found: list[bool] = []
    asked = event_stream.connection_of

    def connection_of(scope: Scope, send: Send) -> object:
        connection = asked(scope, send)
        found.append(connection is not None)
        return connection

    monkeypatch.setattr(event_stream, "connection_of", connection_of)
    return found


def _served(wrapped: bool) -> Iterator[int]:
    app = Starlette(routes=[Route("/events", _stream)])
    listening = listening_socket("127.0.0.1", 0)
    config = server_config(KeepConnectionSend(app) if wrapped else app)
    server = BackgroundServer("events", CountingServer(config, ConnectionLimits(20)), listening, lambda: None)
    server.start()
    yield server.port
    server.close()


@pytest.fixture
def port() -> Iterator[int]:
    yield from _served(wrapped=True)


@pytest.fixture
def plain_port() -> Iterator[int]:
    yield from _served(wrapped=False)


def test_events_are_chunks_of_the_connection_and_the_next_request_follows_on_it(port: int, direct: list[bool]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(2):
        connection.request("GET", "/events")
        answer = connection.getresponse()
        assert answer.headers["transfer-encoding"] == "chunked"
        assert answer.read() == b"".join(EVENTS)
    connection.close()
    assert direct == [True, True]


def test_an_old_client_gets_them_without_chunks(port: int, direct: list[bool]) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as line:
        line.sendall(b"GET /events HTTP/1.0\r\n\r\n")
        got = b""
        while data := line.recv(65_536):
            got += data
    assert got.partition(b"\r\n\r\n")[2] == b"".join(EVENTS)
    assert direct == [False]


def test_another_server_sends_them_its_own_way(plain_port: int, direct: list[bool]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", plain_port, timeout=20)
    connection.request("GET", "/events")
    assert connection.getresponse().read() == b"".join(EVENTS)
    connection.close()
    assert direct == [False]
