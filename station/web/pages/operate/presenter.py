"""The live content of race control: what its templates print, and what its script needs to know of cars and runs."""

from dataclasses import dataclass
from typing import Any

from shared.text import Sentence, text
from station.views.procedure_view import PauseView
from station.views.system_views import SyncView
from station.views.views import View
from station.web.page import PageContent
from station.web.pages.operate.acts import Act
from station.web.pages.operate.checklist import Checklist, checklist
from station.web.pages.operate.questions import QuestionRow, questions
from station.web.pages.operate.queue_lines import QueuePanel, QueueRow, queue_panel, start_gate_ready
from station.web.pages.operate.run_cards import LapRow, RunCard, lap_rows, near_places, run_cards, shown_runs
from station.web.pages.operate.steps import RunControls, pause_act, run_controls
from station.web.presenters.laps import PlaceLine
from station.web.presenters.uncounted_crossings import UncountedLine, uncounted_lines


@dataclass(frozen=True, slots=True)
class ControlModel:
    """Race control, for one version of the view. `empty`: what to do first if there is no run to show."""

    queue: QueuePanel
    queue_rows: tuple[QueueRow, ...]
    cards: tuple[RunCard, ...]
    questions: tuple[QuestionRow, ...]
    lap_rows: tuple[LapRow, ...]
    near: tuple[PlaceLine, ...]
    controls: tuple[RunControls, ...]
    checklists: tuple[Checklist, ...]
    paused: PauseView | None
    pause: Act
    empty: Sentence
    no_race: bool
    idle: Act | None
    sync: SyncView
    uncounted: tuple[UncountedLine, ...]


def control_model(view: View) -> ControlModel:
    """Race control as it shows this view."""
    runs, queue = shown_runs(view), queue_panel(view)
    return ControlModel(
        queue=queue,
        queue_rows=queue.rows,
        cards=run_cards(view),
        questions=questions(view),
        lap_rows=lap_rows(view),
        near=near_places(view),
        controls=tuple(run_controls(view, run) for run in runs),
        checklists=tuple(checklist(view, run) for run in runs if run.phase == "armed"),
        paused=view.procedure.paused,
        pause=pause_act(view),
        empty=_empty(view),
        no_race=view.race is None,
        idle=idle_act(view, queue),
        sync=view.sync,
        uncounted=uncounted_lines(view),
    )


def idle_act(view: View, queue: QueuePanel) -> Act | None:
    """What comes next while nobody drives and the last result is settled; None while a run or a result does."""
    last = view.procedure.of(view.run.run_id) if view.run is not None else None
    if view.runs or view.race is None or (last is not None and last.submission == "waiting"):
        return None
    first = queue.acts[0] if queue.acts else None
    if first is None or first.why_not:
        return Act("add-first", text("Add a racer"), dialog="add", key="/").as_primary()
    return first.as_primary()


def _empty(view: View) -> Sentence:
    if view.race is None:
        return text("There is no race yet.")
    return text("The track is free.")


def control_data(view: View) -> dict[str, Any]:
    """The mode of the station, the cars with their modes, and the names that the dialogs offer."""
    runs = shown_runs(view)
    cars = dict.fromkeys([*(car.name for car in view.cars), *(car.name for car in view.event.cars)])
    return {
        "mode": view.mode,
        "modes": {car.name: car.mode if car.online else "silent" for car in view.cars},
        "cars": list(cars),
        "racers": [racer.alias for racer in view.event.racers],
        "gate_ready": start_gate_ready(view),
        "runs": [{"run_id": run.run_id, "racer": run.racer, "car": run.car} for run in runs],
    }


CONTROL = PageContent(
    control_model,
    parts=("queue_acts", "paused", "idle", "more_info"),
    lists={
        "queue_rows": "queue_row",
        "cards": "run_card",
        "questions": "question",
        "lap_rows": "lap_row",
        "near": "place_row",
        "controls": "controls",
        "checklists": "checklist",
    },
    macros="operate_parts.html",
    data=control_data,
)
