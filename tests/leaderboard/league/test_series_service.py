"""Series over a store: races open by themselves, also after a sleep, and follow a close that was moved."""

import dataclasses
from typing import Any

import pytest

from leaderboard.core.access import NOBODY, Caller
from leaderboard.core.errors import Conflict, NotAllowed, Unauthorized, UnknownItem
from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.league.series import CalendarRule
from leaderboard.core.race import RaceRecord
from leaderboard.league.series import SeriesService
from leaderboard.store import league_rows
from shared.errors import Refused
from tests.leaderboard.league.organised import ADMIN, DAY_NS, NOW, Organised, person, race, utc

OLGA = person("olga", "organiser")
WEEKLY = CalendarRule("week", "2027-01-04T18:00", "Europe/Berlin")


def begun(league: Organised, rule: CalendarRule = WEEKLY, total: int | None = None, **changes: Any) -> None:
    league.series.create(OLGA, "open", ("Open", "Open {n}"), race("any", **changes), rule, NOW, total)


def made(league: Organised) -> list[RaceRecord]:
    races = [head.race for head in league.board.races()]
    return sorted(races, key=lambda each: (each.opens_utc_ns or 0, each.race_id))


def test_the_next_race_opens_in_the_second_the_old_one_closes(league: Organised) -> None:
    begun(league)
    assert [each.name for each in made(league)] == ["Open 1"]
    assert league.series.next_due_utc_ns() == utc("2027-01-04T17:00")
    assert league.series.catch_up(utc("2027-01-04T16:59")) == []
    assert league.series.catch_up(utc("2027-01-04T17:00")) == ["open-2"]
    one, two = made(league)
    assert one.closes_utc_ns == two.opens_utc_ns == utc("2027-01-11T17:00")
    at = utc("2027-01-11T17:00")
    assert [one.state(at - 1), two.state(at - 1)] == ["open", "published"]
    assert [one.state(at), two.state(at)] == ["closed", "open"]
    assert (two.owner, two.series_id, two.zone) == ("olga", "open", "Europe/Berlin")
    assert league.audited("open-2")[0].actor == "system"


def test_races_that_were_slept_over_are_made_once(league: Organised) -> None:
    begun(league, total=5)
    late = utc("2027-01-26T12:00")
    assert league.series.catch_up(late) == ["open-2", "open-3", "open-4", "open-5"]
    assert league.series.catch_up(late) == []
    assert league.series.next_due_utc_ns() is None
    assert [each.state(late) for each in made(league)] == ["closed", "closed", "closed", "open", "published"]
    assert league.told == [f"open-{n}" for n in range(1, 6)]
    assert [each.edition for each in league.races.editions(NOBODY, "open-4")] == [1]


def test_a_racers_series_are_bounded_and_in_no_season_of_others(league: Organised) -> None:
    with league.board.store.write() as db:
        league_rows.add_season(db, SeasonRecord("summer", "Summer"), NOW)
    series, racer = SeriesService(league.board.store, league.told.append, 1), person("nils")
    community = race("any", kind="community")
    with pytest.raises(NotAllowed):
        begin(series, racer, "mine", dataclasses.replace(community, season_id="summer"))
    begin(series, racer, "mine", community)
    with pytest.raises(Conflict, match="You have 1 race that is open or to come"):
        begin(series, racer, "another", community)
    with pytest.raises(NotAllowed):
        series.change(racer, "mine", NOW, template=dataclasses.replace(made(league)[0], season_id="summer"))
    begin(series, OLGA, "hers", dataclasses.replace(community, season_id="summer"))
    begin(series, OLGA, "her-second", community)


def begin(series: SeriesService, caller: Caller, series_id: str, template: RaceRecord) -> None:
    series.create(caller, series_id, ("Open", "Open {n}"), template, WEEKLY, NOW)


