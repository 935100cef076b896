"""The addresses of the big screen: the page in each of its modes, its QR code, and a browser's "I am here"."""

import re
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import BadInput, Refused
from shared.rules.ranking import RaceRules
from shared.rules.wording import score_name
from shared.text import text
from station.exports.qr import qr_svg
from station.screens.records import MODES
from station.web.access import request_refusal
from station.web.api import CommandTooLarge, error_answer, read_body
from station.web.pages.screen.rows import figure_chars
from station.web.site import Site

TURN_S = 12.0
TurnSeconds = Annotated[float, Query(ge=1, le=600)]
_ID = re.compile(r"[0-9a-z]{8,32}", re.ASCII)


class HereRequest(BaseModel):
    """What a browser says of itself. `page`: what it has open; `width` and `height` in px."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(pattern=_ID.pattern, max_length=32)
    page: str = Field(default="screen", max_length=20)
    width: int = Field(default=0, ge=0, le=100_000)
    height: int = Field(default=0, ge=0, le=100_000)


def screen_routes(site: Site) -> APIRouter:
    """The addresses of the big screen."""
    router = APIRouter()

    @router.get("/screen", response_class=HTMLResponse)
    async def screen(request: Request, mode: str = "", turn_s: TurnSeconds = TURN_S) -> HTMLResponse:
        """The big screen. `mode`: what it shows, whatever was chosen for it on the page of the screens.

        `turn_s`: how long each page of the board stays.
        """
        view, mode = site.view(), mode if mode in MODES else ""
        address, host = _public_address(request), request.url.hostname or ""
        return await site.html(
            request,
            "screen",
            body_data={
                "show": "both" if mode in ("", "rotate") else mode,
                "fixed": mode,
                "figures": figure_chars(view),
                "turn": turn_s,
            },
            address=address,
            reachable=not (host in ("localhost", "::1") or host.startswith("127.")),
            score_name=score_name(view.race.rules if view.race is not None else RaceRules()),
        )

    @router.get("/screen/qr.svg")
    async def code(request: Request) -> Response:
        """The QR code of the page for everybody, under the address by which this browser reached the station."""
        svg = await anyio.to_thread.run_sync(qr_svg, _public_address(request))
        return Response(svg, media_type="image/svg+xml", headers={"cache-control": "no-store"})

    _add_here(router, site)
    return router


def _add_here(router: APIRouter, site: Site) -> None:
    @router.post("/api/v1/screens/here")
    async def here(request: Request) -> JSONResponse:
        """A browser says that it shows a screen; it is registered if it is new."""
        if refused := request_refusal(request.headers, request.url.scheme):
            return error_answer(*refused)
        try:
            screen = HereRequest.model_validate_json(await read_body(request))
        except (ValidationError, BadInput, CommandTooLarge, TimeoutError):
            return error_answer(400, text("A screen says its id, page, width and height."))
        try:
            now_ns = site.service.snapshot().clock.utc_ns
            await anyio.to_thread.run_sync(
                site.screens.here, screen.id, screen.page, screen.width, screen.height, now_ns
            )
        except Refused as error:
            return error_answer(409, str(error))
        return JSONResponse({"accepted": True})


def _public_address(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', '')}/"
