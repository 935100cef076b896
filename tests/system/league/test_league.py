"""What `raceday demo --league` serves: a season in its middle."""

import pytest

from leaderboard.core.access import NOBODY
from leaderboard.seasons.standings import StandingChoice
from raceday.league_demo.builder import DemoLeague
from raceday.league_demo.cast import RACER, RACERS, cast
from raceday.league_demo.command import check_pages
from raceday.league_demo.meeting import LIVE
from tests.system.league.conftest import NOW_UTC_NS

pytestmark = pytest.mark.slow


def test_the_season_stands_as_its_races_say(league: DemoLeague) -> None:
    services, official = league.world.services, league.world.people.official
    states = {
        name: services.board.race(name).state(NOW_UTC_NS)
        for name in ("open-1", "open-4", "pro-4", "open-5", "pro-5", "open-6", "pro-6", "summit-qualifying", LIVE)
    }
    assert states == dict.fromkeys(("open-1", "open-4", "pro-4", "summit-qualifying"), "final") | dict.fromkeys(
        ("open-5", "pro-5", LIVE), "open"
    ) | dict.fromkeys(("open-6", "pro-6"), "published")

    results = services.seasons.standings.results(NOBODY, league.season_id, NOW_UTC_NS)
    lines = services.seasons.standings.table(results, StandingChoice()).lines
    assert len(lines) > 35
    assert [line.points for line in lines] == sorted((line.points for line in lines), reverse=True)
    begun = {each.alias for each in cast(1) if each.division == "Pro"}
    assert begun < {racer for racer, division in results.divisions.items() if division == "Pro"}
    # The best of the first Open race moved up, and drive with the pros from then on.
    first = services.board.standings("open-1")[0].racer
    assert first not in begun
    assert first in {line.racer for number in range(2, 6) for line in services.board.standings(f"pro-{number}")}
    assert len({award.racer for award in services.seasons.standings.awards(results)}) == 4
    assert all(team.points > 0 for team in services.seasons.standings.teams(results))

    heats = services.seasons.brackets.bracket(official, league.meeting.bracket_id).heats
    assert [heat.state for heat in heats] == ["done"] * (len(heats) - 2) + ["ready"] * 2
    attempts = services.attempts.attempts(official, league.racer_race_id, racer=RACER).attempts
    assert attempts


def test_every_page_that_is_printed_answers_and_the_private_race_is_hidden(league: DemoLeague) -> None:
    check_pages(league)
    get = league.world.leaderboard.station.session.get
    private, unknown = (get(f"{league.url}/races/{name}") for name in (league.community.private_id, "never-was"))
    assert private.status_code == unknown.status_code == 404
    assert "Office cup" in get(league.url + league.community.invitation_path).text
    assert "Office cup" not in get(league.url).text


def test_the_same_seed_drives_the_same_season() -> None:
    assert cast(1) == cast(1)
    assert cast(1) != cast(2)
    assert len({each.alias for each in cast(1)}) == RACERS
