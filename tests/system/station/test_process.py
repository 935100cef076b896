"""`raceday station` as a process: it serves, says one sentence when it cannot, and survives being killed."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from shared.clock import SystemClock
from station.commands.replay import check
from station.core.facts import LapCompleted, RunStarted
from station.store.journal import Journal
from tests.station.web.signed_in import bearer_for

ROOT = pathlib.Path(__file__).parents[3]
CONFIG = """
data_dir = "{data}"
[[gate]]
name = "start"
driver = "mock"
options = {{ every_s = 0.15, width_ms = 20 }}
lockout_s = 0.05
[mqtt]
port = {broker}
[web]
port = {port}
[race]
id = "race-1"
name = "A race"
rules = {{ min_lap_s = 0.1, max_laps = 200 }}
"""

BEARERS: dict[str, dict[str, str]] = {}  # by a station's address: the header of its officials' requests


class Process:
    def __init__(self, folder: pathlib.Path, port: int = 0, broker: int = 1, text: str = CONFIG) -> None:
        self.data, self.ready = folder / "data", folder / "ready"
        self.ready.unlink(missing_ok=True)
        self.bearer = bearer_for(self.data)
        config = folder / "station.toml"
        config.write_text(text.format(data=self.data, port=port, broker=broker))
        arguments = [
            sys.executable,
            "-m",
            "raceday",
            "station",
            "--config",
            str(config),
            "--ready-file",
            str(self.ready),
        ]
        self.process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True, env=dict(os.environ)
        )

    def url(self) -> str:
        """The address in the first line that the station prints; then the ready file exists too."""
        url = self.next_value("listening on http://127.0.0.1:")
        BEARERS[url] = self.bearer
        return url

    def next_value(self, beginning: str) -> str:
        """The last word of the next line that it prints, which must begin with these words."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith(beginning), line
        return line.split()[-1]

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path


@pytest.fixture
def started() -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for process in processes:
        process.kill()


def post(url: str, **command: Any) -> dict[str, Any]:
    body = json.dumps(command).encode()
    headers = {"content-type": "application/json", **BEARERS[url]}
    request = urllib.request.Request(f"{url}/api/v1/commands", body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        parsed: dict[str, Any] = json.load(answer)
        return parsed


def state(url: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{url}/api/v1/state", headers=BEARERS[url])
    with urllib.request.urlopen(request, timeout=60) as answer:
        parsed: dict[str, Any] = json.load(answer)
        return parsed


def until_laps(url: str, laps: int) -> dict[str, Any]:
    """Polls the station until it shows this many laps; each answer is awaited."""
    deadline = time.monotonic() + 30
    while True:
        shown = state(url)
        if shown["run"] is not None and len(shown["run"]["laps"]) >= laps:
            return shown
        assert time.monotonic() < deadline, shown


@pytest.mark.slow
def test_killed_in_mid_run_it_goes_on_from_its_journal(folder: pathlib.Path, started: list[Process]) -> None:
    started.append(Process(folder))
    url = started[0].url()
    assert post(url, command="open_run", racer="Ann", car="car-1")["run_id"] == "run-1"
    post(url, command="start", by_hand=True)
    before = until_laps(url, 3)
    started[0].process.send_signal(signal.SIGKILL)
    started[0].kill()
    started.append(Process(folder))
    url = started[1].url()
    after = state(url)
    shown = len(before["run"]["laps"])
    assert after["run"]["laps"][:shown] == before["run"]["laps"]
    assert after["run"]["phase"] == "running"
    post(url, command="finish", reason="enough")
    started[1].process.send_signal(signal.SIGTERM)
    assert started[1].process.wait(timeout=60) == 0
    journal = Journal(folder / "data" / "station.db")
    check(journal)
    facts = b"".join(record.facts for record in journal.records())
    assert facts.count(LapCompleted.__name__.encode()) >= shown
    assert facts.count(RunStarted.__name__.encode()) == 1
    assert journal.due == 1
    journal.close()


@pytest.mark.slow
def test_it_stops_cleanly_and_soon(folder: pathlib.Path, started: list[Process]) -> None:
    started.append(Process(folder))
    url = started[0].url()
    assert (folder / "ready").read_text() == f"{url}\n"
    assert started[0].next_value("race control: http") == f"{url}/operate"
    clock = SystemClock()
    stream = socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=60)
    stream.sendall(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert stream.recv(12) == b"HTTP/1.1 200"
    asked_ns = clock.now_ns()
    started[0].process.send_signal(signal.SIGTERM)
    out, err = started[0].process.communicate(timeout=60)
    stream.close()
    assert (started[0].process.returncode, out) == (0, "")
    assert re.fullmatch(r"station: nobody has claimed .* enter the claim code [A-Z2-9]{5}-[A-Z2-9]{5}\n", err)
    assert clock.now_ns() - asked_ns < 5_000_000_000


@pytest.mark.slow
def test_a_port_in_use_and_a_folder_in_use_are_one_sentence(folder: pathlib.Path, started: list[Process]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        started.append(Process(folder, port=taken.getsockname()[1]))
        _, err = started[0].process.communicate(timeout=30)
    assert started[0].process.returncode == 2
    assert err.startswith("raceday station: cannot listen on 127.0.0.1 port ")
    assert err.count("\n") == 1
    started.append(Process(folder))
    started[1].url()
    started.append(Process(folder))
    _, err = started[2].process.communicate(timeout=30)
    assert started[2].process.returncode == 2
    assert "another station already runs on this folder" in err
    assert err.count("\n") == 1


@pytest.mark.slow
def test_an_address_is_no_identity_on_either_family(folder: pathlib.Path) -> None:
    station = Process(folder, text=CONFIG.replace("port = {port}", 'host = "::"\nport = {port}'))
    try:
        url = station.url()  # the printed address can be opened
        port = int(url.rsplit(":", 1)[1])

        def mode(host: str, headers: dict[str, str]) -> int:
            line = HTTPConnection(host, port, timeout=20)
            body = json.dumps({"command": "set_mode", "mode": "test"})
            line.request("POST", "/api/v1/commands", body, {"content-type": "application/json", **headers})
            status = line.getresponse().status
            line.close()
            return 200 if status == 409 else status  # it is in that mode already: the client may command

        assert urllib.request.urlopen(url, timeout=20).status == 200
        assert mode("127.0.0.1", {}) == 401
        assert mode("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}) == 401
        assert mode("127.0.0.1", {"authorization": "Bearer " + "x" * 43}) == 401
        assert mode("127.0.0.1", station.bearer) == 200
        assert not socket.has_ipv6 or (mode("::1", {}), mode("::1", station.bearer)) == (401, 200)
    finally:
        station.kill()


@pytest.mark.slow
def test_rights_by_address_are_refused_with_one_sentence(folder: pathlib.Path) -> None:
    station = Process(folder, text=CONFIG.replace("port = {port}", 'port = {port}\noperators = ["*"]'))
    _, said = station.process.communicate(timeout=60)
    assert station.process.returncode == 2
    assert "claim the station at /claim and pair the officials' devices at /people" in said
    assert len(said.splitlines()) == 1
