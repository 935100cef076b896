"""The station tells the leaderboard what happens on the track: the real sender against the real route."""

import pathlib
import queue
from collections.abc import Iterator
from dataclasses import replace

import pytest

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from shared.errors import ConfigError
from shared.protocol.live import LiveMessage, decode_live
from shared.protocol.results import PostDeferred
from shared.units import NS_PER_S
from shared.web.http_exchange import Reply
from shared.webhooks import parse_secret
from station.sync.live_sender import BETWEEN_S, MAX_AWAY_S, LiveFeedSender, live_message, live_sender
from station.sync.settings import SyncSettings
from station.views.trackside.sectors import SectorView
from station.views.views import View
from tests.leaderboard import sample_races
from tests.shared.web.test_error_pages import TestClient
from tests.station.sync.test_with_the_leaderboard import AppTransport
from tests.station.web.sample_views import RUN, VIEW, FakeStation

NOW_S = 1_700_000_000
KEY = parse_secret(sample_races.SECRET)
SECTORS = (SectorView(1, 3_100_000_000, "best"), SectorView(2, None, "pending"))


class Gateway:
    """A transport that hands each message to the test, and answers as the test says."""

    def __init__(self) -> None:
        self.sent: queue.Queue[LiveMessage] = queue.Queue()
        self.answers: queue.Queue[Reply | PostDeferred] = queue.Queue()

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply | PostDeferred:
        assert (method, path) == ("POST", "/api/v1/races/race-1/live")
        self.sent.put(decode_live(body))
        return self.answers.get(timeout=30)


@pytest.fixture
def board(tmp_path: pathlib.Path) -> Iterator[LeaderboardService]:
    opened = open_board(tmp_path / "board.db")
    opened.create_race(sample_races.race("race-1", live=True), 1)
    yield opened
    opened.close()


def sender(transport: Gateway | AppTransport, log: list[str], station: FakeStation | None = None) -> LiveFeedSender:
    return LiveFeedSender(station or FakeStation(), transport, KEY, "boot-1", log.append, lambda: NOW_S)


def test_what_a_view_says() -> None:
    view = replace(VIEW, run=replace(RUN, sectors=SECTORS, lap_resets=2))
    assert live_message(view, "b", 7) == LiveMessage(
        race_id="race-1",
        racer="Ada Lovelace",
        boot="b",
        seq=7,
        station="station-1",
        stage="running",
        run_ms=4_000 + 10_482 + 9_871 + 9_654 + 9_702 + 31_250 + 9_588,
        lap=7,
        lap_ms=4_000,
        last_lap_ms=9_588,
        best_lap_ms=9_588,
        sectors=(3_100, None),
        resets=2,
        left_ms=126_000,
    )
    finished = live_message(replace(VIEW, run=replace(RUN, phase="finished")), "b", 8)
    assert finished is not None
    assert (finished.stage, finished.run_ms, finished.lap_ms, finished.left_ms) == ("finished", None, None, None)


@pytest.mark.parametrize("view", [replace(VIEW, race=None), replace(VIEW, run=None)])
def test_nothing_is_sent_of_nothing(view: View) -> None:
    gateway = Gateway()
    assert live_message(view, "b", 1) is None
    assert sender(gateway, []).send(view) == BETWEEN_S
    assert gateway.sent.empty()


def test_the_real_route_shows_what_the_station_shows(board: LeaderboardService) -> None:
    credentials = Credentials((KEY,), sample_races.TOKEN, {KEY: "station-1"})
    client = TestClient(create_app(board, credentials, LeaderboardConfig(), lambda: NOW_S * NS_PER_S)[0])
    network, log = AppTransport(client), list[str]()
    telling = sender(network, log)
    assert telling.send(replace(VIEW, run=replace(RUN, sectors=SECTORS))) == BETWEEN_S
    track = client.get("/api/v1/races/race-1/queue").json()["track"]
    assert (track["racer"], track["lap_ms"], track["levels"]) == ("Ada Lovelace", 4_000, ["best", "pending"])
    network.away = True
    waits = [telling.send(VIEW) for _ in range(12)]
    assert all(each <= MAX_AWAY_S for each in waits)
    assert max(waits) >= MAX_AWAY_S / 2
    network.away = False
    assert telling.send(VIEW) == BETWEEN_S
    assert client.get("/api/v1/races/race-1/queue").json()["track"]["sectors"] == []
    other = Credentials((parse_secret("whsec_" + "QUJD" * 11),), sample_races.TOKEN)
    stranger = AppTransport(TestClient(create_app(board, other, LeaderboardConfig(), lambda: NOW_S * NS_PER_S)[0]))
    assert sender(stranger, log).send(VIEW) >= BETWEEN_S
    assert log == [
        "live feed: The leaderboard cannot be reached: no connection. Results are posted as ever.",
        "live feed: The leaderboard answered 401 to the live feed. Results are posted as ever.",
    ]


def test_only_the_newest_is_sent_and_the_station_never_waits() -> None:
    """While an answer is awaited, the station goes on; of what it showed meanwhile only the newest is sent."""
    gateway, station = Gateway(), FakeStation()
    telling = sender(gateway, [], station)
    telling.start()
    try:
        assert gateway.sent.get(timeout=30).lap == 7
        for number in (8, 9, 10):
            station.show(run=replace(RUN, lap_number=number))  # returns at once, though no answer came yet
        gateway.answers.put(Reply(200, {}, b"{}"))
        newest = gateway.sent.get(timeout=30)
        assert (newest.lap, newest.seq) == (10, 2)
        gateway.answers.put(Reply(200, {}, b"{}"))
    finally:
        station.show(run=None)
        gateway.answers.put(Reply(200, {}, b"{}"))
        telling.close()


def test_it_is_off_unless_it_is_set(tmp_path: pathlib.Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(sample_races.SECRET)
    secret.chmod(0o600)
    on = SyncSettings("https://board.example", str(secret), live_feed=True)
    assert live_sender(on, FakeStation(), "b", print) is not None
    assert live_sender(replace(on, live_feed=False), FakeStation(), "b", print) is None
    assert live_sender(replace(on, leaderboard_url=""), FakeStation(), "b", print) is None
    with pytest.raises(ConfigError, match="secret_file"):
        live_sender(replace(on, secret_file=""), FakeStation(), "b", print)
