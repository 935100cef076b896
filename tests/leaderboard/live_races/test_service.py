"""The queue over a real store: what is changed is stored, audited and versioned, and survives a restart."""

import dataclasses
import pathlib
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.core.access import ADMIN, Caller, Grant
from leaderboard.core.errors import Conflict, NotAllowed, UnknownRace
from leaderboard.core.live.newest import TooOften
from leaderboard.core.live.turn import COUNTDOWN_NS
from leaderboard.live_races.feeds import FRESH_NS, MAX_SENDERS, MemoryFeeds
from leaderboard.live_races.service import LiveRaces
from leaderboard.store import audit
from leaderboard.store.tables import ENTRIES
from shared.errors import Refused
from shared.protocol.live import LiveMessage
from shared.protocol.results import encode_result
from shared.units import NS_PER_S
from tests.leaderboard import sample_races
from tests.leaderboard.by_hand import enter

NOW = 1_700_000_000_000_000_000
TOM = Caller("account-tom", "tom", "Tom")
OFFICIAL = Caller("account-o", "oda", "Oda", frozenset({Grant("official", "race", "cup")}))


@pytest.fixture
def board(tmp_path: pathlib.Path) -> Iterator[LeaderboardService]:
    """A LIVE race 'cup' with three racers; Tom has an account. 'plain' is no LIVE race, 'secret' is private."""
    opened = open_board(tmp_path / "board.db")
    opened.create_race(sample_races.race(live=True), 1)
    opened.create_race(sample_races.race("plain"), 1)
    opened.create_race(sample_races.race("secret", live=True, visibility="private"), 1)
    for number, racer in enumerate(("anna", "tom", "eva"), 2):
        enter(opened, "cup", racer, racer.title(), number)
    with opened.store.write() as db:
        db.execute(sa.update(ENTRIES).where(ENTRIES.c.racer == "tom").values(account_id=TOM.account_id))
    yield opened
    opened.close()


@pytest.fixture
def live(board: LeaderboardService) -> LiveRaces:
    return LiveRaces(board.store, MemoryFeeds())


def waiting(live: LiveRaces, now_utc_ns: int = NOW) -> list[str]:
    return [each.racer for each in live.state("cup", now_utc_ns).queue.waiting]


def message(seq: int, racer: str = "anna", race_id: str = "cup", boot: str = "b") -> LiveMessage:
    return LiveMessage(race_id, racer, boot, seq, sectors=(3000 + seq, None, None))


def test_a_session_from_the_entries_to_the_winner(board: LeaderboardService, live: LiveRaces) -> None:
    queue = live.add(OFFICIAL, "cup", (), NOW, entries=True)
    assert [each.name for each in queue.items] == ["Anna", "Tom", "Eva"]
    queue = live.move(OFFICIAL, "cup", queue.version, NOW, queue.items[2].item_id, 1)
    queue = live.launch(OFFICIAL, "cup", queue.version, NOW)
    assert queue.on_track is not None
    assert queue.on_track.racer == "eva"
    with pytest.raises(Refused, match="Eva is on the track"):
        live.declare(OFFICIAL, "cup", queue.version, NOW)
    later = NOW + COUNTDOWN_NS + 181 * NS_PER_S
    board.apply("x.1", encode_result(sample_races.result("x", "eva")), NOW)
    queue = live.declare(OFFICIAL, "cup", queue.version, later)
    assert (queue.winner, queue.items[0].state) == ("Eva", "done")
    again = LiveRaces(board.store, MemoryFeeds()).state("cup", later)  # after a restart
    assert again.queue == queue
    assert [each.name for each in again.top] == ["Eva"]
    with board.store.read() as db:
        rows = [row for row in audit.rows(db, race_id="cup") if row.what == "live.run"]
    assert [row.after["did"] for row in rows] == ["winner", "launch", "move", "add"]
    assert all(row.actor == "account-o" for row in rows)


