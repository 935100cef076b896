"""Races are created and edited: editions, what is fixed after the first result, two officials at once, the audit."""

from typing import Any

import pytest

from leaderboard.core.access import NOBODY
from leaderboard.core.errors import Conflict, NotAllowed, Unauthorized, UnknownRace
from leaderboard.core.league.records import EventRecord, SeasonRecord
from shared.errors import Refused
from shared.rules.ranking import RaceRules
from tests.leaderboard.league.organised import ADMIN, DAY_NS, NOW, Organised, person, race

OLGA = person("olga", "organiser")
RITA = person("rita")


def test_whoever_creates_a_race_is_its_owner(league: Organised) -> None:
    assert league.races.create(OLGA, race(), NOW)
    assert not league.races.create(OLGA, race(), NOW)
    assert league.races.race(NOBODY, "cup").owner == "olga"
    with pytest.raises(Conflict, match="another `race_id`"):
        league.races.create(OLGA, race(name="Other"), NOW)
    with pytest.raises(Conflict, match="closes at another time"):
        league.races.create(OLGA, race(closes_utc_ns=NOW + DAY_NS), NOW)
    assert league.told == ["cup"]
    (row,) = league.audited("cup")
    assert (row.actor, row.what, row.subject, row.after["name"]) == ("olga", "race.create_league", "race:cup", "Cup")


@pytest.mark.parametrize(
    ("caller", "kind", "refusal"),
    [
        (NOBODY, "community", Unauthorized),
        (NOBODY, "league", Unauthorized),
        (RITA, "league", NotAllowed),
        (RITA, "community", None),
        (person("sam", "organiser", season="s27"), "league", NotAllowed),
        (OLGA, "league", None),
        (ADMIN, "league", None),
    ],
)
def test_who_may_create_what(league: Organised, caller: Any, kind: Any, refusal: type[Exception] | None) -> None:
    if refusal is None:
        assert league.races.create(caller, race(kind=kind), NOW)
        return
    with pytest.raises(refusal):
        league.races.create(caller, race(kind=kind), NOW)
    assert league.audited() == []


def test_each_change_is_an_edition_that_is_kept(league: Organised) -> None:
    league.made(OLGA)
    changed = league.races.change(OLGA, "cup", {"name": "Spring Cup", "description": "*new*"}, NOW, why="a sponsor")
    assert (changed.name, changed.edition) == ("Spring Cup", 2)
    assert league.races.change(OLGA, "cup", {"name": "Spring Cup"}, NOW).edition == 2  # nothing changed
    moved = league.races.change(OLGA, "cup", {"closes_utc_ns": NOW + DAY_NS}, NOW + 1)
    assert moved.edition == 3
    kept = league.races.editions(NOBODY, "cup")
    assert [(each.edition, each.settings["name"], each.actor) for each in kept] == [
        (3, "Spring Cup", "olga"),
        (2, "Spring Cup", "olga"),
        (1, "Cup", "olga"),
    ]
    assert kept[1].why == "a sponsor"
    row = league.audited("cup")[1]
    assert (row.before, row.why) == ({"name": "Cup", "description": "", "edition": 1}, "a sponsor")


def test_a_race_from_before_keeps_its_first_edition_too(league: Organised) -> None:
    league.board.create_race(race("old"), 5)
    league.races.change(ADMIN, "old", {"name": "New"}, NOW)
    kept = league.races.editions(NOBODY, "old")
    assert [(each.edition, each.at_utc_ns, each.settings["name"]) for each in kept] == [(2, NOW, "New"), (1, 5, "Cup")]


def test_rules_stay_after_the_first_result_and_dates_may_move(league: Organised) -> None:
    league.made(OLGA)
    league.races.change(OLGA, "cup", {"rules": RaceRules(off_track_penalty_s=1.0, max_laps=9)}, NOW)
    assert league.post() == 201
    for settings in ({"rules": RaceRules()}, {"track": "Bowtie"}, {"venue": "any"}, {"direction": "clockwise"}):
        with pytest.raises(Refused, match="results are in"):
            league.races.change(ADMIN, "cup", settings, NOW)
    assert league.races.change(OLGA, "cup", {"closes_utc_ns": NOW + DAY_NS, "zone": "Europe/Berlin"}, NOW).edition == 3


def test_two_officials_at_once(league: Organised) -> None:
    league.made(OLGA)
    seen = league.races.race(OLGA, "cup").edition
    league.races.change(OLGA, "cup", {"name": "Mine"}, NOW, edition=seen)
    with pytest.raises(Conflict, match="its edition is 2 now, you saw 1"):
        league.races.change(ADMIN, "cup", {"name": "Theirs"}, NOW, edition=seen)
    assert league.races.race(OLGA, "cup").name == "Mine"
    assert league.races.change(ADMIN, "cup", {"name": "Theirs"}, NOW, edition=2).edition == 3


@pytest.mark.parametrize(
    ("caller", "refusal"), [(NOBODY, Unauthorized), (RITA, NotAllowed), (person("otto", "official"), NotAllowed)]
)
def test_strangers_change_nothing(league: Organised, caller: Any, refusal: type[Exception]) -> None:
    league.made(OLGA)
    with pytest.raises(refusal):
        league.races.change(caller, "cup", {"name": "Mine"}, NOW)
    assert league.races.managed(caller) == []


@pytest.mark.parametrize("caller", [NOBODY, RITA, person("otto", "official", race_id="cup")])
def test_a_private_race_is_not_there_for_strangers(league: Organised, caller: Any) -> None:
    league.made(OLGA, "secret", kind="community", visibility="private")
    for race_id in ("secret", "nowhere"):
        with pytest.raises(UnknownRace) as hidden:
            league.races.change(caller, race_id, {"name": "Mine"}, NOW)
        assert str(hidden.value) == f"There is no race {race_id!r} on this leaderboard."


def test_a_race_belongs_to_a_season_and_event_of_its_organiser(league: Organised) -> None:
    league.seasons.create(OLGA, SeasonRecord("s27", "Season 2027"), NOW)
    league.seasons.create_event(OLGA, EventRecord("berlin", "Berlin", season_id="s27"), NOW)
    league.seasons.create_event(OLGA, EventRecord("open-day", "Open day"), NOW)
    sam = person("sam", "organiser", season="s27")
    assert league.races.create(sam, race(season_id="s27", event_id="berlin"), NOW)
    with pytest.raises(NotAllowed):
        league.races.create(RITA, race("mine", kind="community", season_id="s27"), NOW)
    for changes in ({"season_id": "s99"}, {"event_id": "nowhere"}, {"event_id": "open-day"}):
        with pytest.raises(Refused):
            league.races.change(OLGA, "cup", changes, NOW)
    with pytest.raises(Conflict):
        league.seasons.create(OLGA, SeasonRecord("s27", "Other"), NOW)
    calendar = league.seasons.calendar(NOBODY, "s27")
    assert ([event.event_id for event in calendar.events], [h.race.race_id for h in calendar.races]) == (
        ["berlin"],
        ["cup"],
    )
