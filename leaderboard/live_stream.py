"""The live stream of a race's standing: one EventSource a browser, keyed rows, always the newest content.

A browser is sent the difference between what it was last sent and the newest content. There is no queue that
could grow: a browser that reads slowly skips the versions in between.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from shared.errors import RacedayError, RetryLater
from shared.text.reader import language

_RETRY_MS = 2000
_MIN_BETWEEN_S = 0.2
_ALIVE_S = 0.5  # a page without an event for three of these says so (shared/web/look/silence.js)
_ALIVE = b"event: heartbeat\ndata: 1\n\n"


@dataclass(frozen=True, slots=True)
class LiveContent:
    """A page's moving content as HTML: rows by key, in order, and named parts beside the table."""

    version: int
    order: tuple[str, ...]
    rows: dict[str, str]
    parts: dict[str, str]


@dataclass(slots=True)
class _RenderedContent:
    """Rendered content with the events that lead to it, by the number of the one sent before (0: none)."""

    number: int
    content: LiveContent
    rendered_at_s: float
    events: dict[int, bytes] = field(default_factory=dict)

    def event_after(self, sent: "_RenderedContent | None") -> bytes:
        """The event for a browser that was last `sent` this; made once for all browsers that were sent the same."""
        if sent is not None and sent.content == self.content:
            return _ALIVE
        since = 0 if sent is None else sent.number
        if since not in self.events:
            self.events[since] = event(difference(None if sent is None else sent.content, self.content))
        return self.events[since]


@dataclass(slots=True)
class _Channel:
    """One race that is being watched."""

    changed: asyncio.Event = field(default_factory=asyncio.Event)
    rendering: asyncio.Lock = field(default_factory=asyncio.Lock)
    newest: _RenderedContent | None = None
    stale: bool = False
    browsers: int = 0


class Feed:
    """All live pages of one leaderboard. `render(race_id)` makes the newest content; it may block."""

    def __init__(self, render: Callable[[str], LiveContent], browsers_at_once: int, heartbeat_s: float) -> None:
        self._render = render
        self.max_browsers = browsers_at_once  # the server lowers it where descriptors are few
        self._heartbeat_s = heartbeat_s
        self._channels: dict[tuple[str, str], _Channel] = {}  # by race and language
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self._browsers = 0

    def attach(self) -> None:
        """Use the running event loop from now on; called on the loop that serves."""
        self._loop = asyncio.get_running_loop()

    def changed(self, race_id: str) -> None:
        """A change of this race was committed; from any thread, never blocks."""
        self._soon(self._wake, race_id)

    def close(self) -> None:
        """End all streams, so that the server can stop; from any thread or signal handler."""
        self._closing = True
        self._soon(self._wake_all)

    async def open(self, race_id: str) -> AsyncIterator[bytes]:
        """The stream for one browser. Raises UnknownRace, or RetryLater when too many browsers watch."""
        if self._browsers >= self.max_browsers or self._closing:
            raise RetryLater("Too many live pages are open here.", after_s=10.0)
        if (race_id, language()) not in self._channels:
            # An unknown race is refused here, before anything is stored for it.
            await run_in_threadpool(self._render, race_id)
        return self._stream(race_id)

    async def _stream(self, race_id: str) -> AsyncIterator[bytes]:
        # Found and counted in one step: the last browser to leave removes the channel.
        key = (race_id, language())
        channel = self._channels.setdefault(key, _Channel())
        self._browsers += 1
        channel.browsers += 1
        try:
            yield f"retry: {_RETRY_MS}\n\n".encode()
            async for event in self._events(race_id, channel):
                yield event
        finally:
            self._browsers -= 1
            channel.browsers -= 1
            if not channel.browsers:
                del self._channels[key]

    async def _events(self, race_id: str, channel: _Channel) -> AsyncIterator[bytes]:
        sent: _RenderedContent | None = None
        while not self._closing:
            changed = channel.changed
            try:
                newest = await self._newest(race_id, channel)
            except RacedayError:
                # The store cannot be read: the browser shows that it is reconnecting, and comes again.
                return
            yield newest.event_after(sent)
            sent = newest
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_ALIVE_S, self._heartbeat_s)):
                    await changed.wait()
                    # Results that come in a burst make one event.
                    await asyncio.sleep(_MIN_BETWEEN_S)

    async def _newest(self, race_id: str, channel: _Channel) -> _RenderedContent:
        async with channel.rendering:
            now_s, newest = asyncio.get_running_loop().time(), channel.newest
            # The age limit catches what no commit of ours reports: a planned close, another process on PostgreSQL.
            if newest is None or channel.stale or now_s - newest.rendered_at_s >= self._heartbeat_s:
                channel.stale = False
                try:
                    content = await run_in_threadpool(self._render, race_id)
                except BaseException:
                    channel.stale = True  # the change is still to be sent to the others
                    raise
                newest = channel.newest = _RenderedContent(1 if newest is None else newest.number + 1, content, now_s)
            return newest

    def _soon(self, call: Callable[..., None], *arguments: str) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(call, *arguments)

    def _wake(self, race_id: str) -> None:
        for channel in [each for key, each in self._channels.items() if key[0] == race_id]:
            channel.stale = True
            channel.changed.set()
            channel.changed = asyncio.Event()

    def _wake_all(self) -> None:
        for race_id in {race_id for race_id, _ in self._channels}:
            self._wake(race_id)


@dataclass(frozen=True, slots=True)
class ContentChange:
    """What a browser must change; `order` lists all rows, and a row whose key is not in it is removed.

    `whole`: it is everything, for a browser that has nothing yet.
    """

    version: int
    whole: bool
    order: tuple[str, ...]
    rows: dict[str, str]
    parts: dict[str, str]


def difference(sent: LiveContent | None, newest: LiveContent) -> ContentChange:
    """The change from the content that a browser was sent (None: nothing yet) to the newest."""
    if sent is None:
        return ContentChange(newest.version, True, newest.order, newest.rows, newest.parts)
    rows = {key: row for key, row in newest.rows.items() if sent.rows.get(key) != row}
    parts = {name: part for name, part in newest.parts.items() if sent.parts.get(name) != part}
    return ContentChange(newest.version, False, newest.order, rows, parts)


def event(change: ContentChange) -> bytes:
    """The change as one server-sent event (shared/web/look/stream_hub.js); JSON keeps it on one line."""
    standings = {"whole": change.whole, "lists": {"rows": change.order}, "rows": change.rows, "parts": change.parts}
    body = {"version": change.version, "topics": {"standings": standings}}
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return f"id: {change.version}\nevent: update\ndata: {text}\n\n".encode()
