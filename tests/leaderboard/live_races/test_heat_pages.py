"""The pages of a LIVE race of heats without a script: every button as a form, and what is shown of two cars."""

import pathlib
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa

from leaderboard.build import open_board
from leaderboard.core.access import ADMIN, Caller, Grant
from leaderboard.core.errors import NotAllowed
from leaderboard.core.live import heats
from leaderboard.core.live.turn import COUNTDOWN_NS
from leaderboard.live_races import rows
from leaderboard.live_races.feeds import TrackPicture
from leaderboard.live_races.service import LiveRaceState
from leaderboard.pages.live.views import live_view
from leaderboard.seasons.brackets import BracketService, WantedBracket
from leaderboard.store.tables import ENTRIES
from shared.protocol.live import LiveMessage, RivalCar
from shared.protocol.results import encode_result
from shared.units import NS_PER_S
from tests.leaderboard import sample_races, signed_in
from tests.leaderboard.by_hand import enter
from tests.leaderboard.live_races.test_pages import CONTROL, Hall, press

RACERS = ("anna", "tom", "eva", "kim")
OFFICIAL = Grant("official", "race", "cup")


@pytest.fixture
def hall(tmp_path: pathlib.Path) -> Iterator[Hall]:
    """The LIVE race 'cup' is a virtual one of the type head to head."""
    board = open_board(tmp_path / "board.db")
    made: dict[str, Any] = {"live": True, "venue": "virtual", "race_type": "head_to_head", "track": "re:Invent 2018"}
    board.create_race(sample_races.race(**made), 1)
    for number, racer in enumerate(RACERS):
        enter(board, "cup", racer, racer.title(), number + 1)
    yield Hall(board)
    board.close()


def names(hall: Hall) -> list[str]:
    return [each.names for each in hall.items()]


def test_heats_are_made_and_parted_without_a_script(hall: Hall) -> None:
    official = hall.browser("oda", OFFICIAL)
    official.get(CONTROL)
    press(official, "entries")
    assert "Pair all who wait alone" in official.page
    press(official, f"pair {hall.id_of('tom')}")
    assert names(hall) == ["Anna", "Tom – Eva", "Kim"]
    press(official, f"part {hall.id_of('tom')}")
    press(official, "pair-all")
    assert names(hall) == ["Anna – Tom", "Eva – Kim"]
    press(official, "heat", racer="Zoë", rival="Paul")
    assert names(hall)[-1] == "Zoë – Paul"
    for act, fields, sentence in (
        ("heat", {"racer": "Ann"}, "Write the names of both racers first."),
        ("heat", {"racer": "Zoë", "rival": "Ben"}, "Zoë is in the queue already."),
        ("pair-all", {}, "There are no two who wait alone."),
        (f"pair {hall.id_of('anna')}", {}, "Nobody behind waits alone."),
        ("bracket none", {}, "There is no bracket 'none'"),
    ):
        assert sentence in press(official, act, **fields), act


def test_each_of_two_has_a_multiplier_of_their_own_and_sets_only_that(hall: Hall) -> None:
    official, account = hall.browser("oda", OFFICIAL), signed_in.account(hall.board.store, "tom")
    tom = signed_in.browser(hall.app, hall.board.store, account, hall.now_utc_ns)
    with hall.board.store.write() as db:
        db.execute(sa.update(ENTRIES).where(ENTRIES.c.racer == "tom").values(account_id=account))
    official.get(CONTROL)
    press(official, "heat", racer="anna", rival="tom")
    page = press(official, "launch")
    assert 'name="whose" value="tom"' in page
    press(official, "speed", percent="80")
    press(official, "speed", percent="120", whose="anna")
    assert [car.speed_percent for car in hall.items()[0].cars] == [120, 80]
    assert 'value="80" selected' in tom.get("/races/cup/queue").text
    assert tom.submit("/races/cup/queue", act="speed", percent="150").status_code == 303
    assert [car.speed_percent for car in hall.items()[0].cars] == [120, 150]
    with pytest.raises(NotAllowed):
        hall.live.set_speed(Caller(account, "tom", "Tom"), "cup", hall.now_utc_ns, 50, "anna")


