"""All pages of this folder as one router."""

from collections.abc import Callable

from fastapi import APIRouter

from leaderboard.league.community import CommunityService
from leaderboard.league.entries import EntryService
from leaderboard.league.invitations import InvitationService
from leaderboard.league.sight import RaceSight
from leaderboard.pages.participation import invitation, joining, new_race, participants
from leaderboard.pages.site import LeaderboardSite


def router(
    site: LeaderboardSite,
    sight: RaceSight,
    community: CommunityService,
    invitations: InvitationService,
    entries: EntryService,
    utc_ns: Callable[[], int],
) -> APIRouter:
    """The wizard, the link's panel, joining, participants."""
    routes = APIRouter(include_in_schema=False)
    routes.include_router(new_race.router(site, community, utc_ns))
    routes.include_router(invitation.router(site, invitations, sight, utc_ns))
    routes.include_router(joining.router(site, invitations, utc_ns))
    routes.include_router(participants.router(site, entries, sight, utc_ns))
    return routes
