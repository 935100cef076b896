"""A race of a division is entered only by its division, in each of the ways into a race."""

import pytest

from leaderboard.core.access import ADMIN
from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.seasons.rules import DivisionRule, SeasonRules
from leaderboard.league.seasons import SeasonService
from leaderboard.seasons.services import SeasonServices
from shared.errors import Refused
from tests.leaderboard.participation.conftest import ANNA, NILS, NOW, OFFICIAL, League
from tests.leaderboard.sample_races import race

OTHERS = "is for the division 'pro', and .* is in 'open'"


@pytest.fixture
def pro_race(league: League) -> str:
    """A race of the upper division, in which anna is and nils is not."""
    SeasonService(league.store).create(ADMIN, SeasonRecord("cup", "Cup"), NOW)
    seasons = SeasonServices.over(league.store)
    seasons.members.set_rules(ADMIN, "cup", SeasonRules(divisions=DivisionRule(("open", "pro"))), 1, NOW)
    seasons.divisions.place(ADMIN, "cup", "anna", "pro", NOW)
    league.board.create_race(race("final", season_id="cup", division="pro", kind="league"), NOW)
    return "final"


def test_a_race_of_a_division_is_entered_only_by_its_division(league: League, pro_race: str) -> None:
    assert league.entries.enter(ANNA, pro_race, NOW).state == "entered"
    token = league.invitations.make(ADMIN, pro_race, NOW)[0].token
    ways = (
        lambda: league.entries.enter(NILS, pro_race, NOW),
        lambda: league.entries.register(OFFICIAL, pro_race, "Zoe", "Zoe", NOW),
        lambda: league.entries.invite(OFFICIAL, pro_race, "nils", NOW),
        lambda: league.entries.confirm(OFFICIAL, pro_race, "nils", NOW),
        lambda: league.invitations.join(NILS, token, NOW),
    )
    for way in ways:
        with pytest.raises(Refused, match=OTHERS):
            way()
    assert league.entries.participants(OFFICIAL, pro_race).counts == {"entered": 1}
    assert league.post(pro_race, "nils") == 422


def test_who_was_moved_to_another_division_does_not_enter_again(league: League, pro_race: str) -> None:
    league.entries.enter(ANNA, pro_race, NOW)
    league.entries.withdraw(ANNA, pro_race, NOW)
    SeasonServices.over(league.store).divisions.place(ADMIN, "cup", "anna", "open", NOW)
    with pytest.raises(Refused, match=OTHERS):
        league.entries.enter(ANNA, pro_race, NOW)
    assert league.entries.own(ANNA, pro_race).state == "withdrawn"  # type: ignore[union-attr]
