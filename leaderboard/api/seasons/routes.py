"""All routes of this folder under one router, for app.py."""

from fastapi import APIRouter

from leaderboard.api.described import DescribedRouter
from leaderboard.api.seasons import brackets, changes, standings
from leaderboard.api.seasons.calls import SeasonApi


def router(api: SeasonApi) -> APIRouter:
    """The routes of seasons and brackets."""
    routes = DescribedRouter()
    for part in (standings, changes, brackets):
        routes.include_router(part.router(api))
    return routes
