"""The runs in the middle of race control: one large, or up to six strips; their last laps and the standings. Pure."""

from dataclasses import dataclass

from shared.rules.ranking import RaceRules
from shared.text import Sentence, text
from shared.units import NS_PER_MS
from station.core.runs.hand_marks import HAND_NS
from station.views.car_views import CarView
from station.views.provisional import Provisional, provisional
from station.views.race_views import RunView
from station.views.views import View
from station.web.pages.operate.acts import Act
from station.web.presenters.gates import short_time
from station.web.presenters.laps import NOTHING, LapLine, PlaceLine, lap_lines, place_lines
from station.web.presenters.page import RunPanel, panel_of
from station.web.presenters.promises import PROMISE_MEANS, PROMISE_WORDS

SHOWN_LAPS, NEAR_PLACES = 6, 2


@dataclass(frozen=True, slots=True)
class Lights:
    """The start lights: how many, and when the first went on and all go out, in ms of the station's clock."""

    staged_ms: float
    go_ms: float
    lights: int
    light_ms: float


@dataclass(frozen=True, slots=True)
class RunCard:
    """One run. `number`: its place and shortcut key; `strip`: several are on, so it is a strip that can be chosen.

    `left`: the time that is left while the race is paused, "" if the limit runs; `questions`: how many are open.

    `promise`: what stops the car when nothing reaches it any more; "" for one that takes no orders.
    """

    key: str
    number: int
    strip: bool
    panel: RunPanel
    promise: str
    is_best_effort: bool
    attempt: Sentence
    uncertainty: str
    provisional: Provisional
    lights: Lights | None
    left: str
    last: str
    best: str
    notes: tuple[str, ...]
    questions: int


@dataclass(frozen=True, slots=True)
class LapRow:
    """One of the last laps of a run, with what can be ruled about it."""

    key: str
    run_id: str
    line: LapLine
    rulings: tuple[Act, ...]


def run_cards(view: View) -> tuple[RunCard, ...]:
    """The runs on the track; if there are none, the last one."""
    runs = shown_runs(view)
    return tuple(_card(view, run, number, strip=len(runs) > 1) for number, run in enumerate(runs, 1))


def shown_runs(view: View) -> tuple[RunView, ...]:
    """The runs on the track; if there are none, the last one."""
    return view.runs or ((view.run,) if view.run is not None else ())


def lap_rows(view: View) -> tuple[LapRow, ...]:
    """The last laps of every run that is shown, the newest first."""
    rules = view.race.rules if view.race is not None else RaceRules()
    return tuple(
        LapRow(f"lap-{run.run_id}-{line.number}", run.run_id, line, _rulings(run, line))
        for run in shown_runs(view)
        for line in lap_lines(run, rules, view.race)[:SHOWN_LAPS]
    )


def near_places(view: View) -> tuple[PlaceLine, ...]:
    """The places around the racers on the track: two above and two below; the first places if none of them has one."""
    lines = place_lines(view)
    racers = {run.racer for run in shown_runs(view)}
    own = [place for place, line in enumerate(lines) if line.racer in racers]
    if not own:
        return tuple(lines[: 2 * NEAR_PLACES + 1])
    near = {place for each in own for place in range(each - NEAR_PLACES, each + NEAR_PLACES + 1)}
    first = max(0, min(own[0] - NEAR_PLACES, len(lines) - 2 * NEAR_PLACES - 1))
    wanted = near if len(own) > 1 else set(range(first, first + 2 * NEAR_PLACES + 1))
    return tuple(line for place, line in enumerate(lines) if place in wanted)


SETTLED = Provisional(None, 0, False)  # the standings say what it is worth


def _card(view: View, run: RunView, number: int, *, strip: bool) -> RunCard:
    rules = view.race.rules if view.race is not None else RaceRules()
    panel = panel_of(run, rules, view.clock, view.cars)
    lines, procedure = lap_lines(run, rules, view.race), view.procedure.of(run.run_id)
    limit = rules.attempts_per_racer
    attempt = text("attempt {number} of {limit}", number=run.attempt, limit=limit) if limit else None
    lights = None
    if procedure is not None and procedure.start is not None:
        start = procedure.start
        lights = Lights(start.staged_ns / NS_PER_MS, start.go_ns / NS_PER_MS, start.lights, start.light_ns / NS_PER_MS)
    notes = list(panel.notes)
    submitted = procedure is not None and procedure.submission == "submitted"
    if procedure is not None and procedure.start_note:
        notes.insert(0, procedure.start_note)
    if procedure is not None and procedure.dnf:
        notes.insert(0, text("Did not finish."))
    car = _car(view, run)
    if car is not None and car.promise != "lease" and run.phase in ("armed", "running"):
        notes.insert(0, text("{car}: {means}", car=car.name, means=PROMISE_MEANS[car.promise]))
    return RunCard(
        key=f"run-{run.run_id}",
        number=number,
        strip=strip,
        panel=panel,
        promise="" if car is None else PROMISE_WORDS[car.promise],
        is_best_effort=car is not None and car.promise == "best_effort",
        attempt=attempt or text("attempt {number}", number=run.attempt),
        uncertainty=_uncertainty(view, run),
        provisional=SETTLED if submitted else provisional(view, run),
        lights=lights,
        left="" if procedure is None or procedure.left_ns is None else _seconds(procedure.left_ns),
        last=lines[0].time if lines else NOTHING,
        best=min((line.time for line in lines if line.valid), key=_sort_key, default=NOTHING),
        notes=tuple(notes),
        questions=len(run.proposals) + len(run.flagged) + run.model_differs,
    )


def _car(view: View, run: RunView) -> CarView | None:
    """The run's car, if it is online and takes orders."""
    if run.without_agent:
        return None
    return next((car for car in view.cars if car.name == run.car and car.online), None)


def _sort_key(time: str) -> tuple[int, str]:
    return len(time), time


def _uncertainty(view: View, run: RunView) -> str:
    ns = max((lap.uncertainty_ns for lap in run.laps), default=HAND_NS if run.hand_timed else 0)
    if not ns:
        ns = max((gate.uncertainty_ns or 0 for gate in view.gates if gate.kind == "start_finish"), default=0)
    return f"± {short_time(ns)}" if ns else ""


def _seconds(ns: int) -> str:
    minutes, seconds = divmod(ns // 1_000_000_000, 60)
    return f"{minutes}:{seconds:02d}" if minutes else str(seconds)


def _rulings(run: RunView, line: LapLine) -> tuple[Act, ...]:
    """What an official can rule about this lap, each with its effect shown before it is done."""
    texts, number = (("run_id", run.run_id),), (("number", line.number),)
    here = Act("void", text("Void"), "void_lap", texts, number)
    if not line.valid:
        here = Act("restore", text("Restore"), "restore_lap", texts, number)
    happened = tuple(
        Act(
            f"undo-{kind}",
            text("Take back: {incident}", incident=words),
            "take_back",
            (*texts, ("kind", kind)),
            number,
        )
        for kind, words in line.happened
    )
    begins = (Act("first", text("Lap 1 begins at its end"), "drop_crossing", texts, (("number", 0),)),)
    return (
        here,
        Act("penalty", text("Penalty in seconds"), "add_penalty", texts, number, dialog="seconds"),
        Act("join", text("Join with the next lap"), "drop_crossing", texts, number),
        *(begins if line.number == 1 else ()),
        *happened,
    )
