"""The addresses of the cars' page."""

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from station.web.pages.cars.presenter import KIND_MEANS, KIND_WORDS
from station.web.site import Site


def cars_routes(site: Site) -> APIRouter:
    """The routes of /cars."""
    router = APIRouter()

    @router.get("/cars", response_class=HTMLResponse)
    async def page(request: Request, edit: str = "", add: str = "") -> HTMLResponse:
        """The cars; with `edit` also the form of that car, with `add` the form for a new one of that name."""
        view = (await anyio.to_thread.run_sync(site.service.snapshot)).event
        car = next((each for each in view.cars if each.name == edit), None)
        return await site.html(request, "cars", edit=car, add=add[:64], kinds=KIND_WORDS, means=KIND_MEANS)

    return router
