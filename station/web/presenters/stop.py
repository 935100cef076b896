"""The texts of the stop of all cars: its outcome, car by car. Pure, except for the time zone."""

from dataclasses import asdict, dataclass

from shared.text import joined, text
from station.views.car_views import CarStopView, StopView
from station.web.presenters.mode_words import mode_words
from station.web.presenters.time_zones import time_of_day

SIGNS = {"stopped": "✓", "ordered": "▲", "unreached": "✕"}


@dataclass(frozen=True, slots=True)
class StopLine:
    """The outcome at one car: a sign, and a sentence that says the same."""

    name: str
    outcome: str
    sign: str
    sentence: str


@dataclass(frozen=True, slots=True)
class StopPanel:
    """The stop as the pages show it: `sentence` is about all cars, `lines` are about each."""

    on: bool
    title: str
    sentence: str
    lines: tuple[StopLine, ...]


def stop_panel(stop: StopView) -> StopPanel:
    """The texts of the stop for the pages."""
    if not stop.on:
        return StopPanel(False, text("No stop is in force."), "", ())
    title = text("All cars were stopped by {author} at {at}.", author=stop.author, at=time_of_day(stop.at_utc_ns))
    return StopPanel(True, title, _sentence(stop), tuple(_line(car) for car in stop.cars))


def stop_document(stop: StopView) -> dict[str, object]:
    """The stop as the JSON document that the API returns."""
    screen = stop_panel(stop)
    cars = [{**asdict(car), "sentence": line.sentence} for car, line in zip(stop.cars, screen.lines, strict=True)]
    sentence = joined(part for part in (screen.title, screen.sentence) if part)
    summary = _summary(stop) if stop.on else ""
    return {"stopped": stop.on, "sentence": sentence, "summary": summary, "connected": stop.connected, "cars": cars}


def _sentence(stop: StopView) -> str:
    sentences = []
    if not stop.connected:
        sentences.append(
            text(
                "The broker is offline, so no order reaches a car; without a lease a car stops within {seconds:g} s.",
                seconds=stop.lease_ms / 1000,
            )
        )
    if not stop.cars:
        sentences.append(text("This station knows no car, so no order was sent."))
    sentences.append(
        text("Any car that reports from now on is stopped too, and no car gets a lease until the stop is released.")
    )
    return joined(sentences)


def _summary(stop: StopView) -> str:
    """One short line, the worst first, for places where the whole list is shown elsewhere."""
    if not stop.cars:
        return text("All cars are stopped. This station knows no car.")
    names = {outcome: [car.name for car in stop.cars if car.outcome == outcome] for outcome in SIGNS}
    not_reached = text("NOT REACHED: {names}.", names=", ".join(names["unreached"])) if names["unreached"] else ""
    not_yet = text("Not confirmed yet: {names}.", names=", ".join(names["ordered"])) if names["ordered"] else ""
    stopped = text(
        "{stopped} of {all} cars confirm that they stopped.", stopped=len(names["stopped"]), all=len(stop.cars)
    )
    return joined(part for part in (not_reached, not_yet, stopped) if part)


def _line(car: CarStopView) -> StopLine:
    return StopLine(car.name, car.outcome, SIGNS[car.outcome], _sentence_of_car(car))


def _sentence_of_car(car: CarStopView) -> str:
    match car.outcome:
        case "stopped":
            return text(
                "stopped: confirmed by the car itself, {seconds:.1f} s after the order",
                seconds=(car.took_ms or 0) / 1000,
            )
        case "ordered":
            return text(
                "ordered, not confirmed yet: {what} last reported {mode}", what=_who(car), mode=mode_words(car.mode)
            )
        case "unreached":
            if car.heard_utc_ns is None:
                return text("not reached: it has never reported")
            silent = text("not reached since {at}: {what} is silent", at=time_of_day(car.heard_utc_ns), what=_who(car))
            return (
                text("{sentence} and last reported {mode}", sentence=silent, mode=mode_words(car.mode))
                if car.other_boot
                else silent
            )


def _who(car: CarStopView) -> str:
    return (
        text("a second machine with its name (boot {boot})", boot=car.other_boot[:12]) if car.other_boot else text("it")
    )
