"""The addresses of the audit: the page with its filter, and the same lines as CSV."""

import time
import zoneinfo

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from shared.web.drawing.refusal_rows import refusal_table
from station.service.checklists.logged_ticks import unlogged_ticks
from station.views.audit.audit_trail import AuditEntry
from station.web.pages.audit.presenter import (
    AuditFilter,
    access_entries,
    audit_csv,
    audit_page,
    found,
)
from station.web.pages.forms import form_page
from station.web.site import Site

MAX_FILTER = 100
CSV = {"cache-control": "no-store", "content-disposition": 'attachment; filename="audit.csv"'}


def audit_routes(site: Site) -> APIRouter:
    """The page and its CSV."""
    router = APIRouter()

    @router.get("/audit", response_class=HTMLResponse)
    async def audit(
        request: Request,
        who: str = Query("", max_length=MAX_FILTER),
        what: str = Query("", max_length=MAX_FILTER),
        page: int = Query(1, ge=1, le=1_000_000),
    ) -> HTMLResponse:
        """Who did what, newest first."""
        wanted = AuditFilter(who, what, page)
        entries = await anyio.to_thread.run_sync(_entries, site, wanted)
        shown = audit_page(entries, page, _zone(site))
        refused = refusal_table(site.refusals.counts(), time.monotonic())
        return await form_page(site, request, "audit", audit=shown, wanted=wanted, refused=refused)

    @router.get("/audit.csv")
    async def file(
        who: str = Query("", max_length=MAX_FILTER), what: str = Query("", max_length=MAX_FILTER)
    ) -> Response:
        """The lines of the page, all of them, as CSV."""
        entries = await anyio.to_thread.run_sync(_entries, site, AuditFilter(who, what))
        return Response(audit_csv(entries).encode(), media_type="text/csv; charset=utf-8", headers=CSV)

    return router


def _entries(site: Site, wanted: AuditFilter) -> list[AuditEntry]:
    logged = [event for _, event in site.access.state.events()]
    lacking = unlogged_ticks(logged, site.checklists.view.ticks)
    return found(site.service.audit(), access_entries([*logged, *lacking]), wanted)


def _zone(site: Site) -> zoneinfo.ZoneInfo:
    """The event's time zone; UTC if it names none that this machine knows."""
    event = site.service.snapshot().event.event
    try:
        return zoneinfo.ZoneInfo(event.time_zone if event is not None and event.time_zone else "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
