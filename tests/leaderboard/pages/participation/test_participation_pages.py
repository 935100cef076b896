"""The pages about taking part, without scripts: from the wizard to the link, joining, entering and being removed."""

import html
import re

import pytest

from tests.leaderboard.by_hand import close_race, enter
from tests.leaderboard.in_process import FormBrowser
from tests.leaderboard.pages.participation.conftest import Venue
from tests.leaderboard.sample_races import TOKEN

WHAT = {"name": "Sommer-Cup", "track": "reinvent_base", "venue": "physical", "race_type": "time_trial"}


def hidden(page: str) -> dict[str, str]:
    """The fields that go along unseen."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found if name != "csrf"}


def join_path(page: str) -> str:
    found = re.search(r'value="http://[^/"]+(/join/[\w-]{22})"', page)
    assert found, page
    return found[1]


def test_the_wizard_makes_a_race_and_going_back_loses_nothing(venue: Venue) -> None:
    who = venue.olga
    assert who.get("/new-race").status_code == 200
    assert 'aria-current="step"' in who.page
    answer = who.submit("/new-race", **hidden(who.page) | WHAT | {"name": ""}, go="when")
    assert (answer.status_code, "Give the race a name." in who.page) == (422, True)
    assert who.submit("/new-race", **hidden(who.page) | WHAT | {"direction": "clockwise"}, go="when").status_code == 200
    kept = hidden(who.page)
    assert (kept["name"], kept["direction"], kept["here"]) == ("Sommer-Cup", "clockwise", "when")
    late = {"zone": "Europe/Berlin", "opens": "", "closes": "2027-03-28T02:30"}
    assert who.submit("/new-race", **kept | late, go="who").status_code == 422
    assert "as the clocks are put forward then" in who.page
    assert who.submit("/new-race", **hidden(who.page) | late, go="what").status_code == 200
    assert 'value="Sommer-Cup"' in who.page
    assert hidden(who.page)["closes"] == "2027-03-28T02:30"
    who.submit("/new-race", **hidden(who.page) | WHAT | {"direction": "clockwise"}, go="when")
    assert (
        who.submit("/new-race", **hidden(who.page) | late | {"closes": "2027-03-28T03:30"}, go="who").status_code == 200
    )
    rules = {"visibility": "private", "method": "best_lap", "consecutive_laps": "1"}
    assert who.submit("/new-race", **hidden(who.page) | rules, go="review").status_code == 200
    assert "2027-03-28 03:30" in who.page
    made = who.submit("/new-race", **hidden(who.page), go="create")
    assert made.status_code == 303
    path = made.headers["location"]
    assert re.fullmatch(r"/races/sommer-cup-[0-9a-f]{10}/invitation", path)
    stored = venue.board.race(path.split("/")[2])
    assert (stored.owner, stored.direction, stored.zone) == ("account-olga", "clockwise", "Europe/Berlin")
    assert who.get(path).status_code == 200
    assert "The race Sommer-Cup is made. Now invite." in who.page
    assert venue.visitor.get("/new-race").headers["location"] == "/sign-in?next=/new-race"


def test_a_tick_makes_the_race_live_and_taking_it_back_does_not(venue: Venue) -> None:
    who, made = venue.olga, list[bool]()
    for ticks in ({"live": "yes"}, {}):  # a box that is not ticked is not sent at all
        who.get("/new-race")
        who.submit("/new-race", **hidden(who.page) | WHAT | {"direction": "clockwise", "live": "yes"}, go="when")
        assert hidden(who.page)["live"] == "yes"
        who.submit("/new-race", **hidden(who.page) | {"zone": "UTC", "opens": "", "closes": ""}, go="what")
        assert re.search(r'name="live" value="yes" checked', who.page)
        who.submit("/new-race", **hidden(who.page) | WHAT | {"direction": "clockwise"} | ticks, go="review")
        assert ("from a queue" in who.page) == bool(ticks)
        location = who.submit("/new-race", **hidden(who.page), go="create").headers["location"]
        made.append(venue.board.race(location.split("/")[2]).live)
    assert made == [True, False]


def test_the_limit_is_said_in_the_review(venue: Venue) -> None:
    for _ in range(10):
        venue.new_race(kind="community", owner="account-nils", visibility="public")
    venue.nils.get("/new-race")
    assert "You may make 0 more now." in venue.nils.page
    draft = hidden(venue.nils.page) | WHAT | {"direction": "clockwise", "here": "review"}
    answer = venue.nils.submit("/new-race", **draft, go="create")
    assert answer.status_code == 422
    assert "You have 10 races that are open or to come" in venue.nils.page


def test_from_the_link_to_the_standing_and_out(venue: Venue) -> None:
    cup = venue.new_race()
    assert venue.nils.get(cup).status_code == 404
    venue.olga.get(f"{cup}/invitation")
    answer = venue.olga.submit(f"{cup}/invitation", max_uses="x")
    assert (answer.status_code, "Write a number, such as 20." in venue.olga.page) == (422, True)
    assert venue.olga.submit(f"{cup}/invitation", max_uses="5", expires="").status_code == 303
    venue.olga.get(f"{cup}/invitation")
    link = join_path(venue.olga.page)
    assert "<svg" in venue.olga.page
    assert f"Join here: http://board.test{link}" in html.unescape(venue.olga.page)
    assert "0 of 5 have joined by it." in venue.olga.page
    venue.visitor.get(link)
    for said in ("Olga invites you to this race.", "The race is private", f"/sign-up?next={link}"):
        assert said in venue.visitor.page
    venue.nils.get(link)
    assert "Join as nils" in venue.nils.page
    assert venue.nils.submit(link).headers["location"] == cup
    venue.nils.get(cup)
    assert "You have joined. Enter the race to be ranked in it." in venue.nils.page
    assert venue.nils.get(link).headers["location"] == cup
    venue.nils.get(cup)
    assert venue.nils.submit(f"{cup}/enter").status_code == 303
    venue.nils.get(cup)
    assert "You are entered as nils." in venue.nils.page
    venue.olga.get(f"{cup}/participants")
    assert "Entered: 1" in venue.olga.page
    assert "joined by the link" in venue.olga.page
    assert venue.olga.submit(f"{cup}/participants", what="remove", racer="nils").status_code == 303
    venue.olga.get(f"{cup}/participants")
    assert "Nils is removed, and their results are hidden." in venue.olga.page
    assert venue.nils.get(cup).status_code == 404
    assert venue.olga.submit(f"{cup}/participants", what="restore", racer="nils").status_code == 303
    venue.nils.get(cup)
    assert venue.nils.submit(f"{cup}/withdraw").status_code == 303
    venue.nils.get(cup)
    assert "Enter again" in venue.nils.page


def test_a_dead_link_says_of_what(venue: Venue) -> None:
    cup = venue.new_race()
    venue.olga.get(f"{cup}/invitation")
    venue.olga.submit(f"{cup}/invitation")
    venue.olga.get(f"{cup}/invitation")
    old = join_path(venue.olga.page)
    assert venue.olga.submit(f"{cup}/invitation/reset").status_code == 303
    venue.olga.get(f"{cup}/invitation")
    assert join_path(venue.olga.page) != old
    answer = venue.visitor.get(old)
    assert (answer.status_code, "The organiser replaced this link by another" in venue.visitor.page) == (410, True)
    close_race(venue.board, cup.rsplit("/", 1)[1], True, 1)
    answer = venue.visitor.get(old)
    assert (answer.status_code, "This race is over" in venue.visitor.page) == (410, True)
    assert venue.visitor.get("/join/never").status_code == 404
    assert venue.olga.get(f"{cup}/invitation").status_code == 200
    assert "This race is over" in venue.olga.page


def test_the_organiser_lets_in_registers_and_decides(venue: Venue) -> None:
    cup = venue.new_race()
    here = f"{cup}/participants"
    venue.olga.get(here)
    assert venue.olga.submit(here, what="register", racer="Nils").status_code == 303
    venue.olga.get(here)
    answer = venue.olga.submit(here, what="invite", alias="nils")
    assert (answer.status_code, "nils is that racer" in venue.olga.page) == (409, True)
    assert venue.olga.submit(here, what="confirm", alias="nils").status_code == 303
    assert venue.nils.get(here).status_code == 200
    assert "Let in" not in venue.nils.page
    answer = venue.olga.submit(here, what="invite", alias="nobody-has-this")
    assert (answer.status_code, "There is no account with the alias" in venue.olga.page) == (422, True)
    assert venue.nils.submit(here, what="remove", racer="Nils").status_code == 403
    assert venue.olga.submit(here, what="dance").status_code == 422


@pytest.mark.parametrize("path", ["invitation", "participants"])
def test_strangers_find_neither(venue: Venue, path: str) -> None:
    cup = venue.new_race()
    for who in (venue.nils, venue.visitor):
        assert who.get(f"{cup}/{path}").status_code == 404
    public = venue.new_race(visibility="public")
    assert venue.visitor.get(f"{public}/participants").status_code == 200
    assert venue.visitor.get(f"{public}/invitation").status_code == 303
    assert venue.nils.get(f"{public}/invitation").status_code == 403


def test_another_sites_form_joins_nobody(venue: Venue) -> None:
    cup = venue.new_race(visibility="public")
    venue.nils.get(cup)
    assert venue.nils.submit(f"{cup}/enter", csrf="00" * 32).status_code == 403
    answer = FormBrowser(venue.app).submit(f"{cup}/enter")
    assert answer.status_code == 401  # before the form is read
    assert TOKEN not in answer.text


def test_the_pages_speak_german(venue: Venue) -> None:
    cup = venue.new_race()
    enter(venue.board, cup.rsplit("/", 1)[1], "guest", "Gast", 1)
    german = {"accept-language": "de"}
    venue.olga.get(f"{cup}/participants", **german)
    # What a screen reader says begins with what is written on the button.
    assert re.search(r'aria-label="Entfernen: Gast">Entfernen<', venue.olga.page)
    venue.olga.get(f"{cup}/invitation", **german)
    assert "Das Rennen hat noch keinen Link." in venue.olga.page
    venue.olga.submit(f"{cup}/invitation")
    venue.olga.get(f"{cup}/invitation", **german)
    assert "Der Link ist angelegt." in venue.olga.page
    assert "Hier mitmachen: http://board.test/join/" in venue.olga.page
    venue.visitor.get(join_path(venue.olga.page), **german)
    assert "Olga lädt Sie zu diesem Rennen ein." in venue.visitor.page
