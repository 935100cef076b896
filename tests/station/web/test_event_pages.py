"""The pages of the event, its racers and cars over HTTP: readable without JavaScript, strict with what is sent."""

import base64
import json
import pathlib
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import BadInput
from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.core.event.records import EventInfo
from station.views.event_view import RaceLine
from station.web.pages.event.race_form import race_fields, race_of, submission_line
from station.web.pages.people.hall_address import network_addresses
from tests.station.web.event_station import RULES, EventStation, event_station

EVENT = EventInfo("cup", "Winter Cup", "Oval_track", "clockwise", 20.0)
PLAIN = dict.fromkeys(("max_laps", "time_limit", "max_resets", "attempts", "min_lap"), "")
FORM = {**PLAIN, "name": "Heat", "method": "average", "consecutive_laps": "3", "direction": "clockwise"}


@pytest.fixture(scope="module")
def station() -> Iterator[EventStation]:
    with tempfile.TemporaryDirectory(prefix="rd-") as folder, event_station(pathlib.Path(folder)) as station:
        yield station


def get(station: EventStation, path: str) -> str:
    with urllib.request.urlopen(station.url + path) as answer:
        return str(answer.read().decode())


def post(station: EventStation, path: str, document: object, **headers: str) -> tuple[int, dict[str, Any]]:
    body = json.dumps(document).encode()
    sent = urllib.request.Request(station.url + path, body, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(sent) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def encoded(written: str) -> str:
    return base64.b64encode(written.encode()).decode()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/racers/cards", ["No racer yet"]),
        ("/event", ["A race", "Best lap", "Create a race", "on now"]),
        ("/event?act=create", ["Create the race", "In one line"]),
        ("/event?act=change&race=race-1", ["Change A race", "Reason (recorded)"]),
        ("/event?act=duplicate&race=race-1", ["A race, copy"]),
        ("/event?act=change&race=nowhere", ["Create a race"]),
        ("/event?act=event", ["Store the event"]),
        ("/event?act=new-event", ["nobody is checked in"]),
        ("/racers", ["With runs, but not on the list", "Ada"]),
        ("/racers?act=add", ["Add a racer", "Germany"]),
        ("/racers?act=import", ["A CSV file"]),
        ("/racers?edit=nobody", ["Import a list"]),
        ("/cars", ["Enter a car"]),
        ("/cars?add=blue", ['value="blue"']),
    ],
)
def test_the_pages_can_be_read_without_javascript(station: EventStation, path: str, words: list[str]) -> None:
    html = get(station, path)
    for word in words:
        assert word in html
    assert "<script>" not in html
    assert "style=" not in html


def test_a_race_is_created_previewed_changed_and_refused(station: EventStation) -> None:
    status, answer = post(station, "/event/races", FORM)
    assert (status, answer["race_id"]) == (200, "heat")
    race = station.event.race("heat")
    assert race is not None
    assert race.rules == RaceRules(time_limit_s=None)
    fields = {**FORM, "race_id": "race-1", "method": "best_lap", "consecutive_laps": "1", "max_laps": "2"}
    fields["off_track_penalty"] = "2,5"
    status, answer = post(station, "/event/preview", fields)
    assert status == 200
    assert answer["line"] == "Best lap · 2 laps at most · off track +2.5 s"
    assert answer["submission"] == "A result is submitted at once, when the run ends."
    assert '<span class="soft">2 →</span>' in answer["html"]
    assert '<span class="soft">7.200 →</span> 9.700' in answer["html"]
    before = station.event.races[0]
    assert (before.leader, before.leader_ms) == ("Bob", 7200), "the preview changed nothing"
    status, answer = post(station, "/event/races", {**fields, "reason": "agreed"})
    assert status == 200
    assert (station.event.races[0].leader, station.event.races[0].rules_version) == ("Ada", 2)
    status, answer = post(station, "/event/races", fields)
    assert (status, answer["error"]) == (409, "Nothing is different in the race Heat.")
    assert post(station, "/event/races", {**FORM, "time_limit": "soon"})[0] == 400
    assert "Time limit:" in post(station, "/event/preview", {**FORM, "time_limit": "soon"})[1]["error"]


