"""The mock console's two doors: TLS with a certificate of its own (nginx), and the plain port 5001 without a cookie.

Called by `commands/bridge.py` and by tests, which turn its faults on and off while it runs. The car drives on a
thread of its own, as the robot's side does, whoever talks to the console.
"""

import http.server
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from vehicle.bridge.mock_console.mock_console import SERVICE_S, ConsoleRequest, ConsoleResponse, MockConsole

TICK_S = 0.01
MAX_BODY = 1 << 20


class MockConsoleServer:
    """Serves until `close`. `service_s`: how long it waits for a hung service, 10 s on the car; `now_ns`: its clock."""

    def __init__(
        self,
        console: MockConsole,
        port: int = 0,
        direct_port: int = 0,
        host: str = "127.0.0.1",
        *,
        service_s: float = SERVICE_S,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.console = console
        self.lock = threading.Lock()
        self._service_s = service_s
        self._now_ns = now_ns
        self.hanging = threading.Event()  # since `hang`, a call has come that hangs
        self._released = threading.Event()  # lets go of the calls that hang
        self._closed = threading.Event()
        self.front = _server(self, (host, port), through_front_door=True)
        self.direct = _server(self, (host, direct_port), through_front_door=False)
        self.front.socket = _tls().wrap_socket(self.front.socket, server_side=True, do_handshake_on_connect=False)
        self._threads = [
            threading.Thread(target=self.front.serve_forever, args=(0.05,), name="front door"),
            threading.Thread(target=self.direct.serve_forever, args=(0.05,), name="direct"),
            threading.Thread(target=self._drive, name="robot"),
        ]

    @property
    def port(self) -> int:
        return int(self.front.server_address[1])

    @property
    def direct_port(self) -> int:
        return int(self.direct.server_address[1])

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def release(self) -> None:
        """Nothing hangs any longer; calls that wait are answered as after their time."""
        with self.lock:
            self.console.hung.clear()
        self._released.set()

    def hang(self, *paths: str) -> None:
        """From now on the services behind these paths do not answer."""
        self._released.clear()
        self.hanging.clear()
        with self.lock:
            self.console.hung |= set(paths)

    def watch(self, on_change: Callable[[bool], None]) -> None:
        """Report each change of whether the car moves, until a signal's handler raises."""
        was_moving = False
        while not self._closed.wait(TICK_S):
            if (moving := self.console.car.outputs.is_moving) != was_moving:
                was_moving = moving
                on_change(moving)

    def close(self) -> None:
        self._closed.set()
        self._released.set()
        for server in (self.front, self.direct):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    def answer(self, request: ConsoleRequest, *, through_front_door: bool) -> ConsoleResponse:
        """Answer one request, on the thread of its connection."""
        with self.lock:
            hangs = self.console.hangs(request)
        if hangs:
            self.hanging.set()
            self._released.wait(self._service_s)
            return ConsoleResponse(200, b'{"success":false,"reason":"Error"}\n')
        with self.lock:
            return self.console.handle(request, self._now_ns(), through_front_door=through_front_door)

    def _drive(self) -> None:
        while not self._closed.wait(TICK_S):
            with self.lock:
                self.console.car.advance(self._now_ns())


def _server(owner: MockConsoleServer, address: tuple[str, int], *, through_front_door: bool) -> http.server.HTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"
        timeout = 30
        # Two small writes with Nagle's algorithm and delayed acknowledgements are 40 ms.
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            self._answer()

        do_PUT = do_POST = do_GET  # noqa: N815  # the names are http.server's

        def _answer(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), MAX_BODY)
            body = self.rfile.read(length)
            url = urllib.parse.urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(urllib.parse.parse_qsl(url.query))
            request = ConsoleRequest(
                str(self.command), url.path, headers, _cookies(headers.get("cookie", "")), body, query
            )
            answer = owner.answer(request, through_front_door=through_front_door)
            if answer.status == 0:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.cookies.items():
                self.send_header("Set-Cookie", f"{name}={value}")
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: a bridge asks every second."""

    return _DoorServer(address, Handler)


class _DoorServer(http.server.ThreadingHTTPServer):
    """A thread for each connection, as Flask's server; one that breaks is nobody's concern."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # the base class is narrower than its use


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def _tls() -> ssl.SSLContext:
    """The server's side, with a new certificate that nobody signed, made as the car makes its own."""
    with tempfile.TemporaryDirectory(prefix="mock-console-") as folder:
        key, certificate = pathlib.Path(folder, "key.pem"), pathlib.Path(folder, "certificate.pem")
        subject = ("-subj", "/C=US/O=Amazon.com Inc./CN=deepracer.io")
        files = ("-keyout", str(key), "-out", str(certificate))
        made = ("openssl", "req", "-x509", "-nodes", "-days", "3650", "-newkey", "rsa:2048", *subject, *files)
        subprocess.run(made, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    return context
