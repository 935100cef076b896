"""The addresses of the list of runs, and what officials' pages ask: a preview of a ruling, and one's own last acts."""

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from shared.errors import BadInput, RacedayError, Refused
from shared.protocol.strict_json import read_json
from shared.text import text
from station.core.inputs import Command
from station.web.access import identity_of, official_refusal
from station.web.api import CommandTooLarge, error_answer, read_body
from station.web.command_parser import parse_command
from station.web.pages.runs.presenter import STATE_WORDS, RunFilter, run_list
from station.web.presenters.time_zones import times_of
from station.web.site import Site

Answer = TypeVar("Answer")
MAX_FILTER = 200


def runs_routes(site: Site) -> APIRouter:
    """The list as a page and as JSON, previews of rulings, and one's own last acts."""
    router = APIRouter()
    service = site.service

    @router.get("/runs", response_class=HTMLResponse)
    async def runs_page(
        request: Request, race: str = "", racer: str = "", state: str = "", flagged: str = ""
    ) -> HTMLResponse:
        """All runs of all races, filtered; readable without JavaScript."""
        chosen = RunFilter(race[:MAX_FILTER], racer[:MAX_FILTER], state if state in STATE_WORDS else "", flagged == "1")
        runs = await anyio.to_thread.run_sync(service.run_list)
        with times_of(site.view()):
            lines = run_list(runs, chosen)
        return await site.html(request, "runs", runs=lines, states=STATE_WORDS)

    @router.get("/api/v1/runs")
    async def runs_json() -> JSONResponse:
        """All runs of all races, newest first."""
        runs = await anyio.to_thread.run_sync(service.run_list)
        return JSONResponse({"runs": [dataclasses.asdict(run) for run in runs]}, headers={"cache-control": "no-store"})

    @router.post("/api/v1/preview")
    async def preview(request: Request) -> JSONResponse:
        """What the command `{"command": NAME, ...}` would change; nothing is done. 409 if it would be refused."""
        if refused := official_refusal(request):
            return error_answer(*refused)
        identity = identity_of(request)
        try:
            command = replace(_parsed(await read_body(request)), author=identity.author, device=identity.device)
        except CommandTooLarge as error:
            return error_answer(413, str(error))
        except (BadInput, TimeoutError) as error:
            return error_answer(400, str(error) or "The command did not arrive in time.")
        return await answered(lambda: {"effect": dataclasses.asdict(service.preview(command))})

    @router.get("/api/v1/acts")
    async def acts(request: Request) -> JSONResponse:
        """The last acts of who is signed in, newest first; `{"command": "undo"}` undoes the newest that can be."""
        person = identity_of(request).author
        return await answered(lambda: {"acts": [dataclasses.asdict(act) for act in service.last_acts(person)]})

    return router


async def answered(ask: Callable[[], dict[str, object]]) -> JSONResponse:
    """The answer to a question to the station as JSON; a refusal is one sentence."""
    try:
        document = await anyio.to_thread.run_sync(ask)
    except Refused as refusal:
        return error_answer(409, str(refusal))
    except RacedayError as error:
        return error_answer(503, str(error))
    return JSONResponse(document, headers={"cache-control": "no-store"})


def _parsed(body: bytes) -> Command:
    try:
        document = read_json(body)
    except ValueError:
        raise BadInput(text("The command is not JSON, or names a thing twice.")) from None
    return parse_command(document)
