"""What a machine's services answer, over a real socket: a page, runs on the track, nothing, nonsense."""

import contextlib
import dataclasses
import http.server
import json
import pathlib
import subprocess
import threading
from collections.abc import Iterator, Sequence

import pytest

from raceday.install import running
from raceday.install.machine import Machine
from raceday.install.running import PageAddress, answers, page_address, refuse_during_a_run, runs_on_track
from shared.errors import OperatorError
from shared.protocol.messages import RunPhase
from station.exports.public_shapes import api_state
from tests.station.web.sample_views import RUN, VIEW

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
        (b'{"runs": [{"phase": "running"}, {"phase": "armed"}, {"phase": "finished"}]}', 2),
        (b'{"runs": ["running", {"phase": ["running"]}, {}]}', 0),
        (b"[]", None),
        (b'{"runs": 4}', None),
        (b"<html>", None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_runs_on_the_track(served: PageAddress, body: bytes, count: int | None) -> None:
    BODIES[""] = body
    assert answers(served)
    assert runs_on_track(served) == count


def test_nobody_answers() -> None:
    nobody = PageAddress("127.0.0.1", 1)
    assert not answers(nobody)
    assert runs_on_track(nobody) is None


@pytest.mark.parametrize(
    ("phase", "is_on_track", "count"),
    [("finished", False, 0), ("idle", False, 0), ("running", True, 1), ("armed", True, 1), ("finished", True, 0)],
)
def test_the_last_run_which_the_station_tells_of_has_ended(
    served: PageAddress, phase: RunPhase, is_on_track: bool, count: int
) -> None:
    run = dataclasses.replace(RUN, phase=phase)
    view = dataclasses.replace(VIEW, run=run, runs=(run,) if is_on_track else ())
    BODIES[""] = json.dumps(dataclasses.asdict(api_state(view))).encode()
    assert b'"phase"' in BODIES[""]
    assert runs_on_track(served) == count


class RunningStation(Machine):
    """A machine with systemd and a station whose page is at `address`; `is_active` is what systemd says."""

    is_running = True

    def __init__(self, root: pathlib.Path, address: PageAddress, is_active: bool) -> None:
        super().__init__(root)
        self.is_active = is_active
        self.write("/etc/systemd/system/raceday-station.service", b"", 0o644)
        self.write("/etc/raceday/station.toml", f"[web]\nport = {address.port}\n".encode(), 0o644)

    def attempt(self, words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        del user
        return subprocess.CompletedProcess(words, 0 if self.is_active else 3, "", "")


@pytest.mark.parametrize(
    ("body", "is_active", "words"),
    [
        (b'{"runs": [{"phase": "running"}]}', True, "a run is on the track"),
        (b'{"runs": [{"phase": "finished"}]}', True, ""),
        (b"no station", True, "does not answer"),
        (b"no station", False, ""),
    ],
)
def test_a_station_that_is_silent_counts_as_one_with_a_run(
    served: PageAddress, tmp_path: pathlib.Path, body: bytes, is_active: bool, words: str
) -> None:
    BODIES[""] = body
    machine = RunningStation(tmp_path, served, is_active)
    refuse_during_a_run(machine, force=True)
    with pytest.raises(OperatorError, match=words) if words else contextlib.nullcontext():
        refuse_during_a_run(machine, force=False, patience_s=0)


@pytest.mark.parametrize(("answers", "words"), [([None, None, 0], ""), ([None, 1], "a run is on the track")])
def test_a_station_that_starts_is_asked_again(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, answers: list[int | None], words: str
) -> None:
    monkeypatch.setattr(running, "POLL_S", 0)
    monkeypatch.setattr(running, "runs_on_track", lambda _address: answers.pop(0))
    machine = RunningStation(tmp_path, PageAddress("127.0.0.1", 1), is_active=True)
    with pytest.raises(OperatorError, match=words) if words else contextlib.nullcontext():
        refuse_during_a_run(machine, force=False)
    assert answers == []


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
