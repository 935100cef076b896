"""Asks, before any route or page that names a race in its address, whether that race exists for the caller."""

from collections.abc import Callable

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from leaderboard.api.identity import CallerIdentification
from leaderboard.league.sight import RaceSight

# Stations prove with their signature that results and races are theirs to bring, also of races yet to be made.
SIGNED = "results"
# A key that submits models sees here what the person sees who made it; everywhere else it is no person.
SUBMITTED = "submissions"


def sight_check(sight: RaceSight, callers: CallerIdentification) -> Callable[[Request], object]:
    """A dependency for all routes: a race that the caller may not know of is a race that never was (UnknownRace)."""

    async def check_sight(request: Request) -> None:
        race_id = request.path_params.get("race_id")
        tags = getattr(request.scope.get("route"), "tags", None) or ()
        if race_id is None or SIGNED in tags:
            return
        caller = callers.caller(request)
        await run_in_threadpool(sight.race, caller.submitter() if SUBMITTED in tags else caller, race_id)

    return check_sight
