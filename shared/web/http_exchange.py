"""Sends one HTTP request and reads its answer, within limits of time and size: a reply, or why there is none.

Called by the station's sync and by the leaderboard's notices. Whoever answers may be a captive portal, a proxy or an
attacker, so the form of the answer is never trusted: h11 parses it, and the time limit is for the whole answer, not
for each byte.
"""

import pathlib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult

import certifi
import h11

from shared.errors import ConfigError
from shared.protocol.results import AnswerLost, PostDeferred
from shared.text import text

MAX_ANSWER_BYTES = 65_536
MAX_HEAD_BYTES = 32_768
_PART = 16_384
_LOST = text("The connection broke before the leaderboard's answer was complete.")
_TOO_MUCH = text("The leaderboard's answer was too long or too slow to be read.")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that arrived completely; header names are in lower case, values are Latin-1 text."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for a connection, and then for the whole answer."""

    connect_s: float
    answer_s: float


class HttpExchange:
    """Connects to the one address that the operator named: no proxy, no redirect, nothing from the environment."""

    def __init__(
        self,
        address: SplitResult,
        timeouts: Timeouts,
        ca_file: str = "",
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        allowed: Callable[[str], bool] = lambda _ip: True,
    ) -> None:
        """`allowed`: whether an IP address that the name resolves to may be connected to; it is asked for the very one
        that is then used, so that a name cannot change in between. Raises ConfigError if `ca_file` cannot be used.
        """
        self._max_bytes = max_answer_bytes + MAX_HEAD_BYTES
        self._allowed = allowed
        self._timeouts = timeouts
        self._host = address.hostname or ""
        self._tls = tls_context(ca_file) if address.scheme == "https" else None
        self._port = address.port or (443 if self._tls else 80)
        self._base = address.path.rstrip("/")
        self._host_header = address.netloc

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply | PostDeferred:
        """The reply; PostDeferred if the request was not sent at all, AnswerLost if no complete answer came back.

        Never raises for what a network or a peer can do.
        """
        try:
            opened = self._connect()
        except (OSError, UnicodeError) as error:
            return PostDeferred(text("The leaderboard cannot be reached: {sentence}", sentence=_sentence(error)))
        with opened:
            return self._send_and_read(opened, self._encode(method, path, headers, body))

    def _encode(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        length = {"content-length": str(len(body))} if body else {}
        all_headers = {"host": self._host_header, **headers, **length, "connection": "close"}
        ours = h11.Connection(h11.CLIENT)
        head = ours.send(h11.Request(method=method, target=self._base + path, headers=list(all_headers.items())))
        return (head or b"") + body

    def _connect(self) -> socket.socket:
        ends_at = time.monotonic() + self._timeouts.connect_s
        error: OSError = TimeoutError()
        for family, kind, protocol, _, address in socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM):
            if not self._allowed(str(address[0])):
                error = PermissionError()
                continue
            fresh = socket.socket(family, kind, protocol)
            try:
                fresh.settimeout(max(0.05, ends_at - time.monotonic()))
                fresh.connect(address)
                return fresh if self._tls is None else self._tls.wrap_socket(fresh, server_hostname=self._host)
            except OSError as failed:
                error = failed
                fresh.close()
        raise error

    def _send_and_read(self, opened: socket.socket, request: bytes) -> Reply | PostDeferred:
        ends_at = time.monotonic() + self._timeouts.answer_s
        try:
            opened.settimeout(self._timeouts.answer_s)
            opened.sendall(request)
        except TimeoutError:
            return AnswerLost(_TOO_MUCH)
        except OSError:
            # A peer that refuses at once may not read the whole request; its answer may have arrived nevertheless.
            pass
        try:
            return self._read(opened, ends_at)
        except (OSError, h11.RemoteProtocolError, ValueError):
            # ValueError: h11 passes a Content-Length of thousands of digits to `int`.
            return AnswerLost(_TOO_MUCH if time.monotonic() >= ends_at else _LOST)

    def _read(self, opened: socket.socket, ends_at: float) -> Reply | PostDeferred:
        theirs = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        theirs.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
        theirs.send(h11.EndOfMessage())
        reader = _ReplyReader(theirs)
        size = 0
        while not reader.complete:
            left_s = ends_at - time.monotonic()
            if left_s <= 0 or size > self._max_bytes:
                return AnswerLost(_TOO_MUCH)
            opened.settimeout(left_s)
            part = opened.recv(_PART)
            size += len(part)
            reader.feed(part)
        return reader.reply or AnswerLost(_LOST)


class _ReplyReader:
    """Collects a reply from the events that h11 makes of the bytes. Raises h11.RemoteProtocolError."""

    def __init__(self, connection: h11.Connection) -> None:
        self._connection = connection
        self._head: h11.Response | None = None
        self._body = bytearray()
        self.complete = False
        self.reply: Reply | None = None

    def feed(self, part: bytes) -> None:
        self._connection.receive_data(part)
        while not self.complete:
            event = self._connection.next_event()
            match event:
                case h11.Response():
                    self._head = event
                case h11.Data():
                    self._body += event.data
                case h11.EndOfMessage():
                    self._finish()
                case h11.InformationalResponse():
                    pass  # "100 Continue" and the like: the answer is still to come
                case h11.ConnectionClosed():
                    self.complete = True
                case _:
                    # More bytes are needed; PAUSED (the peer switches protocols) never continues.
                    self.complete = event is h11.PAUSED
                    return

    def _finish(self) -> None:
        self.complete = True
        if self._head is not None:
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self._head.headers}
            self.reply = Reply(self._head.status_code, headers, bytes(self._body))


def tls_context(ca_file: str) -> ssl.SSLContext:
    """The TLS settings, which trust the public authorities, or `ca_file` alone if it is given. Raises ConfigError."""
    try:
        return ssl.create_default_context(cafile=ca_file or certifi.where())
    except OSError as error:  # an SSLError is one
        path = pathlib.Path(ca_file)
        why = (error.strerror if not path.is_file() else "") or text("it holds no certificate in PEM form")
        raise ConfigError(f"[sync.options] `ca_file` {ca_file} cannot be used: {why}.") from None


def _sentence(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return text("its certificate is not trusted here; set `ca_file` in [sync.options] or set the clock.")
    if isinstance(error, ssl.SSLError):
        return text("what answers there does not speak TLS correctly; is it https, and is this its port?")
    if isinstance(error, PermissionError):
        return text("its address is of a network that may not be reached from here.")
    if isinstance(error, TimeoutError):
        return text("it did not accept a connection in time.")
    if isinstance(error, socket.gaierror | UnicodeError):
        return text("its name cannot be resolved; is there a network, and is the name right?")
    return text("no connection.")
