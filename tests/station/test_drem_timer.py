"""The event manager's timer in both directions: read as a gate, and served by the station, over a real WebSocket."""

import http.server
import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.sync.client import connect

from shared.clock import ManualClock
from shared.errors import ConfigError
from station.core.inputs import Edge
from station.drem_options import DremOptions
from station.drem_timer import DremTimer, LapStamps
from station.gates.drem import DremGate, DremStream
from station.gates.driver import GateOutput
from tests.station.gates.decoders.port_peer import Box
from tests.station.gates.decoders.port_peer import until as wait_until

MS = 1_000_000
EPOCH_MS = 1_780_000_000_000


def lap(number: int, at_ms: int, gpio: int = 17) -> str:
    return json.dumps({"event": "lap", "timestamp": EPOCH_MS + at_ms, "gpio": gpio, "lapNumber": number})


@pytest.fixture
def stream() -> DremStream:
    return DremStream("start", {"17": "near", "27": "far"}, "drem:start:1", 500 * MS)


def test_a_lap_is_a_press_and_its_release_at_the_timers_stamp(stream: DremStream) -> None:
    at_ns = (EPOCH_MS + 9_000) * MS
    assert stream.on_text(lap(3, 9_000), 5) == [
        Edge("start", "near", True, at_ns, 5, "drem:start:1.0"),
        Edge("start", "near", False, at_ns, 6, "drem:start:1.0"),
    ]
    assert stream.on_text(lap(3, 9_000), 6) == []


def test_a_lap_that_was_never_told_shows_in_the_numbers(stream: DremStream) -> None:
    stream.on_text(lap(1, 0), 0)
    edges = stream.on_text(lap(4, 30_000, 27), 30_000 * MS)
    assert [(edge.sensor, edge.seq) for edge in edges] == [("far", 7), ("far", 8)]
    assert stream.lost == 4
    assert "2 between them" in stream.fault


def test_a_pin_without_a_sensor_keeps_the_count(stream: DremStream) -> None:
    assert stream.on_text(lap(1, 0, 22), 0)[0].sensor == "gpio22"


@pytest.mark.parametrize(("second", "heard_ms"), [
    (lap(2, 8_000), 10_000),  # set back by 2 s: it looks like a short lap
    (lap(2, 12_000), 10_000),  # set forward by 2 s
    (lap(1, 10_000), 10_000),  # restarted
    (lap(2, -500), 10_000),  # set back behind the last stamp
])  # fmt: skip
def test_a_clock_that_was_set_begins_a_new_boot(stream: DremStream, second: str, heard_ms: int) -> None:
    first = stream.on_text(lap(1, 0), 0)
    then = stream.on_text(second, heard_ms * MS)
    assert {first[0].boot, then[0].boot} == {"drem:start:1.0", "drem:start:1.1"}
    assert stream.fault


def test_a_slow_drift_is_followed(stream: DremStream) -> None:
    boots = set()
    for number in range(1, 400):
        drifted_ms = number * 10_000 + number * 5  # 500 ppm: 2 s in the end
        boots |= {edge.boot for edge in stream.on_text(lap(number, drifted_ms), number * 10_000 * MS)}
    assert boots == {"drem:start:1.0"}


@given(st.lists(st.text(max_size=60) | st.binary(max_size=60), max_size=20))
def test_no_text_hurts(texts: list[str | bytes]) -> None:
    stream = DremStream("start", {}, "b", 500 * MS)
    for text in texts:
        assert stream.on_text(text, 0) == []
    assert len(stream.on_text(lap(1, 0), 0)) == 2


@given(st.lists(st.integers(0, 900_000_000_000), min_size=1, max_size=30), st.integers(0, 10**18))
def test_stamps_differ_by_the_laps_as_published(laps_ns: list[int], began_ns: int) -> None:
    stamps, at_ns = LapStamps(), began_ns
    last = stamps.stamp("b", at_ns, EPOCH_MS * MS)
    for lap_ns in laps_ns:
        at_ns += lap_ns
        new = stamps.stamp("b", at_ns, EPOCH_MS * MS + at_ns - began_ns)
        assert new >= last
        if lap_ns < 600_000_000_000:
            assert new - last == lap_ns // 1_000_000
        last = new


def test_stamps_of_another_boot_begin_anew_and_never_fall() -> None:
    stamps = LapStamps()
    first = stamps.stamp("a", 5_000 * MS, EPOCH_MS * MS)
    assert stamps.stamp("b", 10 * MS, (EPOCH_MS + 7_000) * MS) - first == 7_000
    assert stamps.stamp("c", 10 * MS, 0) - first == 7_001


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(10**12)


@pytest.fixture
def server(clock: ManualClock) -> Iterator[DremTimer]:
    serving = DremTimer(DremOptions(port=0), clock)
    serving.start()
    yield serving
    serving.close()


def test_our_timer_speaks_as_theirs(server: DremTimer) -> None:
    with connect(f"ws://127.0.0.1:{server.port}", proxy=None) as page:
        assert json.loads(page.recv(5))["event"] == "connected"
        page.send("a page says nothing that we hear")
        for at_ns in (10**12, 10**12 + 8_123_999_999):
            server.crossing("boot-0", at_ns)
        first, second = json.loads(page.recv(5)), json.loads(page.recv(5))
    assert first.keys() == {"event", "timestamp", "gpio", "lapNumber", "sensorLapCount"}
    assert (first["event"], first["gpio"], first["lapNumber"]) == ("lap", 17, 1)
    assert (second["lapNumber"], second["timestamp"] - first["timestamp"]) == (2, 8_123)


