"""A season of eight months with 400 racers on virtual time, through the real board, beside a naive program."""

import pathlib
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from leaderboard.build import open_board
from leaderboard.core.access import ADMIN
from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.league.series import CalendarRule
from leaderboard.core.seasons.bracket import HeatResult, podium
from leaderboard.core.seasons.points import PointsRule
from leaderboard.core.seasons.rules import DivisionRule, PrizeRule, SeasonRules, TeamRule
from leaderboard.league.moves import RaceMoves
from leaderboard.league.seasons import SeasonService
from leaderboard.league.series import SeriesService
from leaderboard.seasons.brackets import BracketService, WantedBracket
from leaderboard.seasons.divisions import race_moved
from leaderboard.seasons.members import SeasonMembers
from leaderboard.seasons.standings import SeasonStandings, StandingChoice
from leaderboard.store.season_rows import SeasonMember
from shared.protocol.results import encode_result
from shared.rules.ranking import RaceRules
from tests.leaderboard.sample_races import race, result
from tests.leaderboard.seasons import naive_league
from tests.leaderboard.seasons.naive_league import Month

RACERS = [f"racer {number:03}" for number in range(400)]
MONTHS = 8
RULES = RaceRules(consecutive_laps=1, method="best_lap")
REGIONS, CATEGORIES = ("Africa", "Asia", "Europe", "Oceania"), ("student", "open")
SEASON = SeasonRules(
    PointsRule(listed=naive_league.LISTED, participation=1),
    drop_worst=1,
    regions=REGIONS,
    categories=CATEGORIES,
    divisions=DivisionRule(("open", "pro")),
    teams=TeamRule("sum", 3),
    prizes=(PrizeRule("car", 2, division="open"), PrizeRule("car", 1, "season")),
)


