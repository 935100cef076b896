"""Sends the newest content of a race to everybody who watches: drawn once, and one event for all who have the same.

A browser is sent the difference between what it was last sent and the newest content. There is no queue that could
grow: one that reads slowly skips the versions in between. One that comes again with the id of its last event
(`Last-Event-ID`) goes on from there.
"""

import asyncio
import contextlib
import itertools
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from leaderboard.live_stream.content import LiveContent, difference, event
from shared.errors import RacedayError, RetryLater
from shared.text.reader import language

_RETRY_MS = 2000
_MIN_BETWEEN_S = 0.15  # results that come in a burst make one event
_ALIVE_S = 0.5  # a page without an event for three of these says so (shared/web/look/silence.js)
_ALIVE = b"event: heartbeat\ndata: 1\n\n"
_RECENT = 32  # contents that a browser may go on from


def _nobody() -> bool:
    return False


Key = tuple[str, str, str]  # a race, one of its tables ("": the first), and a language


@dataclass(slots=True)
class _DrawnContent:
    """Drawn content with the events that lead to it, by the number of the one sent before (0: none)."""

    number: int
    content: LiveContent
    id: str
    events: dict[int, bytes] = field(default_factory=dict)

    def event_after(self, sent: "_DrawnContent | None") -> bytes:
        """The event for a browser that was last `sent` this; made once for all browsers that were sent the same."""
        if sent is self:
            return _ALIVE
        since = 0 if sent is None else sent.number
        if since not in self.events:
            self.events[since] = event(difference(None if sent is None else sent.content, self.content), self.id)
        return self.events[since]


class _Channel:
    """One table of a race that is being watched in one language."""

    def __init__(self) -> None:
        self.recent: deque[_DrawnContent] = deque(maxlen=_RECENT)
        self.published = asyncio.Event()  # replaced each time that it is set
        self.changed = asyncio.Event()
        self.failures = 0
        self.browsers = 0
        self.drawing: asyncio.Task[None] | None = None

    @property
    def newest(self) -> _DrawnContent | None:
        return self.recent[-1] if self.recent else None

    def publish(self) -> None:
        """Wake all who watch."""
        self.published.set()
        self.published = asyncio.Event()


class Feed:
    """All live pages of one leaderboard. `render(race_id, table)` makes the newest content; it may block."""

    def __init__(self, render: Callable[[str, str], LiveContent], browsers_at_once: int, heartbeat_s: float) -> None:
        self._render = render
        self.max_browsers = browsers_at_once  # the server lowers it where descriptors are few
        self._heartbeat_s = heartbeat_s
        self._channels: dict[Key, _Channel] = {}
        self._numbers = itertools.count(1)
        self._life = secrets.token_hex(4)  # so that no event of another life of the server has the same id
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self._browsers = 0
        self.at_close: list[Callable[[], None]] = []  # called on the loop: what else waits while the server is to stop

    @property
    def browsers(self) -> int:
        """Open streams."""
        return self._browsers

    def attach(self) -> None:
        """Use the running event loop from now on; called on the loop that serves."""
        self._loop = asyncio.get_running_loop()

    def changed(self, race_id: str) -> None:
        """A change of this race was committed; from any thread, never blocks."""
        self._soon(self._wake, race_id)

    def close(self) -> None:
        """End all streams, so that the server can stop; from any thread or signal handler."""
        self._closing = True
        self._soon(self._publish_all)
        for end in self.at_close:
            self._soon(end)

    async def open(
        self, race_id: str, table: str = "", last_event_id: str = "", allowed: Callable[[], bool] = _nobody
    ) -> AsyncIterator[bytes]:
        """The stream for one browser. Raises UnknownRace, or RetryLater when too many browsers watch.

        `allowed`: whether its reader may still see what is not public; the stream ends once that is not so. It may
        block.
        """
        if self._browsers >= self.max_browsers or self._closing:
            raise RetryLater("Too many live pages are open here.", after_s=10.0)
        key = race_id, table, language()
        if key not in self._channels:
            # An unknown race is refused here, before anything is stored for it.
            await run_in_threadpool(self._render, race_id, table)
        return self._stream(key, last_event_id, allowed)

    async def _stream(self, key: Key, last_event_id: str, allowed: Callable[[], bool]) -> AsyncIterator[bytes]:
        # Found and counted in one step: the last browser to leave removes the channel.
        channel = self._channels.setdefault(key, _Channel())
        self._browsers += 1
        channel.browsers += 1
        if channel.drawing is None:
            channel.drawing = asyncio.create_task(self._draw(key, channel))
        sent = next((each for each in channel.recent if each.id == last_event_id), None)
        failures = channel.failures
        try:
            yield f"retry: {_RETRY_MS}\n\n".encode()
            # When the store cannot be read, the browser shows that it is reconnecting, and comes again.
            while not self._closing and channel.failures == failures:
                published, newest = channel.published, channel.newest
                if newest is not None:
                    if not newest.content.public and not await run_in_threadpool(allowed):
                        return
                    yield newest.event_after(sent)
                    sent = newest
                    if published.is_set():
                        continue  # something newer came while this was being sent
                await published.wait()
        finally:
            self._browsers -= 1
            channel.browsers -= 1
            if not channel.browsers:
                channel.drawing.cancel()
                del self._channels[key]

    async def _draw(self, key: Key, channel: _Channel) -> None:
        """Draw the newest content whenever it has changed, and wake all who watch, also where nothing happens."""
        loop = asyncio.get_running_loop()
        drawn_at_s = -self._heartbeat_s
        while not self._closing:
            # The age limit catches what no commit of ours reports: a planned close, another process on PostgreSQL.
            if channel.changed.is_set() or loop.time() - drawn_at_s >= self._heartbeat_s:
                await asyncio.sleep(drawn_at_s + _MIN_BETWEEN_S - loop.time())
                channel.changed.clear()
                drawn_at_s = loop.time()
                try:
                    await self._drawn(key, channel)
                except RacedayError:
                    channel.failures += 1
                    drawn_at_s = -self._heartbeat_s  # whoever comes again gets what has changed
                except Exception:  # a bug: nobody is left waiting, and asyncio reports it
                    channel.failures += 1
                    channel.publish()
                    raise
            channel.publish()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_ALIVE_S, self._heartbeat_s)):
                    await channel.changed.wait()

    async def _drawn(self, key: Key, channel: _Channel) -> None:
        race_id, table, _ = key
        content = await run_in_threadpool(self._render, race_id, table)
        newest = channel.newest
        if newest is None or newest.content != content:
            number = next(self._numbers)
            channel.recent.append(_DrawnContent(number, content, f"{self._life}-{number}"))

    def _soon(self, call: Callable[..., None], *arguments: str) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(call, *arguments)

    def _wake(self, race_id: str) -> None:
        for key, channel in self._channels.items():
            if key[0] == race_id:
                channel.changed.set()

    def _publish_all(self) -> None:
        for channel in self._channels.values():
            channel.publish()
