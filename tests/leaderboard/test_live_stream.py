"""The live stream: sends only what changed, skips to the newest content, and ends when the server closes."""

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core.errors import UnknownRace
from leaderboard.live_stream import Feed, LiveContent
from leaderboard.live_stream.content import difference, event
from leaderboard.live_stream.list_moves import list_moves
from shared.errors import RetryLater, StorageError
from tests.leaderboard.sample_races import Running, result

CONTENTS = st.builds(
    lambda rows, parts, version: LiveContent(version, tuple(rows), rows, parts),
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["<tr>1", "<tr>2"])),
    st.dictionaries(st.sampled_from(["state", "counts"]), st.text(max_size=5)),
    st.integers(1, 99),
)


PIECES = re.compile(r"<[^>]*>|[^<]+")


def moved(before: list[str], moves: list[tuple[int | str, int]]) -> list[str]:
    """What the stream's hub does with moves."""
    keys = list(before)
    for what, to in moves:
        key = what if isinstance(what, str) else keys.pop(what)
        if to >= 0:
            keys.insert(to, key)
    return keys


def edited(before: str, change: Any) -> str:
    if isinstance(change, str):
        return change
    pieces = PIECES.findall(before)
    for place, piece in zip(change[::2], change[1::2], strict=True):
        pieces[place] = piece
    return "".join(pieces)