class League:
    """The services over one store, and the naive months beside them."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.board = open_board(folder / "board.db")
        store = self.board.store
        self.series = SeriesService(store, self.board.changed, 10)
        self.moves = RaceMoves(store, self.board.changed, race_moved)
        self.members, self.standings = SeasonMembers(store), SeasonStandings(store)
        self.brackets = BracketService(store)
        self.months: list[Month] = []
        self.pro: set[str] = set()
        self.random = random.Random(2027)
        self.now_utc_ns = 1_798_761_600 * 10**9  # 2027-01-01T00:00Z
        SeasonService(store).create(ADMIN, SeasonRecord("season", "Season 2027"), self.now_utc_ns)
        self.members.set_rules(ADMIN, "season", SEASON, 1, self.now_utc_ns)
        for division in ("open", "pro"):
            template = race("x", rules=RULES, season_id="season", division=division, kind="league")
            rule = CalendarRule("month", "2027-01-01T00:00", "UTC")
            names = (f"The {division} races", division.title() + " race {n}")
            self.series.create(ADMIN, division, names, template, rule, self.now_utc_ns, MONTHS)

    def month(self) -> None:
        """A month of racing: each racer in the own division, some twice, in any order; then both races are final."""
        number, month = len(self.months) + 1, Month()
        self.months.append(month)
        races = {division: self.board.race(f"{division}-{number}") for division in ("open", "pro")}
        begins, ends = races["open"].opens_utc_ns, races["open"].closes_utc_ns
        assert begins is not None
        assert ends is not None
        posts = []
        for racer in RACERS:
            division = "pro" if racer in self.pro else "open"
            for run in range(self.random.choice((0, 1, 1, 1, 2))):
                # Few scores for many racers, so that there are many equal ones.
                score_ms = 9000 + RACERS.index(racer) // 4 * 5 + self.random.randrange(60) * 10
                at_utc_ns = self.random.randrange(begins, ends)
                month.runs[division].append((racer, score_ms, at_utc_ns))
                posts.append(self.run(f"{number}-{racer}-{run}", racer, f"{division}-{number}", score_ms, at_utc_ns))
        self.random.shuffle(posts)
        with ThreadPoolExecutor(16) as pool:  # so that posts share commits, as at a large event
            statuses = list(pool.map(lambda post: self.board.apply(*post).status, posts))
        assert set(statuses) == {201}
        self.now_utc_ns = ends
        self.series.catch_up(ends)
        for division in ("open", "pro"):
            self.moves.move(ADMIN, f"{division}-{number}", "final", ends)
        self.pro |= set(naive_league.promoted(month))

    def run(self, result_id: str, racer: str, race_id: str, score_ms: int, at_utc_ns: int) -> tuple[str, bytes, int]:
        one = result(result_id, racer, (score_ms,), RULES, race_id=race_id, finished_utc_ns=at_utc_ns)
        return one.webhook_id, encode_result(one), at_utc_ns

    def table(self, **choice: str) -> dict[str, tuple[int, Any]]:
        results = self.standings.results(ADMIN, "season", self.now_utc_ns)
        lines = self.standings.table(results, StandingChoice(**choice)).lines
        return {line.racer: (line.rank, line.points) for line in lines}


@pytest.mark.slow
def test_a_season_of_eight_months_stands_as_a_second_program_has_it(tmp_path: pathlib.Path) -> None:
    league = League(tmp_path)
    teams = _teams_and_members(league)
    for _ in range(MONTHS):
        league.month()
    months = league.months
    assert len(league.pro) > 150

    # The standings: all, and each of its own.
    everybody = naive_league.standing(months, drop=1)
    assert league.table() == everybody
    for number, region in enumerate(REGIONS):
        among = {racer for racer in RACERS if RACERS.index(racer) % 4 == number}
        assert league.table(region=region) == naive_league.standing(months, among=among, drop=1)
    students = {racer for racer in RACERS if RACERS.index(racer) % 3 == 0}
    assert league.table(category="student") == naive_league.standing(months, among=students, drop=1)
    for division in ("open", "pro"):
        assert league.table(division=division) == naive_league.standing(months, (division,), drop=1)

    # Divisions: who is where, and that the other one is seen, not entered.
    results = league.standings.results(ADMIN, "season", league.now_utc_ns)
    assert {racer for racer, division in results.divisions.items() if division == "pro"} == league.pro
    riser = sorted(league.pro)[0]
    refused = league.board.apply(*league.run("late", riser, "open-8", 9000, months_end(league)))
    assert (refused.status, b"its board can be seen, but not entered" in refused.body) == (422, True)

    # Teams and prizes.
    points = {racer: won for racer, (_, won) in everybody.items()}
    expected = naive_league.team_points(teams, points)
    lines = league.standings.teams(results)
    assert {line.team_id: line.points for line in lines} == expected
    assert [line.points for line in lines] == sorted(expected.values(), reverse=True)
    order = [line.racer for line in league.standings.table(results, StandingChoice()).lines]
    awards = league.standings.awards(results)
    assert [award.racer for award in awards] == naive_league.cars(months, order)
    assert len(awards) == 2 * MONTHS + 1 == len({award.racer for award in awards})
    assert any(award.passed_over for award in awards)

    _run_a_bracket_of_16(league)

    # Computed afresh it is the same, and all is over.
    again = SeasonStandings(league.board.store)
    fresh = again.results(ADMIN, "season", league.now_utc_ns)
    assert again.table(fresh, StandingChoice()).lines == league.standings.table(results, StandingChoice()).lines
    chances = again.chances(fresh, StandingChoice())
    assert [racer for racer, chance in chances.items() if chance.can_win] == [
        racer for racer, (rank, _) in everybody.items() if rank == 1
    ]
    league.board.close()


def months_end(league: League) -> int:
    closes_utc_ns = league.board.race("open-8").closes_utc_ns
    assert closes_utc_ns is not None
    return closes_utc_ns - 1


def _teams_and_members(league: League) -> dict[str, list[str]]:
    teams: dict[str, list[str]] = {}
    for number in range(0, 40, 5):
        team = league.members.add_team(ADMIN, "season", f"Team {number}", league.now_utc_ns)
        teams[team.team_id] = RACERS[number : number + 5]
    of_team = {racer: team_id for team_id, racers in teams.items() for racer in racers}
    wanted = [
        SeasonMember(racer, REGIONS[number % 4], CATEGORIES[0 if number % 3 == 0 else 1], of_team.get(racer, ""))
        for number, racer in enumerate(RACERS)
    ]
    league.members.set_members(ADMIN, "season", wanted, league.now_utc_ns)
    return teams


def _run_a_bracket_of_16(league: League) -> None:
    now = league.brackets.create(ADMIN, WantedBracket("pro-8", "Finale", 16), league.now_utc_ns)
    assert list(now.bracket.seeds) == league.months[-1].table("pro")[:16]
    bracket_id = now.bracket.bracket_id
    first = now.heats[0]
    assert first.second
    league.brackets.enter(ADMIN, bracket_id, 1, HeatResult(first.second, 9900, 9100), league.now_utc_ns)
    league.brackets.rerun(ADMIN, bracket_id, 1, "a car stood still", league.now_utc_ns)
    now = league.brackets.bracket(ADMIN, bracket_id)
    while ready := [heat for heat in now.heats if heat.state == "ready"]:
        for heat in ready:
            assert heat.first
            now = league.brackets.enter(ADMIN, bracket_id, heat.plan.number, HeatResult(heat.first), league.now_utc_ns)
    # The first of each heat won: the best seed of its part of the tree.
    seeds = now.bracket.seeds
    assert podium(now.heats) == (seeds[0], seeds[1], seeds[3])
    assert now.runs[1] == 2
