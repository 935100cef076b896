"""The event at a running station: it survives `kill -9` and restarts, and the config undoes nothing of it."""

import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.errors import BadInput
from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.core.event.records import Racer
from station.service.setup import CODE_SIGNS, with_codes
from station.views.command_answers import Accepted, Declined
from station.views.event_view import EventView
from station.web.command_parser import parse_command
from tests.station.service.station_rig import Rig

RULES = RaceRules(consecutive_laps=1, max_laps=1)
ACTS: tuple[e.Command, ...] = (
    e.CreateEvent(author="Ruth", name="Winter Cup", track="Oval_track"),
    e.ImportRacers(author="Ruth", racers=(Racer("Ann", "DE", transponders=("7",)), Racer("مريم", team="Red"))),
    e.CheckIn(author="Ruth", racer="Ann"),
    e.AddCar(author="Ruth", car="blue", kind="stock"),
    e.CreateRace(author="Ruth", name="Heat", rules=RULES),
    e.SwitchRace(author="Ruth", race_id="heat"),
    e.ChangeRace(author="Ruth", race_id="heat", rules=replace(RULES, off_track_penalty_s=2.0)),
)
WRITER = """
import pathlib, signal, sys
from tests.station.service.station_rig import Rig
from tests.station.service.test_event import ACTS
rig = Rig(pathlib.Path(sys.argv[1]))
for act in ACTS:
    rig.give(act)
print("stored", flush=True)
signal.pause()
"""


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "station.db")
    yield rig
    rig.station.close()


def acted(rig: Rig) -> EventView:
    for act in ACTS:
        assert isinstance(rig.give(act), Accepted)
    return rig.station.snapshot().event


def test_everything_on_file_survives_kill_9(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "station.db"
    root = pathlib.Path(__file__).parents[3]
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=root, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "stored\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    again, fresh = Rig(path), Rig(tmp_path / "other.db")
    assert again.station.snapshot().event == acted(fresh)
    again.station.close()
    fresh.station.close()


def test_the_view_says_what_is_on_file(rig: Rig) -> None:
    event = acted(rig)
    assert event.event is not None
    assert event.event.name == "Winter Cup"
    assert [(race.race_id, race.state, race.active, race.rules_version) for race in event.races] == [
        ("heat", "open", True, 2)
    ]
    assert [race.race_id for race in event.earlier] == ["race-1"]
    assert [(racer.alias, racer.checked_in, racer.runs) for racer in event.racers] == [
        ("Ann", True, 0),
        ("مريم", False, 0),
    ]
    assert [car.kind for car in event.cars] == ["stock"]
    assert event.active is not None
    assert event.active == event.race("heat")


def test_the_lists_follow_the_runs(rig: Rig) -> None:
    acted(rig)
    rig.open("Ann")
    view = rig.station.snapshot().event
    assert view.races[0].state == "running"
    rig.go()
    rig.cross(1)
    rig.cross(8)
    view = rig.station.snapshot().event
    line = view.races[0]
    assert (line.state, line.runs, line.ranked, line.leader) == ("open", 1, 1, "Ann")
    assert view.racers[0].runs == 1
    assert isinstance(rig.give(e.OpenRun(author="Ruth", racer="Guest", car="car-2")), Accepted)
    assert rig.station.snapshot().event.unlisted == ("Guest",)


def test_a_switched_race_is_on_after_a_restart_with_the_same_config(rig: Rig) -> None:
    acted(rig)
    rig.restart()
    view = rig.station.snapshot()
    assert view.race is not None
    assert (view.race.race_id, view.race.rules.off_track_penalty_s, view.notice) == ("heat", 2.0, "")


def test_another_config_opens_its_race(rig: Rig) -> None:
    acted(rig)
    rig.setup = replace(rig.setup, race=e.OpenRace(e.NEVER, "race-2", "Another", RULES))
    rig.restart()
    view = rig.station.snapshot()
    assert view.race is not None
    assert view.race.race_id == "race-2"


def test_the_answer_names_the_race_that_was_created(rig: Rig) -> None:
    answer = rig.give(e.CreateRace(author="Ruth", name="Final"))
    assert isinstance(answer, Accepted)
    assert answer.race_id == "final"
    assert isinstance(rig.give(e.SwitchRace(author="Ruth", race_id="nowhere")), Declined)


def test_codes_are_drawn_outside_and_only_where_there_is_none() -> None:
    added = with_codes(e.AddRacer(author="Ruth", racer="Ann"), lambda count: "ff" * count)
    assert isinstance(added, e.AddRacer)
    assert len(added.code) == 6
    assert set(added.code) <= set(CODE_SIGNS)
    assert with_codes(added, lambda count: "00" * count) == added
    given = e.ImportRacers(author="Ruth", racers=(Racer("Ann", code="aaaa22"), Racer("Bob")))
    drawn = with_codes(given, lambda count: "00" * count)
    assert isinstance(drawn, e.ImportRacers)
    assert [racer.code for racer in drawn.racers] == ["aaaa22", "222222"]
    assert with_codes(given, None) == given


def test_a_client_sends_no_code_of_its_own() -> None:
    with pytest.raises(BadInput, match="has no 'code'"):
        parse_command({"command": "add_racer", "racer": "Ann", "code": "aaaa22"})
    rules = {"method": "best_lap", "consecutive_laps": 1, "off_track_penalty_s": 2}
    parsed = parse_command({"command": "create_race", "name": "Heat", "rules": rules, "author": "Ruth"})
    assert parsed == e.CreateRace(
        author="Ruth",
        name="Heat",
        rules=RaceRules(method="best_lap", consecutive_laps=1, off_track_penalty_s=2.0),
    )