def test_two_officials_at_once(live: LiveRaces) -> None:
    """Both saw the same version: one of them is told so, whoever comes first."""
    version = live.add(ADMIN, "cup", (), NOW, entries=True).version
    begin, answers = threading.Barrier(2), []

    def launch() -> None:
        begin.wait()
        try:
            answers.append(str(live.launch(OFFICIAL, "cup", version, NOW).version))
        except Conflict as conflict:
            answers.append(str(conflict))

    threads = [threading.Thread(target=launch) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(answers)[0] == str(version + 1)
    assert f"it is at version {version + 1}, you saw {version}" in sorted(answers)[1]


def test_one_who_was_removed_is_passed_over(board: LeaderboardService, live: LiveRaces) -> None:
    queue = live.add(ADMIN, "cup", (), NOW, entries=True)
    with board.store.write() as db:
        db.execute(sa.update(ENTRIES).where(ENTRIES.c.racer == "anna").values(state="disqualified"))
    queue = live.launch(ADMIN, "cup", queue.version, NOW)
    assert [(each.name, each.state, str(each.reason)) for each in queue.items] == [
        ("Anna", "skipped", "disqualified"),
        ("Tom", "countdown", ""),
        ("Eva", "pending", ""),
    ]
    with pytest.raises(Refused, match="anna cannot drive: disqualified"):
        live.add(ADMIN, "cup", ("anna",), NOW, entries=False)
    assert LiveRaces(board.store, MemoryFeeds()).state("cup", NOW).queue == queue


def test_racers_put_themselves_in_while_entries_are_open(live: LiveRaces) -> None:
    with pytest.raises(Refused, match="Entries to the queue are closed"):
        live.add(TOM, "cup", (), NOW, entries=False)
    live.set_up(ADMIN, "cup", 0, NOW, entries_open=True, run_time_s=240)
    queue = live.add(TOM, "cup", (), NOW, entries=False)
    assert [(each.racer, each.account_id) for each in queue.items] == [("tom", "account-tom")]
    with pytest.raises(Refused, match="in the queue already"):
        live.add(TOM, "cup", (), NOW, entries=False)
    for racers, entries in ((("anna",), False), ((), True)):
        with pytest.raises(NotAllowed):
            live.add(TOM, "cup", racers, NOW, entries=entries)
    with pytest.raises(NotAllowed):
        live.add(Caller("account-x", "x"), "cup", (), NOW, entries=False)
    queue = live.launch(ADMIN, "cup", queue.version, NOW)
    assert queue.items[0].run_time_s == 240
    assert live.set_speed(TOM, "cup", NOW, 130).items[0].speed_percent == 130  # whose car it is
    with pytest.raises(NotAllowed, match="Only the racer on the track"):
        live.set_speed(Caller("account-x", "x"), "cup", NOW, 90)


def test_what_is_not_there_and_what_is_not_live(live: LiveRaces) -> None:
    for race_id in ("secret", "never-was"):
        with pytest.raises(UnknownRace, match=f"There is no race '{race_id}'"):
            live.add(TOM, race_id, (), NOW, entries=False)
    with pytest.raises(Refused, match="is no LIVE race"):
        live.add(ADMIN, "plain", (), NOW, entries=True)
    with pytest.raises(Refused, match="No run has qualified yet"):
        live.declare(ADMIN, "cup", 0, NOW)
    with pytest.raises(Refused, match="has no turn"):
        live.declare(ADMIN, "cup", 0, NOW, "Somebody")


def test_a_change_that_changes_nothing_is_no_change(live: LiveRaces) -> None:
    first = live.set_up(ADMIN, "cup", 0, NOW, run_time_s=120)
    assert live.set_up(ADMIN, "cup", first.version, NOW, run_time_s=120) == first


def test_the_newest_message_and_what_its_sender_learns(live: LiveRaces) -> None:
    woken: list[str] = []
    live.watch(woken.append)
    answer = live.receive("s", message(5), NOW)
    assert dataclasses.astuple(answer) == (True, "", None, 100, None, None, "", 0, "", 100)
    assert not live.receive("s", message(4), NOW + NS_PER_S).newest
    assert woken == ["cup"]
    queue = live.launch(ADMIN, "cup", live.add(ADMIN, "cup", ("anna",), NOW, entries=False).version, NOW)
    live.set_speed(ADMIN, "cup", NOW, 80)
    answer = live.receive("s", message(6), NOW + 2 * NS_PER_S)
    assert (answer.racer, answer.state, answer.speed_percent) == ("anna", "countdown", 80)
    assert answer.starts_utc_ns == queue.items[0].starts_utc_ns
    assert (answer.turn, answer.launch) == (queue.items[0].item_id, 1)
    picture = live.state("cup", NOW).picture
    assert picture is not None
    assert picture.levels == ("slower", "pending", "pending")  # message 5 was faster in sector 1
    assert picture.fresh(NOW + 2 * NS_PER_S)
    assert not picture.fresh(NOW + 2 * NS_PER_S + FRESH_NS)
    with pytest.raises(UnknownRace):
        live.receive("s", message(1, race_id="never-was"), NOW)


def test_who_is_on_the_track_is_shown_and_senders_are_few(live: LiveRaces) -> None:
    live.launch(ADMIN, "cup", live.add(ADMIN, "cup", ("eva",), NOW, entries=False).version, NOW)
    live.receive("one", message(1, "EVA"), NOW)
    for number in range(MAX_SENDERS - 1):
        live.receive(f"other-{number}", message(1, "tom"), NOW + NS_PER_S)
    picture = live.state("cup", NOW).picture
    assert picture is not None
    assert picture.message.racer == "EVA"
    live.receive("yet-another", message(1, "tom"), NOW + NS_PER_S)  # the one silent for longest gives way
    picture = live.state("cup", NOW).picture
    assert picture is not None
    assert picture.message.racer == "tom"


def test_more_than_five_a_second_are_refused(live: LiveRaces) -> None:
    for seq in range(5):
        live.receive("s", message(seq), NOW + seq)
    with pytest.raises(TooOften, match="At most 5") as refusal:
        live.receive("s", message(5), NOW + 5)
    assert refusal.value.after_s == pytest.approx(1.0)
    assert live.receive("other", message(0), NOW + 5).newest
    assert live.receive("s", message(6), NOW + NS_PER_S).newest
