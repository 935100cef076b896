"""The addresses of one run: its page, with controls for officials only, its JSON, and its evidence as a download."""

import dataclasses
import pathlib
import tempfile

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from shared.errors import RacedayError
from shared.text import text
from station.access.roles import Role
from station.evidence.bundle import make_bundle
from station.views.runs.run_archive import RunPage
from station.web.access import identity_of, role_refusal
from station.web.api import error_answer
from station.web.pages.run.marks import mark_of
from station.web.pages.run.presenter import run_sheet
from station.web.presenters.time_zones import times_of
from station.web.presenters.visitors import visitor_view
from station.web.site import Site

MAX_ID = 200
# What only officials are shown: who did what on which device, and the hashes of models.
_OFFICIALS_ONLY = ("rulings", "model_sha256", "proposals")


def run_routes(site: Site) -> APIRouter:
    """The page of one run and its data."""
    router = APIRouter()

    @router.get("/runs/{run_id}", response_class=HTMLResponse)
    async def run_page(request: Request, run_id: str) -> Response:
        """Everything about one run; with its rulings for officials, reduced for everybody else."""
        view = site.view()  # taken before the run is read, so that a change in between is not missed
        page = await _page(site, run_id)
        if isinstance(page, Response):
            return page
        name, seen = ("run_officials", view) if is_official(request) else ("run", visitor_view(view))
        with times_of(view):
            sheet = run_sheet(page)
        return await site.html(request, name, run=sheet, body_data={"mark": mark_of(seen, page.run_id)})

    @router.get("/api/v1/runs/{run_id}")
    async def run_json(request: Request, run_id: str) -> Response:
        """One run as JSON: laps, crossings, trace; for officials also the rulings and the questions."""
        page = await _page(site, run_id)
        if isinstance(page, Response):
            return page
        document = dataclasses.asdict(page)
        if not is_official(request):
            document = {key: value for key, value in document.items() if key not in _OFFICIALS_ONLY}
        return JSONResponse(document, headers={"cache-control": "no-store"})

    @router.get("/runs/{run_id}/evidence.zip")
    async def evidence(request: Request, run_id: str) -> Response:
        """The protest bundle: the journal's records about this run, and the program that checks them."""
        if refused := role_refusal(identity_of(request), Role.REFEREE):
            return error_answer(*refused)
        page = await _page(site, run_id)
        return page if isinstance(page, Response) else await _evidence(site, page)

    return router


async def _page(site: Site, run_id: str) -> RunPage | Response:
    """The run; if there is none, or no answer, the refusal."""
    try:
        page = await anyio.to_thread.run_sync(site.service.run_page, run_id[:MAX_ID])
    except RacedayError as error:
        return error_answer(503, str(error))
    return page if page is not None else error_answer(404, text("There is no run {run} here.", run=run_id[:40]))


async def _evidence(site: Site, page: RunPage) -> Response:
    journal, run_id, race_id = site.service.journal_path, page.run_id, page.summary.race_id
    try:
        bundle = await anyio.to_thread.run_sync(_bundle, journal, run_id, race_id)
    except RacedayError as error:
        return error_answer(503, str(error))
    headers = {"content-disposition": f'attachment; filename="{run_id}.zip"', "cache-control": "no-store"}
    return Response(bundle, media_type="application/zip", headers=headers)


def officials_form(_: Site) -> APIRouter:
    """The officials' form of the page has the address of the public one, which chooses between them."""
    return APIRouter()


def is_official(request: Request) -> bool:
    """Whether whoever asks may see what is the officials' business."""
    return identity_of(request).role >= Role.REFEREE


def _bundle(journal: pathlib.Path, run_id: str, race_id: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="raceday-evidence-") as folder:
        out = pathlib.Path(folder) / "evidence.zip"
        make_bundle(journal, run_id, out, race_id)
        return out.read_bytes()
