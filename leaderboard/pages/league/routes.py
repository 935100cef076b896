"""All pages of organisers, and the page of an event."""

from collections.abc import Callable

from fastapi import APIRouter

from leaderboard.league.services import LeagueServices
from leaderboard.pages.league import overview, race_settings, season_desk
from leaderboard.pages.site import LeaderboardSite


def desk_pages(league: LeagueServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes; those that name a form stand before those that name a move."""
    routes = APIRouter()
    for part in (race_settings, season_desk, overview):
        routes.include_router(part.router(league, site, utc_ns))
    return routes
