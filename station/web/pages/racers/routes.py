"""The addresses of the racers' page: the page, and the list of racers as a CSV file, read and written."""

import base64
import binascii
import datetime as dt
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from shared.errors import Refused
from shared.rules.person_names import name_key
from shared.text import Sentence, joined, ntext, text
from shared.text.reader import language
from shared.web.language import JSONAnswer
from station.core.event.commands import ImportRacers
from station.core.event.csv_roster import MAX_BYTES, Roster, RosterLine, read_roster, write_roster
from station.core.event.event_book import EventBook
from station.core.event.records import Racer
from station.core.inputs import Command
from station.views.event_view import EventView, RacerLine
from station.web.pages.racers.countries import codes_by_name, countries
from station.web.pages.submission import Submission, given, received
from station.web.site import Site

MAX_UPLOAD_BYTES = MAX_BYTES * 4 // 3 + 1024  # in base 64, with the names of the fields
KIND_WORDS = {"new": ("+", text("New")), "changed": ("▲", text("Changed")), "same": ("=", text("As before"))}
FIELD_WORDS = {
    "flag": text("country"),
    "team": text("team"),
    "colour": text("colour"),
    "model": text("model"),
    "car": text("car"),
    "transponders": text("transponders"),
    "checked_in": text("checked in"),
    "pronounce_as": text("pronounced"),
}


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A line of the file as the preview shows it; `details`: what it would set."""

    line: int
    kind: str
    sign: str
    words: Sentence
    alias: str
    details: str


def racers_routes(site: Site) -> APIRouter:
    """The routes of /racers."""
    router = APIRouter()

    @router.get("/racers", response_class=HTMLResponse)
    async def page(request: Request, edit: str = "", act: str = "") -> HTMLResponse:
        """The racers; with `edit` also the form of the racer of that name, with `act` "add" or "import" that form."""
        view = (await anyio.to_thread.run_sync(site.service.snapshot)).event
        racer = next((each for each in view.racers if name_key(each.alias) == name_key(edit)), None) if edit else None
        cars = sorted({car.name for car in view.cars})
        return await site.html(
            request, "racers", on_file=view, edit=racer, act=act, countries=countries(language()), cars=cars
        )

    @router.get("/racers.csv")
    async def export() -> Response:
        """The list as a CSV file."""
        view = (await anyio.to_thread.run_sync(site.service.snapshot)).event
        written = write_roster(_entry(racer) for racer in view.racers)
        name = f"racers-{dt.datetime.now(dt.UTC):%Y-%m-%d}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return Response(written.encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)

    @router.post("/racers/preview")
    async def preview(request: Request) -> JSONAnswer:
        """What the file of the form would change, line by line, as HTML; `new` and `changed`: how many racers."""
        form = await received(request, MAX_UPLOAD_BYTES, MAX_UPLOAD_BYTES)
        if isinstance(form, JSONAnswer):
            return form
        return JSONAnswer(await anyio.to_thread.run_sync(lambda: _preview(site, form)))

    @router.post("/racers/import")
    async def enter(request: Request) -> JSONAnswer:
        """Enters the racers of the file that can be imported."""
        form = await received(request, MAX_UPLOAD_BYTES, MAX_UPLOAD_BYTES)
        if isinstance(form, JSONAnswer):
            return form
        return await given(site, form, lambda: _import(form, site.service.snapshot().event), lambda _: {})

    return router


def _read(form: Submission, view: EventView) -> Roster:
    """The file in the field `csv`, in base 64, compared with the racers on file."""
    try:
        data = base64.b64decode(form.fields.get("csv", ""), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    book = EventBook()
    book.racers = {name_key(racer.alias): _entry(racer) for racer in view.racers}
    book.cars = {car.name: car for car in view.cars}
    return read_roster(data, book, codes_by_name())


def _import(form: Submission, view: EventView) -> Command:
    roster = _read(form, view)
    if not roster.racers:
        raise Refused(text("The file holds no racer who is new or changed."))
    return ImportRacers(author=form.author, device=form.device, reason=form["reason"], racers=roster.racers)


def _preview(site: Site, form: Submission) -> dict[str, Any]:
    roster = _read(form, site.service.snapshot().event)
    rows = [preview_row(each) for each in roster.lines]
    new, changed = (sum(row.kind == kind for row in rows) for kind in ("new", "changed"))
    html = site.pages.fragment(
        "roster_preview.html",
        rows=rows,
        errors=roster.errors,
        unread=", ".join(roster.unread),
        new=ntext("{n} new racer", "{n} new racers", n=new),
        changed=ntext("{n} changed", "{n} changed", n=changed),
        wrong=ntext("{n} line cannot be read", "{n} lines cannot be read", n=len(roster.errors)),
    )
    return {"html": html, "racers": new + changed}


def preview_row(each: RosterLine) -> PreviewRow:
    """A line of the file as a row."""
    sign, words = KIND_WORDS[each.kind]
    filled = {name: getattr(each.racer, name) for name in FIELD_WORDS}
    details = [f"{FIELD_WORDS[name]} {_shown(value)}".strip() for name, value in filled.items() if value]
    return PreviewRow(each.line, each.kind, sign, words, each.becomes.alias, joined(details, " · "))


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is True else str(value)


def _entry(racer: RacerLine) -> Racer:
    return Racer(
        alias=racer.alias,
        flag=racer.flag,
        team=racer.team,
        colour=racer.colour,
        model=racer.model,
        car=racer.car,
        transponders=racer.transponders,
        checked_in=racer.checked_in,
        code=racer.code,
        pronounce_as=racer.pronounce_as,
    )