def test_the_event_is_named_and_changed(station: EventStation) -> None:
    fields = {
        "act": "change",
        "name": "Winter Cup",
        "track": "Oval",
        "track_length_m": "19,5",
        "direction": "clockwise",
    }
    assert post(station, "/event", fields)[0] == 200
    assert station.event.event == EventInfo("event", "Winter Cup", "Oval", "clockwise", 19.5)
    assert "Length of the track:" in post(station, "/event", {**fields, "track_length_m": "far"})[1]["error"]
    assert post(station, "/event", {**fields, "direction": "up"})[0] == 400


def test_a_list_is_previewed_imported_and_exported(station: EventStation) -> None:
    csv = "Fahrer;Land;Transponder;Aussprache\nZoë;Deutschland;881;Zo-eh\nYan;??;;\n=1+1;;;\n"
    status, answer = post(station, "/racers/preview", {"csv": encoded(csv)})
    assert (status, answer["racers"]) == (200, 2)
    assert "Line 3" in answer["html"]
    assert "is no country" in answer["html"]
    assert list(station.event.racers) == []
    assert post(station, "/racers/import", {"csv": encoded(csv)})[0] == 200
    assert [(racer.alias, racer.flag, racer.transponders, racer.pronounce_as) for racer in station.event.racers] == [
        ("Zoë", "DE", ("881",), "Zo-eh"),
        ("=1+1", "", (), ""),
    ]
    assert all(racer.code for racer in station.event.racers)
    exported = get(station, "/racers.csv")
    assert exported.startswith("\ufeffalias,flag,")
    assert "'=1+1,," in exported
    assert (
        post(station, "/racers/import", {"csv": encoded(csv)})[1]["error"]
        == "The file holds no racer who is new or changed."
    )
    assert "Edit Zoë" in get(station, "/racers?edit=ZO%C3%8B")
    zoe = station.event.racers[0]
    sheet, alone = get(station, "/racers/cards"), get(station, f"/racers/cards?code={zoe.code}")
    assert (sheet.count("<article"), alone.count("<article")) == (2, 1)
    assert f'src="/r/{zoe.code}/qr.svg"' in alone
    assert "127.0.0.1" not in alone or not network_addresses()  # a phone in the hall reaches what the code says
    assert get(station, f"/r/{zoe.code}/qr.svg").startswith("<svg")


@pytest.mark.parametrize("path", ["/event", "/event/races", "/event/preview", "/racers/preview", "/racers/import"])
def test_a_form_of_another_site_or_shape_is_refused(station: EventStation, path: str) -> None:
    assert post(station, path, FORM, origin="https://evil.example")[0] == 403
    assert post(station, path, FORM, **{"content-type": "text/plain"})[0] == 415
    assert post(station, path, [])[0] == 400
    assert post(station, path, {"name": 1})[0] == 400
    assert post(station, path, {"name": "x" * 2_000_000})[0] == 413


def test_a_file_that_is_no_base64_is_an_empty_one(station: EventStation) -> None:
    assert "is empty" in post(station, "/racers/preview", {"csv": "%%%"})[1]["html"]


def test_the_form_reads_back_what_it_shows() -> None:
    rules = RaceRules("total_time", 5, 9, 240.0, 2.5, 1.0, 2, 3, 5.0, "signal", "finish_lap")
    race = RaceLine("r", "Heat", "cup", rules, 1, "Oval_track", "clockwise", "physical", 2, "open", True, 0, 0)
    fields = race_fields(race, EVENT)
    assert (fields["time_limit"], fields["min_lap"], fields["min_lap_default"]) == ("4:00", "", "5")
    entry = race_of(fields, EVENT)
    assert (entry.rules, entry.name, entry.track, entry.cars_on_track) == (rules, "Heat", "Oval_track", 2)
    for submit_after_s, words in ((0.0, "at once"), (-1.0, "an official does it"), (37.5, "37.5 s after the run")):
        entry = race_of(race_fields(replace(race, submit_after_s=submit_after_s), EVENT), EVENT)
        assert entry.submit_after_s == submit_after_s
        assert words in submission_line(entry)
    for entered, submit_after_s in (("1:30", 90.0), ("2,5", 2.5), ("", 15.0)):
        assert race_of({**FORM, "submission": "later", "submit_after": entered}, EVENT).submit_after_s == submit_after_s


