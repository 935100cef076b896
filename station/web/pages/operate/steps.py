"""What comes next for a run, and what else can be done with it: the right column of race control. Pure.

The core decides what is allowed; this says beforehand, in people's words, what would be refused.
"""

from dataclasses import dataclass, replace

from shared.protocol.messages import CarMode
from shared.rules.wording import INCIDENTS
from shared.text import Sentence, text
from station.views.procedure_view import RunProcedure
from station.views.race_views import RunView
from station.views.views import View
from station.web.pages.operate.acts import Act

INCIDENT_KEYS = {"off_track": "o", "collision": "c", "reset": "r"}
INCIDENT_LABELS = {"off_track": text("Off track"), "collision": text("Collision"), "reset": text("Reset")}


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One kind of incident: its button with the count in this lap, and the one for the lap before (None: none)."""

    now: Act
    count: int
    before: Act | None


@dataclass(frozen=True, slots=True)
class RunControls:
    """The right column for one run. `key`: of its row. `incidents_why`: why no incident can be counted now."""

    key: str
    run_id: str
    racer: str
    car: str
    next: Act
    next_why: Sentence
    start: tuple[Act, ...]
    car_acts: tuple[Act, ...]
    lap: Sentence
    incidents: tuple[IncidentRow, ...]
    incidents_why: str
    hand_time: Act
    end: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class RunStand:
    """A run with what its car does now; `mode` None: it is away, or takes no orders."""

    run: RunView
    procedure: RunProcedure
    mode: CarMode | None

    @property
    def led(self) -> bool:
        """Whether the run's car gets orders."""
        return not self.run.by_hand and not self.run.without_agent


def run_stand(view: View, run: RunView) -> RunStand:
    """Where this run stands."""
    procedure = view.procedure.of(run.run_id) or RunProcedure(run.run_id, run.racer, run.car)
    mode = next((car.mode for car in view.cars if car.name == run.car and car.online), None)
    return RunStand(run, procedure, None if run.without_agent else mode)


def run_controls(view: View, run: RunView) -> RunControls:
    """The right column for this run."""
    stand = run_stand(view, run)
    coming = next_act(view, stand)
    rest = tuple(act for act in _start_acts(view, stand) if act.id != coming.id)
    return RunControls(
        key=f"controls-{run.run_id}",
        run_id=run.run_id,
        racer=run.racer,
        car=run.car,
        next=coming.as_primary(),
        next_why=_waits_for(stand),
        start=rest,
        car_acts=tuple(act for act in _car_acts(view, stand) if act.id != coming.id),
        lap=text("Lap {number}", number=run.lap_number) if run.phase == "running" else text("This lap"),
        incidents=tuple(_incident(run, kind) for kind in INCIDENTS),
        incidents_why=_why_no_incident(run),
        hand_time=_hand_time(run),
        end=tuple(act for act in _end_acts(view, stand) if act.id != coming.id),
    )


def next_act(view: View, stand: RunStand) -> Act:
    """What an official will most likely do next with this run."""
    run, acts = stand.run, {act.id: act for act in (*_start_acts(view, stand), *_end_acts(view, stand))}
    if run.phase == "finished":
        return acts["submit"]
    if view.procedure.paused is not None or (run.hand_timed and run.released):
        return pause_act(view) if view.procedure.paused is not None else _hand_time(run)
    if run.phase == "armed" and not run.released:
        if stand.procedure.start is not None:
            return acts["relaunch"]
        if stand.led and stand.mode == "tripped":
            return _resume(stand)
        if stand.led and stand.mode != "ready":
            return _arm(view, stand)
        by_lights = view.race is not None and view.race.rules.lap_1_from == "signal"
        return acts["stage" if by_lights else "start"]
    if stand.led and stand.mode in ("tripped", "stopped", "disarmed"):
        return _resume(stand)
    return acts["finish"]


def pause_act(view: View) -> Act:
    """The button that pauses the race, or continues it."""
    if view.procedure.paused is not None:
        return Act("pause", text("Continue"), "continue", key="p")
    return Act("pause", text("Pause"), "pause", key="p")


def _start_acts(view: View, stand: RunStand) -> tuple[Act, ...]:
    """The acts of the start, in order; only those that this phase of the run can have."""
    run = stand.run
    if run.phase == "finished" or (run.phase == "running" and run.laps):
        return ()
    back = _act(run, "relaunch", text("Take the start back"), "relaunch", key="b")
    if stand.procedure.start is not None:
        return (_act(run, "relaunch", text("Stop the lights"), "relaunch", key="b"),)
    if run.released:
        return (back,)
    why = _why_no_start(view, stand)
    lights = _act(run, "stage", text("Start lights"), "stage", key="l").unless(why)
    start = _act(run, "start", text("Start"), "start", key="s").unless(why)
    if not stand.led:
        return (start, lights)
    arm = [_arm(view, stand)] if stand.mode != "ready" else []
    by_hand = _act(run, "by-hand", text("Start by hand"), "start", flags=("by_hand",))
    asked = text("Start by hand: the car gets no order, and the result says so")
    return (*arm, start, lights, Act(by_hand.id, by_hand.label, "start", by_hand.texts, flags=("by_hand",), ask=asked))


def _arm(view: View, stand: RunStand) -> Act:
    why = view.stop.on and text("All cars are stopped: release the stop first.")
    return _act(stand.run, "arm", text("Arm"), "arm", key="a", dialog="checklist").unless(why or "")


