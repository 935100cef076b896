"""The live content of the cars' page: one row for each car that is entered or has reported itself."""

from dataclasses import dataclass

from shared.protocol.messages import LOW_BATTERY_PERCENT
from shared.text import Sentence, recorded, text
from station.core.event.records import CarKind, EventCar
from station.views.car_views import CarView
from station.views.views import View
from station.web.page import PageContent
from station.web.presenters.promises import PROMISE_MEANS, PROMISE_WORDS

KIND_WORDS: dict[CarKind, Sentence] = {
    "agent": text("with Raceday's software"),
    "stock": text("as its maker sold it"),
    "none": text("no computer"),
}
KIND_MEANS: dict[CarKind, Sentence] = {
    "agent": text(
        "Armed, started and stopped from race control; it reports its model and its state. So does a stock car with a "
        "bridge."
    ),
    "stock": text("Started and stopped by hand; timed by the gate alone. No alarm if it is silent."),
    "none": text("Started and stopped by hand; timed by the gate alone. No alarm if it is silent."),
}
BRIDGED_WORDS = text("as its maker sold it, with a bridge")
BRIDGED_MEANS = text("Armed, started and stopped from race control, through its own console.")


@dataclass(frozen=True, slots=True)
class CarRow:
    """One car. `entered` False: it has reported itself, but nobody has entered it. `state`: how it is now.

    `promise`: what stops it when nothing reaches it any more, with what that means; "" while it is offline.
    `colour`: as entered, else that of its own lights. `battery`: its charge in words, "" if it does not report it.
    `doubt`: what is doubtful about its lap reports; "" if nothing is.
    """

    key: str
    name: str
    kind: CarKind
    words: Sentence
    means: Sentence
    transponders: str
    colour: str
    entered: bool
    state: str
    model: str
    promise: str
    promise_means: str
    battery: str
    is_battery_low: bool
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class CarsModel:
    """What the page shows."""

    cars: list[CarRow]


def cars_model(view: View) -> CarsModel:
    """The cars' page for this view: those that are entered, then those that have only reported themselves."""
    reported = {car.name: car for car in view.cars}
    entered = [_row(car, reported.get(car.name), entered=True) for car in view.event.cars]
    names = {car.name for car in view.event.cars}
    return CarsModel(
        [*entered, *(_row(EventCar(name), car, entered=False) for name, car in reported.items() if name not in names)]
    )


def _row(car: EventCar, reported: CarView | None, *, entered: bool) -> CarRow:
    percent = None if reported is None else reported.battery_percent
    state: str = text("started by hand")
    if car.kind == "agent":
        state = (
            text("not seen yet")
            if reported is None
            else recorded(reported.mode)
            if reported.online
            else text("offline")
        )
    answers = reported if car.kind == "agent" else None
    promise = answers.promise if answers is not None and answers.online else None
    bridged = promise not in (None, "lease")
    return CarRow(
        key=f"car-{car.name}",
        name=car.name,
        kind=car.kind,
        words=BRIDGED_WORDS if bridged else KIND_WORDS[car.kind],
        means=BRIDGED_MEANS if bridged else KIND_MEANS[car.kind],
        transponders=", ".join(car.transponders),
        colour=car.colour or (reported.colour if reported is not None else ""),
        entered=entered,
        state=state,
        model="" if answers is None else answers.model,
        promise="" if promise is None else PROMISE_WORDS[promise],
        promise_means="" if promise is None else PROMISE_MEANS[promise],
        battery="" if percent is None else text("Battery {percent} %", percent=percent),
        is_battery_low=percent is not None and percent < LOW_BATTERY_PERCENT,
        doubt="" if answers is None else answers.doubt,
    )


CARS = PageContent(cars_model, lists={"cars": "car_row"}, macros="event_parts.html")
