"""The event stream of the pages: a whole snapshot first, then only the parts that changed.

One thread waits for the station and holds the newest view; each topic is drawn once for all. Every browser has its own
place in the stream, names the topics that its tabs show, and is sent what differs from what it last got. So nothing
queues up: a slow browser skips to the newest, and the station never waits for one. Browsers that have the same get the
same bytes: with hundreds of them, what is done for each one alone takes the processor from the timing.
"""

import asyncio
import contextlib
import dataclasses
import json
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from shared.text.reader import language
from shared.web.html_edits import edits
from station.screens.records import ScreensView
from station.views.views import ServicePort, View
from station.web.render import Pages, Rendered

Value = TypeVar("Value")

_LOG = logging.getLogger("raceday.web")
HEARTBEAT_S = 0.5  # a page that receives nothing for three of these intervals says so (shared/web/look/silence.js)
SAME_CLOCK_NS = 5_000_000  # browsers that are sent the same within this time get the clock of the first of them
HEARTBEAT_DUE_S = 0.9 * HEARTBEAT_S
MAX_TOGETHER = 64  # sets of topics that are held
GATHER_S = 0.005  # the changes of one commit are shown together, once the timing is through with them
SETTLE_S = 0.02  # so are those that follow closely,
PACE_S = 0.0002  # and, for each browser, this much longer: 500 are sent ten updates a second, and leave time to time
AWAY_CHECK_NS = 5_000_000_000
MAX_BROWSERS = 520  # browsers of the public: 500 watchers, and what reloads while its old stream is still being closed
MAX_OFFICIALS = 50  # browsers of officials, whose places the public cannot take


@dataclass(frozen=True, slots=True)
class TimedView:
    """A view, and when it was made on this process's monotonic clock. `number` grows with each."""

    view: View
    taken_ns: int
    number: int = 1


@dataclass(frozen=True, slots=True)
class SharedTopic:
    """A topic rendered once for all browsers, with the changes since each earlier version that a browser has."""

    timed_view: TimedView
    rendered: Rendered
    _changes_since: dict[int, str] = field(default_factory=dict)  # by number; 0: the browser has none

    @property
    def age_ns(self) -> int:
        return time.monotonic_ns() - self.timed_view.taken_ns

    def changes_since(self, last: "SharedTopic | None") -> str:
        """The JSON for a browser that has `last`, "" if it has everything. Most browsers have the same one."""
        since = last.timed_view.number if last is not None else 0
        if since not in self._changes_since:
            self._changes_since[since] = changes(self.rendered, last.rendered if last is not None else None)
        return self._changes_since[since]


@dataclass(frozen=True, slots=True)
class TopicsTogether:
    """The topics of all browsers that read the same ones, and the messages that were just sent to them.

    `number` grows with each; `view_number`: the oldest view in it. Most browsers get the same message, which is made
    once for all of them: its clock is at most `SAME_CLOCK_NS` old.
    """

    number: int
    view_number: int
    shared: Mapping[str, SharedTopic]
    _made: dict[int, tuple[int, bytes]] = field(default_factory=dict)  # by what the browser has; when (ns), and which

    def update(self, last: "TopicsTogether | None") -> bytes:
        """As the function `update`, for a browser that has `last`."""
        before = {} if last is None else last.shared
        return self._once(0 if last is None else last.number, lambda: update(self.shared, before))

    def heartbeat(self) -> bytes:
        """As the function `heartbeat`."""
        return self._once(-1, lambda: heartbeat(self.shared))

    def _once(self, key: int, make: Callable[[], bytes]) -> bytes:
        known, now_ns = self._made.get(key), time.monotonic_ns()
        if known is None or now_ns - known[0] > SAME_CLOCK_NS:
            known = self._made[key] = now_ns, make()
        return known[1]


class EventStream:
    """Sends the newest view to every open page. Call `start` in the event loop that serves the pages."""

    def __init__(self, service: ServicePort, pages: Pages, screens: Callable[[], ScreensView] = ScreensView) -> None:
        """`screens`: what the screens show now; call `refresh` when it has changed."""
        self._service = service
        self._pages = pages
        self._screens = screens
        self._newest = TimedView(replace(service.snapshot(), screens=screens()), time.monotonic_ns())
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
                yield f"event: denied\ndata: {_json(denied)}\n\n".encode()
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
        """What the screens show has changed. Safe from any thread."""
        newest = self._newest
        self._show(newest.view, newest.taken_ns)

    def _show(self, view: View, taken_ns: int) -> None:
        with self._numbering:
            if taken_ns >= self._newest.taken_ns:  # otherwise a newer view came meanwhile
                number = self._newest.number + 1
                self._newest = TimedView(replace(view, screens=self._screens()), taken_ns, number)
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
        if self._screens().screens and time.monotonic_ns() - self._newest.taken_ns > AWAY_CHECK_NS:
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


def update(shared: Mapping[str, SharedTopic], last: Mapping[str, SharedTopic]) -> bytes:
    """One message: what changed in each topic for a browser that has `last`, and the clock."""
    topics = ((topic, each.changes_since(last.get(topic))) for topic, each in shared.items())
    changed = ",".join(f"{_json(topic)}:{text}" for topic, text in topics if text)
    newest = max(shared.values(), key=lambda each: each.timed_view.number)
    data = f'{{"version":{newest.rendered.version},"clock":{_json(_clock(newest))},"topics":{{{changed}}}}}'
    return f"event: update\ndata: {data}\n\n".encode()


def changes(now: Rendered, last: Rendered | None) -> str:
    """What has changed from `last` to `now`, as JSON; everything if `last` is None, "" if nothing has.

    HTML that the browser has is sent as an edit of it (shared/web/html_edits.py).
    """
    changed = {
        "data": now.data,
        "parts": edits(now.parts, last.parts if last else {}),
        "rows": edits(now.rows, last.rows if last else {}),
        "lists": _changed(now.lists, last.lists if last else {}),
    }
    if last is not None and now.data == last.data:
        del changed["data"]
        if not any(changed.values()):
            return ""
    return _json({"whole": last is None, **changed})


def heartbeat(shared: Mapping[str, SharedTopic]) -> bytes:
    """The message while nothing changes: only the station's clock, as a sign that it is alive."""
    newest = max(shared.values(), key=lambda each: each.timed_view.number)
    return f"event: heartbeat\ndata: {_json(_clock(newest))}\n\n".encode()


def _clock(shared: SharedTopic) -> dict[str, object]:
    """The clock at the instant of sending: the view is older by now."""
    ticking = shared.rendered.ticking
    now_ms = round(ticking.now_ms + shared.age_ns / 1e6 * ticking.rate, 3)
    return {**dataclasses.asdict(ticking), "now_ms": now_ms}


def _json(document: object) -> str:
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def _changed(now: dict[str, Value], before: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in now.items() if before.get(key) != value}
