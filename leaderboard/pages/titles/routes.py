"""All pages of this folder under one router, for app.py."""

from collections.abc import Callable

from fastapi import APIRouter

from leaderboard.board import LeaderboardService
from leaderboard.league.services import LeagueServices
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.titles import archive_pages, bracket_pages, import_pages, people_pages, rules_pages
from leaderboard.seasons.services import SeasonServices


def router(
    board: LeaderboardService,
    league: LeagueServices,
    seasons: SeasonServices,
    site: LeaderboardSite,
    utc_ns: Callable[[], int],
) -> APIRouter:
    """The routes; included before the desk's own, which take any word after a race for a move."""
    routes = APIRouter()
    routes.include_router(rules_pages.router(league, seasons, site, utc_ns))
    routes.include_router(people_pages.router(league, seasons, site, utc_ns))
    routes.include_router(bracket_pages.router(seasons.brackets, site, utc_ns))
    routes.include_router(import_pages.router(board, league, site, utc_ns))
    routes.include_router(archive_pages.router(board, league, site, utc_ns))
    return routes
