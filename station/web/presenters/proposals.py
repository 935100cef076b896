"""What officials are asked to decide: each question with its witnesses and the buttons that answer it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from shared.text import Sentence, ntext, recorded, text
from shared.units import format_ns
from station.core.facts import Lap, Proposal
from station.core.runs.proposals import HAND, USUAL
from station.views.car_views import CarView
from station.views.race_views import RunView, UnknownTransponderView
from station.views.views import View

MAX_TRANSPONDERS, MAX_CARS = 4, 6  # on the page


@dataclass(frozen=True, slots=True)
class DecisionButton:
    """One button: a command with its integers and texts. `ask`: the title of a dialog that first asks for a reason."""

    label: str
    command: str
    numbers: tuple[tuple[str, int], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    key: str = ""
    ask: str = ""


@dataclass(frozen=True, slots=True)
class PendingDecision:
    """Something for an official to decide: about a crossing, a transponder's owner, or a model that differs."""

    key: str
    sentence: str
    witnesses: tuple[str, ...] = ()
    actions: tuple[DecisionButton, ...] = ()
    who: str = ""


class AskedRun(Protocol):
    """The run that a question is about, as a live page or a page of its own has it."""

    @property
    def run_id(self) -> str: ...
    @property
    def racer(self) -> str: ...
    @property
    def car(self) -> str: ...
    @property
    def laps(self) -> tuple[Lap, ...]: ...


def decisions_of(run: AskedRun, proposals: Iterable[Proposal], flagged_ns: Iterable[int]) -> list[PendingDecision]:
    """What officials are asked about one run; without keys, for a page that may hold many."""
    asked = [_proposal(p, run, (run,), keys=False) for p in sorted(proposals, key=lambda each: each.at_ns)]
    return asked + [_flagged(run, at_ns, named=True) for at_ns in flagged_ns]


def pending_decisions(view: View) -> list[PendingDecision]:
    """All decisions of the runs on the page; of the proposals, the oldest comes first and has the keys Y and N."""
    runs = view.runs or ((view.run,) if view.run is not None else ())
    proposals = sorted(((p, run) for run in runs for p in run.proposals), key=lambda each: each[0].at_ns)
    named = len(runs) > 1
    flagged = [_flagged(run, at_ns, named) for run in runs for at_ns in run.flagged]
    decisions = [_model(run, named) for run in runs if run.model_differs]
    decisions += [_proposal(p, run, runs, keys=place == 0) for place, (p, run) in enumerate(proposals)] + flagged
    return decisions + [
        _unknown_transponder(each, runs, view.cars) for each in reversed(view.unknown_transponders[-MAX_TRANSPONDERS:])
    ]


def _unknown_transponder(
    unknown: UnknownTransponderView, runs: tuple[RunView, ...], cars: tuple[CarView, ...]
) -> PendingDecision:
    """The question whose transponder it is; offers first the cars of the runs, then the others that are online."""
    whose = {run.car: f"{run.car} ({run.racer})" for run in runs}
    whose |= {car.name: car.name for car in cars if car.online and car.name not in whose}
    texts = (("transponder", unknown.transponder), ("reason", text("identified by an official")))
    owners = [
        DecisionButton(text("It belongs to {label}", label=label), "assign_transponder", (), (*texts, ("car", car)))
        for car, label in list(whose.items())[:MAX_CARS]
    ]
    none_of_them = DecisionButton(text("None of these"), "assign_transponder", (), texts)
    sentence = text("Unknown transponder {transponder}: whose is it?", transponder=unknown.transponder)
    witnesses = (
        ntext("Decoder: it passed once", "Decoder: it passed {n} times", n=unknown.passes),
        text("Its passes in a run count once its owner is known"),
    )
    return PendingDecision(f"transponder-{unknown.transponder}", sentence, witnesses, (*owners, none_of_them))


def _model(run: RunView, named: bool) -> PendingDecision:
    """The question about a car whose model is not the entered one: an official may enter it, with a reason."""
    model, sha256 = run.reported_model or ("", "")
    texts = (("run_id", run.run_id), ("model", model), ("model_sha256", sha256))
    enter = DecisionButton(
        text("Enter the car's model"), "enter_model", texts=texts, ask=text("Enter the model that the car reports")
    )
    return PendingDecision(
        f"model-{run.run_id}",
        text("{sentence} Start is refused.", sentence=recorded(run.model_note)),
        (),
        (enter,),
        _who(run, named),
    )


def _flagged(run: AskedRun, at_ns: int, named: bool) -> PendingDecision:
    texts = (("run_id", run.run_id),) if named else ()
    count = DecisionButton(
        text("Count this crossing"), "add_crossing", (("at_ns", at_ns),), texts, ask=text("Count this crossing")
    )
    return PendingDecision(f"flag-{run.run_id}-{at_ns}", _too_soon(run, at_ns), (), (count,), _who(run, named))


def _too_soon(run: AskedRun, at_ns: int) -> Sentence:
    """How long after the last lap a flagged crossing came; after the start, if no lap had ended."""
    before = [lap for lap in run.laps if lap.ended_ns <= at_ns]
    began_ns = min((lap.ended_ns - lap.lap_ns for lap in run.laps), default=at_ns)
    if before:
        seconds = format_ns(at_ns - before[-1].ended_ns)
        return text(
            "A crossing came {seconds} s after lap {number} ended, too soon to end a lap.",
            seconds=seconds,
            number=before[-1].number,
        )
    if began_ns < at_ns:
        seconds = format_ns(at_ns - began_ns)
        return text("A crossing came {seconds} s after the start, too soon to end a lap.", seconds=seconds)
    return text("A crossing came too soon to end a lap.")


