"""The addresses of the event's page: the page, its forms, and the preview of what other rules would do."""

from collections.abc import Callable
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from shared.errors import BadInput, RacedayError, Refused
from shared.rules.wording import rules_line
from shared.text import text
from shared.text.reader import shown
from shared.tracks.drawing import TrackDrawing
from shared.tracks.outline import TrackOutline
from shared.units import format_ms
from shared.web.language import JSONAnswer
from station.core.event.commands import ChangeEvent, ChangeRace, CreateEvent, CreateRace
from station.core.inputs import Command
from station.core.race.race_changes import PlaceChange
from station.views.event_view import EventView, RaceLine
from station.web.api import error_answer
from station.web.pages.event.race_form import (
    AT_LIMIT_WORDS,
    DIRECTION_WORDS,
    LAP_1_WORDS,
    METHOD_WORDS,
    OFFICIAL_WORDS,
    SUBMISSION_WORDS,
    Lengths,
    RaceEntry,
    length_of,
    race_fields,
    race_of,
    submission_line,
)
from station.web.pages.submission import Submission, given, received
from station.web.pages.tracks.presenter import drawn
from station.web.site import Site

CHOICES = {
    "method": METHOD_WORDS,
    "lap_1_from": LAP_1_WORDS,
    "at_time_limit": AT_LIMIT_WORDS,
    "direction": DIRECTION_WORDS,
    "submission": SUBMISSION_WORDS,
    "official_by": OFFICIAL_WORDS,
}


def event_routes(site: Site) -> APIRouter:
    """The routes of /event."""
    router = APIRouter()

    @router.get("/event", response_class=HTMLResponse)
    async def page(request: Request, act: str = "", race: str = "") -> HTMLResponse:
        """The races; with `act` "create", "duplicate", "change" or "event" also the form for that."""
        values = await anyio.to_thread.run_sync(lambda: _on_file(site, act, race))
        return await site.html(request, "event", choices=CHOICES, **values)

    @router.post("/event/races")
    async def race(request: Request) -> JSONAnswer:
        """Creates a race, or changes the one that the field `race_id` names."""
        form = await received(request)
        if isinstance(form, JSONAnswer):
            return form
        view = (await anyio.to_thread.run_sync(site.service.snapshot)).event
        return await given(
            site, form, lambda: _race_command(form, view, site.length_m), lambda answer: {"race_id": answer.race_id}
        )

    @router.post("/event/preview")
    async def preview(request: Request) -> JSONAnswer:
        """The rules of the form in one line and, for a race that has runs, what they would do to each racer."""
        form = await received(request)
        if isinstance(form, JSONAnswer):
            return form
        view = (await anyio.to_thread.run_sync(site.service.snapshot)).event
        try:
            return JSONAnswer(await anyio.to_thread.run_sync(lambda: _preview(site, form, view)))
        except (BadInput, Refused) as error:
            return error_answer(400, error.args[0])
        except RacedayError as error:
            return error_answer(503, str(error))

    @router.post("/event")
    async def event(request: Request) -> JSONAnswer:
        """Creates an event, or changes the one that is on."""
        form = await received(request)
        if isinstance(form, JSONAnswer):
            return form
        return await given(site, form, lambda: _event_command(form), lambda _: {})

    return router


def _on_file(site: Site, act: str, race_id: str) -> dict[str, Any]:
    """What is on file, the open form if any, and the track."""
    view = site.service.snapshot().event
    form = _form(view, act, race_id, site.length_m)
    tracks = [each.title for each in site.track_entries()] if form is not None else []
    return {"on_file": view, "form": form, "drawing": event_drawing(view, site.outline), "tracks": tracks}


def event_drawing(view: EventView, outline_of: Callable[[str], TrackOutline | None]) -> TrackDrawing | None:
    """The event's track, its arrow in the direction of the event; None if its geometry is not known."""
    event = view.event
    outline = outline_of(event.track) if event is not None else None
    if event is None or outline is None:
        return None
    return drawn(outline, event.direction)


def _form(view: EventView, act: str, race_id: str, lengths: Lengths) -> dict[str, Any] | None:
    """What the template needs to draw a form; None: no form is open."""
    race = view.race(race_id)
    if act == "event" or (act == "new-event" and view.event is not None):
        return {"kind": act}
    if act == "create" or (act == "duplicate" and race is not None):
        fields = race_fields(race, view.event, lengths) | {"name": _copy_name(race)}
        return {"kind": "create", "race": None, "fields": fields}
    if act == "change" and race is not None:
        return {"kind": "change", "race": race, "fields": race_fields(race, view.event, lengths)}
    return None


def _copy_name(race: RaceLine | None) -> str:
    return "" if race is None else str(text("{name}, copy", name=race.name))[:64]


def _race_command(form: Submission, view: EventView, lengths: Lengths) -> Command:
    entry = race_of(form.fields, view.event, lengths)
    who: dict[str, Any] = {"author": form.author, "device": form.device, "reason": form["reason"]}
    if not form["race_id"]:
        return CreateRace(
            **who,
            name=entry.name,
            rules=entry.rules,
            track=entry.track,
            direction=entry.direction,
            cars_on_track=entry.cars_on_track,
            submit_after_s=entry.submit_after_s,
            official_by_two=entry.official_by_two,
        )
    return _change(form["race_id"], entry, who)


def _change(race_id: str, entry: RaceEntry, who: dict[str, Any]) -> ChangeRace:
    return ChangeRace(
        **who,
        race_id=race_id,
        name=entry.name,
        rules=entry.rules,
        track=entry.track,
        direction=entry.direction,
        cars_on_track=entry.cars_on_track,
        submit_after_s=entry.submit_after_s,
        official_by_two=entry.official_by_two,
    )


def _event_command(form: Submission) -> Command:
    length_m = length_of(form["track_length_m"])
    direction = form["direction"]
    if direction not in DIRECTION_WORDS:
        raise BadInput(text("Choose the direction in which the cars drive."))
    fields: dict[str, Any] = {
        "author": form.author,
        "device": form.device,
        "name": form["name"],
        "track": form["track"],
        "direction": direction,
        "track_length_m": length_m,
        "time_zone": form["time_zone"],
    }
    return CreateEvent(**fields) if form["act"] == "new" else ChangeEvent(**fields)


def _preview(site: Site, form: Submission, view: EventView) -> dict[str, str]:
    entry, race = race_of(form.fields, view.event, site.length_m), view.race(form["race_id"])
    words = {"line": shown(rules_line(entry.rules)), "submission": shown(submission_line(entry))}
    if race is None or race.runs == 0 or entry.rules == race.rules:
        return {**words, "html": ""}
    wanted = ChangeRace(author=form.author, race_id=race.race_id, rules=entry.rules)
    effect = [effect_row(each) for each in site.service.preview_rules(wanted)]
    return {**words, "html": site.pages.fragment("rules_effect.html", effect=effect)}


def effect_row(change: PlaceChange) -> dict[str, object]:
    """A racer's place and score before and after, as texts."""

    def score(milliseconds: int | None) -> str:
        return "–" if milliseconds is None else format_ms(milliseconds)

    return {
        "racer": change.racer,
        "place_before": change.place_before or "–",
        "score_before": score(change.score_before_ms),
        "place_after": change.place_after or "–",
        "score_after": score(change.score_after_ms),
        "changes": change.changes,
    }
