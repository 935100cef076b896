"""Pages of an event manager come through another process: a few at a time, in little memory; who may listen."""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from shared.clock import ManualClock
from station.drem_front import PAGES_AT_ONCE
from station.drem_options import DremOptions
from station.drem_timer import DremTimer, origin_of

ROOT = pathlib.Path(__file__).parents[2]
PAGE_BYTES, REQUESTS = 31 * 1024 * 1024, 12  # 40 take the same memory, and 15 s
MOST_KB = 8_000
TIMER = """
import sys
from shared.clock import SystemClock
from station.drem_options import DremOptions
from station.drem_timer import DremTimer
timer = DremTimer(DremOptions(port=0, site=sys.argv[1]), SystemClock())
timer.start()
print(timer.port, flush=True)
sys.stdin.read()
timer.close()
"""


class LargeSite(http.server.BaseHTTPRequestHandler):
    """A site with one large page; notes how many ask at the same time."""

    protocol_version = "HTTP/1.1"
    busy, busiest, lock = 0, 0, threading.Lock()

    def do_GET(self) -> None:
        cls = type(self)
        with cls.lock:
            cls.busy += 1
            cls.busiest = max(cls.busiest, cls.busy)
        self.send_response(200)
        packed = self.path == "/packed"
        size = {"/packed": 1000, "/endless": 1 << 40}.get(self.path, PAGE_BYTES)
        self.send_header("Content-Length", str(size))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        part = bytes(1 << 16)
        with contextlib.suppress(ConnectionError):
            while size > 0:
                self.wfile.write(part[:size])
                size -= len(part)
        with cls.lock:
            cls.busy -= 1

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture
def site() -> Iterator[str]:
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), LargeSite)
    serving.daemon_threads = True
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_address[1]}"
    serving.shutdown()
    serving.server_close()
    thread.join(5)


@pytest.fixture
def timer(site: str) -> Iterator[DremTimer]:
    serving = DremTimer(DremOptions(port=0, site=site), ManualClock(10**12))
    serving.start()
    yield serving
    serving.close()


def kb(process: int, key: str) -> int:
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(key))


def fronts(process: int) -> list[int]:
    """The processes that hand pages on, among the children of this one."""
    found = []
    for child in psutil.Process(process).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            found += [child.pid] if "station.drem_front" in child.cmdline() else []
    return found


def read_whole(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), 120) as line:
        line.sendall(b"GET /page HTTP/1.1\r\nHost: here\r\n\r\n")
        size = 0
        while part := line.recv(1 << 16):
            size += len(part)
        return size


@pytest.mark.slow
def test_large_pages_take_no_memory_of_the_timing(site: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TIMER, site], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as timing:
        assert timing.stdout is not None
        port = int(timing.stdout.readline())
        assert read_whole(port) > PAGE_BYTES  # all is loaded
        (front,) = fronts(timing.pid)
        for process in (timing.pid, front):
            pathlib.Path(f"/proc/{process}/clear_refs").write_text("5")
        before = {process: kb(process, "VmRSS") for process in (timing.pid, front)}
        sizes: list[int] = []
        readers = [threading.Thread(target=lambda: sizes.append(read_whole(port))) for _ in range(REQUESTS)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(150)
        assert len(sizes) == REQUESTS
        assert min(sizes) > PAGE_BYTES
        assert LargeSite.busiest <= PAGES_AT_ONCE
        assert kb(timing.pid, "VmHWM") - before[timing.pid] < 1_000
        assert kb(front, "VmHWM") - before[front] < MOST_KB
        timing.terminate()


def test_a_page_is_passed_on_as_it_was_packed(timer: DremTimer) -> None:
    """What the site packs may unpack to a thousand times as much: that is the browser's to do."""
    with urllib.request.urlopen(f"http://127.0.0.1:{timer.port}/packed", timeout=60) as page:
        assert page.headers["Content-Encoding"] == "gzip"
        assert len(page.read()) == 1000


def test_a_page_without_end_is_cut_off_and_does_not_look_whole(timer: DremTimer) -> None:
    with pytest.raises((urllib.error.URLError, http.client.HTTPException, OSError)):  # noqa: SIM117
        with urllib.request.urlopen(f"http://127.0.0.1:{timer.port}/endless", timeout=60) as page:
            page.read()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /page HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n", b"405"),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: here\r\n\r\n", b"400"),
        (b"GET @evil.example/ HTTP/1.1\r\nHost: here\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /\xff HTTP/1.1\r\nHost: here\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 5000 + b"\r\n", b""),  # the head is too long: closed
    ],
)
def test_what_is_no_request_for_a_page_is_refused(timer: DremTimer, sent: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", timer.port), 60) as line:
        with contextlib.suppress(ConnectionError):
            line.sendall(sent)
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = line.recv(100)
    assert answer[9:12] == status


def test_a_front_that_ended_is_started_again(timer: DremTimer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.drem_timer.RETRY_S", 0.0)
    for _ in range(2):
        with connect(timer.url, proxy=None, open_timeout=60) as page:
            assert json.loads(page.recv(30))["event"] == "connected"
        for front in fronts(os.getpid()):
            end = os.pidfd_open(front)
            os.kill(front, signal.SIGKILL)
            select.select([end], [], [], 60)  # until it is gone it may take the next connection with it
            os.close(end)


@pytest.mark.parametrize("with_site", [True, False])
@pytest.mark.parametrize(
    ("origin", "listens"),
    [
        (None, True),
        ("http://127.0.0.1:{port}", True),
        ("{site}", True),
        ("https://their.example", True),
        ("http://evil.example", False),
        ("null", False),
        ("http://127.0.0.1:1", False),
    ],
)
def test_only_pages_of_ours_and_of_the_site_may_listen(with_site: bool, origin: str | None, listens: bool) -> None:
    site = "http://event.example" if with_site else ""
    options = DremOptions(port=0, site=site, origins=("https://their.example",))
    serving = DremTimer(options, ManualClock(10**12))
    serving.start()
    try:
        shown = origin.format(port=serving.port, site="http://event.example") if origin is not None else None
        if origin == "{site}" and not with_site:
            listens = False
        if listens:
            with connect(serving.url, proxy=None, origin=shown, open_timeout=60) as page:  # type: ignore[arg-type]
                assert json.loads(page.recv(30))["event"] == "connected"
        else:
            with pytest.raises(InvalidStatus, match="403"):
                connect(serving.url, proxy=None, origin=shown, open_timeout=60)  # type: ignore[arg-type]
    finally:
        serving.close()


def test_the_origin_of_a_site() -> None:
    assert origin_of("https://their.example:8443/base/") == "https://their.example:8443"
    assert origin_of("") == ""
