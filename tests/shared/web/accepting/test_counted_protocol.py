"""Bodies that nobody reads, over real sockets: the answer arrives whole, and little more of the body is taken."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
import uvicorn

from shared.web.accepting import counted_protocol
from shared.web.accepting.counted_protocol import LINGER_BYTES, SHORT_BYTES
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import CountingServer, listening_socket

PATIENCE_S = 60.0  # reached only on failure
ANSWER = b"x" * 100_000
IN_BUFFERS = 16 << 20  # what the kernel may hold of a connection, at both ends


async def refuses(_scope: dict[str, Any], _receive: object, send: Any) -> None:
    """Answers without a look at the body."""
    headers = [(b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


@pytest.fixture
def port() -> Iterator[int]:
    config = uvicorn.Config(refuses, http="h11", ws="none", lifespan="off", log_level="critical")
    with listening_socket("127.0.0.1", 0) as listening:
        server = CountingServer(config, ConnectionLimits(20))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(PATIENCE_S)


def test_a_connection_goes_on_after_a_short_body_that_was_refused_before_it_came(port: int) -> None:
    """As Python's http.client sends: the head first, then the body."""
    line = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    line.connect()
    first = line.sock
    for _ in range(50):
        line.request("PATCH", "/", b"{}" * (SHORT_BYTES // 2))
        assert len(line.getresponse().read()) == len(ANSWER)
        assert line.sock is first
    line.close()


@pytest.mark.parametrize("head", [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"])
def test_of_a_long_body_little_is_taken_and_the_answer_is_whole(port: int, head: bytes, more: bytes) -> None:
    part = bytes(65_536)
    chunk = part if b"Length" in head else b"10000\r\n" + part + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: station\r\n" + more + head + b"\r\n\r\n" + chunk)
        answer = b""
        while len(answer) < len(ANSWER):  # while the body goes on, as browsers read
            line.sendall(chunk)
            received = line.recv(65_536)
            assert received
            answer += received
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 1_000_000_000:
                line.sendall(chunk)
                sent += len(chunk)
    assert answer.startswith(b"HTTP/1.1 401")
    assert sent < LINGER_BYTES + IN_BUFFERS


def test_a_client_that_sends_nothing_more_is_ended(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_protocol, "LINGER_S", 0.05)
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: station\r\nContent-Length: 1000000000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while line.recv(65_536):
                pass
