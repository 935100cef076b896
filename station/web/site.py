"""What the addresses of a page work with: the station behind them, and the HTML of the pages."""

from dataclasses import dataclass, replace

import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from shared.errors import Refused
from shared.refusals import Refusals
from shared.tracks.outline import TrackOutline
from shared.tracks.shipped import TITLES, shipped_name, shipped_names, shipped_outline
from station.access.roles import Role
from station.access.station_access import StationAccess
from station.checklists.register import ChecklistRegister
from station.screens.register import ScreenRegister
from station.service.backups.station_backups import StationBackups
from station.store.event_files.tracks import TrackEntry, TrackLibrary
from station.views.views import ServicePort, View
from station.web.access import FORMS_ALLOWED, identity_of, require
from station.web.page import Page
from station.web.render import Pages


class UnknownHere(Refused):
    """There is nothing at this address, such as no race of this id; answered with 404 and the sentence."""


@dataclass(frozen=True, slots=True)
class Site:
    """The station's web site. `access`: people, sessions and devices; `tracks`: those of the event.

    `checklists`: what officials tick. `refusals`: whom this process refused. `backups`: makes and restores them; None:
    this station does neither.
    """

    service: ServicePort
    pages: Pages
    access: StationAccess
    screens: ScreenRegister
    checklists: ChecklistRegister
    refusals: Refusals
    tracks: TrackLibrary | None = None
    backups: StationBackups | None = None

    def view(self) -> View:
        """The newest view, complete, with the station's name as it was chosen in the browser."""
        view = self.completed(self.service.snapshot())
        return replace(view, station=self.access.state.settings.get("station") or view.station)

    def completed(self, view: View) -> View:
        """The view with what the web keeps beside the station: screens and checklists."""
        return replace(view, screens=self.screens.view, checklists=self.checklists.view)

    def outline(self, track: str) -> TrackOutline | None:
        """The geometry of the track of this name; None if it is not known. Reads files: call it off the event loop."""
        if self.tracks is not None:
            return self.tracks.outline(track)
        shipped = shipped_name(track)
        return shipped_outline(shipped) if shipped is not None else None

    def length_m(self, track: str) -> float | None:
        """The length of the track of this name; None if its geometry is not known. Reads files, as `outline` does."""
        outline = self.outline(track)
        return outline.length_m if outline is not None else None

    def track_entries(self) -> tuple[TrackEntry, ...]:
        """All tracks to choose from. Reads files, as `outline` does. Raises StorageError."""
        if self.tracks is not None:
            return self.tracks.entries()
        return tuple(
            TrackEntry(each, TITLES.get(each, each), shipped_outline(each).length_m) for each in shipped_names()
        )

    async def html(self, request: Request, name: str, status: int = 200, **values: object) -> HTMLResponse:
        """The page of this name as it is now, for whoever asks. `values`: what its template needs beyond the view."""
        identity, page = identity_of(request), self.pages.table[name]

        def drawn() -> str:
            return self.pages.page(name, self.view(), identity, **values)

        document = await anyio.to_thread.run_sync(drawn)
        headers = {"cache-control": "no-store"} if page.role == Role.VIEWER else FORMS_ALLOWED
        return HTMLResponse(document, status, headers=headers)


def page_routes(site: Site, page: Page) -> APIRouter:
    """The addresses of a page, for its role alone: its own routes if it has any, otherwise one with its template."""
    needed = [Depends(require(page.role))] if page.role > Role.VIEWER else []
    router = APIRouter(dependencies=needed)
    if page.routes is not None:
        router.include_router(page.routes(site))
        return router

    @router.get(page.path, response_class=HTMLResponse, name=page.name)
    async def show(request: Request) -> HTMLResponse:
        return await site.html(request, page.name)

    return router
