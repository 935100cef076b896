"""The addresses of the tracks' page: the list, and its three acts, each a form that works without a script."""

from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from shared.errors import BadInput, RacedayError, Refused
from shared.text import joined, text
from shared.tracks.array_file import MAX_FILE_BYTES
from station.access.identity import Identity
from station.access.records import AccessEvent, Deed
from station.core.event.commands import ChangeEvent
from station.store.event_files.tracks import TrackEntry, TrackLibrary
from station.views.command_answers import Declined
from station.web.access import identity_of
from station.web.pages.forms import failure, form_page, read_form, see_other
from station.web.pages.tracks.presenter import DONE, track_cards, uses
from station.web.pages.uploads import read_upload
from station.web.site import Site

MAX_FIND = 60


def tracks_routes(site: Site) -> APIRouter:
    """The routes of /tracks."""
    router = APIRouter()

    @router.get("/tracks", response_class=HTMLResponse)
    async def tracks(request: Request, find: str = Query("", max_length=MAX_FIND), done: str = "") -> HTMLResponse:
        """All tracks, or those with `find` in their name."""
        return await _page(site, request, find=find, done=DONE.get(done, ""))

    @router.post("/tracks/choose", response_class=HTMLResponse)
    async def choose(request: Request) -> Response:
        """Makes the track in the field `track` the event's, with its length."""
        try:
            fields = await read_form(request)
            await anyio.to_thread.run_sync(_choose, site, identity_of(request), fields.get("track", ""))
        except (RacedayError, TimeoutError) as error:
            return await _refused(site, request, error)
        return see_other("/tracks?done=chosen")

    @router.post("/tracks/upload", response_class=HTMLResponse)
    async def upload(request: Request) -> Response:
        """Stores the `.npy` file of the form under the name in the field `name`, or under the file's."""
        try:
            sent = await read_upload(request, MAX_FILE_BYTES)
            name = sent.fields.get("name", "").strip() or sent.file_name.removesuffix(".npy")
            entry, note = await anyio.to_thread.run_sync(_add, site, identity_of(request), name, sent.data)
        except (RacedayError, TimeoutError) as error:
            return await _refused(site, request, error)
        return await _page(site, request, done=joined([DONE["added"], note]) if note else DONE["added"], new=entry.name)

    @router.post("/tracks/remove", response_class=HTMLResponse)
    async def remove(request: Request) -> Response:
        """Takes the uploaded track in the field `track` off the list, if nothing names it."""
        try:
            fields = await read_form(request)
            await anyio.to_thread.run_sync(_remove, site, identity_of(request), fields.get("track", ""))
        except (RacedayError, TimeoutError) as error:
            return await _refused(site, request, error)
        return see_other("/tracks?done=removed")

    return router


async def _refused(site: Site, request: Request, error: Exception) -> HTMLResponse:
    status, sentence = failure(error)
    return await _page(site, request, status, error=sentence)


async def _page(
    site: Site, request: Request, status: int = 200, *, find: str = "", done: str = "", error: str = "", new: str = ""
) -> HTMLResponse:
    def found() -> dict[str, Any]:
        event, entries = site.service.snapshot().event, site.track_entries()
        return {
            "cards": track_cards(entries, site.outline, event, find),
            "count": len(entries),
            "event": event.event,
            "may_upload": site.tracks is not None,
        }

    values = await anyio.to_thread.run_sync(found)
    return await form_page(site, request, "tracks", status, find=find, done=done, error=error, new=new, **values)


def _library(site: Site) -> TrackLibrary:
    if site.tracks is None:
        raise Refused(text("This station stores no tracks of its own."))
    return site.tracks


def _choose(site: Site, by: Identity, name: str) -> None:
    entry = next((each for each in site.track_entries() if each.name == name), None)
    if entry is None:
        raise BadInput(text("There is no track {name}.", name=repr(name[:MAX_FIND])))
    if site.service.snapshot().event.event is None:
        raise Refused(text("Name the event first; then choose its track."))
    command = ChangeEvent(
        author=by.author, device=by.device, track=entry.title, track_length_m=round(entry.length_m, 2)
    )
    answer = site.service.submit(command)
    if isinstance(answer, Declined):
        raise Refused(answer.sentence)


def _add(site: Site, by: Identity, name: str, data: bytes) -> tuple[TrackEntry, str]:
    """Stores the track; returns it and what is to be said about it."""
    library = _library(site)
    known = {each.name for each in library.entries()}
    entry = library.add(name, data, by.author)
    if entry.name in known:
        return entry, text("It was there already: the same file under the same name.")
    _record(site, by, "track_added", entry)
    same = library.same_as(entry)
    return entry, text("It is the very same file as {track}.", track=same) if same else ""


def _remove(site: Site, by: Identity, name: str) -> None:
    if uses(site.service.snapshot().event, name):
        raise Refused(text("The track {name} belongs to an event or a race: it stays.", name=repr(name[:MAX_FIND])))
    _record(site, by, "track_removed", _library(site).remove(name))


def _record(site: Site, by: Identity, deed: Deed, entry: TrackEntry) -> None:
    """Adds a line to the audit: a track is a file beside the journal, so no command of the journal tells of it."""
    figures = f"{entry.length_m:.2f} m, SHA-256 {entry.sha256[:16]}"
    before, after = ("", figures) if deed == "track_added" else (figures, "")
    now_s = site.access.state.now_s()
    site.access.state.record(AccessEvent(now_s, deed, by.author, by.device, entry.name, before, after))
