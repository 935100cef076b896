"""Any account makes community races, up to a limit, private ones too; lists show what exists for the caller."""

from typing import Any

import pytest

from leaderboard.core.access import ADMIN, NOBODY, Caller, Grant
from leaderboard.core.errors import Conflict, NotAllowed, Unauthorized, UnknownRace
from leaderboard.core.league.records import SeasonRecord
from leaderboard.store import league_rows
from shared.errors import Refused
from tests.leaderboard.participation.conftest import ANNA, NILS, NOW, OLGA, League
from tests.leaderboard.sample_races import race


def test_a_racer_makes_a_race(league: League) -> None:
    made = league.new_race(name="Sommer-Cup Zürich", kind="league", owner="someone", race_id="chosen")
    assert (made.kind, made.owner, made.stage, made.entry) == ("community", "a-olga", "published", "registered")
    assert made.race_id.startswith("sommer-cup-zurich-")
    assert league.board.race(made.race_id) == made
    assert league.audited(made.race_id) == ["olga: race.create_community"]
    assert league.changes == [made.race_id]


def test_the_same_name_tells_nothing_of_a_race(league: League) -> None:
    first, second = league.new_race(name="Secret"), league.new_race(name="Secret")
    assert first.race_id != second.race_id
    assert league.community.create(ANNA, race(name="日本"), NOW).race_id.startswith("race-")


def test_the_limit_counts_open_and_future_races(league: League) -> None:
    league.new_race(closes_utc_ns=NOW + 10)
    league.new_race(opens_utc_ns=NOW + 100)
    assert (league.community.left(OLGA, NOW), league.community.left(ANNA, NOW)) == (0, 2)
    with pytest.raises(Conflict, match="You have 2 races"):
        league.new_race()
    assert league.community.left(OLGA, NOW + 10) == 1
    league.community.create(OLGA, race(), NOW + 10)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "Give the race a name"),
        ({"name": "x" * 201}, "at most 200"),
        ({"name": "a\u200bb"}, "invisible"),
        ({"track": ""}, "empty"),
        ({"closes_utc_ns": NOW}, "over already"),
        ({"opens_utc_ns": NOW + 9, "closes_utc_ns": NOW + 9}, "close before it opens"),
    ],
)
def test_races_that_make_no_sense_are_refused(league: League, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        league.new_race(**changes)


def test_nobody_puts_a_race_into_a_season_of_others(league: League) -> None:
    with league.board.store.write() as db:
        league_rows.add_season(db, SeasonRecord("summer", "Summer"), NOW)
    with pytest.raises(NotAllowed):
        league.new_race(season_id="summer")
    with pytest.raises(Refused, match="autumn"):
        league.new_race(season_id="autumn")
    assert league.board.races() == []
    organiser = Caller("a-olga", "olga", grants=frozenset({Grant("organiser", "season", "summer")}))
    assert league.community.create(organiser, race(season_id="summer"), NOW).season_id == "summer"


def test_only_an_account_makes_one(league: League) -> None:
    for caller in (NOBODY, ADMIN):
        with pytest.raises(Unauthorized):
            league.community.create(caller, race(), NOW)


def test_a_private_race_exists_for_those_who_are_in_it(league: League) -> None:
    made = league.new_race()
    league.joined(made.race_id, NILS)
    key = Caller(key_id="k1", key_scopes=frozenset({"races:read"}), key_races=frozenset({made.race_id}))
    commentator = Caller("a-c", "c", grants=frozenset({Grant("commentator", "race", made.race_id)}))
    of_another = Caller("a-d", "d", grants=frozenset({Grant("organiser", "race", "another")}))
    for caller in (OLGA, NILS, ADMIN, key, commentator):
        assert league.sight.race(caller, made.race_id) == made
        assert league.sight.seen_by(caller)(made)
    for caller in (NOBODY, ANNA, of_another, Caller(key_id="k2")):
        with pytest.raises(UnknownRace, match=f"There is no race '{made.race_id}' on this leaderboard"):
            league.sight.race(caller, made.race_id)
        assert not league.sight.seen_by(caller)(made)
    league.entries.remove(OLGA, made.race_id, "nils", NOW)
    assert not league.sight.seen_by(NILS)(made)
