"""The screens: what the register stores and refuses, what a browser is told, and who may ask what of them."""

import json
import pathlib
from dataclasses import replace

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput, Refused
from station.screens.records import MAX_SCREENS, MODES, SCENES
from station.screens.register import AWAY_NS, FILE, ScreenRegister
from station.views.queue_view import QueueLine, QueueView
from station.views.views import View
from station.web.pages.registry import PAGES, TOPICS
from station.web.pages.screen.presenter import hall_data, hall_model, rotation
from station.web.pages.screen.rows import figure_chars, is_long, racer_key
from station.web.pages.screens.presenter import MODE_WORDS, picture, screens_model
from station.web.render import Pages
from tests.station.web.conftest import Served
from tests.station.web.operate_views import QUEUED
from tests.station.web.pages.test_commentator import STORY
from tests.station.web.sample_views import EMPTY, RUN, STANDING, STOPPED, TOGETHER, TROUBLE, VIEW, S

NOW_NS = VIEW.clock.utc_ns
TOLD = replace(QUEUED, commentary=STORY)


def registered(count: int = 2) -> ScreenRegister:
    screens = ScreenRegister(None)
    for number in range(count):
        screens.here(f"screen{number:02}", "screen", 1920, 1080, NOW_NS)
    return screens


def test_a_browser_registers_once_and_is_seen_again() -> None:
    screens = registered()
    changes: list[int] = []
    screens.on_change(lambda: changes.append(1))
    screens.here("screen00", "screen", 1920, 1080, NOW_NS + S)  # nothing new within the next seconds
    screens.here("screen00", "screen", 1920, 1080, NOW_NS + 6 * S)
    assert [(each.name, each.seen_utc_ns) for each in screens.view.screens] == [
        ("Screen 1", NOW_NS + 6 * S),
        ("Screen 2", NOW_NS),
    ]
    assert len(changes) == 1


def test_a_scene_sets_every_screen_by_its_kind_and_those_that_come_later() -> None:
    screens = registered()
    screens.change("screen01", kind="pit", name="  Pit wall ")
    for name, scene in SCENES.items():
        screens.show_scene(name)
        assert [each.mode for each in screens.view.screens] == [scene.modes["hall"], scene.modes["pit"]]
    screens.here("screen02", "screen", 800, 600, NOW_NS)
    assert screens.view.screens[2].mode == SCENES["awards"].modes["hall"]
    assert screens.view.screens[1].name == "Pit wall"


@pytest.mark.parametrize(("ask", "why"), [
    (lambda s: s.change("screen09", mode="board"), "no such screen"),
    (lambda s: s.change("screen00", mode="cinema"), "mode is one of"),
    (lambda s: s.change("screen00", seen_utc_ns="x"), "is one of"),
    (lambda s: s.change("screen00", name="x" * 41), "1 to 40"),
    (lambda s: s.change("screen00", name=" "), "1 to 40"),
    (lambda s: s.show_scene("lunch"), "scenes are"),
    (lambda s: s.show_message("x" * 121), "at most 120"),
    (lambda s: s.count_down(float("nan"), NOW_NS), "at most"),
    (lambda s: s.identify(""), "no such screen"),
])  # fmt: skip
def test_what_is_not_possible_is_refused_and_changes_nothing(ask: object, why: str) -> None:
    screens = registered()
    before = screens.view
    with pytest.raises(BadInput, match=why):
        ask(screens)  # type: ignore[operator]
    assert screens.view == before


def test_the_names_and_modes_survive_a_restart_and_a_damaged_file_is_reported(tmp_path: pathlib.Path) -> None:
    screens = ScreenRegister(tmp_path)
    screens.here("screen00", "screen", 1920, 1080, NOW_NS)
    screens.change("screen00", name="Hall left", mode="queue")
    screens.show_message("Lunch until 13:00")
    assert ScreenRegister(tmp_path).view == screens.view
    (tmp_path / FILE).write_text("{not json")
    said: list[str] = []
    assert ScreenRegister(tmp_path, said.append).view.screens == ()
    assert FILE in said[0]


