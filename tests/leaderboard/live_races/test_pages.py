"""The pages of a LIVE race without a script: who sees them, and that every button of race control works as a form."""

import pathlib
import re
from collections.abc import Iterator
from html import unescape

import pytest
import sqlalchemy as sa

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.core.access import Grant
from leaderboard.core.live.turn import COUNTDOWN_NS, QueueItem
from leaderboard.core.race import RaceRecord
from leaderboard.credentials import Credentials
from leaderboard.live_races.feeds import MemoryFeeds
from leaderboard.live_races.service import LiveRaces
from leaderboard.pages.live import track_view
from leaderboard.store.tables import ENTRIES
from shared.protocol.live import LiveMessage
from shared.protocol.results import encode_result
from shared.units import NS_PER_S
from tests.leaderboard import sample_races, signed_in
from tests.leaderboard.by_hand import enter
from tests.leaderboard.in_process import FormBrowser

NOW = 1_700_000_000 * NS_PER_S
CONTROL = "/races/cup/live-control"
RACERS = ("anna", "tom", "eva")


class Hall:
    """The application in process with a LIVE race, at a time that the test sets, and browsers in which people sit."""

    def __init__(self, board: LeaderboardService) -> None:
        self.now_utc_ns = NOW
        self.board, self.live = board, LiveRaces(board.store, MemoryFeeds())
        credentials = Credentials((), sample_races.TOKEN)
        self.app = create_app(board, credentials, LeaderboardConfig(), lambda: self.now_utc_ns)[0]

    def browser(self, alias: str, *grants: Grant) -> FormBrowser:
        account = signed_in.account(self.board.store, alias, *grants)
        return signed_in.browser(self.app, self.board.store, account, self.now_utc_ns)

    def items(self) -> tuple[QueueItem, ...]:
        return self.live.state("cup", self.now_utc_ns).queue.items

    def id_of(self, racer: str) -> str:
        return next(each.item_id for each in self.items() if each.racer == racer)


@pytest.fixture
def hall(tmp_path: pathlib.Path) -> Iterator[Hall]:
    board = open_board(tmp_path / "board.db")
    board.create_race(sample_races.race(live=True, track="re:Invent 2018"), 1)
    board.create_race(sample_races.race("secret", live=True, visibility="private"), 1)
    for number, racer in enumerate(RACERS):
        enter(board, "cup", racer, racer.title(), number + 1)
    yield Hall(board)
    board.close()


def press(browser: FormBrowser, act: str, **fields: str) -> str:
    """Press a button of the control page that is open; the page that comes then."""
    version = re.search(r'name="version" value="(\d+)"', browser.page)
    assert version is not None
    answer = browser.submit(CONTROL, act=act, version=version[1], **fields)
    if answer.status_code == 303:
        answer = browser.get(CONTROL)
    return unescape(answer.text)


def test_a_race_is_run_without_a_script(hall: Hall) -> None:
    official = hall.browser("oda", Grant("official", "race", "cup"))
    official.get(CONTROL)
    assert "Nobody waits" in official.page
    assert "3 racers wait" in press(official, "entries")
    press(official, f"down {hall.id_of('anna')}")
    press(official, f"place {hall.id_of('eva')}", place="1")
    assert [each.name for each in hall.items()] == ["Eva", "Tom", "Anna"]
    press(official, f"up {hall.id_of('anna')}")
    press(official, f"call {hall.id_of('anna')}")
    page = press(official, "settings", run_time_s="120", entries_open="yes")
    assert re.search(r'value="120" selected', page)
    page = press(official, "launch")
    assert "in the countdown" in page
    assert "Next: Eva" not in page
    press(official, "speed", percent="130")
    assert hall.items()[0].speed_percent == 130
    hall.now_utc_ns += COUNTDOWN_NS + 5 * NS_PER_S
    assert "Finish" in press(official, "full-speed")
    page = press(official, f"finish {hall.id_of('eva')}")
    assert "Next: Anna" in page
    press(official, f"skip {hall.id_of('tom')}")
    press(official, f"remove {hall.id_of('tom')}")
    press(official, "add", racer="Zoë")
    assert [(each.name, each.state) for each in hall.items()] == [
        ("Eva", "done"),
        ("Anna", "called"),
        ("Zoë", "pending"),
    ]
    hall.board.apply("x.1", encode_result(sample_races.result("x", "eva")), hall.now_utc_ns)
    official.get(CONTROL)
    assert "★ Winner: Eva" in press(official, "decide").replace('<span aria-hidden="true">★</span>', "★")
    assert "Eva" in official.get("/races/cup/podium").text
    official.get(CONTROL)
    assert "Take the winner back" not in press(official, "undecide")
    assert "Nobody waits" in press(official, "clear")


def test_a_refusal_is_a_sentence_on_the_page(hall: Hall) -> None:
    official = hall.browser("oda", Grant("official"))
    official.get(CONTROL)
    stale = official.page
    press(official, "entries")
    for page, act, fields, sentence in (
        (stale, "launch", {}, "at version 1, you saw 0"),
        (official.page, "fly x", {}, "This button does nothing here"),
        (official.page, "speed", {"percent": "-3"}, "The field percent is no number"),
        (official.page, "add", {"racer": " "}, "Write the racer's name first."),
        (official.page, "decide", {}, "No run has qualified yet"),
    ):
        official.page = page
        assert sentence in press(official, act, **fields)
    assert official.submit(CONTROL, csrf="0" * 64, act="clear").status_code == 403
    assert len(hall.items()) == 3


