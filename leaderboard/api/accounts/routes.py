"""All routes about accounts."""

from collections.abc import Callable

from fastapi import APIRouter

from leaderboard.accounts.services import AccountServices
from leaderboard.api.accounts import administration, entrance, own, own_keys
from leaderboard.api.described import DescribedRouter


def router(services: AccountServices, title: str, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over one store. `title`: what the leaderboard is called where a passkey is stored."""
    routes = DescribedRouter()
    routes.include_router(entrance.router(services, title, utc_ns))
    routes.include_router(own.router(services, utc_ns))
    routes.include_router(own_keys.router(services, utc_ns))
    routes.include_router(administration.router(services, utc_ns))
    return routes
