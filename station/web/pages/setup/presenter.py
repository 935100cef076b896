"""The live steps of the set-up wizard: sensors ticked as they are broken by hand, the cars found, the leaderboard."""

from dataclasses import dataclass

from shared.text import Sentence, joined, recorded, text
from station.core.event.records import CarKind
from station.views.gate_views import GateView, SensorView
from station.views.views import View
from station.web.page import PageContent
from station.web.presenters.time_zones import time_of_day

KINDS: dict[CarKind, Sentence] = {
    "agent": text("with our agent"),
    "stock": text("with its maker's software"),
    "none": text("without software"),
}


@dataclass(frozen=True, slots=True)
class SetupSensor:
    """One sensor of the walk test; it is `seen` once it saw an edge, at `time`."""

    key: str
    gate: str
    sensor: str
    edges: int
    seen: bool
    time: str
    trouble: str


@dataclass(frozen=True, slots=True)
class SetupCar:
    """One car that was found or entered."""

    key: str
    name: str
    kind: Sentence
    state: Sentence
    ready: bool


@dataclass(frozen=True, slots=True)
class SetupModel:
    """The steps. `board_ok`: the leaderboard knows the race; `board`: the sentence about it."""

    setup_sensors: tuple[SetupSensor, ...]
    setup_cars: tuple[SetupCar, ...]
    board_ok: bool
    board: str
    race: str


def setup_model(view: View) -> SetupModel:
    """The steps for this view."""
    sensors = tuple(_sensor(gate, sensor) for gate in view.gates for sensor in _each(gate))
    sync = view.sync
    board = joined(recorded(part) for part in dict.fromkeys((sync.target, sync.sentence)) if part)
    return SetupModel(
        sensors,
        _cars(view),
        sync.alive and bool(sync.target) and not (sync.race_unknown or sync.rejected or sync.pending),
        board or text("No answer of the leaderboard yet."),
        view.race.name if view.race is not None else "",
    )


def _each(gate: GateView) -> tuple[SensorView, ...]:
    return gate.each or tuple(SensorView(name) for name in gate.sensors)


def _sensor(gate: GateView, sensor: SensorView) -> SetupSensor:
    trouble = "" if gate.alive else gate.sentence
    if gate.alive and sensor.name in gate.stuck:
        trouble = text("Something blocks it.")
    return SetupSensor(
        key=f"setup-{gate.name}-{sensor.name}",
        gate=gate.name,
        sensor=sensor.name,
        edges=sensor.edges,
        seen=sensor.edges > 0 and not trouble,
        time=time_of_day(sensor.last_utc_ns) if sensor.last_utc_ns is not None else "",
        trouble=trouble,
    )


def _cars(view: View) -> tuple[SetupCar, ...]:
    entered = {car.name: car.kind for car in view.event.cars}
    online = {car.name: car.online for car in view.cars}
    found = []
    for name in dict.fromkeys((*online, *entered)):
        kind = entered.get(name, "agent")
        here = online.get(name, False)
        state = text("online") if here else text("hand started") if kind != "agent" else text("offline")
        found.append(SetupCar(f"setup-car-{name}", name, KINDS[kind], state, here or kind != "agent"))
    return tuple(found)


SETUP = PageContent(
    setup_model,
    ("setup_board", "setup_race"),
    {"setup_sensors": "setup_sensor", "setup_cars": "setup_car"},
    macros="setup_parts.html",
)
