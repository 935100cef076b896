"""What the addresses of a page work with: the station behind them, and the HTML of the pages."""

from dataclasses import dataclass

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from shared.addresses import Addresses
from shared.web.security import HEADERS
from station.access.identity import VISITOR, Identity
from station.access.roles import Role
from station.views.views import ServicePort
from station.web.page import Page
from station.web.render import Pages

# A browser sends a form with our Origin only if the page does not hide it (<meta name="referrer">) and may send forms.
FORMS_ALLOWED = {
    "cache-control": "no-store",
    "content-security-policy": HEADERS["content-security-policy"].replace("form-action 'none'", "form-action 'self'"),
}


@dataclass(frozen=True, slots=True)
class Site:
    """The station's web site. `operators`: the client addresses that may command."""

    service: ServicePort
    pages: Pages
    operators: Addresses

    async def html(self, request: Request, name: str, status: int = 200, **values: object) -> HTMLResponse:
        """The page of this name as it is now, for whoever asks. `values`: what its template needs beyond the view."""
        identity, page = identity_of(request), self.pages.table[name]

        def drawn() -> str:
            return self.pages.page(name, self.service.snapshot(), identity, **values)

        document = await anyio.to_thread.run_sync(drawn)
        headers = {"cache-control": "no-store"} if page.role == Role.VIEWER else FORMS_ALLOWED
        return HTMLResponse(document, status, headers=headers)


def identity_of(request: Request) -> Identity:
    """Who sent this request; a visitor if nobody is signed in."""
    identity: Identity = getattr(request.state, "identity", VISITOR)
    return identity


def page_routes(site: Site, page: Page) -> APIRouter:
    """The addresses of a page: its own routes if it has any, otherwise one that shows its template."""
    if page.routes is not None:
        return page.routes(site)
    router = APIRouter()

    @router.get(page.path, response_class=HTMLResponse, name=page.name)
    async def show(request: Request) -> HTMLResponse:
        return await site.html(request, page.name)

    return router
