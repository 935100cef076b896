"""The desk and its forms without a script: what can be done, what is refused, and what comes back in the form."""

import pathlib
import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from leaderboard.app import create_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.core.access import Grant
from leaderboard.credentials import Credentials
from leaderboard.store.database import Store
from shared.protocol.results import encode_result
from tests.leaderboard import signed_in
from tests.leaderboard.in_process import HOST, FormBrowser
from tests.leaderboard.league.organised import DAY_NS, NOW
from tests.leaderboard.league.test_pictures import picture
from tests.leaderboard.sample_races import TOKEN, result
from tests.shared.web.test_error_pages import Answer


class Desk:
    """An app with its people: an organiser, two officials, a racer."""

    def __init__(self, folder: pathlib.Path, opens_pages: bool = True) -> None:
        self.now_utc_ns, self._opens_pages = NOW, opens_pages
        self.board = open_board(folder / "board.db")
        self.app: FastAPI
        self.app, _ = create_app(self.board, Credentials((), TOKEN), LeaderboardConfig(), lambda: self.now_utc_ns)
        self.store: Store = self.board.store
        self.olga = self.person("olga", Grant("organiser"))
        self.otto = self.person("otto", Grant("official"))
        self.rita = self.person("rita")

    def person(self, alias: str, *grants: Grant) -> FormBrowser:
        account_id = signed_in.account(self.store, alias, *grants, now_utc_ns=NOW)
        made = signed_in.browser(self.app, self.store, account_id, NOW)
        if self._opens_pages:  # a form needs the token of a page
            made.get("/desk")
        return made


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk"))
    yield made
    made.board.close()


RACE = {
    "name": "Spring Cup",
    "kind": "league",
    "track": "Oval",
    "venue": "physical",
    "race_type": "time_trial",
    "direction": "clockwise",
    "zone": "Europe/Berlin",
    "opens": "2027-03-01T18:00",
    "closes": "2027-03-31T18:00",
    "visibility": "public",
    "entry": "open",
    "method": "average",
    "consecutive_laps": "3",
    "max_laps": "",
    "time_limit_s": "120",
    "at_time_limit": "stop",
    "lap_1_from": "line",
    "off_track_penalty_s": "1,5",
    "collision_penalty_s": "0",
    "max_resets_per_lap": "",
    "attempts_per_racer": "",
    "min_lap_s": "2",
}


def made(desk: Desk, **changes: str) -> str:
    """A race that the organiser made with the form; its id."""
    desk.olga.get("/desk/races/new")
    answer = desk.olga.submit("/desk/races/new", **(RACE | changes))
    assert answer.status_code == 303, answer.text
    return re.sub(r"[^a-z0-9]+", "-", changes.get("name", RACE["name"]).lower())


def shown(answer: Answer) -> str:
    """The text of a page, without its tags."""
    body = re.sub(r"(?s).*<main[^>]*>|</main>.*|<[^>]*>", " ", answer.text)
    return re.sub(r"\s+", " ", body)


def test_a_race_from_the_draft_to_the_bin_and_back(desk: Desk) -> None:
    race_id = made(desk, go="draft")
    page = desk.olga.get("/desk")
    assert "Spring Cup is on your desk." in shown(page)
    assert "Nobody else sees it until it is published." in shown(page)
    assert desk.rita.get(f"/races/{race_id}").status_code == 404
    assert desk.olga.submit(f"/desk/races/{race_id}/publish").headers["location"] == "/desk"
    assert "Opens 1 March 2027, 18:00 (Europe/Berlin)." in shown(desk.olga.get("/desk"))
    assert desk.rita.get(f"/races/{race_id}").status_code == 200
    for move, then in (
        ("close", "Next: publish its results"),
        ("results", "Its results are published."),
        ("final", "Its results are final."),
    ):
        assert desk.olga.submit(f"/desk/races/{race_id}/{move}").status_code == 303
        assert then in shown(desk.olga.get("/desk"))
    assert desk.olga.submit(f"/desk/races/{race_id}/unlock", why="x").status_code == 403
    desk.otto.get("/desk")
    assert desk.otto.submit(f"/desk/races/{race_id}/unlock").status_code == 422
    assert desk.otto.submit(f"/desk/races/{race_id}/unlock", why="a protest").status_code == 303
    desk.olga.get("/desk")
    asked = desk.olga.submit(f"/desk/races/{race_id}/delete")
    assert (asked.status_code, "The bin keeps it for 30 days" in shown(asked)) == (200, True)
    assert desk.board.race(race_id).stage != "deleted"
    assert desk.olga.submit(f"/desk/races/{race_id}/delete", sure="yes").status_code == 303
    page = desk.olga.get("/desk")
    assert "in the bin for 30 days" in shown(page)
    assert "In the bin until 3 February 2027" in shown(page)
    assert desk.olga.submit(f"/desk/races/{race_id}/restore").status_code == 303
    assert desk.olga.submit(f"/desk/races/{race_id}/dance").status_code == 404


