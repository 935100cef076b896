"""What a machine's services answer, over a real socket: a page, runs on the track, nothing, nonsense."""

import http.server
import pathlib
import threading
from collections.abc import Iterator

import pytest

from raceday.install.machine import Machine
from raceday.install.running import PageAddress, answers, page_address, runs_on_track

BODIES = {"": b""}


class _Answering(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(BODIES[""])

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def served() -> Iterator[PageAddress]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield PageAddress("0.0.0.0", server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"runs": []}', 0),
        (b'{"runs": [{"run_id": "1"}]}', 1),
        (b"[]", 0),
        (b'{"runs": 4}', 0),
        (b"<html>", 0),
        (b"\xff\xfe", 0),
        (b"", 0),
    ],
)
def test_runs_on_the_track(served: PageAddress, body: bytes, count: int) -> None:
    BODIES[""] = body
    assert answers(served)
    assert runs_on_track(served) == count


def test_nobody_answers() -> None:
    nobody = PageAddress("127.0.0.1", 1)
    assert not answers(nobody)
    assert runs_on_track(nobody) == 0


@pytest.mark.parametrize(
    ("text", "host", "port", "is_open"),
    [
        ('[web]\nhost = "0.0.0.0"\nport = 80', "0.0.0.0", 80, True),
        ("", "127.0.0.1", 8080, False),
        ("web = 3", "127.0.0.1", 8080, False),
        ('web.port = "x"', "127.0.0.1", 8080, False),
        ("not toml", "127.0.0.1", 8080, False),
        ('web.host = "::"', "::", 8080, True),
    ],
)
def test_the_address_of_the_pages(tmp_path: pathlib.Path, text: str, host: str, port: int, is_open: bool) -> None:
    machine = Machine(tmp_path)
    machine.write("/etc/raceday/station.toml", text.encode(), 0o644)
    found = page_address("station", machine)
    assert (found.host, found.port, found.is_open) == (host, port, is_open)