def test_an_old_event_manager_is_not_greeted(clock: ManualClock) -> None:
    serving = DremTimer(DremOptions(port=0, greet=False), clock)
    serving.start()
    try:
        with connect(f"ws://127.0.0.1:{serving.port}", proxy=None) as page:
            page.ping().wait(5)  # it counts as a listener now
            serving.crossing("boot-0", 10**12)
            assert json.loads(page.recv(5))["event"] == "lap"
    finally:
        serving.close()


def test_our_gate_hears_our_timer_and_calls_again_when_it_was_away(clock: ManualClock) -> None:
    first = DremTimer(DremOptions(port=0), clock)
    first.start()
    port = first.port
    gate = DremGate("start", ("near", "far"), {"url": f"ws://127.0.0.1:{port}"}, clock)
    box = Box()
    gate.start({}, box.put)
    try:
        until(first, 1)
        first.crossing("boot-0", clock.now_ns())
        first_edges = box.take(2)
        assert [(edge.sensor, edge.broken, edge.seq) for edge in first_edges] == [("near", True, 1), ("near", False, 2)]
        assert gate.health().alive
        first.close()
        again = DremTimer(DremOptions(port=port), clock)
        again.start()
        try:
            until(again, 1)
            clock.advance(clock.now_ns() + 8_000 * MS)
            again.crossing("boot-0", clock.now_ns())
            assert box.take(1)[0].boot != first_edges[0].boot  # it counts from 1 again: the timer was restarted
        finally:
            again.close()
    finally:
        gate.close()


def until(server: DremTimer, listeners: int) -> None:
    """Polls it over the network until this many listen."""
    for _ in range(2_000):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=30) as answer:
            answer.read()
        if server.listeners == listeners:
            return
    raise AssertionError(f"{server.listeners} listen, not {listeners}")


def test_a_timer_that_is_not_there_is_said_and_not_waited_for(clock: ManualClock, free_port: Any) -> None:
    gate = DremGate("start", ("near",), {"url": f"ws://127.0.0.1:{free_port()}"}, clock)
    gate.start({}, list[GateOutput]().append)
    gate.close()
    assert not gate.health().alive


@pytest.mark.parametrize(("sensors", "options", "says"), [
    (("beam",), {}, "url"),
    (("beam",), {"url": "timer:8080"}, "ws://"),
    (("a", "b", "c"), {"url": "ws://timer:8080"}, "gpios"),
])  # fmt: skip
def test_a_wrong_setting_is_one_sentence(sensors: tuple[str, ...], options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        DremGate("start", sensors, options, ManualClock())


def test_a_port_in_use_is_one_sentence_and_taken_when_it_is_free(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.drem_timer.RETRY_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        serving = DremTimer(DremOptions(port=port), clock)
        serving.start()
        assert (serving.view.listening, serving.port) == (False, 0)
        assert "set another `drem.port`" in serving.view.sentence
        serving.crossing("boot-0", 10**12)  # nobody receives it, and nothing breaks
    try:
        wait_until(lambda: serving.view.listening)
        with connect(serving.url, proxy=None) as page:
            assert json.loads(page.recv(5))["event"] == "connected"
            serving.crossing("boot-0", 2 * 10**12)
            assert json.loads(page.recv(5))["lapNumber"] == 2
    finally:
        serving.close()
    assert str(port) in serving.sentence


def test_a_port_that_stays_in_use_keeps_nobody_at_the_end(server: DremTimer, clock: ManualClock) -> None:
    waiting = DremTimer(DremOptions(port=server.port), clock)
    waiting.start()
    waiting.close()
    assert not waiting._thread.is_alive()


def test_a_site_must_be_a_site() -> None:
    with pytest.raises(ConfigError, match="https://"):
        DremOptions(site="event.example")


class Site(http.server.BaseHTTPRequestHandler):
    """An event manager's site."""

    def do_GET(self) -> None:
        moved = self.path == "/old"
        self.send_response(302 if moved else 200)
        if moved:
            address = self.server.server_address
            assert isinstance(address, tuple)
            self.send_header("Location", f"http://127.0.0.1:{address[1]}/new")
        self.send_header("Content-Type", "text/html")
        self.send_header("Set-Cookie", "stays=here")
        self.end_headers()
        self.wfile.write(f"the page {self.path}".encode())

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture
def site() -> Iterator[str]:
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_address[1]}"
    serving.shutdown()
    serving.server_close()
    thread.join(5)


def test_the_event_managers_pages_are_handed_on(site: str, clock: ManualClock) -> None:
    serving = DremTimer(DremOptions(port=0, site=site + "/"), clock)
    serving.start()
    try:
        here = f"http://127.0.0.1:{serving.port}"
        with urllib.request.urlopen(f"{here}/race?x=1", timeout=30) as page:
            assert page.read() == b"the page /race?x=1"
            assert page.headers["Content-Type"] == "text/html"
            assert page.headers["Set-Cookie"] is None
        with urllib.request.urlopen(f"{here}/old", timeout=30) as page:  # the redirect leads back to us
            assert page.url == f"{here}/new"
        with connect(f"ws://127.0.0.1:{serving.port}", proxy=None) as line:
            assert json.loads(line.recv(5))["event"] == "connected"
    finally:
        serving.close()


def test_a_site_that_is_away_is_a_502(clock: ManualClock, free_port: Any) -> None:
    serving = DremTimer(DremOptions(port=0, site=f"http://127.0.0.1:{free_port()}"), clock)
    serving.start()
    try:
        with pytest.raises(urllib.error.HTTPError, match="502") as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{serving.port}/", timeout=30)
        caught.value.close()
    finally:
        serving.close()