def test_a_tick_makes_a_race_live_and_taking_it_back_ends_that(desk: Desk) -> None:
    race_id = made(desk, go="publish", name="Live Cup", live="yes")
    assert desk.board.race(race_id).live
    assert desk.rita.get(f"/races/{race_id}/queue").status_code == 200
    for ticks in ({}, {"live": "yes"}):  # a box that is not ticked is not sent at all
        page = desk.olga.get(f"/desk/races/{race_id}").text
        assert bool(re.search(r'name="live" value="yes" checked', page)) != bool(ticks)
        edition = re.findall(r'name="edition" value="(\d+)"', page)[0]
        sent = RACE | {"name": "Live Cup", "edition": edition} | ticks
        assert desk.olga.submit(f"/desk/races/{race_id}", **sent).status_code == 303
        assert desk.board.race(race_id).live == bool(ticks)


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(desk: Desk) -> None:
    desk.olga.get("/desk/races/new")
    wrong = {
        "name": "A Race",
        "opens": "2027-03-28T02:30",
        "consecutive_laps": "three",
        "off_track_penalty_s": "1.500",
        "max_laps": "2",
        "zone": "Europe/Berlin",
    }
    answer = desk.olga.submit("/desk/races/new", **(RACE | wrong))
    page = shown(answer)
    assert answer.status_code == 422
    assert "write 2027-03-28T01:30+01:00 or 2027-03-28T03:30+02:00" in page
    assert "Write a whole number." in page
    assert 'id="consecutive_laps-error"' in answer.text
    for typed in ("three", "2027-03-28T02:30", "1.500"):
        assert f'value="{typed}"' in answer.text
    # The local time is written with its offset then, into a field that takes one.
    right = RACE | {"name": "A Race", "opens": "2027-03-28T03:30+02:00"}
    assert desk.olga.submit("/desk/races/new", **right).status_code == 303
    assert desk.olga.submit("/desk/races/new", **right).status_code == 422  # one of this name exists
    assert "do not fit" in shown(
        desk.olga.submit("/desk/races/new", **(RACE | {"name": "B", "time_limit_s": "10", "min_lap_s": "9"}))
    )


def test_the_rules_are_shown_in_words_before_they_are_saved(desk: Desk) -> None:
    desk.olga.get("/desk/races/new")
    answer = desk.olga.submit(
        "/desk/races/new", **(RACE | {"name": "Preview", "method": "total_time", "go": "preview"})
    )
    assert answer.status_code == 200
    assert "Ranked by the total time of the best 3 successful laps in a row." in shown(answer)
    assert "Each off track adds 1.5 s to its lap." in shown(answer)
    assert desk.rita.get("/races/preview").status_code == 404


def test_two_people_at_once_and_what_stays_after_a_result(desk: Desk) -> None:
    race_id = made(desk, name="Autumn Cup", go="publish", opens="2027-01-01T00:00", track="Bowtie")
    form = RACE | {
        "name": "Autumn Cup",
        "opens": "2027-01-01T00:00",
        "track": "Bowtie",
        "go": "save",
        "min_lap_s": "4.3",
    }
    desk.olga.get(f"/desk/races/{race_id}")
    assert (
        desk.olga.submit(f"/desk/races/{race_id}", **(form | {"edition": "1", "description": "# Hi"})).status_code
        == 303
    )
    assert "Autumn Cup is saved as edition 2." in shown(desk.olga.get(f"/desk/races/{race_id}"))
    late = desk.olga.submit(f"/desk/races/{race_id}", **(form | {"edition": "1", "name": "Mine"}))
    assert late.status_code == 409
    assert "its edition is 2 now, you saw 1" in shown(late)
    one = result("autumn", race_id=race_id, times_ms=(9000, 9100, 9200), finished_utc_ns=NOW)
    assert desk.board.apply(one.webhook_id, encode_result(one), NOW).status == 201
    page = desk.olga.get(f"/desk/races/{race_id}")
    assert "Results are in" in shown(page)
    assert 'name="consecutive_laps"' not in page.text
    # A form from before the result changes the words, and the rules no more.
    changed = form | {"edition": "2", "name": "Last Cup", "consecutive_laps": "5"}
    assert desk.olga.submit(f"/desk/races/{race_id}", **changed).status_code == 303
    race = desk.board.race(race_id)
    assert (race.name, race.rules.consecutive_laps, race.edition) == ("Last Cup", 3, 3)


def multipart(browser: FormBrowser, path: str, content: bytes) -> Answer:
    found = re.search(r'name="csrf" value="(\w+)"', browser.page)
    assert found is not None
    head = 'Content-Disposition: form-data; name="csrf"\r\n\r\n' + found[1]
    file = 'Content-Disposition: form-data; name="picture"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    body = f"--x\r\n{head}\r\n--x\r\n{file}".encode() + content + b"\r\n--x--\r\n"
    headers = {"origin": f"http://{HOST}", "content-type": "multipart/form-data; boundary=x", "accept": "text/html"}
    return browser._request("POST", path, headers, body)