def test_who_won_leads_and_stands_on_the_podium_and_the_commentator_knows(hall: Hall) -> None:
    official = hall.browser("oda", OFFICIAL, Grant("commentator", "race", "cup"))
    official.get(CONTROL)
    press(official, "heat", racer="anna", rival="tom")
    press(official, "launch")
    hall.now_utc_ns += COUNTDOWN_NS + 5 * NS_PER_S
    official.get(CONTROL)
    press(official, f"finish {hall.id_of('anna')}")
    with hall.board.store.write() as db:
        stored = rows.load(db, "cup")
        rows.save(db, stored, heats.won(stored, hall.id_of("anna"), "tom", "first over the line, by 0.250 s"))
    page = unescape(official.get(CONTROL).text)
    assert "Tom wins: first over the line, by 0.250 s" in page
    assert "Tom wins: zuerst" not in page
    assert "Tom gewinnt: zuerst über der Linie, um 0.250 s" in unescape(official.get(f"{CONTROL}?lang=de").text)
    official.get(CONTROL)
    press(official, "heat", racer="tom", rival="eva")
    press(official, "launch")
    told = unescape(official.get("/races/cup/commentator?lang=en").text)
    assert "Won 1 of 1 heat so far." in told
    assert told.count('class="story-name') == 2
    official.get(CONTROL)
    press(official, f"cancel {hall.id_of('tom')}")
    press(official, "decide")
    podium = unescape(official.get("/races/cup/podium").text)
    assert podium.index("Tom") < podium.index("Anna")


def test_a_bracket_of_the_race_goes_into_its_queue(hall: Hall) -> None:
    for number, racer in enumerate(RACERS):
        posted = sample_races.result(f"r{number}", racer, (9000 + 100 * number,) * 3, kind="virtual")
        hall.board.apply(f"r{number}.1", encode_result(posted), hall.now_utc_ns)
    made = BracketService(hall.board.store).create(ADMIN, WantedBracket("cup", "Finals", 8), hall.now_utc_ns)
    official = hall.browser("oda", OFFICIAL)
    page = unescape(official.get(CONTROL).text)
    assert "Add the next heats of Finals" in page
    press(official, f"bracket {made.bracket.bracket_id}")
    assert names(hall) == ["Anna – Kim", "Tom – Eva"]
    assert [each.heat for each in hall.items()] == [each.plan.number for each in made.heats if each.state == "ready"]


def test_two_cars_have_figures_of_their_own_and_one_is_ahead(hall: Hall) -> None:
    official = hall.browser("oda", OFFICIAL)
    official.get(CONTROL)
    press(official, "heat", racer="anna", rival="tom")
    press(official, "launch")
    hall.now_utc_ns += COUNTDOWN_NS + 5 * NS_PER_S
    state = hall.live.state("cup", hall.now_utc_ns)
    rival = RivalCar("tom", lap=2, last_lap_ms=9000, sectors=(3000, None, None), track_share=0.5, through=True)
    for ahead_m, who in ((1.25, "Anna"), (-0.5, "Tom")):
        message = LiveMessage(
            "cup", "anna", "b", 1, track_share=0.25, sectors=(3100, None, None), rival=rival, ahead_m=ahead_m
        )
        picture = TrackPicture(message, ("own", "pending", "pending"), hall.now_utc_ns, ("best", "pending", "pending"))
        shown = live_view(LiveRaceState(state.race, state.queue, picture, state.top), hall.now_utc_ns)
        assert shown.rival is not None
        assert shown.between is not None
        assert (shown.between.car.name, str(shown.between.words)) == (who, f"{abs(ahead_m):.1f} m ahead")
        assert (shown.figures.lap_number, shown.rival.lap_number, shown.rival.last) == ("1", "✓", "9.000")
        assert [mark.level for mark in (shown.figures.sectors[0], shown.rival.sectors[0])] == ["own", "best"]
        assert {mark.level for mark in shown.map_marks} == {"pending"}  # a line cannot show two
        assert None not in (shown.figures.car, shown.rival.car)
        assert shown.figures.car != shown.rival.car
    silent = live_view(LiveRaceState(state.race, state.queue, None, state.top), hall.now_utc_ns)
    assert silent.rival is not None
    assert (silent.rival.last, silent.between) == ("–", None)