def _resume(stand: RunStand) -> Act:
    why = "" if stand.mode is not None else _absent(stand)
    return _act(stand.run, "resume", text("Resume"), "resume", key="u").unless(why)


def _hand_time(run: RunView) -> Act:
    """A hand time: a witness beside the gate, or the crossing itself in a run that is timed by hand."""
    label = text("The car crosses the line") if run.hand_timed else text("Hand time")
    return _act(run, "hand-time", label, "hand_time", key="t")


def _car_acts(view: View, stand: RunStand) -> tuple[Act, ...]:
    """What can be done with the race and the car at any time: pause, stop the car, resume it."""
    run, on = stand.run, stand.run.phase in ("armed", "running")
    stop_car = Act("stop-car", text("Stop car"), "order", (("car", run.car), ("action", "stop")), key=".")
    if stand.run.without_agent:
        stop_car = stop_car.unless(text("A person stops this car."))
    resume = [_resume(stand)] if on and stand.led and stand.mode in ("tripped", "stopped", "disarmed") else []
    return (pause_act(view), stop_car, *resume)


def _end_acts(view: View, stand: RunStand) -> tuple[Act, ...]:
    """The end of the run; once it is over, what becomes of its result."""
    run, submission = stand.run, stand.procedure.submission
    if run.phase in ("armed", "running"):
        return (
            _act(run, "finish", text("Finish"), "finish", key="f"),
            _act(run, "dnf", text("Did not finish"), "dnf", ask=text("Did not finish: the attempt is used")),
            _act(run, "abandon", text("Abandon"), "abandon", ask=text("Abandon the run: it will not count")),
        )
    done = {"submitted": text("It is submitted."), "": text("It is not over yet.")}.get(submission, "")
    gone = text("It does not count already.") if submission == "discarded" else ""
    again = text("Count it after all") if submission == "discarded" else text("Submit the result")
    rerun = _act(run, "rerun", text("Re-run"), "rerun", ask=text("Re-run: replaces this run once it is submitted"))
    return (
        _act(run, "submit", again, "submit", key="m").unless(done),
        _act(run, "discard", text("Discard"), "discard", ask=text("Discard the run: it will not count")).unless(gone),
        rerun.unless(gone),
        replace(
            _act(run, "official", text("Official"), "official", ask=text("Official: no ruling changes it any more")),
            may_be_silent=True,
        ).unless(_why_not_official(view, stand)),
    )


def _why_not_official(view: View, stand: RunStand) -> str:
    """Why the result of a run that is over cannot be declared official here; "" if it can."""
    run, race = stand.run, view.event.active
    if run.official:
        return text("Declared by {author}.", author=run.official)
    if race is not None and race.state == "official":
        return text("The results of the race are official.")
    if stand.procedure.submission == "waiting":
        return text("Submit the result first.")
    if not run.counts:
        return text("It does not count.")
    if race is not None and race.official_by_two:
        return text("It takes two people: declare it on the run's own page.")
    return ""


def _incident(run: RunView, kind: str) -> IncidentRow:
    count = {"off_track": run.lap_off_tracks, "collision": run.lap_collisions, "reset": run.lap_resets}[kind]
    label, why, before = INCIDENT_LABELS[kind], _why_no_incident(run), None
    number = run.lap_number - 1
    if number >= 1 and run.phase == "running":
        before = Act(
            f"{kind}-before",
            text("Lap {number}", number=number),
            kind,
            (("run_id", run.run_id),),
            (("number", number),),
            for_screen_readers=text("{incident} in the lap before", incident=label),
        )
    now = _act(run, kind, label, kind, key=INCIDENT_KEYS[kind]).unless(why)
    return IncidentRow(now, count, before)


def _why_no_incident(run: RunView) -> str:
    return "" if run.phase in ("armed", "running") else text("No run is on.")


def _why_no_start(view: View, stand: RunStand) -> str:
    """Why no start can be given now; "" if it can."""
    run = stand.run
    if view.stop.on:
        return text("All cars are stopped: release the stop first.")
    if view.procedure.paused is not None:
        return text("The race is paused: continue it first.")
    if run.model_differs:
        return text("The car's model is not the entry's: answer the question first.")
    if not stand.led:
        return ""
    if stand.mode is None:
        return _absent(stand)
    if stand.mode == "tripped":
        return text("{car} is tripped: resume it first.", car=run.car)
    return ""


def _absent(stand: RunStand) -> Sentence:
    return text("{car} does not answer: check it, or start it by hand.", car=stand.run.car)


def _waits_for(stand: RunStand) -> Sentence:
    """What the run waits for, beside the next act; "" if for nothing but that."""
    run = stand.run
    if run.hand_timed and run.released and run.phase != "finished":
        return text("No gate times this run: press as the car crosses the line, each time.")
    if run.phase == "armed" and run.released:
        return text("The start is given: waiting for the line.")
    if run.phase == "armed" and stand.led and stand.mode not in ("ready", "tripped", None):
        return text("{car} is not armed yet.", car=run.car)
    return text("")


def _act(
    run: RunView,
    name: str,
    label: Sentence,
    command: str,
    *,
    key: str = "",
    ask: str = "",
    dialog: str = "",
    flags: tuple[str, ...] = (),
) -> Act:
    return Act(name, label, command, (("run_id", run.run_id),), flags=flags, key=key, ask=ask, dialog=dialog)
