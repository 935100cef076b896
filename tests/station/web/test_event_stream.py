"""The event stream: first the whole page, then only what changed; nothing queues up for a slow browser."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
import requests

from station.views.views import View
from station.web.pages.registry import PAGES as TABLE
from station.web.pages.registry import TOPICS
from station.web.render import Pages, Rendered
from station.web.streaming.event_stream import MAX_BROWSERS, EventStream
from station.web.streaming.messages import SharedTopic, TimedView, update
from tests.station.web.conftest import Served
from tests.station.web.sample_views import LAPS, RUN, VIEW, FakeStation, S, lap

PAGES = Pages(TABLE, TOPICS)
LIVE = ("live",)


def document(message: bytes) -> dict[str, Any]:
    [data] = [line for line in message.decode().splitlines() if line.startswith("data: ")]
    return json.loads(data.removeprefix("data: "))


def topic(message: dict[str, Any]) -> dict[str, Any]:
    """The one topic of a message, with its version."""
    [(_, change)] = message["topics"].items()
    return {**change, "version": message["version"]}


def sent(view: View, name: str = "live", last: View | None = None, age_ns: int = 0) -> dict[str, Any]:
    """The topic and the clock, in the message to a browser that has `last`."""
    shared = SharedTopic(TimedView(view, time.monotonic_ns() - age_ns, 2), PAGES.render(view, name))
    before = {} if last is None else {name: SharedTopic(TimedView(last, 0), PAGES.render(last, name))}
    message = document(update({name: shared}, before))
    return {**message["topics"][name], "clock": message["clock"]}


def test_the_first_message_is_the_whole_page() -> None:
    first = sent(VIEW)
    assert first["whole"] is True
    assert first["lists"]["laps"] == ["lap-6", "lap-5", "lap-4", "lap-3", "lap-2", "lap-1"]
    assert set(first["rows"]) == {key for keys in first["lists"].values() for key in keys}
    assert 204_000 <= first["clock"].pop("now_ms") < 204_000 + 60_000
    assert first["clock"] == {
        "boot": "boot-0",
        "rate": 1.0,
        "started_ms": 200_000.0,
        "ends_ms": 330_000.0,
        "text": "4.0",
    }


def test_only_what_changed_is_sent_and_the_clock_is_brought_up_to_date() -> None:
    confirmed = (*LAPS[:5], replace(LAPS[5], confirmed=True))
    clock = replace(VIEW.clock, rate=5.0)
    after = replace(VIEW, version=2, clock=clock, run=replace(RUN, laps=confirmed))
    change = sent(after, last=VIEW, age_ns=2 * S)
    assert change["whole"] is False
    assert list(change["rows"]) == ["lap-6"]
    edit = change["rows"]["lap-6"]
    assert any("confirmed by the car" in piece for piece in edit[1::2])
    assert (change["lists"], change["parts"]) == ({}, {})
    assert 214_000 <= change["clock"]["now_ms"] < 214_000 + 60_000


def test_a_topic_in_which_nothing_changed_is_left_out() -> None:
    later = replace(VIEW, version=2, run=replace(RUN, racer="Grace Hopper"))
    last = {topic: SharedTopic(TimedView(VIEW, 0), PAGES.render(VIEW, topic)) for topic in ("public", "live")}
    shared = {topic: SharedTopic(TimedView(later, 0, 2), PAGES.render(later, topic)) for topic in last}
    message = document(update(shared, last))
    assert (message["version"], list(message["topics"])) == (2, ["live"])


def test_names_are_escaped_wherever_they_stand() -> None:
    evil = "<script>alert(1)</script>"
    view = replace(VIEW, run=replace(RUN, racer=evil, model=evil, laps=(lap(1, 9_000, reason=evil),)))
    for operator in (False, True):
        rendered = PAGES.render(view, "operate" if operator else "live")
        drawn = "".join([*rendered.parts.values(), *rendered.rows.values()])
        assert "<script" not in drawn
        assert "&lt;script&gt;" in drawn
    assert evil not in PAGES.page("live", view)


def test_spectators_get_no_controls() -> None:
    assert "data-command" not in PAGES.page("live", VIEW)
    assert 'data-rule="void_lap"' in PAGES.page("operate", VIEW)


def test_a_slow_browser_skips_to_the_newest() -> None:
    station = FakeStation()

    async def scene() -> list[dict[str, Any]]:
        live = EventStream(station, PAGES)
        live.start()
        stream = live.stream(LIVE)
        await anext(stream)  # retry
        got = [topic(document(await anext(stream)))]
        for number in range(7, 27):
            station.show(run=replace(RUN, laps=(*LAPS, lap(number, 9_000))))
        while got[-1]["version"] < station.view.version:
            got.append(topic(document(await anext(stream))))
        await stream.aclose()
        assert live.browsers == 0
        live.close()
        return got

    got = asyncio.run(scene())
    assert len(got) < 10
    assert "lap-26" in got[-1]["rows"]


def test_fifty_browsers_are_drawn_for_once_and_each_is_told_what_it_lacks(monkeypatch: Any) -> None:
    station, drawn = FakeStation(), list[int]()
    render = PAGES.render

    def counted(view: View, name: str) -> Rendered:
        drawn.append(view.version)
        return render(view, name)

    monkeypatch.setattr(PAGES, "render", counted)

    async def until(stream: AsyncIterator[bytes], version: int) -> dict[str, Any]:
        while (received := document(await anext(stream))).get("version") != version:
            pass
        return topic(received)

    async def scene() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        live = EventStream(station, PAGES)
        live.start()
        streams = [live.stream(LIVE) for _ in range(50)]
        for stream in streams:
            await anext(stream)  # retry
        first = await asyncio.gather(*(until(stream, 1) for stream in streams))
        station.show(run=replace(RUN, laps=(*LAPS, lap(7, 9_000))))
        second = await asyncio.gather(*(until(stream, 2) for stream in streams))
        late = live.stream(LIVE)  # knows nothing yet
        await anext(late)
        second.append(await until(late, 2))
        for stream in (*streams, late):
            await stream.aclose()
        live.close()
        return first, second

    first, (*second, late) = asyncio.run(scene())
    assert drawn == [1, 2]
    assert {each["whole"] for each in first} == {True}
    assert {each["whole"] for each in second} == {False}
    assert all("lap-7" in each["rows"] and "lap-5" not in each["rows"] for each in second)  # row 5 has not changed
    assert late["whole"]
    assert "lap-5" in late["rows"]


@dataclass
class Restless(FakeStation):
    """Pages during whose drawing the view changes: drawing ends only once the streams know of the change."""

    taken: int = 0
    drawn: list[int] = field(default_factory=list)

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        with self.changed:
            self.taken = version
            self.changed.notify_all()
        return FakeStation.wait_for_change(self, version, timeout_s)

    def render(self, view: View, _name: str) -> Rendered:
        self.drawn.append(view.version)
        self.show(run=replace(RUN, racer=f"Racer {len(self.drawn)}"))
        changed = self.view.version
        with self.changed:
            assert self.changed.wait_for(lambda: self.taken >= changed, 30)
        return PAGES.render(view, "live")


@pytest.mark.parametrize("browsers", [1, 2, 50])
def test_changes_that_are_faster_than_drawing_are_still_drawn_once_for_all(browsers: int) -> None:
    station, rounds = Restless(), 5

    async def scene() -> list[list[bytes]]:
        live = EventStream(station, cast("Pages", station))
        live.start()
        streams = [live.stream(LIVE) for _ in range(browsers)]
        messages = [await asyncio.gather(*(anext(stream) for stream in streams)) for _ in range(1 + rounds)]
        for stream in streams:
            await stream.aclose()
        live.close()
        return messages[1:]

    messages = asyncio.run(scene())
    assert all(
        message.startswith(b"event: update") for each in messages for message in each
    )  # a page each time, not a heartbeat
    assert len(station.drawn) <= 2 * rounds  # some may ask slightly later than the others
    assert station.drawn == sorted(set(station.drawn))


def test_close_ends_every_stream() -> None:
    async def scene() -> None:
        live = EventStream(FakeStation(), PAGES)
        live.start()
        stream = live.stream(("operate",))
        await anext(stream)
        await anext(stream)
        threading.Thread(target=live.close).start()
        async with asyncio.timeout(5):
            assert [message async for message in stream] == []

    asyncio.run(scene())


def test_a_quiet_station_still_beats(monkeypatch: Any) -> None:
    monkeypatch.setattr("station.web.streaming.event_stream.HEARTBEAT_S", 0.01)

    async def scene() -> bytes:
        live = EventStream(FakeStation(), PAGES)
        live.start()
        stream = live.stream(LIVE)
        for _ in range(2):
            await anext(stream)
        beat = await anext(stream)
        await stream.aclose()
        live.close()
        return beat

    beat = asyncio.run(scene())
    assert beat.startswith(b"event: heartbeat\n")
    assert document(beat)["boot"] == "boot-0"


def test_the_stream_over_http(served: Served) -> None:
    with requests.get(f"{served.url}/live", stream=True, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.iter_lines(chunk_size=1)
        assert {each["whole"] for each in _next(lines, b"data: ")["topics"].values()} == {True}
        served.station.show(run=replace(RUN, laps=(*LAPS, lap(7, 9_000))))
        changes = (
            data["topics"]["live"] for data in iter(lambda: _next(lines, b"data: "), {}) if "topics" in data
        )  # without the heartbeats
        assert "lap-7" in next(changes)["rows"]


@pytest.mark.slow
def test_a_browser_that_never_reads_holds_up_nobody(served: Served) -> None:
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    deaf.connect(("127.0.0.1", served.port))
    deaf.sendall(f"GET /live HTTP/1.1\r\nhost: 127.0.0.1:{served.port}\r\n\r\n".encode())
    with deaf, requests.get(f"{served.url}/live", stream=True, timeout=60) as answer:
        lines = answer.iter_lines(chunk_size=1)
        for number in range(7, 60):
            served.station.show(run=replace(RUN, laps=(*LAPS, lap(number, 9_000)), model="x" * 5_000 + str(number)))
            while _next(lines, b"data: ").get("version", 0) < served.station.view.version:
                pass


def test_too_many_screens_are_told_so(served: Served, monkeypatch: Any) -> None:
    assert MAX_BROWSERS >= 500
    monkeypatch.setattr("station.web.streaming.event_stream.MAX_BROWSERS", 0)
    answer = requests.get(f"{served.url}/live", timeout=60)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


def _next(lines: Any, prefix: bytes) -> dict[str, Any]:
    found: Callable[[bytes], bool] = lambda line: line.startswith(prefix)  # noqa: E731
    return json.loads(next(filter(found, lines)).removeprefix(prefix))


def test_a_browser_gets_the_topics_that_it_may_read_and_is_told_of_the_others(served_elsewhere: Served) -> None:
    url = served_elsewhere.url
    with requests.get(f"{url}/live?topics=operate,public", stream=True, timeout=60) as answer:
        lines = answer.iter_lines(chunk_size=1)
        assert next(line for line in lines if line.startswith(b"data: ")) == b'data: ["operate"]'
        assert list(_next(lines, b"data: ")["topics"]) == ["public"]
    assert requests.get(f"{url}/live?topics=operate", timeout=60).status_code in (401, 403)
    assert requests.get(f"{url}/live?topics=nothing", timeout=60).status_code == 404
