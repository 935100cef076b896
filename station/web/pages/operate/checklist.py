"""The checklist before a car is armed: what is well, what mends the rest, and what may be overridden. Pure."""

from dataclasses import dataclass

from shared.protocol.messages import LOW_BATTERY_PERCENT
from shared.text import Sentence, recorded, text
from station.core.timing.readiness import untried
from station.views.car_views import CarView
from station.views.gate_views import GateView
from station.views.race_views import RunView
from station.views.views import View
from station.web.pages.operate.acts import Act
from station.web.pages.operate.steps import RunStand, run_stand
from station.web.presenters.promises import PROMISE_MEANS


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line. `why`: what is wrong, "" if it is well.

    `mend`: where to put it right, as a link ("" if none); `act`: what puts it right at once (None: nothing does).

    `stops`: nothing can be armed before it is put right; otherwise it may be overridden with a reason.
    """

    what: Sentence
    why: str
    mend: str = ""
    act: Act | None = None
    stops: bool = False

    @property
    def well(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True)
class Checklist:
    """The checklist of one run; `key`: of its row."""

    key: str
    run_id: str
    racer: str
    car: str
    lines: tuple[CheckLine, ...]

    @property
    def well(self) -> bool:
        return all(line.well for line in self.lines)

    @property
    def stops(self) -> bool:
        """Whether a line cannot be overridden."""
        return any(line.stops and not line.well for line in self.lines)


def checklist(view: View, run: RunView) -> Checklist:
    """What has to be well before this run's car is armed."""
    stand = run_stand(view, run)
    lines = (*(_gate(gate) for gate in view.gates), *_car(view, stand), *_station(view, run))
    return Checklist(f"checklist-{run.run_id}", run.run_id, run.racer, run.car, lines)


def _gate(gate: GateView) -> CheckLine:
    why = ""
    if not gate.alive:
        why = gate.sentence
    elif gate.stuck:
        why = text("Something blocks the beam of {sensors}.", sensors=", ".join(gate.stuck))
    else:
        why = gate.doubt or untried(gate.untried)
    return CheckLine(text("Gate {gate}", gate=gate.name), why, "/gates")


def _car(view: View, stand: RunStand) -> list[CheckLine]:
    """The car: that it answers, can be armed and has the entry's model; nothing for one without our agent."""
    run = stand.run
    if run.without_agent:
        return [CheckLine(text("{car} is started by hand", car=run.car), "")]
    car = next((each for each in view.cars if each.name == run.car), None)
    why = ""
    if car is None:
        why = text("It has never reported: switch it on.")
    elif not car.online:
        why = text("It is offline: check its power and its network.")
    elif car.mode == "tripped":
        why = text("It is tripped: {why}", why=car.reason or text("no reason given"))
    model = run.model_note if run.model_differs else ""
    if car is not None and car.online and not car.model:
        model = text("It has no model loaded: load one on the car's own page.")
    return [
        CheckLine(text("{car} answers and can be armed", car=run.car), why, "/cars"),
        CheckLine(text("The model is the entry's"), model, "/cars"),
        *_promise(car),
        *_battery(car),
    ]


def _promise(car: CarView | None) -> list[CheckLine]:
    """What a stock car promises: nothing that could be put right now, and nothing to arm it without knowing."""
    if car is None or not car.online or car.promise == "lease":
        return []
    return [CheckLine(text("{car}: {means}", car=car.name, means=PROMISE_MEANS[car.promise]), "")]


def _battery(car: CarView | None) -> list[CheckLine]:
    """The charge of the car's battery; nothing if its computer does not report it."""
    if car is None or car.battery_percent is None:
        return []
    percent = car.battery_percent
    low = (
        text("{percent} % are left: charge it, or change it.", percent=percent) if percent < LOW_BATTERY_PERCENT else ""
    )
    return [CheckLine(text("The battery of {car} is charged", car=car.name), low)]


def _station(view: View, run: RunView) -> list[CheckLine]:
    """The station itself, its start lights if it has any, and the leaderboard."""
    store = "" if view.store.ok else view.store.sentence
    clock = "" if view.clock.trusted else text("It is not set: times of day are wrong, laps are right.")
    target = view.sync.target if view.sync.race_unknown else ""
    mode = text("The station is in test mode: crossings do not count.") if view.mode == "test" else ""
    stop = text("All cars are stopped: release the stop.") if view.stop.on else ""
    lights = []
    if view.lights is not None:
        lights = [CheckLine(text("The start lights work"), recorded(view.lights.fault))]

    def mend(name: str, label: Sentence, command: str, *texts: tuple[str, str], now: bool = False) -> Act:
        return Act(f"mend-{name}-{run.run_id}", label, command, texts, now=now)

    return [
        CheckLine(
            text("Race mode"), mode, act=mend("mode", text("Race mode"), "set_mode", ("mode", "race")), stops=True
        ),
        CheckLine(
            text("No stop is in force"), stop, act=mend("stop", text("Release the stop"), "release_stop"), stops=True
        ),
        CheckLine(text("Records are on disk"), store),
        CheckLine(
            text("The clock is set"), clock, act=mend("clock", text("Use this device's time"), "set_clock", now=True)
        ),
        *lights,
        CheckLine(text("The leaderboard knows the race"), target, "/event"),
    ]
