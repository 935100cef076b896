"""All pages of accounts."""

from collections.abc import Callable

from fastapi import APIRouter

from leaderboard.accounts.services import AccountServices
from leaderboard.pages.account import admin, entrance, own
from leaderboard.pages.site import LeaderboardSite
from shared.refusals import Refusals


def router(
    services: AccountServices, site: LeaderboardSite, utc_ns: Callable[[], int], refusals: Refusals
) -> APIRouter:
    """The routes, over one store."""
    routes = APIRouter()
    for each in (entrance, own):
        routes.include_router(each.router(services, site, utc_ns))
    routes.include_router(admin.router(services, site, utc_ns, refusals))
    return routes
