"""A small season for the tests of calls and pages: six races of eight, 24 racers, teams, prizes, a bracket."""

import random

from fastapi import FastAPI

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.config import LeaderboardConfig
from leaderboard.core.access import ADMIN
from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.seasons.bracket import HeatResult
from leaderboard.core.seasons.points import PointsRule
from leaderboard.core.seasons.rules import DivisionRule, PrizeRule, SeasonRules, TeamRule
from leaderboard.credentials import Credentials
from leaderboard.league.moves import RaceMoves
from leaderboard.league.seasons import SeasonService
from leaderboard.seasons.brackets import WantedBracket
from leaderboard.seasons.divisions import race_moved
from leaderboard.seasons.services import SeasonServices
from leaderboard.store.season_rows import SeasonMember
from shared.protocol.results import encode_result
from shared.rules.ranking import RaceRules
from tests.leaderboard.sample_races import TOKEN, race, result

NOW = 1_800_000_000 * 10**9
DAY_NS = 24 * 3600 * 10**9
SIXTH_MONTH = NOW + 6 * 30 * DAY_NS + DAY_NS
ONE_LAP = RaceRules(consecutive_laps=1, method="best_lap")
RACERS = (
    "Anna", "Ben", "Cleo", "Dan", "Eva", "Finn", "Greta", "Hugo", "Ida", "Jonas", "Kenji", "Lea", "Mira", "Noah",
    "Olga", "Pablo", "Quinn", "Rosa", "Sven", "Tara", "Uma", "Viktor", "Wei", "A racer with a very long name indeed",
)  # fmt: skip
RULES = SeasonRules(
    PointsRule(participation=1),
    drop_worst=1,
    regions=("Africa", "Asia", "Europe"),
    categories=("student", "open"),
    qualify_places=8,
    planned_races=8,
    divisions=DivisionRule(("open", "pro")),
    teams=TeamRule("sum", 2),
    prizes=(PrizeRule("car", 2), PrizeRule("cup", 1, once=False)),
)


def post(board: LeaderboardService, race_id: str, racer: str, score_ms: int, at_utc_ns: int) -> int:
    """The status of a posted run of one lap."""
    one = result(f"{race_id}-{racer}", racer, (score_ms,), ONE_LAP, race_id=race_id, finished_utc_ns=at_utc_ns)
    return board.apply(one.webhook_id, encode_result(one), at_utc_ns).status


def fill(board: LeaderboardService) -> SeasonServices:
    """Make the season 'cup-2027' and what belongs to it."""
    store, seasons = board.store, SeasonServices.over(board.store)
    SeasonService(store).create(ADMIN, SeasonRecord("cup-2027", "Cup 2027"), NOW)
    seasons.members.set_rules(ADMIN, "cup-2027", RULES, 1, NOW)
    moves, dice = RaceMoves(store, board.changed, race_moved), random.Random(7)
    for number in range(1, 7):
        opens = NOW + number * 30 * DAY_NS
        board.create_race(
            race(
                f"round-{number}",
                name=f"Round {number}",
                rules=ONE_LAP,
                season_id="cup-2027",
                track="Oval" if number % 2 else "Bowtie",
                opens_utc_ns=opens,
                closes_utc_ns=opens + 30 * DAY_NS,
            ),
            NOW,
        )
        for index, racer in enumerate(RACERS):
            if dice.random() < 0.8:
                score_ms = 9000 + index * 40 + dice.randrange(30) * 20
                assert post(board, f"round-{number}", racer, score_ms, opens + index) == 201
        if number < 6:
            moves.move(ADMIN, f"round-{number}", "final", opens + 31 * DAY_NS)
    for name, racers in (("Red", RACERS[:3]), ("Blue & Co", RACERS[3:6]), ("Grey", RACERS[6:8])):
        team = seasons.members.add_team(ADMIN, "cup-2027", name, NOW)
        wanted = [SeasonMember(racer, "Europe", "student", team.team_id) for racer in racers]
        seasons.members.set_members(ADMIN, "cup-2027", wanted, NOW)
    now = seasons.brackets.create(ADMIN, WantedBracket("round-5", "Finale", 16), NOW)
    for number in (1, 2, 3, 5, 9):
        heat = seasons.brackets.bracket(ADMIN, now.bracket.bracket_id).heats[number - 1]
        if heat.state == "ready" and heat.first:
            scored = HeatResult(heat.first, 9100 + number, 9300)
            seasons.brackets.enter(ADMIN, now.bracket.bracket_id, number, scored, NOW)
    return seasons


def app_of(board: LeaderboardService) -> FastAPI:
    """The application in the sixth month."""
    config = LeaderboardConfig()
    return create_app(board, Credentials((), TOKEN), config, lambda: SIXTH_MONTH)[0]
