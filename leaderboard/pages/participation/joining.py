"""/join/{token}: what a link invites to, and joining by it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from leaderboard.core.errors import Gone
from leaderboard.core.league.local_time import in_zone
from leaderboard.core.race import RaceRecord
from leaderboard.league.invitations import InvitationService
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.wording import rules_in_words
from leaderboard.web.forms import PostedForm
from shared.text import recorded, text


def router(site: LeaderboardSite, invitations: InvitationService, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the invitations of one store."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/join/{token}")
    def look(request: Request, token: str) -> Response:
        try:
            found = invitations.look(site.caller(request), token, utc_ns())
        except Gone as gone:
            return site.page(request, "participation/dead_link.html", 410, sentence=recorded(str(gone)))
        if found.entry is not None and found.entry.state != "removed":
            return RedirectResponse(f"/races/{found.race.race_id}", 303, {"cache-control": "no-store"})
        return site.page(
            request,
            "participation/join.html",
            token=token,
            found=found,
            race=found.race,
            rules=rules_in_words(found.race.rules),
            times=times_of(found.race),
        )

    @routes.post("/join/{token}")
    def join(request: Request, token: str, _form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        try:
            entry = invitations.join(site.caller(request), token, utc_ns())
        except Gone as gone:
            return site.page(request, "participation/dead_link.html", 410, sentence=recorded(str(gone)))
        notice = text("You have joined. Enter the race to be ranked in it.")
        return site.done(request, f"/races/{entry.race_id}", notice)

    return routes


def times_of(race: RaceRecord) -> dict[str, str]:
    """When the race opens and ends, in its zone; "" for no such time."""
    ends = race.ends_utc_ns()
    return {
        "opens": "" if race.opens_utc_ns is None else moment(race.opens_utc_ns, race.zone),
        "closes": "" if ends is None else moment(ends, race.zone),
    }


def moment(at_utc_ns: int, zone: str) -> str:
    """A time in its zone, for a sentence."""
    return f"{in_zone(at_utc_ns, zone):%Y-%m-%d %H:%M} ({zone})"
