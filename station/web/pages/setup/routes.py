"""The addresses of the set-up wizard: the page, and its form for name, language and time zone."""

import zoneinfo

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from shared.errors import BadInput, RacedayError
from shared.rules.person_names import name_within
from shared.text import text
from shared.text.catalogue import languages
from station.access.identity import Identity
from station.core.event.commands import ChangeEvent
from station.views.command_answers import Declined
from station.web.access import identity_of
from station.web.pages.forms import failure, form_page, read_form, see_other
from station.web.site import Site

MAX_STATION_NAME = 40
LANGUAGE_NAMES = {"en": "English", "de": "Deutsch"}


def setup_routes(site: Site) -> APIRouter:
    """The wizard."""
    router = APIRouter()

    @router.get("/setup", response_class=HTMLResponse)
    async def setup(request: Request) -> HTMLResponse:
        """The steps before the first race."""
        return await _page(site, request)

    @router.post("/setup", response_class=HTMLResponse)
    async def save(request: Request) -> Response:
        """Saves how the station is called, its language and its time zone."""
        try:
            fields = await read_form(request)
            await anyio.to_thread.run_sync(_save, site, identity_of(request), fields)
        except (RacedayError, TimeoutError) as error:
            status, sentence = failure(error)
            return await _page(site, request, status, sentence)
        return see_other("/setup?done=1")

    return router


def _save(site: Site, by: Identity, fields: dict[str, str]) -> None:
    language, zone = fields.get("language", ""), fields.get("time_zone", "").strip()
    if language not in languages():
        raise BadInput(text("There is no such language."))
    if zone and zone not in zoneinfo.available_timezones():
        raise BadInput(text("There is no time zone {zone}; one is called Europe/Berlin.", zone=repr(zone[:40])))
    event = site.service.snapshot().event.event
    if zone and event is not None and zone != event.time_zone:
        answer = site.service.submit(ChangeEvent(author=by.author, device=by.device, time_zone=zone))
        if isinstance(answer, Declined):
            raise BadInput(answer.sentence)
    name = name_within(fields.get("station", ""), MAX_STATION_NAME)
    site.access.change_settings(by, {"station": name, "language": language})


async def _page(site: Site, request: Request, status: int = 200, error: str = "") -> HTMLResponse:
    event = site.service.snapshot().event.event
    chosen = site.access.state.settings
    return await form_page(
        site,
        request,
        "setup",
        status,
        error=error,
        done="done" in request.query_params and not error,
        station=chosen.get("station", ""),
        chosen_language=chosen.get("language", ""),
        languages=[(each, LANGUAGE_NAMES.get(each, each)) for each in languages()],
        time_zone=event.time_zone if event is not None else "",
        has_event=event is not None,
        zones=sorted(zoneinfo.available_timezones()),
    )
