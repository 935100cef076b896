"""The racers' cards: one for each to print and hand out at check-in, with the QR code of the racer's own page."""

from dataclasses import dataclass

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from station.views.event_view import EventView, RacerLine
from station.web.pages.people.hall_address import hall_origin
from station.web.pages.racers.presenter import racer_key
from station.web.site import Site

A_PAGE = 8  # cards on a page of A4


@dataclass(frozen=True, slots=True)
class RacerCard:
    """One card. `address`: of the racer's own page, which the QR code of `code` holds too."""

    key: str
    racer: RacerLine
    code: str
    address: str


def cards_routes(site: Site) -> APIRouter:
    """The sheet of cards: of all racers, or of one."""
    router = APIRouter()

    @router.get("/racers/cards", response_class=HTMLResponse)
    async def page(request: Request, code: str = "") -> HTMLResponse:
        """The cards of all racers, to print; `code`: of this racer alone."""
        event = (await anyio.to_thread.run_sync(site.service.snapshot)).event
        cards = racer_cards(event, hall_origin(request), code)
        pages = [cards[first : first + A_PAGE] for first in range(0, len(cards), A_PAGE)]
        return await site.html(request, "cards", pages=pages, event=event.event.name if event.event else "")

    return router


def racer_cards(event: EventView, origin: str, code: str = "") -> list[RacerCard]:
    """A card for each racer, or for the one with this code. `origin`: where devices in the hall reach the station."""
    return [
        RacerCard(f"card-{racer_key(racer.alias)}", racer, racer.code, f"{origin}/r/{racer.code}")
        for racer in event.racers
        if racer.code and code in ("", racer.code)
    ]
