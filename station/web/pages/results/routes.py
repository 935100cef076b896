"""The addresses of the results: the pages, the files to take along, and the QR code that leads there."""

from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from shared.text import text
from station.exports.qr import qr_svg
from station.exports.results_csv import laps_csv, places_csv
from station.views.results.race_results import RaceResults
from station.web.pages.results.presenter import ResultsModel, day, lap_lines, results_model
from station.web.site import Site, UnknownHere

FRESH = {"cache-control": "no-store"}
CSV = "text/csv; charset=utf-8"


def results_routes(site: Site) -> APIRouter:
    """The results page of a race, its files, and its QR code."""
    router = APIRouter()

    @router.get("/results")
    async def current_results() -> RedirectResponse:
        """Leads to the results of the race that is on."""
        race = site.service.snapshot().race
        if race is None:
            raise UnknownHere(text("There is no race yet."))
        return RedirectResponse(f"/results/{quote(race.race_id, safe='')}", 303, headers=FRESH)

    @router.get("/results/{race_id}", response_class=HTMLResponse)
    async def results_page(request: Request, race_id: str) -> HTMLResponse:
        """The results of a race, to read and to print."""
        model = await anyio.to_thread.run_sync(_model, site, race_id)
        return await site.html(request, "results", model=model, races=site.service.snapshot().event.races)

    @router.get("/results/{race_id}/places.csv")
    async def places_file(race_id: str) -> Response:
        """The standings as CSV, one line a place."""
        return await _file(site, race_id, "places", places_csv)

    @router.get("/results/{race_id}/laps.csv")
    async def laps_file(race_id: str, columns: Literal["all", "event-manager"] = "all") -> Response:
        """All laps as CSV, one line a lap: the event manager's columns and then ours, or its columns alone."""
        ours = columns == "all"
        name = "laps" if ours else "laps-event-manager"
        return await _file(site, race_id, name, lambda results: laps_csv(results, ours=ours))

    @router.get("/results/{race_id}/lines.json")
    async def laps_as_lines(race_id: str) -> JSONResponse:
        """The laps of each racer's best run as a line, for the standings on a wide window (static/lap_lines.js).

        A race that is not here has no lines: it may have gone while the window was open.
        """
        results = await anyio.to_thread.run_sync(site.service.race_results, race_id)
        return JSONResponse({} if results is None else lap_lines(results), headers=FRESH)

    @router.get("/results/{race_id}/qr.svg")
    async def results_qr(request: Request, race_id: str) -> Response:
        """The QR code of the results page, as SVG."""
        results_of(site, race_id)
        address = str(request.url_for("results_page", race_id=race_id))
        return Response(qr_svg(address), media_type="image/svg+xml", headers=FRESH)

    return router


def certificate_routes(site: Site) -> APIRouter:
    """The certificates of a race: of all racers, or of one place."""
    router = APIRouter()

    @router.get("/results/{race_id}/certificates", response_class=HTMLResponse)
    async def certificates_page(request: Request, race_id: str, place: int | None = None) -> HTMLResponse:
        """A certificate for each racer, an A4 page each; `place`: for this place alone."""
        model = await anyio.to_thread.run_sync(_model, site, race_id)
        rows = tuple(row for row in model.places if place in (None, row.rank))
        results = results_of(site, race_id)
        return await site.html(request, "certificates", model=model, rows=rows, day=day(results))

    return router


def results_of(site: Site, race_id: str) -> RaceResults:
    """The results of the race. Raises UnknownHere."""
    results = site.service.race_results(race_id)
    if results is None:
        raise UnknownHere(text("There is no race {race} here.", race=repr(race_id[:64])))
    return results


def _model(site: Site, race_id: str) -> ResultsModel:
    results = results_of(site, race_id)
    return results_model(results, site.outline(results.track))


async def _file(site: Site, race_id: str, name: str, write: Callable[[RaceResults], str]) -> Response:
    content = await anyio.to_thread.run_sync(lambda: write(results_of(site, race_id)))
    headers = FRESH | {"content-disposition": f'attachment; filename="{race_id}-{name}.csv"'}
    return Response(content.encode(), media_type=CSV, headers=headers)
