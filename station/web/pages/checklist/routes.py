"""The addresses of the page of the checklists, and of the ticks that officials give."""

from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from shared.errors import BadInput, StorageError
from shared.protocol.strict_json import read_json
from shared.text import text
from station.access.identity import Identity
from station.service.checklists.logged_ticks import tick_event
from station.web.access import identity_of, request_refusal
from station.web.api import CommandTooLarge, error_answer, read_body
from station.web.pages.checklist.presenter import TITLES
from station.web.site import Site


@dataclass(frozen=True, slots=True)
class AskedTick:
    """What an official asks for: the line, and whether it is done."""

    line: str
    on: bool


def checklist_routes(site: Site) -> APIRouter:
    """The addresses of the page of the checklists."""
    router = APIRouter()

    @router.get("/checklist", response_class=HTMLResponse)
    async def page(request: Request) -> HTMLResponse:
        """The page of the checklists."""
        return await site.html(request, "checklist", titles=TITLES)

    @router.post("/api/v1/checklist")
    async def tick(request: Request) -> JSONResponse:
        """Ticks a line that only people see, or takes the tick back: `{"line": "road", "done": true}`."""
        if refused := request_refusal(request.headers, request.url.scheme):
            return error_answer(*refused)
        try:
            asked = _asked(await read_body(request))
            await anyio.to_thread.run_sync(_tick, site, asked, identity_of(request))
        except CommandTooLarge as error:
            return error_answer(413, str(error))
        except StorageError as error:
            return error_answer(503, str(error))
        except (BadInput, TimeoutError) as error:
            return error_answer(400, str(error) or text("The request did not arrive in time."))
        return JSONResponse({"accepted": True})

    return router


def _tick(site: Site, asked: AskedTick, by: Identity) -> None:
    """Ticks the line and adds a line to the audit: a tick is beside the journal, so no command of it tells of one."""
    now_ns = site.service.snapshot().clock.utc_ns
    tick = site.checklists.tick(asked.line, by.author, now_ns, on=asked.on, device=by.device)
    site.access.state.record(tick_event(tick))


def _asked(body: bytes) -> AskedTick:
    """The request. Raises BadInput."""
    try:
        document: Any = read_json(body)
    except ValueError:
        raise BadInput(text("The request is not JSON, or names a thing twice.")) from None
    if isinstance(document, dict):
        line, is_done = document.get("line"), document.get("done")
        if isinstance(line, str) and isinstance(is_done, bool) and len(document) == 2:
            return AskedTick(line, is_done)
    raise BadInput(text('The request must be like {"line": "road", "done": true}.'))
