"""The live content of the referee's page: each car on the track as a tile with its incidents, and open questions."""

from dataclasses import dataclass, replace
from typing import Any

from shared.text import Sentence, text
from station.views.views import View
from station.web.page import PageContent
from station.web.pages.operate.acts import Act
from station.web.pages.operate.questions import QuestionRow, questions
from station.web.pages.operate.run_cards import RunCard, run_cards, shown_runs
from station.web.pages.operate.steps import IncidentRow, run_controls


@dataclass(frozen=True, slots=True)
class RefereeTile:
    """One car: who drives it, its incidents in this lap and the lap before, and that it did not finish."""

    key: str
    card: RunCard
    lap: Sentence
    incidents: tuple[IncidentRow, ...]
    hand_time: Act
    dnf: Act | None


@dataclass(frozen=True, slots=True)
class RefereeModel:
    """The referee's page, for one version of the view. `empty`: what it says while nobody drives."""

    tiles: tuple[RefereeTile, ...]
    questions: tuple[QuestionRow, ...]
    empty: Sentence


def referee_model(view: View) -> RefereeModel:
    """The referee's page as it shows this view."""
    tiles = tuple(_tile(view, number, card) for number, card in enumerate(run_cards(view)))
    return RefereeModel(tiles, questions(view), text("") if tiles else text("The track is free."))


def _tile(view: View, number: int, card: RunCard) -> RefereeTile:
    """The tile of one run; several are on the page, so its buttons have ids of their own and no keys."""
    run = shown_runs(view)[number]
    panel = run_controls(view, run)

    def own(act: Act) -> Act:
        return replace(act, id=f"{act.id}-{run.run_id}", key="", for_screen_readers=act.for_screen_readers or run.racer)

    incidents = tuple(
        replace(row, now=own(row.now), before=None if row.before is None else own(row.before))
        for row in panel.incidents
    )
    dnf = next((own(act) for act in panel.end if act.command == "dnf"), None)
    return RefereeTile(f"tile-{run.run_id}", card, panel.lap, incidents, own(panel.hand_time), dnf)


def referee_data(view: View) -> dict[str, Any]:
    """The mode of the station, and the cars with their modes."""
    return {"mode": view.mode, "modes": {car.name: car.mode if car.online else "silent" for car in view.cars}}


REFEREE = PageContent(
    referee_model,
    parts=("empty",),
    lists={"tiles": "tile", "questions": "question"},
    macros="referee_parts.html",
    data=referee_data,
)
