"""The addresses of the page of the screens, and of what officials ask of them."""

from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from shared.errors import BadInput
from shared.protocol.strict_json import read_json
from shared.text import text
from shared.units import parse_seconds
from station.screens.register import ScreenRegister
from station.web.access import request_refusal
from station.web.api import CommandTooLarge, error_answer, read_body
from station.web.site import Site

_FIELDS = ("name", "kind", "mode", "sound")


def screens_routes(site: Site) -> APIRouter:
    """The addresses of the page of the screens."""
    router = APIRouter()

    @router.get("/screens", response_class=HTMLResponse)
    async def page(request: Request) -> HTMLResponse:
        """The page of the screens."""
        return await site.html(request, "screens")

    @router.post("/api/v1/screens")
    async def ask(request: Request) -> JSONResponse:
        """Asks something of the screens: `{"act": "scene", "scene": "heat"}`; the acts are in `_ACTS`."""
        if refused := request_refusal(request.headers, request.url.scheme):
            return error_answer(*refused)
        try:
            asked = _asked(await read_body(request))
            await anyio.to_thread.run_sync(_act, site.screens, asked, site.service.snapshot().clock.utc_ns)
        except CommandTooLarge as error:
            return error_answer(413, str(error))
        except (BadInput, TimeoutError) as error:
            return error_answer(400, str(error) or text("The request did not arrive in time."))
        return JSONResponse({"accepted": True})

    return router


def _asked(body: bytes) -> dict[str, str]:
    """The request as texts by name. Raises BadInput."""
    try:
        document: Any = read_json(body)
    except ValueError:
        raise BadInput(text("The request is not JSON, or names a thing twice.")) from None
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        raise BadInput(text('The request must be a JSON object of texts with an "act".'))
    return document


def _act(screens: ScreenRegister, asked: dict[str, str], now_utc_ns: int) -> None:
    """Does what was asked. Raises BadInput."""
    screen_id = asked.get("screen", "")
    match asked.get("act"):
        case "scene":
            screens.show_scene(asked.get("scene", ""))
        case "change":
            screens.change(screen_id, **{name: asked[name] for name in _FIELDS if name in asked})
        case "identify":
            screens.identify(screen_id)
        case "reload":
            screens.reload(screen_id)
        case "forget":
            screens.forget(screen_id)
        case "message":
            screens.show_message(asked.get("message", ""))
        case "countdown":
            minutes = asked.get("minutes", "").strip()
            screens.count_down(parse_seconds(minutes) * 60 if minutes else 0, now_utc_ns)
        case _:
            raise BadInput(text("Screens can do: scene, change, identify, reload, forget, message, countdown."))
