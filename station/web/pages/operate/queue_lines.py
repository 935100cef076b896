"""The queue as race control shows it: who is on the track, who is called, the next racers and when they start. Pure."""

from dataclasses import dataclass, replace

from shared.text import Sentence, joined, text
from shared.text.dates import time_of_day
from station.views.queue_view import QueueLine
from station.views.views import View
from station.web.pages.operate.acts import Act
from station.web.presenters.time_zones import event_zone

SHOWN = 5  # racers who wait


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One racer. `key`: by the racer, so that the row moves with him. `state`: "on", "called" or "waiting".

    `when`: the predicted start, or what the racer does now; `note`: how late, how many no-shows, a re-run.
    """

    key: str
    racer: str
    place: int
    state: str
    when: str
    note: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class QueuePanel:
    """The left column: `called` acts for whoever is called, `more` racers who wait beyond those that are shown."""

    rows: tuple[QueueRow, ...]
    more: Sentence
    acts: tuple[Act, ...]
    waiting: tuple["WaitingResult", ...]


@dataclass(frozen=True, slots=True)
class WaitingResult:
    """A run whose result waits to be submitted."""

    run_id: str
    racer: str
    submit: Act


def queue_panel(view: View) -> QueuePanel:
    """The left column of race control."""
    alone = view.runs if len(view.runs) == 1 else ()  # several are seen in their strips
    on = [
        QueueRow(_key(run.racer), run.racer, 0, "on", text("on track"), "", _colour(view, run.racer)) for run in alone
    ]
    lines = view.queue.lines
    called = [line for line in lines if line.called]
    waiting = [line for line in lines if not line.called]
    rows = (*on, *(_row(view, line) for line in (*called, *waiting[:SHOWN])))
    more = len(waiting) - SHOWN
    return QueuePanel(
        rows=_distinct(rows),
        more=text("{count} more wait", count=more) if more > 0 else text(""),
        acts=_acts(view, called, waiting),
        waiting=tuple(_waiting(view)),
    )


def car_of(view: View, line: QueueLine) -> str:
    """The car that this racer probably drives: the queue's, the racer's own, or the only free one; "" if none is."""
    own = next((racer.car for racer in view.event.racers if racer.alias == line.racer), "")
    taken = {run.car for run in view.runs}
    free = [car.name for car in view.cars if car.online and car.name not in taken]
    free += [car.name for car in view.event.cars if car.kind != "agent" and car.name not in taken]
    return line.car or own or (free[0] if len(free) == 1 else "")


def _acts(view: View, called: list[QueueLine], waiting: list[QueueLine]) -> tuple[Act, ...]:
    """Open the run of whoever is called, or mark a no-show; else call the next one."""
    if view.race is None:
        return ()
    full = len(view.runs) >= view.race.cars_on_track
    if called:
        first = called[0]
        opened = open_act(view, first, full=full)
        by_hand = () if start_gate_ready(view) else (hand_timed_act(opened),)
        return (opened, *by_hand, Act("no-show", text("No-show"), "no_show", (("racer", first.racer),)))
    nobody = "" if waiting else text("Nobody waits: add a racer.")
    name = waiting[0].racer if waiting else ""
    return (Act("call-next", text("Call next"), "call_next", key="n", for_screen_readers=name).unless(nobody),)


def open_act(view: View, line: QueueLine, *, full: bool) -> Act:
    """Opens the run of this racer; asks for the car if it is not clear which one."""
    car = car_of(view, line)
    why = text("The track is taken: finish the run first.") if full else ""
    if view.stop.on:
        why = text("All cars are stopped: release the stop first.")
    opened = Act("open-next", text("Open the run"), "open_run", (("racer", line.racer),), key="e")
    if not car:
        return replace(opened, dialog="add").unless(why)
    texts = (("racer", line.racer), ("car", car))
    return replace(opened, texts=texts, for_screen_readers=text("on {car}", car=car)).unless(why)


def start_gate_ready(view: View) -> bool:
    """Does a gate of the start line work now? Without one a run can only be timed by hand."""
    return any(gate.alive and not gate.stuck for gate in view.gates if gate.kind == "start_finish")


def hand_timed_act(opened: Act) -> Act:
    """The same run, timed by hand because the gate is dead; asks for the reason, and for the car if it is unclear."""
    label = text("Open it, timed by hand")
    if opened.dialog:
        return replace(opened, id="open-by-hand", label=label, key="")
    asked = text("Time this run by hand, ±0.1 s: why does the gate not time it?")
    return replace(opened, id="open-by-hand", label=label, key="", flags=("hand_timed",), ask=asked)


def _row(view: View, line: QueueLine) -> QueueRow:
    notes = []
    if line.late_min:
        notes.append(text("{minutes} min late", minutes=line.late_min))
    if line.no_shows:
        notes.append(text("no-show ×{count}", count=line.no_shows))
    if line.replaces:
        notes.append(text("re-run of {run}", run=line.replaces))
    when = text("called") if line.called else time_of_day(line.start_utc_ns, event_zone(view), seconds=False)
    state = "called" if line.called else "waiting"
    colour = _colour(view, line.racer)
    return QueueRow(_key(line.racer), line.racer, line.place, state, when, joined(notes, ", "), colour)


def _waiting(view: View) -> list[WaitingResult]:
    """Results of earlier runs that wait to be submitted; the last run has its own button."""
    last = view.run.run_id if view.run is not None else ""
    return [
        WaitingResult(
            run.run_id,
            run.racer,
            Act(f"submit-{run.run_id}", text("Submit"), "submit", (("run_id", run.run_id),)),
        )
        for run in view.procedure.runs
        if run.submission == "waiting" and run.run_id != last
    ]


def _colour(view: View, racer: str) -> str:
    return next((each.colour for each in view.event.racers if each.alias == racer), "")


def _key(racer: str) -> str:
    return "queue-" + racer.encode().hex()[:80]


def _distinct(rows: tuple[QueueRow, ...]) -> tuple[QueueRow, ...]:
    """A racer who is on the track and waits for another run has two rows."""
    seen: set[str] = set()
    found = []
    for row in rows:
        found.append(replace(row, key=f"{row.key}-again") if row.key in seen else row)
        seen.add(row.key)
    return tuple(found)
