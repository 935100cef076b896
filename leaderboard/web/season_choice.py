"""Which standing of a season an address asks for; a FastAPI dependency of its pages and calls."""

from typing import Annotated

from fastapi import Query

from leaderboard.seasons.standings import StandingChoice

_NAME = Query(max_length=60)


def choice(
    kind: Annotated[str, _NAME] = "",
    region: Annotated[str, _NAME] = "",
    category: Annotated[str, _NAME] = "",
    division: Annotated[str, _NAME] = "",
) -> StandingChoice:
    """Which standing: each absent for all."""
    return StandingChoice(kind, region, category, division)
