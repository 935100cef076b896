"""What the station has seen of what its checklists ask for, from one view to the next. Pure.

Called by watch.py with each newest view. Something that goes on (a car that is heard) is noted once a minute, so that
they change, and are written, no more often than that.
"""

from dataclasses import replace

from shared.units import NS_PER_S
from station.checklists.records import (
    NO_END_NS,
    CarSighting,
    ChecklistFacts,
    DiscardedRun,
    SensorSighting,
    SignInSighting,
    StationSightings,
    StopSighting,
)
from station.views.race_views import RunView
from station.views.views import View

GRAIN_NS = 60 * NS_PER_S
HELD_NS = 600 * NS_PER_S  # as long as a car must be heard without a gap
KEPT_NS = 12 * 3600 * NS_PER_S  # a whole run of a staff car is not forgotten for another that was discarded meanwhile
MAX_CARS = 100


def sightings_after(before: StationSightings, view: View, facts: ChecklistFacts) -> StationSightings:
    """The sightings after this view; the same object parts where nothing new was seen."""
    before, latest_ns = _no_later(before, _latest_ns(view)), _latest_ns(view)
    return StationSightings(
        sensors=_sensors(before, view, latest_ns),
        cars=_cars(before, view),
        button_utc_ns=_button(before.button_utc_ns, view),
        stop=_stop(before.stop, view),
        run=_run(before.run, view, latest_ns),
        signed_in=_signed_in(before.signed_in, facts, latest_ns),
        last_lap_utc_ns=_last_lap(before.last_lap_utc_ns, view, latest_ns),
    )


def at_start(stored: StationSightings) -> StationSightings:
    """What was stored, for a station that starts: while it was off it heard no car, so each stretch begins anew."""
    return replace(stored, cars=tuple(replace(each, since_ns=None) for each in stored.cars))


def _latest_ns(view: View) -> int:
    """What lies beyond was seen while the clock was ahead. A clock that is not set yet cannot tell."""
    return view.clock.utc_ns + GRAIN_NS if view.clock.trusted else NO_END_NS


def _no_later(seen: StationSightings, latest_ns: int) -> StationSightings:
    cars = tuple(
        replace(each, held_utc_ns=None) if each.held_utc_ns is not None and each.held_utc_ns > latest_ns else each
        for each in seen.cars
    )
    return replace(
        seen,
        sensors=tuple(each for each in seen.sensors if each.last_utc_ns <= latest_ns),
        cars=cars,
        button_utc_ns=_earlier(seen.button_utc_ns, latest_ns),
        stop=seen.stop if seen.stop is not None and seen.stop.at_utc_ns <= latest_ns else None,
        run=seen.run if seen.run is not None and seen.run.ended_utc_ns <= latest_ns else None,
        signed_in=tuple(each for each in seen.signed_in if each.at_utc_ns <= latest_ns),
        last_lap_utc_ns=_earlier(seen.last_lap_utc_ns, latest_ns),
    )


def _earlier(at_utc_ns: int | None, latest_ns: int) -> int | None:
    return at_utc_ns if at_utc_ns is not None and at_utc_ns <= latest_ns else None


def _sensors(before: StationSightings, view: View, latest_ns: int) -> tuple[SensorSighting, ...]:
    """The newest edge of each sensor that there is: the pages count edges from the station's start on only."""
    if not view.gates:  # a station that starts has not looked at its gates yet
        return before.sensors
    found = []
    for gate in view.gates:
        shown = {each.name: each.last_utc_ns for each in gate.each}
        for sensor in gate.sensors:
            seen, last = before.seen(gate.name, sensor), _earlier(shown.get(sensor), latest_ns)
            if last is not None and (seen is None or abs(last - seen) >= GRAIN_NS):
                seen = last
            if seen is not None:
                found.append(SensorSighting(gate.name, sensor, seen))
    return tuple(found)


def _cars(before: StationSightings, view: View) -> tuple[CarSighting, ...]:
    online = {car.name: car.online for car in view.cars}
    names = list(
        dict.fromkeys([*(each.name for each in before.cars), *(car for car, is_on in online.items() if is_on)])
    )
    cars = tuple(_car(before.car(name), name, view, is_online=online.get(name, False)) for name in names)
    newest = sorted(cars, key=lambda each: -each.heard_utc_ns)[:MAX_CARS]
    return tuple(each for each in cars if each in newest)