def test_a_script_gets_the_version_for_its_next_press_or_the_refusal(hall: Hall) -> None:
    official = hall.browser("oda", Grant("official"))
    official.get(CONTROL)
    for act, version, status in (("entries", 0, 200), ("clear", 1, 200), ("clear", 1, 409), ("entries", 2, 200)):
        answer = official.submit(CONTROL, accept="application/json", act=act, version=str(version))
        assert answer.status_code == status
        now = hall.live.state("cup", hall.now_utc_ns).queue.version
        if status == 200:
            assert answer.json() == {"version": now}
        else:
            assert "at version 2, you saw 1" in answer.json()["detail"]
        assert now == min(version + 1, 3)


def test_who_sees_which_page(hall: Hall) -> None:
    visitor, racer = FormBrowser(hall.app), hall.browser("tom")
    speaker, owner = hall.browser("kim", Grant("commentator", "race", "cup")), hall.browser("oda", Grant("organiser"))
    for who, statuses in (
        (visitor, (303, 303, 200, 200, 200)),
        (racer, (403, 403, 200, 200, 200)),
        (speaker, (403, 200, 200, 200, 200)),
        (owner, (200, 200, 200, 200, 200)),
    ):
        pages = ("live-control", "commentator", "broadcast", "overlay", "podium")
        assert tuple(who.get(f"/races/cup/{page}").status_code for page in pages) == statuses
    for page in ("live-control", "commentator", "broadcast", "overlay", "podium", "live-stream/show"):
        hidden, never = (racer.get(f"/races/{race_id}/{page}") for race_id in ("secret", "secrex"))
        assert (hidden.status_code, hidden.text.replace("secret", "secrex")) == (404, never.text)
    assert racer.get("/races/cup/live-stream/control").status_code == 403
    assert racer.get("/races/cup/live-stream/comment").status_code == 403
    assert racer.get("/races/cup%23live/live").status_code == 404
    assert owner.get("/races/secret/live-control").status_code == 200


def test_the_commentator_says_what_is_needed(hall: Hall) -> None:
    speaker = hall.browser("oda", Grant("organiser"))
    for number, racer in enumerate(("anna", "tom")):
        posted = sample_races.result(f"r{number}", racer, (9000 + 100 * number,) * 3)
        hall.board.apply(f"r{number}.1", encode_result(posted), NOW)
    speaker.get(CONTROL)
    press(speaker, "entries")
    press(speaker, f"launch {hall.id_of('tom')}")
    page = unescape(speaker.get("/races/cup/commentator").text)
    for fact in (
        "Place 2 of 2 with 9.100, after 1 run.",
        "Best lap so far: 9.100.",
        "0.100 behind the leader.",
        "Leads with 3 laps in a row of 8.999 on average; Anna has 9.000.",
    ):
        assert fact in page
    hall.now_utc_ns += 400 * NS_PER_S
    speaker.get(CONTROL)
    press(speaker, f"launch {hall.id_of('eva')}")
    assert "First run in this race." in speaker.get("/races/cup/commentator").text


@pytest.mark.parametrize("direction", ["counterclockwise", "clockwise"])
def test_the_car_is_where_the_message_says(direction: str) -> None:
    """A quarter of a lap on, the car is on the line of the first of three sectors, whichever way it drives."""
    race: RaceRecord = sample_races.race(track="re:Invent 2018", direction=direction)

    def spot(**place: float) -> tuple[int, int]:
        message = LiveMessage("cup", "anna", "b", 1, **place)  # type: ignore[arg-type]
        found = track_view.car_spot(race, message)
        assert found is not None
        return found

    drawn = track_view.track_map(race)
    assert drawn is not None
    points = re.findall(r"(-?\d+) (-?\d+)", drawn.lines[0].path)
    assert [str(each) for each in spot(track_share=0.25)] == list(points[36])
    assert spot(track_share=0.0) == spot(track_share=1.0)
    outline_m = 17.7  # about the length of this track
    assert abs(spot(track_m=outline_m / 2)[0] - spot(track_share=0.5)[0]) < 40
    assert track_view.track_map(sample_races.race(track="Somewhere")) is None


def test_a_racer_joins_the_queue_and_sets_the_own_speed(hall: Hall) -> None:
    official, racer = hall.browser("oda", Grant("official")), hall.browser("tom")
    with hall.board.store.write() as db:
        db.execute(sa.update(ENTRIES).where(ENTRIES.c.racer == "tom").values(account_id="account-tom"))
    assert "Put me into the queue" not in racer.get("/races/cup/queue").text
    assert "Entries to the queue are closed" in unescape(racer.submit("/races/cup/queue", act="join").text)
    official.get(CONTROL)
    press(official, "settings", run_time_s="60", entries_open="yes")
    assert "Put me into the queue" in racer.get("/races/cup/queue").text
    assert racer.submit("/races/cup/queue", act="join").status_code == 303
    page = racer.get("/races/cup/queue").text
    assert "Put me into the queue" not in page
    refused = racer.submit("/races/cup/queue", act="speed", percent="120")
    assert (refused.status_code, "Only the racer on the track" in refused.text) == (422, True)
    official.get(CONTROL)
    press(official, "launch")
    assert racer.submit("/races/cup/queue", act="speed", percent="120").status_code == 303
    assert '<option value="120" selected>×1.20</option>' in racer.get("/races/cup/queue").text
    assert racer.submit("/races/cup/queue", act="full-speed").status_code == 303
    assert hall.items()[0].speed_percent == 100
    visitor = FormBrowser(hall.app)
    assert 'href="/races/cup/queue"' in visitor.get("/races/cup").text
    assert "Live control" not in visitor.get("/races/cup/queue").text
    assert "Live control" in official.get("/races/cup/queue").text
    assert "Tom" in visitor.get("/races/cup/queue").text
    assert racer.submit(CONTROL, act="clear", version="3").status_code == 403
