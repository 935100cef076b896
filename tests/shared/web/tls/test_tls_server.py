"""One port for http and https over real sockets: an unfinished handshake takes nobody's place."""

import contextlib
import pathlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

import shared.web.accepting.acceptor
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import CountingServer, listening_socket
from tests.shared.web.tls.served_tls import protection

PATIENCE_S = 60.0  # reached only on failure
REQUEST = b"POST /stop HTTP/1.1\r\nHost: station\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
BEGUN = b"\x16\x03\x01\x02\x00\x01"  # how a ClientHello begins
STRANGER = "127.0.0.2"


async def scheme(scope: dict[str, Any], _receive: object, send: Any) -> None:
    body = scope["scheme"].encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@dataclass(frozen=True)
class Served:
    """A server, its port, and a client's trust in its authority."""

    server: CountingServer
    port: int
    trust: ssl.SSLContext

    def ask(self, *, protected: bool, source: str = "127.0.0.1") -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S, source_address=(source, 0)) as plain:
            context = self.trust.wrap_socket(plain, server_hostname="localhost") if protected else plain
            with context as line:
                line.sendall(REQUEST)
                answer = b""
                while part := line.recv(4096):
                    answer += part
                return answer.rpartition(b"\r\n\r\n")[2]


@contextlib.contextmanager
def serving(folder: pathlib.Path, limits: ConnectionLimits) -> Iterator[Served]:
    tls = protection(folder)
    config = uvicorn.Config(scheme, http="h11", ws="none", lifespan="off", log_level="critical")
    trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    with listening_socket("127.0.0.1", 0) as listening:
        server = CountingServer(config, limits, lambda address: address == "127.0.0.1", (b"POST /stop",), tls)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield Served(server, listening.getsockname()[1], trust)
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert len(server.connections) == 0


def test_one_port_speaks_both(tmp_path: pathlib.Path) -> None:
    with serving(tmp_path, ConnectionLimits(20)) as served:
        assert served.ask(protected=True) == b"https"
        assert served.ask(protected=False) == b"http"


def test_handshakes_that_never_end_take_no_officials_place(tmp_path: pathlib.Path) -> None:
    """From the official's address too: the oldest that has asked nothing gives way."""
    limits = ConnectionLimits(40, 10, max_idle_each=200, head_s=1e6, keep_alive_s=1e6)
    with serving(tmp_path, limits) as served, contextlib.ExitStack() as held:
        for number in range(200):
            source = STRANGER if number % 2 else "127.0.0.1"
            line = held.enter_context(socket.create_connection(("127.0.0.1", served.port), 60, (source, 0)))
            line.sendall(BEGUN[: 1 + number % len(BEGUN)])
        for _ in range(5):
            assert served.ask(protected=True) == b"https"
            assert served.ask(protected=False) == b"http"
        assert served.ask(protected=True, source="127.0.0.3") == b"https"
        assert len(served.server.connections) <= limits.max_connections


@pytest.mark.parametrize("sent", [BEGUN, b"\x16", b"\x16\x03\x01\x00\x05hello", b"\x16" + bytes(5000)])
def test_a_handshake_that_is_none_is_closed(
    tmp_path: pathlib.Path, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.web.accepting.acceptor, "HANDSHAKE_S", 0.05)
    with serving(tmp_path, ConnectionLimits(20)) as served:
        with socket.create_connection(("127.0.0.1", served.port), PATIENCE_S) as line:
            line.sendall(sent)
            with contextlib.suppress(ConnectionError):
                while line.recv(4096):
                    pass  # an alert, and then the end
        assert served.ask(protected=True) == b"https"


def test_old_versions_of_tls_are_refused(tmp_path: pathlib.Path) -> None:
    with serving(tmp_path, ConnectionLimits(20)) as served:
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", served.port), PATIENCE_S) as plain, pytest.raises(ssl.SSLError):
            old.wrap_socket(plain)


def test_without_a_certificate_tls_is_a_bad_request() -> None:
    config = uvicorn.Config(scheme, http="h11", ws="none", lifespan="off", log_level="critical")
    with listening_socket("127.0.0.1", 0) as listening:
        server = CountingServer(config, ConnectionLimits(20))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        with socket.create_connection(listening.getsockname(), PATIENCE_S) as line:
            line.sendall(b"\x16\x03\x01\x00\x05hello\r\n\r\n")
            assert line.recv(100).startswith(b"HTTP/1.1 400")
        server.should_exit = True
        thread.join(PATIENCE_S)