def test_a_full_register_gives_the_place_of_one_that_is_away() -> None:
    screens = registered(MAX_SCREENS)
    with pytest.raises(Refused):
        screens.here("another1", "screen", 0, 0, NOW_NS)
    screens.here("another1", "screen", 0, 0, NOW_NS + AWAY_NS)
    assert len(screens.view.screens) == MAX_SCREENS
    assert {each.screen_id for each in screens.view.screens} >= {"another1", "screen01"}


@given(st.text(min_size=1, max_size=40))
def test_a_rows_id_is_the_racers_whatever_the_name(name: str) -> None:
    assert racer_key(name) == racer_key(name.upper().casefold()) or name.upper().casefold() != name.casefold()
    assert racer_key(name).isascii()
    assert " " not in racer_key(name)


@pytest.mark.parametrize(("name", "chars", "long"), [
    ("Grace Hopper", 6, False),
    ("Ada Lovelace", 8, False),
    ("Katherine Johnson", 6, True),
    ("Alexander Smith", 8, True),  # beside values of a minute there is less room
    ("WWWWWWWWWW", 6, True),
    ("深度强化学习自动驾驶", 6, True),
])  # fmt: skip
def test_which_names_need_two_lines(name: str, chars: int, long: bool) -> None:
    assert is_long(name, chars) is long


def test_the_board_and_the_panel() -> None:
    queue = QueueView((QueueLine("Katherine Johnson", 1, NOW_NS, 4, called=True),))
    view = replace(VIEW, runs=(RUN,), queue=queue)
    hall = hall_model(view)
    assert [(row.rank, row.score, row.gap) for row in hall.hall_rows[:2]] == [(1, "9.412", ""), (2, "9.655", "+0.243")]
    assert [row.racer for row in hall.hall_rows if row.on_track] == ["Ada Lovelace"]
    assert hall.panel.kind == "run"
    facts = {str(fact.label): (fact.figure, fact.note) for fact in hall.panel.runs[0].facts}
    assert facts["Now would be"] == ("4th", "+0.997")
    assert facts["Needs to lead"] == ("9.323", "2 laps")
    assert hall.next[0].late == "4 min late"
    assert hall_model(TOGETHER).panel.kind == "cars"
    over = replace(RUN, phase="finished", lap_started_ns=None, score_ms=10_409)
    ended = max(lap.ended_utc_ns for lap in RUN.laps)
    fresh = replace(view, runs=(), run=over, clock=replace(VIEW.clock, utc_ns=ended + S))
    assert hall_model(fresh).panel.kind == "result"
    assert hall_data(fresh)["card"] == {
        "run": "run-7", "key": racer_key("Ada Lovelace"), "racer": "Ada Lovelace", "score": "10.409", "place": "4th",
    }  # fmt: skip
    later = replace(fresh, clock=replace(VIEW.clock, utc_ns=ended + 61 * S))
    assert hall_model(later).panel.kind == "next"
    assert hall_model(replace(later, queue=QueueView(), run=None)).panel.kind == "idle"


def test_columns_are_as_wide_as_the_longest_score() -> None:
    slow = replace(STANDING[-1], score_ms=72_123)
    assert figure_chars(VIEW) == len("12.733")
    assert figure_chars(replace(VIEW, standing=(*STANDING, slow))) == len("1:12.123")
    assert figure_chars(replace(VIEW, standing=())) == len("59.999")


def test_the_hall_sees_no_health_no_addresses_and_no_hashes() -> None:
    shown = replace(TROUBLE, stop=STOPPED)
    page = Pages(PAGES, TOPICS).page("screen", shown, address="", reachable=True, score_name="Average of 3")
    for word in ("127.0.0.1", TROUBLE.store.head, "frame", "MQTT", "cable", "rejected", "Tripped", "<button"):
        assert word not in page, word
    assert "Short interruption" in page


