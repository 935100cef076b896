"""The cars' sheets: a page of A4 for each car, to fill in and sign when it is handed out and when it comes back."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from shared.text import Sentence, dates, joined, text
from shared.text.lists import listed
from station.exports.qr import qr_svg
from station.views.views import View
from station.web.pages.cars.presenter import CarRow, cars_model
from station.web.pages.people.hall_address import hall_origin
from station.web.presenters.time_zones import event_zone
from station.web.site import Site

MAX_RACERS = 4
SHORT_HASH = 12  # letters of a model's hash: enough to tell two models apart

# What the station cannot know, and a person writes: once when the car goes out, once when it comes back.
HANDED: tuple[Sentence, ...] = (
    text("Racer"),
    text("Time"),
    text("Battery: number, voltage"),
    text("Damage"),
    text("Signature of the racer"),
    text("Signature of the official"),
)
MEASURED: tuple[Sentence, ...] = (
    text("Phone page, claim code"),
    text("Calibrated on, by"),
    text("Lens measured on, by"),
)


@dataclass(frozen=True, slots=True)
class CarSheet:
    """One sheet. `facts`: what the station knows, as label and value; a value of "" is left open to be written.

    `qr`: the SVG of the code with `address`, which is this car's line at the station.
    """

    car: CarRow
    racers: str
    facts: tuple[tuple[Sentence, str], ...]
    address: str
    qr: str


def car_sheets(view: View, origin: str, only: str = "") -> list[CarSheet]:
    """A sheet for each car that is entered or has reported itself, or for the one of this name.

    `origin`: where devices in the hall reach the station.
    """
    return [_sheet(view, row, origin) for row in cars_model(view).cars if only in ("", row.name)]


def _sheet(view: View, row: CarRow, origin: str) -> CarSheet:
    reported = next((car for car in view.cars if car.name == row.name), None)
    racers = listed([racer.alias for racer in view.event.racers if racer.car == row.name], MAX_RACERS)
    model = ""
    if row.kind == "agent" and reported is not None and reported.model:
        model = joined([reported.model, reported.model_sha256[:SHORT_HASH]], " · ")
    percent = reported.battery_percent if reported is not None else None
    battery = "" if percent is None else f"{percent} %"
    promise = joined([row.promise, row.promise_means], ": ") if row.promise else ""
    address = f"{origin}/cars/sheets?car={row.name}"
    facts = [
        (text("Kind"), row.words),
        (text("Colour of its lights"), row.colour),
        (text("Transponders"), row.transponders),
        (text("Model, hash"), model),
        (text("Promises"), promise),
        (text("Battery when this was printed"), battery),
    ]
    if row.doubt:
        facts.append((text("Doubt"), row.doubt))
    return CarSheet(row, racers, tuple(facts), address, qr_svg(address).decode())


def car_sheets_routes(site: Site) -> APIRouter:
    """The sheets of all cars, or of one."""
    router = APIRouter()

    @router.get("/cars/sheets", response_class=HTMLResponse)
    async def page(request: Request, car: str = "") -> HTMLResponse:
        """The sheets of all cars, to print; `car`: of this one alone."""
        view = site.view()
        day = dates.moment_of(view.clock.utc_ns, event_zone(view)).date()
        return await site.html(
            request,
            "car_sheets",
            sheets=car_sheets(view, hall_origin(request), car),
            event=view.event.event.name if view.event.event is not None else "",
            day=dates.long_day(day),
            measured=MEASURED,
            handed=HANDED,
        )

    return router
