"""What the station finds of the lines about the track: gates, stop, cars, and the run of a staff car. Pure.

Each function takes the view and returns the finding of one line; `TRACK_FINDINGS` names the line. Used by presenter.py.
"""

from collections.abc import Callable

from shared.text import joined, ntext, recorded, text
from shared.text.lists import listed
from station.core.timing.readiness import untried
from station.views.gate_views import GateView
from station.views.views import View
from station.web.pages.checklist.finding import (
    LineFinding,
    clock_time,
    done,
    is_today,
    not_needed,
    still_open,
)


def gates(view: View) -> LineFinding:
    """Is each gate fit, and has each of its sensors detected something today?"""
    if not view.gates:
        return still_open(text("No gate is configured."), "/gates")
    for gate in view.gates:
        if trouble := _trouble(gate):
            return still_open(text("Gate {gate}: {trouble}", gate=gate.name, trouble=trouble), "/gates")
    silent = [
        joined([gate.name, sensor], " · ")
        for gate in view.gates
        for sensor in gate.sensors
        if not is_today(view, _last(view, gate, sensor))
    ]
    if silent:
        return still_open(text("Detected nothing today: {sensors}.", sensors=listed(silent)), "/gates")
    return done(joined([_gate_line(view, gate) for gate in view.gates], " · "))


def _trouble(gate: GateView) -> str:
    if not gate.alive:
        return recorded(gate.sentence)
    if gate.stuck:
        return text("something blocks the beam of {sensors}.", sensors=", ".join(gate.stuck))
    return recorded(gate.doubt) if gate.doubt else untried(gate.untried)


def _last(view: View, gate: GateView, sensor: str) -> int | None:
    """The newest edge of the sensor: of this run of the station, or what is on file."""
    shown = next((each.last_utc_ns for each in gate.each if each.name == sensor), None)
    on_file = view.checklists.sightings.seen(gate.name, sensor)
    return max((each for each in (shown, on_file) if each is not None), default=None)


def _gate_line(view: View, gate: GateView) -> str:
    stamps = [at for sensor in gate.sensors if (at := _last(view, gate, sensor)) is not None]
    return text(
        "gate {gate}: {count} of {count} detected, last {time}",
        gate=gate.name,
        count=len(gate.sensors),
        time=clock_time(view, max(stamps)),
    )


def button(view: View) -> LineFinding:
    """Was the station's own stop button pressed today, and is it released?"""
    if view.button is None:
        return not_needed(text("This station has no stop button of its own."))
    if view.button.open_sentence:
        return still_open(recorded(view.button.open_sentence))
    pressed = view.checklists.sightings.button_utc_ns
    if pressed is None or not is_today(view, pressed):
        return still_open(text("It was not pressed today."))
    return done(text("Pressed at {time}; its contact is closed.", time=clock_time(view, pressed)))


def stop_tried(view: View) -> LineFinding:
    """Did every car that takes orders confirm the newest stop of today?"""
    stop = view.checklists.sightings.stop
    if stop is None or not is_today(view, stop.at_utc_ns):
        if not expected_cars(view) and _started_by_hand(view):
            return not_needed(text("All cars here are started and stopped by hand."))
        return still_open(text("The stop of all cars was not given today."), "/operate")
    at = clock_time(view, stop.at_utc_ns)
    if not stop.stopped and not stop.others:
        return still_open(text("At {time} no car was there to confirm it.", time=at), "/operate")
    silent = [name for name in dict.fromkeys([*stop.others, *expected_cars(view)]) if name not in stop.stopped]
    if silent:
        return still_open(text("Not confirmed at {time}: {cars}.", time=at, cars=listed(silent)), "/operate")
    return done(
        text("{cars} confirmed it at {time} ({author}).", cars=listed(list(stop.stopped)), time=at, author=stop.author)
    )


