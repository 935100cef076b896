"""The latency from an edge to the disk and to fifty browsers: a real station process, its event stream, Chromium.

The gate (tests/system/durability/load.py, on a socket) records when each edge was made. A lap is committed once the
station publishes it on MQTT, which it does after the commit; it is delivered once the line of that lap arrives in a
browser's stream, and drawn once Chromium's page has the row.
"""

import asyncio
import contextlib
import json
import pathlib
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace

from playwright.sync_api import sync_playwright

from raceday.broker import start_broker
from shared.link.interface import Delivery, Subscription
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from tests.browser import CHROMIUM, FLAGS
from tests.station.web.signed_in import bearer_for
from tests.system.durability.load import STATION_CONFIG, FastGate

BROWSERS = 50
LAP_S = 0.5
# Records when each lap's row appeared in the page, by the time of day.
_WATCH = """
window.rows = {};
new MutationObserver(() => {
  for (const row of document.querySelectorAll('tr[id^="lap-"]')) {
    if (!(row.id in window.rows)) window.rows[row.id] = Date.now();
  }
}).observe(document, {childList: true, subtree: true});
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One kind of latency, the number of samples, and the milliseconds from the edge."""

    what: str
    count: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def shown(folder: pathlib.Path, where: str, crossings: int) -> list[Shown]:
    """Measure a run of `crossings` laps, half a second each, with 50 event streams and one Chromium page open."""
    folder.mkdir()
    broker = start_broker(folder / "broker")
    gate = FastGate(folder / "gate", "bench-world", LAP_S, seed=1)
    (folder / "station.toml").write_text(STATION_CONFIG.format(folder=folder, broker=broker.port, max_laps=1000))
    bearer = bearer_for(folder / "data")
    command = [sys.executable, "-m", "raceday", "station", "--config", str(folder / "station.toml")]
    station = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert station.stdout is not None
        url = station.stdout.readline().split()[-1]
        rows = _watch(url, bearer, gate, broker.port, crossings)
        return [replace(row, what=f"{row.what} ({where})") for row in rows]
    finally:
        station.terminate()
        station.communicate(timeout=20)
        gate.close()
        broker.stop()


def _watch(url: str, bearer: dict[str, str], gate: FastGate, broker: int, crossings: int) -> list[Shown]:
    committed, streams = CommittedLaps(broker), _Streams(url)
    with _chromium(url) as drawn:
        post_command(url, bearer, command="open_run", racer="Ann", car="car-1", run_id="bench")
        post_command(url, bearer, command="start", by_hand=True)
        done = committed.wait(crossings, timeout_s=crossings * LAP_S * 3 + 60)
        rows = drawn()
        streams.close()
    committed.close()
    with urllib.request.urlopen(f"{url}/api/v1/state", timeout=20) as answer:
        ended_ns = {lap["number"]: lap["ended_ns"] for lap in json.load(answer)["run"]["laps"]}
    # The first laps include the warm-up, and the last one may still be in transit.
    laps = {number: gate.made_s[ended_ns[number]] for number in range(6, done)}
    off_s = time.time() - time.monotonic()
    return [
        _row("edge to commit, published on MQTT", [committed.at_s[n] - at for n, at in laps.items()]),
        _row(
            f"edge to browser: {BROWSERS} event streams, each its own",
            [arrived_s[n] - at for arrived_s in streams.at_s for n, at in laps.items() if n in arrived_s],
        ),
        _row(
            "edge to browser: the row in Chromium's page",
            [rows[f"lap-{n}"] / 1e3 - off_s - at for n, at in laps.items() if f"lap-{n}" in rows],
        ),
    ]


class CommittedLaps:
    """Records the official laps on MQTT: a published lap is committed."""

    def __init__(self, port: int) -> None:
        self.at_s: dict[int, float] = {}
        self._changed = threading.Condition()
        self._link = MqttLink(MqttOptions(port=port, protocol="5"), "bench", "bench", "car")
        self._link.start([Subscription(BY_BODY[m.OfficialLap])], self._on_delivery)

    def wait(self, laps: int, timeout_s: float) -> int:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.at_s) >= laps, timeout_s), "the laps did not come"
            return len(self.at_s)

    def close(self) -> None:
        self._link.close()

    def _on_delivery(self, delivery: Delivery) -> None:
        now_s, body = time.monotonic(), delivery.message.body
        if isinstance(body, m.OfficialLap):
            with self._changed:
                self.at_s.setdefault(body.number, now_s)
                self._changed.notify_all()
        delivery.ack()


class _Streams:
    """Fifty event streams: when each lap's row arrived in each of them."""

    def __init__(self, url: str) -> None:
        self.at_s: list[dict[int, float]] = [{} for _ in range(BROWSERS)]
        self._host, self._port = url.removeprefix("http://").split(":")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._all.cancel)
        self._thread.join(10)

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._every())

    async def _every(self) -> None:
        self._all = asyncio.gather(*(self._one(arrived_s) for arrived_s in self.at_s))
        await self._all

    async def _one(self, arrived_s: dict[int, float]) -> None:
        reader, writer = await asyncio.open_connection(self._host, int(self._port), limit=2**22)
        writer.write(f"GET /live HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())
        try:
            while line := await reader.readline():
                if line.startswith(b"data: {") and b'"rows"' in line:
                    now_s = time.monotonic()
                    for key in json.loads(line[6:])["topics"].get("live", {}).get("rows", ()):
                        if key.startswith("lap-"):
                            arrived_s.setdefault(int(key[4:]), now_s)
        finally:
            writer.close()


@contextlib.contextmanager
def _chromium(url: str) -> Iterator["_Rows"]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.add_init_script(_WATCH)
        page.goto(url)
        page.wait_for_selector('#link[data-state="live"]')
        try:
            yield _Rows(page)
        finally:
            browser.close()


class _Rows:
    def __init__(self, page: object) -> None:
        self._page = page

    def __call__(self) -> dict[str, float]:
        return dict(self._page.evaluate("window.rows"))  # type: ignore[attr-defined]


def _row(what: str, seconds: list[float]) -> Shown:
    ms = sorted(second * 1e3 for second in seconds)
    return Shown(what, len(ms), ms[len(ms) // 2], ms[min(len(ms) - 1, len(ms) * 99 // 100)], ms[-1])


def post_command(url: str, bearer: dict[str, str], **command: object) -> None:
    body = json.dumps(command).encode()
    request = urllib.request.Request(f"{url}/api/v1/commands", body, {"content-type": "application/json", **bearer})
    urllib.request.urlopen(request, timeout=20).close()
