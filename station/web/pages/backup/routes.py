"""The addresses of the backups' page. Every act is a form; for admins alone, since a backup holds the station's key."""

import pathlib
from collections.abc import Callable
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from shared.errors import BadInput, RacedayError, Refused
from shared.text import text
from shared.web.language import JSONAnswer
from station.access.identity import Identity
from station.access.records import AccessEvent, Deed
from station.service.backups.station_backups import StationBackups
from station.store.disk_space import disk_space
from station.store.recovery.backup import SPARE_BYTES
from station.web.access import identity_of
from station.web.api import HASHING
from station.web.pages.backup.presenter import DONE, backup_panel
from station.web.pages.forms import failure, form_page, read_form, see_other
from station.web.pages.uploads import read_upload
from station.web.presenters.time_zones import event_zone
from station.web.site import Site, UnknownHere

MAX_UPLOAD_BYTES = 4_000_000_000
Fields = dict[str, str]


def backup_routes(site: Site) -> APIRouter:
    """The routes of /backup."""
    router = APIRouter()

    @router.get("/backup", response_class=HTMLResponse)
    async def page(request: Request, done: str = "") -> HTMLResponse:
        """The backups on the disk, the work that goes on, and the forms."""
        return await _page(site, request, done=DONE.get(done, ""))

    @router.get("/backup/state")
    async def state() -> JSONAnswer:
        """How far the work is: `busy`, and `percent` of it."""
        backups = _backups(site)
        work = backups.work
        share = work.share if work is not None else 0.0
        return JSONAnswer({"busy": backups.busy or backups.restarting, "percent": round(share * 100)})

    @router.get("/backup/files/{name}")
    async def download(request: Request, name: str) -> Response:
        """A backup, as a file."""
        path = await anyio.to_thread.run_sync(_fetched, site, identity_of(request), name)
        return FileResponse(path, media_type="application/zip", filename=name, headers={"cache-control": "no-store"})

    @router.post("/backup/upload", response_class=HTMLResponse)
    async def upload(request: Request) -> Response:
        """Stores the uploaded backup on the disk and begins to check it."""
        try:
            await _receive(site, request)
        except (RacedayError, TimeoutError) as error:
            status, sentence = failure(error)
            return await _page(site, request, status, error=sentence)
        return see_other("/backup")

    @router.post("/backup/{act}", response_class=HTMLResponse)
    async def change(request: Request, act: str) -> Response:
        """Makes, checks, deletes or restores a backup."""
        try:
            fields = await read_form(request)
            if act not in ACTS:
                raise BadInput(text("There is no such act."))
            await anyio.to_thread.run_sync(ACTS[act], site, identity_of(request), fields, limiter=HASHING)
        except (RacedayError, TimeoutError) as error:
            status, sentence = failure(error)
            return await _page(site, request, status, error=sentence)
        return see_other("/backup?done=removed" if act == "remove" else "/backup")

    return router


def _backups(site: Site) -> StationBackups:
    if site.backups is None:
        raise UnknownHere(text("This station makes no backups in the browser."))
    return site.backups


def _make(site: Site, by: Identity, _: Fields) -> None:
    _record(site, by, "backup_made", _backups(site).make())


def _check(site: Site, _: Identity, fields: Fields) -> None:
    _backups(site).check(fields.get("name", ""))


def _remove(site: Site, by: Identity, fields: Fields) -> None:
    name = fields.get("name", "")
    _backups(site).remove(name)
    _record(site, by, "backup_removed", name)


def _restore(site: Site, by: Identity, fields: Fields) -> None:
    """Prepares the restore; the record of it comes first, since the station then starts again."""
    name = fields.get("name", "")
    _backups(site).path(name)
    if site.service.snapshot().runs:
        raise Refused(text("A run is on: restore when it is over."))
    site.access.confirm_pin(by.session, fields.get("pin", ""))
    _record(site, by, "backup_restored", name)
    _backups(site).restore(name, by.author)


def _fetched(site: Site, by: Identity, name: str) -> pathlib.Path:
    try:
        path = _backups(site).path(name)
    except BadInput as error:
        raise UnknownHere(error.args[0]) from None
    _record(site, by, "backup_fetched", name)
    return path


ACTS: dict[str, Callable[[Site, Identity, Fields], None]] = {
    "make": _make,
    "check": _check,
    "remove": _remove,
    "restore": _restore,
}


async def _receive(site: Site, request: Request) -> None:
    backups = _backups(site)
    path = await anyio.to_thread.run_sync(backups.new_path, "uploaded")
    part = path.with_suffix(".part")
    max_bytes = min(MAX_UPLOAD_BYTES, max(0, disk_space(backups.folder).free_bytes - SPARE_BYTES))
    try:
        with part.open("wb") as target:
            await read_upload(request, max_bytes, target)
        part.chmod(0o600)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    await anyio.to_thread.run_sync(backups.check, path.name)


def _record(site: Site, by: Identity, deed: Deed, name: str) -> None:
    site.access.state.record(AccessEvent(site.access.state.now_s(), deed, by.author, by.device, name))


async def _page(site: Site, request: Request, status: int = 200, *, done: str = "", error: str = "") -> HTMLResponse:
    def found() -> dict[str, Any]:
        view = site.service.snapshot()
        return {"panel": backup_panel(_backups(site), bool(view.runs), event_zone(view))}

    values = await anyio.to_thread.run_sync(found)
    return await form_page(site, request, "backup", status, done=done, error=error, **values)
