"""/races/{race_id}/invitation: the link, its QR code and a text to send along."""

import functools
import io
from collections.abc import Callable
from typing import Annotated

import segno
from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from starlette.responses import Response

from leaderboard.core.league.local_time import field_text, instant_utc_ns
from leaderboard.core.race import RaceRecord
from leaderboard.league.invitations import ENDS, InvitationLink, InvitationService
from leaderboard.league.sight import RaceSight
from leaderboard.pages.participation.joining import moment
from leaderboard.pages.site import LeaderboardSite
from leaderboard.web.forms import PostedForm
from shared.errors import Refused
from shared.text import Sentence, text


def router(
    site: LeaderboardSite, invitations: InvitationService, sight: RaceSight, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes, over the invitations of one store."""
    routes = APIRouter(include_in_schema=False)

    def panel(request: Request, race_id: str, status: int = 200, refusal: str = "", form: object = None) -> Response:
        race = sight.race(site.caller(request), race_id)
        site.check(request, "invitation.manage", race)
        link = invitations.current(site.caller(request), race_id, utc_ns())
        shown = {} if link is None else _shown(race, link, str(request.base_url))
        values = {"race": race, "link": link, "refusal": refusal, "form": form} | shown
        return site.page(request, "participation/invitation.html", status, **values)

    @routes.get("/races/{race_id}/invitation")
    def invitation(request: Request, race_id: str) -> Response:
        return panel(request, race_id)

    @routes.post("/races/{race_id}/invitation")
    def make(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        caller = site.caller(request)
        race = sight.race(caller, race_id)
        try:
            expires, max_uses = form.get("expires"), form.get("max_uses")
            expires_utc_ns = instant_utc_ns(expires, race.zone) if expires else None
            _, new = invitations.make(caller, race_id, utc_ns(), expires_utc_ns, _count(max_uses))
        except Refused as refusal:
            return panel(request, race_id, 422, str(refusal), form)
        notice = text("The link is made.") if new else text("The link has these limits now.")
        return site.done(request, f"/races/{race_id}/invitation", notice)

    @routes.post("/races/{race_id}/invitation/reset")
    def reset(request: Request, race_id: str, _form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        try:
            invitations.reset(site.caller(request), race_id, utc_ns())
        except Refused as refusal:
            return panel(request, race_id, 422, str(refusal))
        notice = text("This is the new link; nobody can join by the old one any more.")
        return site.done(request, f"/races/{race_id}/invitation", notice)

    return routes


def _count(written: str) -> int | None:
    if not written:
        return None
    if not written.isascii() or not written.isdecimal() or len(written) > 6:
        raise Refused(text("Write a number, such as {example}.", example="20"))
    return int(written)


def _shown(race: RaceRecord, link: InvitationLink, base_url: str) -> dict[str, object]:
    """What the panel shows of a link."""
    address = f"{base_url.rstrip('/')}/join/{link.token}" if link.token and link.ended is None else ""
    expires = link.invitation.expires_utc_ns
    return {
        "address": address,
        "qr": Markup(qr_svg(address)) if address else "",  # noqa: S704  # drawn by segno, of modules only
        "message": _message(race, address),
        "ended": "" if link.ended is None else ENDS[link.ended],
        "expires": field_text(expires, race.zone),
        "expires_words": "" if expires is None else moment(expires, race.zone),
    }


def _message(race: RaceRecord, address: str) -> Sentence:
    if race.closes_utc_ns is None:
        return text(
            "You are invited to the race {name} on the track {track}. Join here: {address}",
            name=race.name,
            track=race.track,
            address=address,
        )
    return text(
        "You are invited to the race {name} on the track {track}. It is open until {closes}. Join here: {address}",
        name=race.name,
        track=race.track,
        closes=moment(race.closes_utc_ns, race.zone),
        address=address,
    )


@functools.lru_cache(maxsize=64)
def qr_svg(content: str) -> str:
    """The QR code as an SVG element, black on white in both themes, with the quiet zone that ISO 18004 asks for."""
    file = io.BytesIO()
    code = segno.make(content, error="m", micro=False)
    code.save(file, kind="svg", border=4, dark="#000", light="#fff", omitsize=True, xmldecl=False, svgns=True)
    return file.getvalue().decode()
