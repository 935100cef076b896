"""What a visitor may see of the station: the race, and neither addresses, hashes nor technical alarms. Pure.

Written as a list of what is shown: a field that is added to the view stays hidden until somebody adds it here too.
Used for the public pages, their event stream and the public state of the API.
"""

from dataclasses import replace

from shared.protocol.messages import CarMode
from shared.text import text
from station.views.car_views import CarStopView, CarView, StopView
from station.views.event_view import EventView
from station.views.gate_views import GateView
from station.views.procedure_view import ProcedureView
from station.views.queue_view import QueueView
from station.views.race_views import RunView
from station.views.system_views import BrokerView, StoreView, SyncView
from station.views.views import View

INTERRUPTION = text("A short interruption: the race goes on in a moment.")
CLOCK_NOTE = text("The station's clock is not set: times of day are wrong, lap times are right.")


def visitor_view(view: View) -> View:
    """The view without what concerns officials only."""
    return View(
        version=view.version,
        station=view.station,
        clock=replace(view.clock, trusted=True),
        race=view.race,
        run=_run(view.run) if view.run is not None else None,
        standing=view.standing,
        gates=tuple(_gate(gate) for gate in view.gates),
        cars=tuple(_car(car) for car in view.cars),
        broker=BrokerView(True, "", 0, 0),
        sync=SyncView(0, 0, 0, 0, True, ""),
        store=StoreView(True, "", 0, 0, ""),
        mode=view.mode,
        runs=tuple(_run(run) for run in view.runs),
        stop=_stop(view.stop),
        queue=QueueView(view.queue.lines, view.queue.at_utc_ns, view.queue.run_ns),
        procedure=_procedure(view.procedure),
        event=_event(view.event),
        announcements=view.announcements,
        screens=view.screens,
        lights=replace(view.lights, fault="") if view.lights is not None else None,
        commentary=view.commentary,
        notice=INTERRUPTION if interrupted(view) else "" if view.clock.trusted else CLOCK_NOTE,
    )


def interrupted(view: View) -> bool:
    """Does anything keep the race from going on?"""
    on_track = {run.car for run in view.runs}
    return (
        not view.store.ok
        or any(not gate.alive or gate.stuck for gate in view.gates)
        or any(car.alarm for car in view.cars if car.name in on_track)
    )


def _procedure(procedure: ProcedureView) -> ProcedureView:
    """Start lights, pause and submission, without why a start was not given."""
    return replace(procedure, runs=tuple(replace(run, start_note="") for run in procedure.runs))


def _event(event: EventView) -> EventView:
    """Races, racers and cars, without the codes of racers' own pages and without transponders."""
    return EventView(
        event=event.event,
        races=tuple(race for race in event.races if race.state != "draft"),
        earlier=event.earlier,
        racers=tuple(replace(racer, code="", transponders=()) for racer in event.racers),
        cars=tuple(replace(car, transponders=()) for car in event.cars),
    )


def _run(run: RunView) -> RunView:
    """The run without hashes, and without the questions to the officials."""
    reported = (run.reported_model[0], "") if run.reported_model is not None else None
    return replace(
        run,
        model_sha256="",
        proposals=(),
        flagged=(),
        reported_model=reported,
        model_note="",
        model_differs=False,
        entered_model="",
        limit_unsure=False,
    )


def _gate(gate: GateView) -> GateView:
    """That there is such a gate."""
    return GateView(gate.name, (), True, "", 0, 0, (), kind=gate.kind, system=gate.system)


def _car(car: CarView) -> CarView:
    """The car's name and what it does; of a trip, only that it does not drive."""
    mode: CarMode = "stopped" if car.mode == "tripped" else car.mode
    return CarView(
        name=car.name,
        online=car.online,
        mode=mode,
        reason="",
        model=car.model,
        model_sha256="",
        throttle_percent=car.throttle_percent,
        leased=car.leased,
        steering=None,
        throttle=None,
        frame_age_p50_us=None,
        frame_age_p99_us=None,
        policy_p50_us=None,
        frames=None,
        dropped=None,
        alarm="",
        practice=car.practice,
    )


def _stop(stop: StopView) -> StopView:
    """That all cars are stopped, by whom, and which of them are."""
    cars = tuple(CarStopView(car.name, car.outcome, car.mode, car.took_ms) for car in stop.cars)
    return replace(stop, connected=True, cars=cars)
