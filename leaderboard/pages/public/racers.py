"""/racers/ALIAS: a racer across races, and /me, which leads there."""

from collections.abc import Callable
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from leaderboard.pages.public.profile_view import profile_view
from leaderboard.pages.site import LeaderboardSite
from leaderboard.profiles.racer import RacerProfiles
from leaderboard.seasons.track_records import TrackRecords


def router(
    profiles: RacerProfiles, records: TrackRecords, site: LeaderboardSite, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/me")
    def me(request: Request) -> Response:
        alias = site.account(request).alias
        return RedirectResponse(f"/racers/{quote(alias, safe='')}", 303, {"cache-control": "no-store"})

    @routes.get("/racers/{alias}")
    def racer(request: Request, alias: str) -> Response:
        profile = profiles.of(site.caller(request), alias)
        # Only who leads a race can hold the record of its track.
        tracks = {each.race.track for each in profile.races if each.rank == 1 and each.race.track}
        held = [record for track in sorted(tracks) for record in records.records(track=track)]
        return site.page(request, "profile.html", racer=profile_view(profile, held, utc_ns()))

    return routes
