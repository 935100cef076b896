"""One server of the bench `watchers`, in a process of its own: `python -m bench.leaderboard.watcher_server ours|bare`.

Both send updates while they are asked to ("go SECONDS" between two, and "stop", on the standard input). `ours` is the
whole leaderboard, to which a racer's new result is posted for each update; `bare` is a Starlette app that broadcasts
the same bytes, made beforehand, to whoever is connected. Each update holds its number; when it was there to be sent
(ours: committed) is printed after "stop".
"""

import asyncio
import contextlib
import json
import os
import pathlib
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from bench.leaderboard.big_board import RACE_ID
from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig, LeaderboardLimits
from leaderboard.credentials import Credentials
from leaderboard.live_stream.content import difference, event
from leaderboard.pages.render import LeaderboardPages
from leaderboard.server import serve
from shared.clock import SystemClock
from shared.process.start_up import without_collecting
from shared.protocol.results import encode_result
from shared.web.server import listening_socket
from tests.leaderboard.sample_races import race, result

RACERS = 200
MARK = "made-{:09}-"  # the number of an update
NOW_NS = 1_800_000_000 * 10**9


class UpdateSource:
    """Calls `send(number)` at the rate that the standard input asks for.

    After "stop" it prints the number of each update and the monotonic time at which `send` said that it was there.
    """

    def __init__(self, send: Callable[[int], int]) -> None:
        self._send, self._on, self._idle = send, threading.Event(), threading.Event()
        self._every_s, self._sent = 1.0, dict[int, int]()
        self._idle.set()
        threading.Thread(target=self._emit, daemon=True).start()

    def obey(self) -> None:
        """Follows the standard input until it ends."""
        for line in sys.stdin:
            word, _, every_s = line.strip().partition(" ")
            if word == "go":
                self._every_s, self._sent = float(every_s), {}
                self._idle.clear()
                self._on.set()
            else:
                self._on.clear()
                self._idle.wait(10)
                sys.stdout.write(f"{json.dumps(self._sent)}\n")
                sys.stdout.flush()

    def _emit(self) -> None:
        number = 0
        while True:
            self._idle.set()
            self._on.wait()
            self._idle.clear()
            number += 1
            self._sent[number] = self._send(number)
            time.sleep(self._every_s)


def board_of(folder: pathlib.Path) -> LeaderboardService:
    """A board with as many racers as the page shows."""
    board = open_board(folder / "board.db")
    board.create_race(race(RACE_ID), 1)
    for number in range(RACERS):
        post(board, number, 0)
    return board


def post(board: LeaderboardService, racer: int, update: int) -> int:
    """A faster run of this racer, whose model names the update; when it was committed."""
    times = (12_000 + 20 * racer - update % 5_000,) * 3
    one = result(f"r-{racer}-{update}", f"Racer {racer}", times, model=MARK.format(update))
    assert board.apply(one.webhook_id, encode_result(one), NOW_NS).status == 201
    return time.monotonic_ns()


def serve_ours() -> None:
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        board = board_of(pathlib.Path(name))
        config = LeaderboardConfig(limits=LeaderboardLimits(browsers_at_once=10_000))
        with without_collecting():  # as a leaderboard starts
            app, feed = create_app(board, Credentials((), ""), config, SystemClock().utc_ns)
        listening = listening_socket("127.0.0.1", 0)

        def serving(_url: str) -> None:
            _say(listening)
            source = UpdateSource(lambda number: post(board, number % RACERS, number))
            threading.Thread(target=_until_the_end, args=(source,), daemon=True).start()

        serve(app, feed, listening, serving)


def _until_the_end(source: UpdateSource) -> None:
    source.obey()
    os.kill(os.getpid(), signal.SIGTERM)


def _say(listening: socket.socket) -> None:
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()


class BareBroadcaster:
    """The peer: one message for all, and each waits for the next."""

    def __init__(self, first: bytes, update: bytes, mark: bytes) -> None:
        self._first, self._update, self._mark = first, update, mark
        self._newest, self._changed = b"", asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def stream(self, _: Request) -> StreamingResponse:
        return StreamingResponse(self._messages(), media_type="text/event-stream")

    async def _messages(self) -> AsyncIterator[bytes]:
        self._loop = asyncio.get_running_loop()
        yield self._first
        while True:
            await self._changed.wait()
            yield self._newest

    def send(self, number: int) -> int:
        message = self._update.replace(self._mark, MARK.format(number).encode())
        made_ns = time.monotonic_ns()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake, message)
        return made_ns

    def _wake(self, message: bytes) -> None:
        self._newest = message
        self._changed.set()
        self._changed = asyncio.Event()


def serve_bare() -> None:
    """The same bytes as ours: the first event of a page, and that of one racer's new result."""
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        board, pages = board_of(pathlib.Path(name)), LeaderboardPages("Board")
        before = pages.live_content(board.snapshot(RACE_ID, RACERS), NOW_NS)
        post(board, 7, 1)
        now = pages.live_content(board.snapshot(RACE_ID, RACERS), NOW_NS)
        board.close()
    update = event(difference(before, now))
    start = update.index(b"made-")
    mark = update[start : update.index(b"-", start + 5) + 1]
    peer = BareBroadcaster(event(difference(None, before)), update, mark)
    listening = listening_socket("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(_app(peer), log_level="error", access_log=False, http="h11"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    _say(listening)
    UpdateSource(peer.send).obey()
    server.force_exit = server.should_exit = True
    thread.join(10)


def _app(peer: BareBroadcaster) -> Starlette:
    return Starlette(routes=[Route(f"/races/{RACE_ID}/live", peer.stream)])


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        {"ours": serve_ours, "bare": serve_bare}[sys.argv[1]]()
