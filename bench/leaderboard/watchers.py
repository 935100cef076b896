"""5,000 watchers of one race at five updates a second, beside a bare broadcaster of the same bytes.

The peer (watcher_server.py) is a Starlette app that sends each connection one of our updates, made beforehand; ours
draws what a posted result has changed and sends it, while it takes the next. Rounds are interleaved. A latency is from
when an update is there to be sent (ours: committed) to its arrival. Then some watchers lose their connection again and
again and come back with `Last-Event-ID`: in the end each has what the standing has.
"""

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.leaderboard.big_board import RACE_ID
from bench.report import report, rows
from tests.leaderboard.test_live_stream import Browser

WATCHERS, EVERY_S = 5_000, 0.2
MAX_RATIO = 1.2
_MADE = re.compile(rb"made-(\d+)-")
_CONNECTING = 200  # at once


@dataclass(frozen=True, slots=True)
class UpdateServer:
    """A running server of updates."""

    process: "subprocess.Popen[str]"
    port: int

    def ask(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def answer(self) -> dict[int, int]:
        """The numbers of the updates, and when each was there to be sent."""
        assert self.process.stdout is not None
        return {int(number): at_ns for number, at_ns in json.loads(self.process.stdout.readline()).items()}


@contextlib.contextmanager
def started(name: str) -> Iterator[UpdateServer]:
    command = [sys.executable, "-m", "bench.leaderboard.watcher_server", name]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield UpdateServer(process, int(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(60)


@dataclass(slots=True)
class Arrived:
    """What came to all watchers: latencies in ns, connections that ended, and updates that were sent."""

    latencies_ns: list[int] = field(default_factory=list)
    dropped: int = 0
    sent: int = 0

    @property
    def skipped(self) -> float:
        """Updates that a watcher did not get, as a newer one held what they did."""
        return 1 - len(self.latencies_ns) / max(1, self.sent)


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/watchers.json."""
    watchers, rounds, seconds = (200, 1, 4.0) if quick else (WATCHERS, 3, 10.0)
    found = {"bare Starlette broadcaster": Arrived(), "ours": Arrived()}
    with started("bare") as bare, started("ours") as ours:
        for _ in range(rounds):
            for arrived, server in zip(found.values(), (bare, ours), strict=True):
                asyncio.run(_watch(server, watchers, seconds, arrived))
        lost = asyncio.run(_come_again(ours, watchers // 50, seconds))
    table = rows({name: each.latencies_ns for name, each in found.items()})
    notes: dict[str, Any] = {"watchers, updates a second": f"{watchers:,}, {1 / EVERY_S:g}"}
    ratio = table[1].p99_us / table[0].p99_us
    notes["p99 of ours beside the bare broadcaster"] = f"{ratio:.2f} (at most {MAX_RATIO})" + (
        "" if ratio <= MAX_RATIO else "  MISSED"
    )
    for name, each in found.items():
        notes[f"{name}: connections lost"] = each.dropped
        notes[f"{name}: skipped for a newer one"] = f"{each.skipped:.1%}"
    notes["after broken connections and Last-Event-ID, watchers whose standing is not the newest"] = lost
    report("watchers", table, notes)


class _Watcher(asyncio.Protocol):
    """A connection that notes when each event of its stream came, and no more: it shares the cores with the server."""

    def __init__(self, port: int, came: list[tuple[int, int]], ready: asyncio.Semaphore) -> None:
        self._port, self._came, self._ready = port, came, ready
        self._rest, self._is_ready = b"", False
        self.transport: asyncio.BaseTransport | None = None
        self.dropped = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(f"GET /races/{RACE_ID}/live HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        at_ns = time.monotonic_ns()
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for each in events:
            if not self._is_ready and b'"topics"' in each:
                self._is_ready = True
                self._ready.release()
            elif made := _MADE.search(each):
                self._came.append((int(made[1]), at_ns))

    def connection_lost(self, _exc: Exception | None) -> None:
        self.dropped = True


async def _watch(server: UpdateServer, watchers: int, seconds: float, arrived: Arrived) -> None:
    """Has the server send to so many watchers for so long."""
    loop, ready, came = asyncio.get_running_loop(), asyncio.Semaphore(0), list[tuple[int, int]]()
    connected: list[_Watcher] = []
    while len(connected) < watchers:  # some at a time: each batch is served before the next one comes
        batch = [_Watcher(server.port, came, ready) for _ in range(min(_CONNECTING, watchers - len(connected)))]
        for each in batch:
            await loop.create_connection(lambda each=each: each, "127.0.0.1", server.port)  # type: ignore[misc]
        for _ in batch:
            await asyncio.wait_for(ready.acquire(), 120)
        connected += batch
    server.ask(f"go {EVERY_S}")
    await asyncio.sleep(1.0)
    warm = len(came)  # the first updates find cold caches in both
    await asyncio.sleep(seconds)
    server.ask("stop")
    made_ns = await asyncio.to_thread(server.answer)
    await asyncio.sleep(1.5)
    arrived.dropped += sum(each.dropped for each in connected)
    for each in connected:
        if each.transport is not None:
            each.transport.close()
    arrived.latencies_ns += [max(0, at_ns - made_ns[number]) for number, at_ns in came[warm:] if number in made_ns]
    arrived.sent += len(made_ns) * watchers - warm


async def _come_again(server: UpdateServer, watchers: int, seconds: float) -> int:
    """Watchers that lose their connection after a few events each; how many do not have the newest standing at last."""
    server.ask(f"go {EVERY_S}")
    browsers = [Browser() for _ in range(watchers)]
    ends = time.monotonic() + seconds
    await asyncio.gather(*(_broken(server.port, each, number, ends) for number, each in enumerate(browsers)))
    server.ask("stop")
    await asyncio.to_thread(server.answer)
    newest = Browser()
    await asyncio.gather(*(_read(server.port, each, 1) for each in (*browsers, newest)))
    return sum(each.rows != newest.rows or list(each.rows) != list(newest.rows) for each in browsers)


async def _broken(port: int, browser: Browser, number: int, ends: float) -> None:
    while time.monotonic() < ends:
        await _read(port, browser, 1 + number % 4)


async def _read(port: int, browser: Browser, events: int) -> None:
    """Go on from the browser's last event for so many events, or until there is nothing new."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    last = f"Last-Event-ID: {browser.last_id}\r\n" if browser.last_id else ""
    writer.write(f"GET /races/{RACE_ID}/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{last}\r\n".encode())
    identity = ""
    while events and (line := await reader.readline()):
        if line.startswith(b"id: "):
            identity = line.decode().strip()
        elif line.startswith(b"event: heartbeat"):
            break
        elif line.startswith(b"data: {") and json.loads(line[6:]).get("topics"):
            browser.read(f"{identity}\n{line.decode()}".encode())
            events -= 1
    writer.close()


if __name__ == "__main__":
    main(quick=True)