def stop_released(view: View) -> LineFinding:
    """Were all cars stopped today, and is no stop in force?"""
    stop = view.checklists.sightings.stop
    if view.stop.on:
        return still_open(text("The stop is in force: release it."), "/operate")
    if stop is None or not is_today(view, stop.at_utc_ns):
        return still_open(text("The stop of all cars was not given today."), "/operate")
    return done(
        text("Stopped at {time} ({author}), released.", time=clock_time(view, stop.at_utc_ns), author=stop.author)
    )


def expected_cars(view: View) -> list[str]:
    """The cars that must be heard: those on file that take orders, those that racers drive, and those that are on."""
    entered = {car.name: car.kind for car in view.event.cars}
    driven = [racer.car for racer in view.event.racers if racer.car]
    names = [*entered, *driven, *(car.name for car in view.cars if car.online)]
    return [name for name in dict.fromkeys(names) if entered.get(name, "agent") == "agent"]


def _started_by_hand(view: View) -> int:
    return sum(car.kind != "agent" for car in view.event.cars)


def _no_cars(view: View) -> LineFinding:
    if _started_by_hand(view):
        return not_needed(text("All cars here are started by hand: the station hears none."))
    return still_open(text("No car is on the list, and none is heard."), "/cars")


def cars_held(view: View) -> LineFinding:
    """Was each car heard for ten minutes without a gap today?"""
    cars, sightings = expected_cars(view), view.checklists.sightings
    if not cars:
        return _no_cars(view)
    missing = []
    for name in cars:
        car = sightings.car(name)
        if car is None or not is_today(view, car.held_utc_ns):
            missing.append(name)
    if missing:
        return still_open(text("Not yet ten minutes without a gap: {cars}.", cars=listed(missing)), "/cars")
    return done(ntext("{n} car, ten minutes without a gap", "{n} cars, each ten minutes without a gap", n=len(cars)))


def cars_heard(view: View) -> LineFinding:
    """Is each car on?"""
    cars = expected_cars(view)
    if not cars:
        return _no_cars(view)
    online = {car.name for car in view.cars if car.online}
    if missing := [name for name in cars if name not in online]:
        return still_open(text("Not heard: {cars}.", cars=listed(missing)), "/cars")
    by_hand = _started_by_hand(view)
    words = ntext("{n} car is heard", "{n} cars are heard", n=len(cars))
    return done(joined([words, text("and {count} started by hand", count=by_hand)], ", ") if by_hand else words)


def batteries(view: View) -> str:
    """What the cars report of their batteries, for whoever looks at them; "" if no car is on."""
    cars = [car for car in view.cars if car.online]
    reported = [
        text("{car} {percent} %", car=car.name, percent=car.battery_percent)
        for car in cars
        if car.battery_percent is not None
    ]
    silent = [car.name for car in cars if car.battery_percent is None]
    parts = [listed(reported, 6)] if reported else []
    if silent:
        parts.append(text("not reported: {cars}", cars=listed(silent, 6)))
    return joined(parts, " · ") if parts else ""


def staff_run(view: View) -> LineFinding:
    """Was there a whole run today that was discarded, with a valid lap that the car confirmed?"""
    run = view.checklists.sightings.run
    if run is None or not is_today(view, run.ended_utc_ns):
        return still_open(text("No run with a lap was discarded today."), "/operate")
    words = ntext("{n} lap", "{n} laps", n=run.laps)
    who = joined([name for name in (run.racer, run.car) if name], ", ")
    at = clock_time(view, run.ended_utc_ns)
    if not run.is_whole:
        return still_open(
            text("{who} drove {laps} until {time}, and the car confirmed none of them.", who=who, laps=words, time=at),
            "/operate",
        )
    if run.by_hand:
        return done(text("{who}, started by hand: {laps} until {time}", who=who, laps=words, time=at))
    return done(
        text("{who}: {laps} until {time}, {count} confirmed", who=who, laps=words, time=at, count=run.confirmed)
    )


TRACK_FINDINGS: dict[str, Callable[[View], LineFinding]] = {
    "gates_tried": gates,
    "gates_ready": gates,
    "button": button,
    "stop_tried": stop_tried,
    "stop_released": stop_released,
    "cars_held": cars_held,
    "cars_heard": cars_heard,
    "staff_run": staff_run,
}
