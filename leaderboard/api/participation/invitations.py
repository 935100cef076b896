"""/api/v1/races/{race_id}/invitation and /api/v1/join/{token}: the link that invites to a race."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response, read_body
from leaderboard.api.identity import CallerIdentification
from leaderboard.api.participation.entries import MAX_BYTES, REFUSALS, respond, somebody
from leaderboard.api.participation.shapes import EntryShape, InvitationShape, LinkLimits, invitation_shape
from leaderboard.core.errors import UnknownInvitation
from leaderboard.league.invitations import InvitationLink, InvitationService

_INVITATION = TypeAdapter(InvitationShape)
_GONE = refusals(410, words={410: "The link is dead; the sentence says of what"})


def router(invitations: InvitationService, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the invitations of one store."""
    routes = DescribedRouter(prefix="/api/v1", tags=["participants"])
    calls = InvitationCalls(invitations, callers, utc_ns)
    routes.get(
        "/races/{race_id}/invitation",
        response_model=InvitationShape,
        responses=REFUSALS,
        summary="The race's link",
        response_description="The link",
    )(calls.current)
    routes.post(
        "/races/{race_id}/invitation",
        status_code=201,
        response_model=InvitationShape,
        responses={
            200: {"model": InvitationShape, "description": "The link is the same, with these limits"},
            **REFUSALS,
        },
        openapi_extra=json_extra(LinkLimits, BY_KEY, required=False),
        summary="Make the race's link, or give it other limits",
        response_description="Made",
    )(calls.make)
    routes.post(
        "/races/{race_id}/invitation/reset",
        response_model=InvitationShape,
        responses=REFUSALS,
        summary="Replace the link: nobody joins by the old one any more, who has joined stays",
        response_description="The new link",
    )(calls.reset)
    routes.post(
        "/join/{token}",
        response_model=EntryShape,
        responses=REFUSALS | _GONE,
        summary="Join a race by its link; repeating it changes nothing",
        response_description="The entry: joined, not yet entered",
    )(calls.join)
    return routes


class InvitationCalls:
    """The handlers."""

    def __init__(
        self, invitations: InvitationService, callers: CallerIdentification, utc_ns: Callable[[], int]
    ) -> None:
        self._invitations, self._callers, self._utc_ns = invitations, callers, utc_ns

    def current(self, request: Request, race_id: str) -> Response:
        link = self._invitations.current(somebody(self._callers, request), race_id, self._utc_ns())
        if link is None:
            raise UnknownInvitation("This race has no link yet: make one (POST).")
        return _respond(request, link)

    async def make(self, request: Request, race_id: str) -> Response:
        caller = somebody(self._callers, request)
        wanted: LinkLimits = schemas.parse(await read_body(request, MAX_BYTES) or b"{}", LinkLimits)
        expires_utc_ns = None if wanted.expires_at is None else schemas.utc_ns(wanted.expires_at)
        link, new = await run_in_threadpool(
            self._invitations.make, caller, race_id, self._utc_ns(), expires_utc_ns, wanted.max_uses
        )
        return _respond(request, link, 201 if new else 200)

    def reset(self, request: Request, race_id: str) -> Response:
        return _respond(request, self._invitations.reset(somebody(self._callers, request), race_id, self._utc_ns()))

    def join(self, request: Request, token: str) -> Response:
        return respond(self._invitations.join(self._callers.caller(request), token, self._utc_ns()))


def _respond(request: Request, link: InvitationLink, status: int = 200) -> Response:
    return json_response(_INVITATION.dump_json(invitation_shape(link, str(request.base_url))), status)
