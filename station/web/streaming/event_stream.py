"""The event stream of the pages: a whole snapshot first, then only the parts that changed.

One thread waits for the station and holds the newest view; each topic is drawn once for all. Every browser has its own
place in the stream, names the topics that its tabs show, and is sent what differs from what it last got. So nothing
queues up: a slow browser skips to the newest, and the station never waits for one. Browsers that have the same get the
same bytes: with hundreds of them, what is done for each one alone takes the processor from the timing.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Callable

from shared.text.reader import language
from station.views.views import ServicePort, View
from station.web.render import Pages
from station.web.streaming import messages
from station.web.streaming.messages import SharedTopic, TimedView, TopicsTogether

HEARTBEAT_S = 0.5  # a page that receives nothing for three of these intervals says so (shared/web/look/silence.js)
HEARTBEAT_DUE_S = 0.9 * HEARTBEAT_S
MAX_TOGETHER = 64  # sets of topics that are held
GATHER_S = 0.005  # the changes of one commit are shown together, once the timing is through with them
SETTLE_S = 0.02  # so are those that follow closely,
PACE_S = 0.0002  # and, for each browser, this much longer: 500 are sent ten updates a second, and leave time to time
AWAY_CHECK_NS = 5_000_000_000
MAX_BROWSERS = 520  # browsers of the public: 500 watchers, and what reloads while its old stream is still being closed
MAX_OFFICIALS = 50  # browsers of officials, whose places the public cannot take


class EventStream:
    """Sends the newest view to every open page. Call `start` in the event loop that serves the pages."""

    def __init__(
        self, service: ServicePort, pages: Pages, complete: Callable[[View], View] = lambda view: view
    ) -> None:
        """`complete`: adds what the web keeps beside the station, such as screens; call `refresh` when it changed."""
        self._service = service
        self._pages = pages
        self._complete = complete
        self._newest = TimedView(complete(service.snapshot()), time.monotonic_ns())
        self._numbering = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="live", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wakes: dict[asyncio.Event, bool] = {}  # True: an official's
        self._shared: dict[tuple[str, str], SharedTopic] = {}  # by topic and language
        self._drawing: dict[tuple[str, str], asyncio.Task[SharedTopic]] = {}
        self._together: dict[tuple[tuple[str, ...], str], TopicsTogether] = {}  # by topics and language
        self._togethers = 0
        self._woken_s = 0.0

    @property
    def browsers(self) -> int:
        return len(self._wakes)

    def full(self, *, official: bool = False) -> bool:
        """Is there no place for one more page of the public, or of an official?"""
        count = sum(theirs == official for theirs in self._wakes.values())
        return count >= (MAX_OFFICIALS if official else MAX_BROWSERS)

    def start(self) -> None:
        """Begins to wait for changes; the running event loop is the one that serves the pages."""
        self._loop = asyncio.get_running_loop()
        self._loop.call_later(HEARTBEAT_S, self._beat)
        self._thread.start()

    def close(self) -> None:
        """Ends all streams. Safe from any thread, and to call twice."""
        self._closing.set()
        self.wake_all()

    async def stream(
        self,
        topics: tuple[str, ...],
        denied: tuple[str, ...] = (),
        *,
        official: bool = False,
        allowed: Callable[[], bool] = lambda: True,
    ) -> AsyncGenerator[bytes, None]:
        """Yields server-sent events for one browser until it disconnects, the station stops, or it is not `allowed`.

        `topics`: known ones; `denied`: those that this browser asked for and may not read. `allowed` is asked before
        each message, and at once after `wake_all`.
        """
        wake = asyncio.Event()
        self._wakes[wake] = official
        last: TopicsTogether | None = None
        sent_s = time.monotonic()
        try:
            yield b"retry: 1000\n\n"
            if denied:
                yield messages.denied(denied)
            while not self._closing.is_set() and allowed():
                wake.clear()
                now, now_s = await self._newest_of(topics), time.monotonic()
                if now is not last:
                    yield now.update(last)
                    last, sent_s = now, now_s
                elif now_s - sent_s >= HEARTBEAT_DUE_S:
                    yield now.heartbeat()
                    sent_s = now_s
                await wake.wait()
        finally:
            self._wakes.pop(wake, None)

    async def views(self) -> AsyncGenerator[View | None, None]:
        """Each newest view as soon as the reader takes it, and None while nothing changes."""
        wake = asyncio.Event()
        self._wakes[wake] = False
        version, sent_s = -1, time.monotonic()
        try:
            while not self._closing.is_set():
                wake.clear()
                view, now_s = self._newest.view, time.monotonic()
                if view.version != version:
                    version, sent_s = view.version, now_s
                    yield view
                elif now_s - sent_s >= HEARTBEAT_DUE_S:
                    sent_s = now_s
                    yield None
                await wake.wait()
        finally:
            self._wakes.pop(wake, None)

    async def _newest_of(self, topics: tuple[str, ...]) -> TopicsTogether:
        """These topics in the reader's language, at least as new as the view at the call."""
        newest, key = self._newest.number, (topics, language())
        known = self._together.get(key)
        if known is None or known.view_number < newest:
            shared = {topic: await self._draw(topic) for topic in topics}
            number = min(each.timed_view.number for each in shared.values())
            known = self._together.get(key)  # another browser may have come first
            if known is None or known.view_number < number:
                if len(self._together) >= MAX_TOGETHER:
                    self._together.clear()
                self._togethers += 1
                known = self._together[key] = TopicsTogether(self._togethers, number, shared)
        return known

    async def _draw(self, topic: str) -> SharedTopic:
        """The topic in the reader's language, drawn once for all its browsers, at least as new as the view at the call.

        The first browser draws it, the others wait. Changes that come meanwhile are left for the next turn; otherwise
        each browser would draw it for itself.
        """
        newest, key = self._newest, (topic, language())
        shared = self._shared.get(key)
        while shared is None or shared.timed_view.number < newest.number:
            drawing = self._drawing.get(key)
            if drawing is None:
                drawing = self._drawing[key] = asyncio.create_task(self._drawn(key))
            shared = await asyncio.shield(drawing)  # it goes on for the others if this browser leaves
        return shared

    async def _drawn(self, key: tuple[str, str]) -> SharedTopic:
        try:
            timed_view = self._newest
            rendered = await asyncio.to_thread(self._pages.render, timed_view.view, key[0])
            shared = self._shared[key] = SharedTopic(timed_view, rendered)
            return shared
        finally:
            del self._drawing[key]

    def refresh(self) -> None:
        """What the web keeps beside the station has changed. Safe from any thread."""
        newest = self._newest
        self._show(newest.view, newest.taken_ns)

    def _show(self, view: View, taken_ns: int) -> None:
        with self._numbering:
            if taken_ns >= self._newest.taken_ns:  # otherwise a newer view came meanwhile
                number = self._newest.number + 1
                self._newest = TimedView(self._complete(view), taken_ns, number)
        self.wake_all()

    def _watch(self) -> None:
        while not self._closing.is_set():
            view = self._service.wait_for_change(self._newest.view.version, 1.0)
            if view is None:
                self._look_for_away_screens()
                continue
            self._closing.wait(GATHER_S)
            self._show(self._service.snapshot(), time.monotonic_ns())
            self._closing.wait(max(SETTLE_S, self.browsers * PACE_S))

    def _look_for_away_screens(self) -> None:
        """While nothing else changes: a screen that is gone makes no change by itself."""
        if self._newest.view.screens.screens and time.monotonic_ns() - self._newest.taken_ns > AWAY_CHECK_NS:
            self._show(self._service.snapshot(), time.monotonic_ns())

    def wake_all(self) -> None:
        """Has every stream look for changes now. Safe from any thread."""
        if self._loop is None:
            return
        # The loop may end between a check and the call: then no stream is left to wake.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._set_wakes)

    def _set_wakes(self) -> None:
        self._woken_s = time.monotonic()
        for wake in self._wakes:
            wake.set()

    def _beat(self) -> None:
        """Wakes all streams in time for their next heartbeat: one timer for all of them."""
        if self._closing.is_set() or self._loop is None:
            return
        if time.monotonic() - self._woken_s >= HEARTBEAT_DUE_S:
            self._set_wakes()
        self._loop.call_later(HEARTBEAT_S / 4, self._beat)
