"""All pages of accounts."""

from collections.abc import Callable

from fastapi import APIRouter

from leaderboard.accounts.services import AccountServices
from leaderboard.pages.account import admin, entrance, own
from leaderboard.pages.site import LeaderboardSite


def router(services: AccountServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over one store."""
    routes = APIRouter()
    for each in (entrance, own, admin):
        routes.include_router(each.router(services, site, utc_ns))
    return routes