def test_a_moved_close_moves_the_next_opening(league: Organised) -> None:
    begun(league)
    league.series.catch_up(utc("2027-01-04T17:00"))
    later = utc("2027-01-13T17:00")
    league.races.change(OLGA, "open-1", {"closes_utc_ns": later}, utc("2027-01-05T12:00"))
    one, two = made(league)
    assert (one.closes_utc_ns, two.opens_utc_ns, two.edition) == (later, later, 2)
    assert two.closes_utc_ns == utc("2027-01-18T17:00")  # the calendar goes on
    assert league.series.catch_up(later - 1) == []
    assert league.series.catch_up(later) == ["open-3"]
    # Far beyond the next one's own close: that one is moved to the calendar's next time.
    far = utc("2027-01-20T17:00")
    league.races.change(OLGA, "open-2", {"closes_utc_ns": far}, later)
    third = made(league)[2]
    assert (third.opens_utc_ns, third.closes_utc_ns) == (far, utc("2027-01-25T17:00"))
    assert league.series.catch_up(utc("2027-01-25T17:00")) == ["open-4", "open-5"]
    assert made(league)[3].opens_utc_ns == utc("2027-01-25T17:00")


def test_a_closed_by_hand_race_leaves_the_calendar_as_it_is(league: Organised) -> None:
    begun(league)
    league.series.catch_up(utc("2027-01-04T17:00"))
    league.moves.move(OLGA, "open-1", "close", utc("2027-01-06T12:00"))
    assert made(league)[1].opens_utc_ns == utc("2027-01-11T17:00")


def test_a_stopped_series_makes_nothing_and_goes_on_from_then(league: Organised) -> None:
    begun(league)
    league.series.change(OLGA, "open", NOW, stopped=True)
    late = utc("2027-02-02T12:00")
    assert league.series.catch_up(late) == []
    with pytest.raises(Conflict, match="edition is 2 now"):
        league.series.change(OLGA, "open", late, stopped=False, edition=1)
    league.series.change(OLGA, "open", late, stopped=False, edition=2)
    assert [(each.name, each.opens_utc_ns) for each in made(league)[1:]] == [("Open 2", utc("2027-02-08T17:00"))]


def test_another_template_is_for_the_races_to_come(league: Organised) -> None:
    begun(league)
    template = league.series.series(OLGA, "open").template
    league.series.change(OLGA, "open", NOW, template=dataclasses.replace(template, track="Bowtie"), name_pattern="N{n}")
    league.series.catch_up(utc("2027-01-04T17:00"))
    assert [(each.name, each.track) for each in made(league)] == [("Open 1", "Oval"), ("N2", "Bowtie")]


def test_an_id_that_is_taken_does_not_end_a_series(league: Organised) -> None:
    league.made(ADMIN, "open-2")
    begun(league)
    assert league.series.catch_up(utc("2027-01-04T17:00")) == ["open-2-2"]


@pytest.mark.parametrize(
    ("rule", "changes", "total", "sentence"),
    [
        (CalendarRule("week", "2025-01-04T18:00", "UTC"), {}, None, "more than a year ago"),
        (WEEKLY, {}, 0, "1 to 1000"),
        (WEEKLY, {"season_id": "nowhere"}, None, "no season"),
        (WEEKLY, {"one_table": True}, None, "both venues"),
        (dataclasses.replace(WEEKLY, first="2027-03-28"), {}, None, "write it as"),
    ],
)
def test_series_that_cannot_be_are_refused(
    league: Organised, rule: CalendarRule, changes: dict[str, Any], total: int | None, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        begun(league, rule, total, **changes)
    assert made(league) == []


def test_only_organisers_begin_and_see_series(league: Organised) -> None:
    for caller, refusal in ((NOBODY, Unauthorized), (person("rita"), NotAllowed)):
        with pytest.raises(refusal):
            league.series.create(caller, "x", ("X", "X {n}"), race("any"), WEEKLY, NOW)
    begun(league)
    with pytest.raises(Conflict, match="Another series"):
        begun(league)
    with pytest.raises(UnknownItem):
        league.series.series(person("rita"), "open")
    assert league.series.managed(NOBODY) == []
    assert [each.series_id for each in league.series.managed(OLGA)] == ["open"]
    with pytest.raises(NotAllowed):
        league.series.change(person("rita"), "open", NOW, stopped=True)
    assert league.series.series(OLGA, "open").place.next_opens_utc_ns == utc("2027-01-04T17:00") + 7 * DAY_NS