def _car(before: CarSighting | None, name: str, view: View, *, is_online: bool) -> CarSighting:
    clock = view.clock
    if not is_online:
        assert before is not None
        return before if before.since_ns is None else replace(before, since_ns=None)
    if before is None:
        return CarSighting(name, clock.utc_ns, clock.boot, clock.now_ns)
    car = before
    if car.since_ns is None or car.boot != clock.boot:
        car = replace(car, boot=clock.boot, since_ns=clock.now_ns, heard_utc_ns=clock.utc_ns)
    if abs(clock.utc_ns - car.heard_utc_ns) >= GRAIN_NS:
        car = replace(car, heard_utc_ns=clock.utc_ns)
    if car.since_ns is not None and clock.now_ns - car.since_ns >= HELD_NS * clock.rate:
        held = car.held_utc_ns
        if held is None or abs(clock.utc_ns - held) >= GRAIN_NS:
            car = replace(car, held_utc_ns=clock.utc_ns)
    return car


def _button(before: int | None, view: View) -> int | None:
    """When its contact was last found open; a button that is absent was not pressed."""
    button, now_ns = view.button, view.clock.utc_ns
    if button is None or not button.open_sentence or button.absent:
        return before
    return now_ns if before is None or abs(now_ns - before) >= GRAIN_NS else before


def _stop(before: StopSighting | None, view: View) -> StopSighting | None:
    stop = view.stop
    if not stop.on:
        return before
    stopped = tuple(sorted(car.name for car in stop.cars if car.outcome == "stopped"))
    others = tuple(sorted(car.name for car in stop.cars if car.outcome != "stopped"))
    return StopSighting(stop.author, stop.at_utc_ns, stopped, others)


def _run(before: DiscardedRun | None, view: View, latest_ns: int) -> DiscardedRun | None:
    shown = {run.run_id: run for run in _shown(view)}
    found = before
    for procedure in view.procedure.runs:
        run = shown.get(procedure.run_id)
        seen = _discarded(run, latest_ns) if run is not None and procedure.submission == "discarded" else None
        if found is not None and found.run_id == procedure.run_id:
            if run is not None or procedure.submission != "discarded":
                found = seen  # a discard may be undone, and a lap dropped or confirmed later
        elif seen is not None:
            found = _better(found, seen)
    return found


def _shown(view: View) -> tuple[RunView, ...]:
    return view.runs if view.run is None else (*view.runs, view.run)


def _discarded(run: RunView, latest_ns: int) -> DiscardedRun | None:
    laps = [lap for lap in run.laps if lap.valid]
    if not laps or laps[-1].ended_utc_ns > latest_ns:
        return None
    confirmed = sum(lap.confirmed for lap in laps)
    by_hand = run.by_hand or run.without_agent
    return DiscardedRun(run.run_id, run.car, len(laps), confirmed, by_hand, laps[-1].ended_utc_ns, run.racer)


def _last_lap(before: int | None, view: View, latest_ns: int) -> int | None:
    ends = [lap.ended_utc_ns for run in _shown(view) for lap in run.laps if lap.ended_utc_ns <= latest_ns]
    return max([*ends, *([before] if before is not None else [])], default=None)


def _better(before: DiscardedRun | None, run: DiscardedRun) -> DiscardedRun:
    """The newer one, unless it is no whole run and the one before is, and of the last hours."""
    if before is None or run.is_whole or not before.is_whole:
        return run if before is None or run.ended_utc_ns >= before.ended_utc_ns else before
    return before if run.ended_utc_ns - before.ended_utc_ns < KEPT_NS else run


def _signed_in(before: tuple[SignInSighting, ...], facts: ChecklistFacts, latest_ns: int) -> tuple[SignInSighting, ...]:
    """The newest sign-in of everybody who still has a role; a session that has ended since was one all the same."""
    newest = {each.person: each for each in before}
    for each in facts.sign_ins:
        known = newest.get(each.person)
        if each.at_utc_ns <= latest_ns and (known is None or each.at_utc_ns > known.at_utc_ns):
            newest[each.person] = each
    return tuple(newest[name] for name in facts.officials if name in newest)
