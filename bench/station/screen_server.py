"""One server of the bench `screens`, in a process of its own: `python -m bench.station.screen_server ours|bare`.

Both send updates while they are asked to ("go" and "stop" on the standard input). `ours` is the
station's web app over a view with 200 racers; `bare` is a Starlette app that broadcasts the same bytes to whoever is
connected, and does nothing else. Each update holds the monotonic time at which it was made.
"""

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from shared.web.server import listen
from station.views.race_views import StandingLine
from station.views.views import View
from station.web.pages.registry import PAGES, TOPICS
from station.web.render import Pages
from station.web.streaming.messages import SharedTopic, TimedView, update
from tests.station.web.conftest import serve
from tests.station.web.sample_views import RUN, VIEW, FakeStation

RACERS = 200
EVERY_S = 0.1
MARK = "made-{}-"  # the monotonic time of an update, as the name of the racer on the track
TOPIC_NAMES = ("public", "live")


def view_at(made_ns: int, number: int) -> View:
    """A view with 200 racers in which the run and one place have changed."""
    standing = tuple(
        StandingLine(
            place + 1,
            f"Racer {place}",
            9_412 + place * 20 + (number if place == number % RACERS else 0),
            0,
            0,
            False,
            1,
            "",
        )
        for place in range(RACERS)
    )
    return replace(VIEW, standing=standing, run=replace(RUN, racer=MARK.format(made_ns)))


class Emitter:
    """Calls `send(number)` at the rate that the standard input asks for: "go SECONDS" between two, and "stop".

    After "stop" it prints how many it has sent.
    """

    def __init__(self, send: Callable[[int], None]) -> None:
        self._send, self._on = send, threading.Event()
        self._every_s, self._sent = EVERY_S, 0
        threading.Thread(target=self._emit, daemon=True).start()

    def obey(self) -> None:
        """Follows the standard input until it ends."""
        for line in sys.stdin:
            word, _, every_s = line.strip().partition(" ")
            if word == "go":
                self._every_s, self._sent = float(every_s), 0
                self._on.set()
            else:
                self._on.clear()
                sys.stdout.write(f"{self._sent}\n")
                sys.stdout.flush()

    def _emit(self) -> None:
        for number in range(1 << 30):
            self._on.wait()
            self._send(number)
            self._sent += 1
            time.sleep(self._every_s)


def serve_ours() -> None:
    station = FakeStation(view=view_at(0, 0))
    with contextlib.contextmanager(serve)(station) as served:

        def send(number: int) -> None:
            made = view_at(time.monotonic_ns(), number)
            station.show(standing=made.standing, run=made.run)

        sys.stdout.write(f"{served.port}\n")
        sys.stdout.flush()
        Emitter(send).obey()


class Broadcaster:
    """The bare peer: one message for all, each waits for the next."""

    def __init__(self) -> None:
        self._pages = Pages(PAGES, TOPICS)
        self._before = view_at(0, 0)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._newest = b""
        rendered = {
            name: SharedTopic(TimedView(self._before, 0), self._pages.render(self._before, name))
            for name in TOPIC_NAMES
        }
        self._first = update(rendered, {})
        # The bytes of one of our updates; only its mark is changed, so that the peer does no work of its own.
        after = view_at(10**15, 1)
        changed = {name: SharedTopic(TimedView(after, 0, 2), self._pages.render(after, name)) for name in TOPIC_NAMES}
        self._template = update(changed, rendered)

    async def stream(self, _: Request) -> StreamingResponse:
        return StreamingResponse(self._messages(), media_type="text/event-stream")

    async def _messages(self) -> AsyncIterator[bytes]:
        self._loop = asyncio.get_running_loop()
        yield self._first
        while True:
            await self._changed.wait()
            yield self._newest

    def send(self, _: int) -> None:
        if self._loop is not None:
            message = self._template.replace(MARK.format(10**15).encode(), MARK.format(time.monotonic_ns()).encode())
            self._loop.call_soon_threadsafe(self._wake, message)

    def _wake(self, message: bytes) -> None:
        self._newest = message
        self._changed.set()
        self._changed = asyncio.Event()


@contextlib.contextmanager
def _serving(app: Starlette) -> Iterator[int]:
    listening = listen("127.0.0.1", 0, "bare")
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    server.force_exit = server.should_exit = True
    thread.join(10)


def serve_bare() -> None:
    peer = Broadcaster()
    with _serving(Starlette(routes=[Route("/live", peer.stream)])) as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        Emitter(peer.send).obey()


if __name__ == "__main__":
    {"ours": serve_ours, "bare": serve_bare}[sys.argv[1]]()