def test_a_picture_goes_up_with_a_form(desk: Desk) -> None:
    race_id = made(desk, name="Picture Cup", go="publish")
    desk.olga.get(f"/desk/races/{race_id}")
    assert multipart(desk.olga, f"/desk/races/{race_id}/picture", picture()).status_code == 303
    page = desk.olga.get(f"/desk/races/{race_id}")
    address = re.search(r'src="(/races/[^"]+)"', page.text)
    assert address is not None
    assert desk.rita.get(address[1]).headers["content-type"] == "image/webp"
    assert multipart(desk.olga, f"/desk/races/{race_id}/picture", b"<svg/>").status_code == 422
    desk.olga.get(f"/desk/races/{race_id}")
    assert desk.olga.submit(f"/desk/races/{race_id}/picture", take_away="yes").status_code == 303
    assert desk.board.race(race_id).picture_sha256 == ""


def test_a_season_an_event_and_a_series(desk: Desk) -> None:
    season = {"name": "Season 27", "stage": "published", "zone": "Europe/Berlin", "second_official": "yes"}
    desk.olga.get("/desk/seasons/new")
    wrong = desk.olga.submit("/desk/seasons/new", **(season | {"starts": "2027-03-28T02:30"}))
    assert (wrong.status_code, "There is no 2027-03-28 02:30" in shown(wrong)) == (422, True)
    assert desk.olga.submit("/desk/seasons/new", **season).status_code == 303
    event = {
        "name": "Berlin",
        "circuit": "summit",
        "season_id": "season-27",
        "place": "Hall 5",
        "zone": "Europe/Berlin",
    }
    desk.olga.get("/desk/events/new")
    begins = {"starts": "2027-05-01T09:00", "ends": "2027-05-01T18:00", "description": "**Bring** water"}
    assert desk.olga.submit("/desk/events/new", **(event | begins)).status_code == 303
    race_id = made(desk, name="Open", go="publish", season_id="season-27", event_id="berlin")
    page = desk.rita.get("/events/berlin")
    assert "1 May 2027, 09:00 (Europe/Berlin) – 1 May 2027, 18:00 (Europe/Berlin)" in shown(page)
    assert "<strong>Bring</strong>" in page.text
    assert f'href="/races/{race_id}"' in page.text
    series = {"name": "Opens", "name_pattern": "Open {month}", "every": "month", "days": "7", "zone": "Europe/Berlin"}
    desk.olga.get(f"/desk/races/{race_id}/series")
    assert desk.olga.submit(f"/desk/races/{race_id}/series", **(series | {"first": ""})).status_code == 422
    begun = series | {"first": "2027-06-30T18:00", "total": "6"}
    assert desk.olga.submit(f"/desk/races/{race_id}/series", **begun).status_code == 303
    assert "Race 2 opens 30 July 2027, 18:00 (Europe/Berlin)." in shown(desk.olga.get("/desk"))
    assert (desk.board.race("opens-1").name, desk.board.race("opens-1").season_id) == ("Open 06", "season-27")
    calendar = shown(desk.rita.get("/seasons/season-27/calendar"))
    for entry in ("Season 27", "Berlin", "Hall 5", "Open 06", "Opens 30 June 2027, 18:00 (Europe/Berlin)."):
        assert entry in calendar, entry
    desk.olga.get("/desk")
    assert desk.olga.submit("/desk/series/opens", stopped="yes", edition="1").status_code == 303
    assert "Stopped: it makes no more races." in shown(desk.olga.get("/desk"))
    edited = desk.olga.submit("/desk/seasons/season-27", **(season | {"edition": "1", "name": "Season 2027"}))
    assert edited.status_code == 303
    assert desk.olga.submit("/desk/seasons/season-27", **(season | {"edition": "1"})).status_code == 409
    assert desk.olga.submit("/desk/events/berlin", **(event | {"edition": "1", "place": "Hall 7"})).status_code == 303


def test_strangers_find_an_empty_desk_and_closed_forms(desk: Desk) -> None:
    race_id = made(desk, name="Not Yours", go="publish")
    assert "Races that you organise stand here." in shown(desk.rita.get("/desk"))
    for path in ("/desk/races/new", f"/desk/races/{race_id}", "/desk/seasons/new", f"/desk/races/{race_id}/series"):
        assert desk.rita.get(path).status_code == 403, path
        assert FormBrowser(desk.app).get(path).headers["location"].startswith("/sign-in?next="), path
    desk.rita.get("/desk")
    for path in (f"/desk/races/{race_id}/close", f"/desk/races/{race_id}", "/desk/seasons/new", "/desk/events/new"):
        assert desk.rita.submit(path, **RACE, stage="published", circuit="summit").status_code == 403, path
    assert desk.rita.get("/events/nowhere").status_code == 404
    assert desk.board.race(race_id).state(NOW + 60 * DAY_NS) == "open"


def test_the_desk_speaks_german(desk: Desk) -> None:
    made(desk, name="Deutsches Rennen", go="publish")
    page = desk.olga.get("/desk?lang=de").text
    assert "Öffnet am 1. März 2027, 18:00 (Europe/Berlin)." in re.sub(r"<[^>]*>", "", page)
    assert 'lang="de"' in page