def test_every_mode_has_its_word_and_a_screen_that_is_gone_is_away() -> None:
    assert set(MODE_WORDS) == set(MODES)
    view = replace(VIEW, screens=registered().view, clock=replace(VIEW.clock, utc_ns=NOW_NS + AWAY_NS + 1))
    assert [line.away for line in screens_model(view).screen_list] == [True, True]


def test_what_each_screen_shows_now_is_said_in_words() -> None:
    view = replace(QUEUED, runs=(RUN,))
    assert picture(view, "both") == "6 places, Grace Hopper leads · on the track: Ada Lovelace"
    assert picture(view, "queue").startswith("next: Katherine Johnson, ")
    assert picture(view, "winner") == "the winner so far: Grace Hopper"
    assert picture(replace(view, screens=replace(view.screens, message="Lunch")), "message") == "the message: Lunch"
    assert picture(EMPTY, "both") == "nobody has a place yet · the track is free"
    assert picture(EMPTY, "queue") == "nobody waits"
    assert all(picture(EMPTY, mode) for mode in MODES)


@pytest.mark.parametrize(("view", "shown"), [
    (replace(TOLD, runs=(RUN,)), ("both",)),
    (replace(TOLD, runs=(replace(RUN, phase="armed", lap_started_ns=None),)), ("both", "chart", "queue")),
    (replace(TOLD, runs=(replace(RUN, phase="armed"), RUN)), ("both",)),
    (replace(TOLD, runs=()), ("both", "chart", "queue")),
    (replace(QUEUED, runs=()), ("both", "queue")),
    (replace(TOLD, runs=(), queue=QueueView()), ("both", "chart")),
    (EMPTY, ("both",)),
])  # fmt: skip
def test_modes_in_turn_are_those_with_something_to_show_and_none_while_a_clock_runs(
    view: View, shown: tuple[str, ...]
) -> None:
    assert rotation(view) == shown
    assert hall_data(view)["rotation"] == shown


def test_over_http(served: Served, served_elsewhere: Served) -> None:
    here = {"id": "0123456789abcdef", "width": 1920, "height": 1080}
    assert requests.post(f"{served.url}/api/v1/screens/here", json=here, timeout=60).status_code == 200
    change = {"act": "change", "screen": here["id"], "name": "Hall", "mode": "queue"}
    assert requests.post(f"{served.url}/api/v1/screens", json=change, timeout=60).json() == {"accepted": True}
    assert ">Hall<" in requests.get(f"{served.url}/screens", timeout=60).text.replace('value="Hall"', ">Hall<")
    assert requests.get(f"{served.url}/screen?mode=board", timeout=60).text.count('data-show="board"') == 1
    assert requests.get(f"{served.url}/screen/qr.svg", timeout=60).headers["content-type"] == "image/svg+xml"
    bad: object
    for bad in ({"act": "dance"}, {"act": "countdown", "minutes": "soon"}, {"act": "scene", "scene": 3}, []):
        assert requests.post(f"{served.url}/api/v1/screens", json=bad, timeout=60).status_code == 400, bad
    for bad in ({}, {"id": "A B"}, {**here, "width": -1}, {**here, "mode": "board"}):
        assert requests.post(f"{served.url}/api/v1/screens/here", json=bad, timeout=60).status_code == 400, bad
    form = {"content-type": "text/plain"}
    answer = requests.post(f"{served.url}/api/v1/screens", json.dumps(change), headers=form, timeout=60)
    assert answer.status_code == 415
    elsewhere = served_elsewhere.url
    assert requests.post(f"{elsewhere}/api/v1/screens", json=change, timeout=60).status_code in (401, 403)
    assert requests.get(f"{elsewhere}/screens", timeout=60, allow_redirects=False).status_code in (303, 401, 403)
    assert requests.get(f"{elsewhere}/screen", timeout=60).status_code == 200