class Browser:
    """What a page does with the events: a model of stream_hub.js and live.js."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.parts: dict[str, str] = {}
        self.placing: dict[str, Any] = {}
        self.last_id = ""

    def read(self, raw: bytes) -> None:
        lines = raw.decode().split("\n")
        self.last_id = next((line.removeprefix("id: ") for line in lines if line.startswith("id: ")), self.last_id)
        data = next(line for line in lines if line.startswith("data: "))
        change = json.loads(data.removeprefix("data: "))["topics"]["standings"]
        if change["whole"]:
            self.rows, self.parts = {}, {}
        known = self.rows | {key: edited(self.rows.get(key, ""), row) for key, row in change["rows"].items()}
        order = change["lists"].get("rows", list(self.rows))
        self.rows = {key: known[key] for key in (moved(list(self.rows), order["moves"]) if "moves" in order else order)}
        self.parts |= {name: edited(self.parts.get(name, ""), part) for name, part in change["parts"].items()}
        self.placing = change["data"]


KEYS = st.lists(st.sampled_from("abcdefghijkl"), unique=True)


@settings(max_examples=150)
@given(KEYS, KEYS)
def test_moves_make_the_list_of_now(before: list[str], now: list[str]) -> None:
    moves = list_moves(before, now)
    assert moves is not None
    assert moved(before, moves) == now


def test_one_that_climbs_is_one_move_and_a_shuffle_is_sent_whole() -> None:
    keys = [str(number) for number in range(200)]
    assert list_moves(keys, [*keys[:3], "150", *keys[3:150], *keys[151:]]) == [(150, 3)]
    assert list_moves(keys, [*keys[:3], *keys[4:], "3"]) == [(3, 199)]
    assert list_moves(keys, [*keys[:3], "new", *keys[3:199]]) == [(199, -1), ("new", 3)]
    assert list_moves(keys, keys[::-1]) is None


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(CONTENTS, min_size=1, max_size=6))
def test_a_browser_that_follows_the_differences_sees_the_newest_picture(contents: list[LiveContent]) -> None:
    browser, sent = Browser(), None
    for content in contents:
        browser.read(event(difference(sent, content)))
        sent = content
    assert browser.rows == contents[-1].rows
    assert list(browser.rows) == list(contents[-1].order)
    assert contents[-1].parts.items() <= browser.parts.items()


def test_only_what_changed_is_told() -> None:
    old = LiveContent(1, ("a", "b"), {"a": "1", "b": "1"}, {"state": "open", "counts": "2"})
    new = LiveContent(2, ("b", "a"), {"a": "1", "b": "2"}, {"state": "open", "counts": "3"})
    change = difference(old, new)
    assert (moved(["a", "b"], change.order), change.rows, change.parts) == (["b", "a"], {"b": "2"}, {"counts": "3"})  # type: ignore[arg-type]


def content_at(version: int) -> LiveContent:
    return LiveContent(version, ("a",), {"a": f"<tr>{version}"}, {})


class Renderer:
    """Renders the current version and counts how often it was called."""

    def __init__(self) -> None:
        self.version = 1
        self.rendered = 0
        self.failing = False

    def __call__(self, race_id: str, table: str = "") -> LiveContent:
        if race_id != "cup":
            raise UnknownRace("none")
        if self.failing:
            raise StorageError("away")
        self.rendered += 1
        return content_at(self.version)


def runs(renderer: Renderer, story: Callable[[Feed], Coroutine[None, None, None]], max_browsers: int = 9) -> None:
    async def run() -> None:
        feed = Feed(renderer, max_browsers, heartbeat_s=30.0)
        feed.attach()
        async with asyncio.timeout(20):
            await story(feed)

    asyncio.run(run())


async def next_event(stream: AsyncIterator[bytes]) -> bytes:
    while True:
        chunk = await anext(stream)
        if chunk.startswith(b"id:"):
            return chunk


def test_first_the_whole_then_each_change() -> None:
    renderer = Renderer()

    async def story(feed: Feed) -> None:
        stream = await feed.open("cup")
        assert b"<tr>1" in await next_event(stream)
        renderer.version = 2
        await asyncio.to_thread(feed.changed, "cup")
        assert b"<tr>2" in await next_event(stream)

    runs(renderer, story)


def test_one_who_reads_slowly_skips_to_the_newest() -> None:
    renderer = Renderer()

    async def story(feed: Feed) -> None:
        stream = await feed.open("cup")
        await next_event(stream)
        for renderer.version in range(2, 50):
            feed.changed("cup")
        assert b"<tr>49" in await next_event(stream)

    runs(renderer, story)
    assert renderer.rendered <= 4


def test_all_browsers_of_a_race_share_one_picture() -> None:
    renderer = Renderer()

    async def story(feed: Feed) -> None:
        streams = [await feed.open("cup") for _ in range(5)]
        for stream in streams:
            await next_event(stream)

    runs(renderer, story)
    assert renderer.rendered <= 6


def test_who_comes_while_the_last_one_leaves_hears_what_changes() -> None:
    renderer = Renderer()

    async def story(feed: Feed) -> None:
        first = await feed.open("cup")
        await next_event(first)
        second = await feed.open("cup")  # not begun yet
        await first.aclose()  # type: ignore[attr-defined]
        assert b"<tr>1" in await next_event(second)
        third = await feed.open("cup")
        await next_event(third)
        await third.aclose()  # type: ignore[attr-defined]
        renderer.version = 2
        feed.changed("cup")
        assert b"<tr>2" in await next_event(second)
        await second.aclose()  # type: ignore[attr-defined]
        assert (await feed.open("cup")) is not None  # one that never begins
        assert feed._channels == {}

    runs(renderer, story)


def test_who_comes_again_goes_on_from_the_last_event_and_loses_nothing() -> None:
    renderer = Renderer()

    async def story(feed: Feed) -> None:
        watching, browser = await feed.open("cup"), Browser()
        leaving = await feed.open("cup")
        await next_event(watching)
        browser.read(await next_event(leaving))
        await leaving.aclose()  # type: ignore[attr-defined]
        for renderer.version in range(2, 8):
            feed.changed("cup")
            await next_event(watching)
        back = await feed.open("cup", last_event_id=browser.last_id)
        missed = await next_event(back)
        assert b'"whole":false' in missed
        browser.read(missed)
        assert browser.rows == {"a": "<tr>7"}
        for unknown in ("", "x-1", browser.last_id + "0"):
            assert b'"whole":true' in await next_event(await feed.open("cup", last_event_id=unknown))

    runs(renderer, story)


@pytest.mark.parametrize("others", [1, 3])
def test_who_comes_again_after_a_drawing_that_failed_gets_the_change(others: int) -> None:
    renderer = Renderer()

    async def story(feed: Feed) -> None:
        unlucky, *streams = [await feed.open("cup") for _ in range(1 + others)]
        for stream in (unlucky, *streams):
            await next_event(stream)
        renderer.version, renderer.failing = 2, True
        feed.changed("cup")
        with pytest.raises(StopAsyncIteration):
            await next_event(unlucky)
        renderer.failing = False
        for stream in streams:
            with pytest.raises(StopAsyncIteration):
                await next_event(stream)
        again = [await feed.open("cup") for _ in range(1 + others)]
        for stream in again:
            assert b"<tr>2" in await next_event(stream)

    runs(renderer, story)


def test_one_who_goes_in_the_middle_of_a_painting_takes_the_change_from_nobody_else() -> None:
    renderer = Renderer()
    entered, done = threading.Event(), threading.Event()

    def render(race_id: str, table: str) -> LiveContent:
        if renderer.version == 2 and not entered.is_set():
            entered.set()
            assert done.wait(20)
        return renderer(race_id)

    async def run() -> None:
        feed = Feed(render, 9, heartbeat_s=30.0)
        feed.attach()
        one, other = await feed.open("cup"), await feed.open("cup")
        for stream in (one, other):
            await next_event(stream)
        renderer.version = 2
        feed.changed("cup")
        leaving = asyncio.ensure_future(next_event(one))
        assert await asyncio.to_thread(entered.wait, 20)
        leaving.cancel()
        done.set()
        with contextlib.suppress(asyncio.CancelledError):
            await leaving
        async with asyncio.timeout(20):
            assert b"<tr>2" in await next_event(other)

    asyncio.run(run())


def test_a_heartbeat_repaints_and_tells_that_it_lives() -> None:
    renderer = Renderer()

    async def run() -> None:
        feed = Feed(renderer, 9, heartbeat_s=0.05)
        feed.attach()
        stream = await feed.open("cup")
        await next_event(stream)
        assert await anext(stream) == b"event: heartbeat\ndata: 1\n\n"
        renderer.version = 7
        async with asyncio.timeout(20):
            assert b"<tr>7" in await next_event(stream)

    asyncio.run(run())


def test_too_many_unknown_closing_and_away() -> None:
    renderer = Renderer()

    async def story(feed: Feed) -> None:
        with pytest.raises(UnknownRace):
            await feed.open("none")
        stream = await feed.open("cup")
        await next_event(stream)
        with pytest.raises(RetryLater):
            await feed.open("cup")
        renderer.failing = True
        feed.changed("cup")
        with pytest.raises(StopAsyncIteration):
            await next_event(stream)
        renderer.failing = False
        again = await feed.open("cup")
        await next_event(again)
        feed.close()
        with pytest.raises(StopAsyncIteration):
            await next_event(again)
        with pytest.raises(RetryLater):
            await feed.open("cup")

    runs(renderer, story, max_browsers=1)


@pytest.mark.slow
def test_the_stream_over_http(running: Running) -> None:
    with requests.get(f"{running.url}/races/cup/live", stream=True, timeout=60) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        browser = Browser()
        lines = stream.iter_lines()
        read_one(browser, lines)
        assert browser.rows == {}
        assert "No qualified run yet" in browser.parts["empty"]
        running.post(result("live-1", "<b>anna</b>"))
        read_one(browser, lines)
        assert list(browser.rows) == ["<b>anna</b>"]
        assert "&lt;b&gt;anna" in browser.rows["<b>anna</b>"]
        assert browser.parts["empty"] == ""
    assert running.get("/races/none/live").status_code == 404


def read_one(browser: Browser, lines: object) -> None:
    browser.read(next(line for line in lines if line.startswith(b"data: {")))  # type: ignore[attr-defined]
