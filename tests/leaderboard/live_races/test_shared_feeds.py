"""Several processes of one leaderboard share live messages, queues and what changed."""

import asyncio
import pathlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.app import receiving
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.core.access import ADMIN
from leaderboard.credentials import Credentials
from leaderboard.live_races.feeds import MemoryFeeds
from leaderboard.live_races.service import LiveRaces
from leaderboard.live_races.shared_feeds import SharedFeeds
from leaderboard.live_stream import Feed, LiveContent, fanout
from leaderboard.services import LeaderboardServices
from shared.protocol.live import LiveMessage
from shared.units import NS_PER_S
from tests.leaderboard.api.test_open_streams import OpenStream, Served, Watched
from tests.leaderboard.sample_races import TOKEN

NOW = 1_800_000_000 * NS_PER_S


def message(seq: int) -> LiveMessage:
    return LiveMessage("cup", "Zoë", "boot", seq, sectors=(3000 + seq, None, None))


def pair() -> tuple[SharedFeeds, SharedFeeds]:
    """Two processes; each hears all that is published, also what it published itself."""
    both = SharedFeeds(), SharedFeeds()

    def publish(note: str) -> None:
        assert [each.receive(note, NOW) for each in both] == [True, True]

    for each in both:
        each.share(publish)
    return both


def test_what_one_process_takes_all_show() -> None:
    one, other = pair()
    heard: list[str] = []
    other.watch(heard.append)
    assert one.take("station-1", message(1), NOW)
    shown = other.picture("cup", "Zoë")
    assert shown is not None
    assert shown.message == message(1)
    assert heard == ["cup"]
    assert not other.take("station-1", message(1), NOW + NS_PER_S)
    assert other.take("station-1", message(2), NOW + 2 * NS_PER_S)
    shown = one.picture("cup", "Zoë")
    assert shown is not None
    assert shown.message.seq == 2


def test_a_session_that_begins_anew_does_so_in_all_processes() -> None:
    one, other = pair()
    one.take("station-1", message(1), NOW)
    one.take("station-1", message(2), NOW + NS_PER_S)
    before = other.picture("cup", "")
    one.forget("cup")
    after = other.picture("cup", "")
    assert before is not None
    assert after is not None
    assert before.levels != after.levels


@given(st.text(max_size=60) | st.sampled_from(['#live {"by":1}', "#live []", '#live {"by":"x","race_id":"c"}']))
def test_no_note_makes_it_fail(note: str) -> None:
    assert SharedFeeds().receive(note, NOW) is note.startswith("#live ")


class Hub:
    """Stands for the server that several processes hear one another over."""

    def __init__(self) -> None:
        self.received: list[Callable[[str], None]] = []

    def publish(self, note: str) -> None:
        for each in self.received:
            each(note)

    def close(self) -> None:
        """Nothing is open."""


def test_a_page_of_one_process_shows_the_queue_and_the_track_of_another(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub()

    def fanout_of(_store: object, _config: object, received: Callable[[str], None]) -> fanout.Fanout:
        hub.received.append(received)
        return hub

    monkeypatch.setattr("leaderboard.app.fanout_of", fanout_of)
    board = open_board(tmp_path / "board.db")
    here = Served(board)
    made = Watched(here, "several", "public")
    feeds = SharedFeeds()  # of another process
    feeds.share(hub.publish)
    there = LiveRaces(board.store, feeds)

    async def run() -> None:
        here.feed.attach()
        async with asyncio.timeout(20), made.stream("nobody", "live-stream/show") as shown:
            there.watch_queues(lambda race_id: hub.publish(f"{race_id}#live"))
            await asyncio.to_thread(there.add, ADMIN, made.race_id, ("Zoë",), NOW, entries=False)
            await holds(shown, "Zoë")
            feeds.take("station-1", LiveMessage(made.race_id, "Anna", "boot", 1, sectors=(3210, None, None)), NOW)
            await holds(shown, "3.21")

    asyncio.run(run())
    board.close()


async def holds(stream: OpenStream, words: str) -> None:
    """Wait for an event with these words in it."""
    while words.encode() not in await stream.chunk():
        pass


def test_the_process_that_sends_notices_hears_of_results_that_others_took(tmp_path: pathlib.Path) -> None:
    board = open_board(tmp_path / "board.db")
    services = LeaderboardServices.over(board, Credentials((), TOKEN), LeaderboardConfig(), lambda: NOW)
    told: list[str] = []
    services.sender.changed = told.append  # type: ignore[method-assign,assignment]
    streams: list[str] = []
    feed = Feed(lambda _race, _table: LiveContent(1, (), {}, {}), 1, 30.0)
    feed.changed = streams.append  # type: ignore[method-assign,assignment]
    receive = receiving(services, feed, lambda: NOW)
    for note in ("cup", "cup#live"):
        receive(note)
    assert told == ["cup"]
    assert streams == ["cup", "cup#live", "cup#live"]
    board.close()


def test_alone_it_is_as_the_memory_of_one_process() -> None:
    alone, plain = SharedFeeds(), MemoryFeeds()
    for seq in (1, 3, 2):
        assert alone.take("a", message(seq), NOW + seq * NS_PER_S) == plain.take(
            "a", message(seq), NOW + seq * NS_PER_S
        )
    assert alone.picture("cup", "") == plain.picture("cup", "")