def _proposal(p: Proposal, run: AskedRun, runs: Sequence[AskedRun], *, keys: bool) -> PendingDecision:
    actions = _actions(p, run, {each.run_id: each.racer for each in runs})
    if keys:
        actions[-1] = replace(actions[-1], key="n")
        actions[0] = replace(actions[0], key="y") if len(actions) > 1 else actions[0]
    key = f"proposal-{p.kind}-{run.run_id}-{p.at_ns}"
    who = _who(run, len(runs) > 1 and not p.crossing)
    return PendingDecision(key, recorded(p.sentence), _witnesses(p, run.racer), tuple(actions), who)


def _actions(p: Proposal, run: AskedRun, racers: dict[str, str]) -> list[DecisionButton]:
    """First the button that does as proposed, last the one that rejects it; between them the other possibilities."""
    at, proposed = (("at_ns", p.at_ns),), _texts(run.run_id, text("as proposed by {witness}", witness=p.witness))
    dismiss = DecisionButton(text("Dismiss"), "dismiss", at, _texts(run.run_id, text("dismissed by an official")))
    if p.crossing:  # it counts for no run until it is assigned
        assign = [
            _assign(p, run_id, racers, p.sure_percent if run_id == run.run_id else 0) for run_id in _possible_runs(p)
        ]
        false = p.kind == "false_crossing"
        return [replace(dismiss, label=text("It was false"), texts=proposed), *assign] if false else [*assign, dismiss]
    if p.kind == "missed_crossing":
        return [_count_missed(p, proposed), dismiss]
    if p.kind == "long_lap":
        return [replace(dismiss, label=text("It stood still"))]
    if p.kind == "paused_lap":
        return [replace(dismiss, label=text("It counts")), *_void_paused(p, run)]
    ended = next((lap.number for lap in run.laps if lap.ended_ns == p.at_ns), None)
    drop = [] if ended is None else [DecisionButton(text("Drop it"), "drop_crossing", (("number", ended),), proposed)]
    if p.witness != USUAL:
        return [*drop, dismiss]
    began = (
        [DecisionButton(text("Lap 1 begins here"), "drop_crossing", (("number", 0),), proposed)] if ended == 1 else []
    )
    return [*drop, *began, replace(dismiss, label=text("It is a lap"))]


def _count_missed(p: Proposal, texts: tuple[tuple[str, str], ...]) -> DecisionButton:
    """The button that counts a missed crossing: at the hand time that shows it, else at about the proposed time."""
    at = (("at_ns", p.at_ns),)
    if p.witness == HAND:
        return DecisionButton(text("Count it"), "hand_crossing", at, texts)
    unsure = (("uncertainty_ns", p.uncertainty_ns),) if p.uncertainty_ns else ()
    return DecisionButton(text("Count it"), "add_crossing", (*at, *unsure), texts)


def _void_paused(p: Proposal, run: AskedRun) -> list[DecisionButton]:
    """The button that voids the lap in which the race was paused."""
    paused = next((lap.number for lap in run.laps if lap.ended_ns - lap.lap_ns < p.at_ns < lap.ended_ns), None)
    texts = _texts(run.run_id, text("the race was paused in it"))
    return [] if paused is None else [DecisionButton(text("Void it"), "void_lap", (("number", paused),), texts)]


def _possible_runs(p: Proposal) -> tuple[str, ...]:
    return (p.run_id, *(run_id for run_id in p.others if run_id != p.run_id))


def _assign(p: Proposal, run_id: str, racers: dict[str, str], percent: int) -> DecisionButton:
    racer = racers.get(run_id, run_id)
    label = text("Assign to {racer}", racer=racer)
    if percent:
        label = text("Assign to {racer} ({percent} %)", racer=racer, percent=percent)
    texts = _texts(run_id, text("assigned by an official"))
    return DecisionButton(label, "assign_crossing", (("number", p.crossing),), texts)


def _texts(run_id: str, reason: str) -> tuple[tuple[str, str], ...]:
    return (("run_id", run_id), ("reason", reason[:200]))


def _witnesses(p: Proposal, racer: str) -> tuple[str, ...]:
    """What the witness and the gate each report."""
    what = recorded(p.witness)
    if p.witness == USUAL:
        gate = text("Gate: a crossing") if p.kind == "false_crossing" else text("Gate: no crossing")
        return (text("{what:cap}: a different length", what=what), gate)
    match p.kind:
        case "missed_crossing" | "long_lap":
            return (text("{what:cap}: a pass", what=what), text("Gate: no crossing"))
        case "false_crossing":
            return (text("Gate: a crossing"), text("{what:cap}: no pass", what=what))
        case "paused_lap":
            return (text("Its time includes the pause"),)
        case "doubtful_crossing":
            return (
                text("Gate: a crossing"),
                text("{what:cap}: most likely {racer}, {percent} %", what=what, racer=racer, percent=p.sure_percent),
            )


def _who(run: AskedRun, named: bool) -> str:
    return f"{run.racer}, {run.car}" if named else ""
