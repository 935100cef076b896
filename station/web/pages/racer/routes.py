"""The addresses of racers' pages: by name in a race, and by the racer's own code."""

from urllib.parse import quote

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from shared.rules.person_names import name_key
from shared.text import text
from station.exports.qr import qr_svg
from station.views.event_view import RacerLine
from station.views.results.race_results import RaceResults
from station.web.pages.people.hall_address import hall_origin
from station.web.pages.racer.presenter import RacerModel, racer_model
from station.web.pages.results.routes import results_of
from station.web.site import Site, UnknownHere


def racer_routes(site: Site) -> APIRouter:
    """A racer's page: for everybody by his name, and with what is on file by his code."""
    router = APIRouter()

    @router.get("/r/{code}", response_class=HTMLResponse)
    async def own_page(request: Request, code: str) -> HTMLResponse:
        """The racer's own page, in the race that is on."""
        entry = _entry(site, code)
        model = await anyio.to_thread.run_sync(_own_model, site, entry)
        return await site.html(request, "racer", model=model)

    @router.get("/r/{code}/qr.svg")
    async def own_qr(request: Request, code: str) -> Response:
        """The QR code of a racer's own page, as SVG."""
        _entry(site, code)
        address = f"{hall_origin(request)}/r/{quote(code, safe='')}"
        return Response(qr_svg(address), media_type="image/svg+xml", headers={"cache-control": "no-store"})

    @router.get("/results/{race_id}/racers/{racer}", response_class=HTMLResponse)
    async def racer_page(request: Request, race_id: str, racer: str) -> HTMLResponse:
        """A racer in a race: the place, and all runs with their laps."""
        model = await anyio.to_thread.run_sync(_model, site, race_id, racer)
        return await site.html(request, "racer", model=model)

    return router


def _entry(site: Site, code: str) -> RacerLine:
    """The entry with this code, whose capitals do not matter. Raises UnknownHere."""
    wanted = code.strip().upper()
    racers = site.service.snapshot().event.racers
    entry = next((racer for racer in racers if racer.code and racer.code.upper() == wanted), None)
    if entry is None:
        raise UnknownHere(text("No racer has the code {code}.", code=repr(code[:16])))
    return entry


def _own_model(site: Site, entry: RacerLine) -> RacerModel:
    view = site.service.snapshot()
    if view.race is None:
        raise UnknownHere(text("There is no race yet."))
    now = view.race.race_id
    ids = [race.race_id for race in reversed(view.event.races) if race.race_id != now and race.runs]
    others = [results for race_id in ids if (results := site.service.race_results(race_id)) is not None]
    return racer_model(results_of(site, now), view, entry.alias, entry, others)


def _model(site: Site, race_id: str, racer: str) -> RacerModel:
    view, results = site.service.snapshot(), results_of(site, race_id)
    if not _is_known(results, racer) and not any(name_key(each.alias) == name_key(racer) for each in view.event.racers):
        raise UnknownHere(text("There is no racer {racer} in this race.", racer=repr(racer[:64])))
    return racer_model(results, view, racer)


def _is_known(results: RaceResults, racer: str) -> bool:
    return results.place_of(racer) is not None or bool(results.runs_of(racer))
