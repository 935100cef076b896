"""The demo's season: two series of monthly races, one for each division, with promotion after each of them."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.league.series import CalendarRule, opening_utc_ns
from leaderboard.core.race import RaceRecord
from leaderboard.core.seasons.points import CLASSIC, PointsRule
from leaderboard.core.seasons.rules import DivisionRule, PrizeRule, SeasonRules, TeamRule
from leaderboard.store.season_rows import SeasonMember
from raceday.league_demo.cast import CATEGORIES, DIVISIONS, OPEN, PRO, REGIONS, TEAMS, CastRacer
from raceday.league_demo.racing import RULES, RacingWorld
from shared.units import NS_PER_S

SEASON = "league"
ZONE = "Europe/Berlin"
MONTHS, OVER = 6, 4  # of the races of each series: the fifth is open, the sixth is to come
TRACK = "re:Invent 2018"
DAY_NS = 86_400 * NS_PER_S
_OPEN_FOR_DAYS = 12
_LAST_DAY = 28  # a day of the month that every month has

SEASON_RULES = SeasonRules(
    points=PointsRule(listed=(*CLASSIC, 1, 1, 1, 1, 1), participation=1, fastest_lap=1),
    drop_worst=1,
    regions=REGIONS,
    categories=CATEGORIES,
    qualify_places=8,
    planned_races=MONTHS + 2,  # with those of the summit
    divisions=DivisionRule(DIVISIONS, up_percent=10, down_percent=0),
    teams=TeamRule("sum", 3),
    prizes=(PrizeRule("Car", 1, division=OPEN), PrizeRule("Trophy", 3, "season")),
)
_DESCRIPTION = """The league of the **simulated racers**: six virtual races in each division,
one a month, and a summit in a hall.

* The worst race does not count; the summit counts as the others do.
* After each race the top tenth of the Open division moves up to Pro.
* The quickest of each Open race who has none yet wins a car.
"""


def first_opening(now_utc_ns: int) -> CalendarRule:
    """The calendar by which four races are over now, and the fifth has been open for twelve days or a little more."""
    opened = datetime.fromtimestamp((now_utc_ns - _OPEN_FOR_DAYS * DAY_NS) / NS_PER_S, ZoneInfo(ZONE))
    years, month = divmod(opened.month - 1 - OVER, 12)
    first = datetime(opened.year + years, month + 1, min(opened.day, _LAST_DAY), 18)
    return CalendarRule("month", first.isoformat(timespec="minutes"), ZONE)


def build_season(world: RacingWorld, now_utc_ns: int) -> None:
    """Found the season, its teams and series, and drive its months until now."""
    rule = first_opening(now_utc_ns)
    founded_utc_ns = opening_utc_ns(rule, 1) - 7 * DAY_NS
    world.leaderboard.clock.set(founded_utc_ns)
    organiser, services = world.people.organiser, world.services
    season = SeasonRecord(
        SEASON,
        f"Raceday League {rule.first[:4]}",
        zone=ZONE,
        starts_utc_ns=opening_utc_ns(rule, 1),
        ends_utc_ns=opening_utc_ns(rule, MONTHS + 1),
        description=_DESCRIPTION,
    )
    services.league.seasons.create(organiser, season, founded_utc_ns)
    services.seasons.members.set_rules(organiser, SEASON, SEASON_RULES, 1, founded_utc_ns)
    _set_members(world, founded_utc_ns)
    for division in DIVISIONS:
        template = RaceRecord(
            "template", "Template", "league", "virtual", TRACK, RULES, season_id=SEASON, division=division
        )
        names = (f"{division} division", f"{division} {{year}}-{{month}}")
        services.league.series.create(organiser, division.lower(), names, template, rule, founded_utc_ns, MONTHS)
    for number in range(1, OVER + 2):
        _drive_month(world, number, now_utc_ns)


def _set_members(world: RacingWorld, now_utc_ns: int) -> None:
    organiser, seasons = world.people.organiser, world.services.seasons
    teams = {name: seasons.members.add_team(organiser, SEASON, name, now_utc_ns).team_id for name in TEAMS}
    members = [SeasonMember(each.alias, each.region, each.category, teams.get(each.team, "")) for each in world.racers]
    seasons.members.set_members(organiser, SEASON, members, now_utc_ns)
    for each in world.racers:
        if each.division == PRO:
            seasons.divisions.place(organiser, SEASON, each.alias, PRO, now_utc_ns, "quickest of last year")


def _drive_month(world: RacingWorld, number: int, now_utc_ns: int) -> None:
    """A month of both divisions; afterwards, if it is over, the official makes both races final."""
    services = world.services
    races = {division: services.board.race(f"{division.lower()}-{number}") for division in DIVISIONS}
    placed = services.seasons.standings.results(world.people.official, SEASON, world.leaderboard.clock()).divisions
    for division, race in races.items():
        closes_utc_ns = race.closes_utc_ns
        assert closes_utc_ns is not None
        drivers = [each for each in world.racers if (placed.get(each.alias, OPEN) == PRO) == (division == PRO)]
        world.race(race, _present(world, race.race_id, drivers), min(closes_utc_ns, now_utc_ns), number - 1)
    for race in races.values():
        closes_utc_ns = race.closes_utc_ns
        assert closes_utc_ns is not None
        services.league.series.catch_up(min(closes_utc_ns, now_utc_ns))
        if closes_utc_ns < now_utc_ns:
            world.leaderboard.clock.set(closes_utc_ns + DAY_NS // 4)
            services.league.moves.move(world.people.official, race.race_id, "final", world.leaderboard.clock())


def _present(world: RacingWorld, race_id: str, drivers: Sequence[CastRacer]) -> list[CastRacer]:
    """Not everybody finds the time each month."""
    chance = world.chance(f"present {race_id}")
    return [each for each in drivers if chance.random() < 0.9]
