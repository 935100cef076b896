"""A leaderboard on loopback that applies results exactly as the contract says, and misbehaves on demand."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shared.protocol.results import PostAccepted, encode_accepted

SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@dataclass
class Peer:
    """What it received, what it applied (once per webhook-id), and how it should behave: one word per request."""

    url: str = ""
    behaviours: list[str] = field(default_factory=list)
    seen: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    applied: dict[str, bytes] = field(default_factory=dict)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    go_on: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, peer: Peer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.peer = peer


@contextlib.contextmanager
def running_peer(behaviours: list[str]) -> Iterator[Peer]:
    """Runs a peer that behaves as the list says, and well after that."""
    peer = Peer(behaviours=behaviours)
    server = _Server(peer)
    peer.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        peer.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        peer = self.server.peer
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        peer.seen.append((self.path, body, headers))
        behaviour = peer.behaviours.pop(0) if peer.behaviours else "well"
        if behaviour in ("well", "500 after apply", "reset mid-answer", "slow"):
            peer.applied.setdefault(headers["webhook-id"], body)
        peer.arrived.release()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._behave(behaviour)

    def _behave(self, behaviour: str) -> None:
        well = encode_accepted(PostAccepted(10_000, 1, 1))
        match behaviour:
            case "well":
                self._answer(201, well)
            case "reset mid-answer":
                self._raw(b"HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n" + well)
            case "slow":
                self.server.peer.go_on.wait(20)
            case "huge":
                self._answer(201, b" " * 2_000_000)
            case "portal":
                self._answer(200, b"<html>Welcome to the hall's wireless network</html>")
            case "redirect":
                self._answer(307, b"", {"location": "http://127.0.0.1:1/elsewhere"})
            case "garbage":
                self._raw(b"\x00\x01 no HTTP at all\r\n\r\n")
            case _:
                self._refuse(behaviour)

    def _refuse(self, behaviour: str) -> None:
        status, _, rest = behaviour.partition(" after ")
        headers = {"retry-after": rest} if rest.isdigit() else {}
        self._answer(int(status), json.dumps({"error": "The race says no, for a reason."}).encode(), headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _raw(self, text: bytes) -> None:
        self.wfile.write(text)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Logs nothing: the tests read `seen`."""
