"""The public door of the event manager's timer where its site's pages are handed on: `python -m station.drem_front`.

A process of its own, started by drem_timer.py: whatever the site sends, and however many ask for it, the timing process
holds none of it. A page is passed on as it comes, at most four at a time; a WebSocket is passed through to the timer,
which listens on a socket in a private folder. It ends when its standard input does, so it never outlives the station.
"""

import asyncio
import contextlib
import functools
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import h11
import requests

PAGES_AT_ONCE = 4
MAX_WAITING = 64  # connections that get nothing yet; beyond this the oldest is closed
MAX_LINES = 40  # WebSockets: the timer takes 32, and tells the others so
MAX_HEAD_BYTES = 16_384
MAX_PAGE_BYTES = 32 * 1024 * 1024
PART_BYTES = 65_536
HEAD_S = 10.0
UNREAD_S = 20.0  # a browser that reads no more gives its place to another
SITE_WITHIN_S = (3, 6)  # to connect, and between two parts
FORWARDED_HEADERS = ("Content-Type", "Content-Encoding", "Cache-Control", "ETag", "Location")
_REASONS = {400: "Bad Request", 405: "Method Not Allowed", 502: "Bad Gateway", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class SitePage:
    """The beginning of the site's answer; `parts` are read one by one as they were sent, each of at most PART_BYTES."""

    status: int
    headers: list[tuple[str, str]]
    parts: Iterator[bytes]
    answer: requests.Response


def open_page(site: str, target: str) -> SitePage:
    """The site's answer to `GET target`; a redirect is passed on, not followed. Raises RequestException, ValueError."""
    # Nothing is unpacked here: a packed page may be a thousand times as long.
    asked = {"Accept-Encoding": "identity"}
    answer = requests.get(site + target, headers=asked, timeout=SITE_WITHIN_S, allow_redirects=False, stream=True)
    headers = [(name, answer.headers[name]) for name in FORWARDED_HEADERS if name in answer.headers]
    headers = [(name, _ours(value, site) if name == "Location" else value) for name, value in headers]
    return SitePage(answer.status_code, headers, answer.raw.stream(PART_BYTES, decode_content=False), answer)


def _ours(location: str, site: str) -> str:
    return location[len(site) :] or "/" if location.startswith(site) else location


class PageFront:
    """Serves one public port. `site`: whose pages these are; `timer`: the path of the timer's own socket."""

    def __init__(self, site: str, timer: str) -> None:
        self._site, self._timer = site, timer
        self._places = asyncio.Semaphore(PAGES_AT_ONCE)
        self._waiting: dict[asyncio.StreamWriter, None] = {}
        self._lines = 0

    async def serve(self, public: socket.socket) -> None:
        """Serve until it is cancelled."""
        async with await asyncio.start_server(self._connected, sock=public, limit=MAX_HEAD_BYTES) as server:
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._waiting[writer] = None
        if len(self._waiting) > MAX_WAITING:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.transport.abort()
        try:
            async with asyncio.timeout(HEAD_S):
                head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(head, reader, writer)
        except (OSError, EOFError, asyncio.LimitOverrunError):
            writer.transport.abort()
        finally:
            self._waiting.pop(writer, None)
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        browser = h11.Connection(h11.SERVER, MAX_HEAD_BYTES)
        try:
            browser.receive_data(head)
            request = browser.next_event()
        except h11.RemoteProtocolError:
            request = None
        if not isinstance(request, h11.Request) or not request.target.startswith(b"/"):
            await _refuse(writer, 400, "The request must name a path.")
        elif dict(request.headers).get(b"upgrade", b"").lower() == b"websocket":
            await self._pass_through(head, reader, writer)
        elif request.method != b"GET":
            await _refuse(writer, 405, "Pages are only read here.")
        else:
            async with self._places:
                self._waiting.pop(writer, None)
                await self._hand_on(request.target.decode("ascii"), browser, writer)

    async def _hand_on(self, target: str, browser: h11.Connection, writer: asyncio.StreamWriter) -> None:
        try:
            page = await asyncio.to_thread(open_page, self._site, target)
        except (requests.RequestException, OSError, ValueError) as error:
            await _refuse(writer, 502, f"The event manager's site does not answer ({type(error).__name__}).")
            return
        with page.answer:
            try:
                await self._stream(page, browser, writer)
            except (requests.RequestException, OSError, ValueError, h11.LocalProtocolError):
                writer.transport.abort()  # a page that is cut off must not look whole

    async def _stream(self, page: SitePage, browser: h11.Connection, writer: asyncio.StreamWriter) -> None:
        head = h11.Response(status_code=page.status, headers=[*page.headers, ("Connection", "close")])
        writer.write(browser.send(head) or b"")
        size = 0
        while part := await asyncio.to_thread(next, page.parts, b""):
            size += len(part)
            if size > MAX_PAGE_BYTES:
                raise ValueError("the page is too large")
            writer.write(browser.send(h11.Data(data=part)) or b"")
            async with asyncio.timeout(UNREAD_S):
                await writer.drain()
        writer.write(browser.send(h11.EndOfMessage()) or b"")
        await writer.drain()

    async def _pass_through(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._lines >= MAX_LINES:
            await _refuse(writer, 503, "Too many listeners.")
            return
        self._lines += 1
        try:
            from_timer, to_timer = await asyncio.open_unix_connection(self._timer, limit=MAX_HEAD_BYTES)
            self._waiting.pop(writer, None)
            to_timer.write(head)
            pumps = {asyncio.create_task(_pump(reader, to_timer)), asyncio.create_task(_pump(from_timer, writer))}
            _, left = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in left:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            to_timer.close()
        finally:
            self._lines -= 1


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await source.read(MAX_HEAD_BYTES):
            target.write(part)
            await target.drain()


async def _refuse(writer: asyncio.StreamWriter, status: int, sentence: str) -> None:
    body = f"{sentence}\n".encode()
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()


async def _until_the_station_ends(front: PageFront, public: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.StreamReader()
    await loop.connect_read_pipe(functools.partial(asyncio.StreamReaderProtocol, ended), sys.stdin)
    serving = asyncio.create_task(front.serve(public))
    await asyncio.wait({serving, asyncio.create_task(ended.read())}, return_when=asyncio.FIRST_COMPLETED)
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def main(descriptor: str, timer: str, site: str) -> None:
    """Serve over the listening socket that was inherited under this number."""
    with socket.socket(fileno=int(descriptor)) as public:
        public.setblocking(False)
        asyncio.run(_until_the_station_ends(PageFront(site, timer), public))


if __name__ == "__main__":
    main(*sys.argv[1:])