@pytest.mark.parametrize(
    ("name", "entered", "value"),
    [
        ("time_limit", "4:00", 240.0),
        ("time_limit", "90", 90.0),
        ("time_limit", "90,5 s", 90.5),
        ("time_limit", "", None),
        ("off_track_penalty", "1,5", 1.5),
        ("collision_penalty", "1.5", 1.5),
        ("min_lap", "", 5.0),
        ("min_lap", "3,2", 3.2),
        ("attempts", "3", 3),
        ("max_resets", "0", 0),
    ],
)
def test_numbers_as_people_write_them(name: str, entered: str, value: object) -> None:
    field = {"time_limit": "time_limit_s", "off_track_penalty": "off_track_penalty_s", "min_lap": "min_lap_s"}
    field |= {"collision_penalty": "collision_penalty_s", "attempts": "attempts_per_racer"}
    rules = race_of({**FORM, name: entered}, EVENT).rules
    assert getattr(rules, field.get(name, "max_resets_per_lap")) == value


@pytest.mark.parametrize(
    ("name", "entered", "words"),
    [
        ("consecutive_laps", "many", "Laps in a row: "),
        ("consecutive_laps", "11", "Laps in a row: "),
        ("max_laps", "0", "Laps at most: "),
        ("time_limit", "4:77", "Time limit: "),
        ("off_track_penalty", "two", "Off track: "),
        ("method", "luck", "How it is ranked: "),
        ("cars_on_track", "13", "Cars on the track: "),
        ("attempts", "-1", "Attempts: "),
        ("submission", "soon", "Result submitted: "),
        ("submit_after", "soon", "Seconds until then: "),
        ("submit_after", "3601", "Seconds until then: a result waits for 1 s to 3600 s."),
        ("submit_after", "0", "Seconds until then: "),
    ],
)
def test_a_wrong_number_is_refused_with_its_field(name: str, entered: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        race_of({**FORM, "submission": "later", name: entered}, EVENT)
    assert str(refused.value).startswith(words)


def test_commands_of_the_pages_are_accepted_by_the_api(station: EventStation) -> None:
    assert (
        post(
            station, "/api/v1/commands", {"command": "add_car", "car": "blue", "kind": "stock", "transponders": ["9"]}
        )[0]
        == 200
    )
    html = get(station, "/cars?edit=blue")
    assert "as its maker sold it" in html
    status, answer = post(station, "/api/v1/commands", {"command": "create_race", "name": "Final"})
    assert (status, answer["race_id"]) == (200, "final")
    assert post(station, "/api/v1/commands", {"command": "import_racers", "racers": []})[0] == 409
    assert isinstance(station.give(e.CloseRace(author="Ruth", race_id="final")).seq, int)


@pytest.mark.parametrize("path", ["/event", "/event/races", "/event/preview", "/racers/preview", "/racers/import"])
def test_nobody_sends_forms_without_being_signed_in(station: EventStation, path: str) -> None:
    assert post(station, path, FORM, cookie="raceday_session=nobody")[0] == 401


@pytest.mark.parametrize("path", ["/event", "/racers", "/racers.csv", "/cars"])
def test_the_pages_are_for_operators(station: EventStation, path: str) -> None:
    sent = urllib.request.Request(station.url + path, headers={"cookie": "raceday_session=nobody"})
    with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(sent):
        pass
    assert refused.value.code == 401
    refused.value.close()


def test_a_racers_own_page_holds_the_runs_of_the_race_before(station: EventStation) -> None:
    before = next(race for race in station.event.races if race.active)
    station.give(e.AddRacer(author="Ruth", racer="Ada"))
    station.give(e.CreateRace(author="Ruth", name="Last of all", rules=RULES))
    station.give(e.SwitchRace(author="Ruth", race_id="last-of-all"))
    [code] = [racer.code for racer in station.event.racers if racer.alias == "Ada"]
    page = get(station, f"/r/{code}")
    assert "No runs yet." in page  # in the last race
    assert f'href="/results/{before.race_id}"' in page
    assert "8.200" in page
    assert f"/results/{before.race_id}/certificates?place=" in page
