"""The live content of the big screen: what the hall may see, and no health, no addresses and no alarms. Pure."""

from dataclasses import dataclass
from typing import Any

from shared.rules.ranking import RaceRules
from shared.rules.wording import rules_in_short, score_name
from shared.text import Sentence, text
from shared.units import format_ms
from station.screens.records import ScreenMode
from station.views.provisional import ordinal
from station.views.views import View
from station.web.page import PageContent
from station.web.pages.chart.presenter import LapChart, hall_chart
from station.web.pages.screen.rows import (
    NEXT,
    HallRow,
    NextRacer,
    board_rows,
    figure_chars,
    is_long,
    next_racers,
    racer_key,
)
from station.web.pages.screen.run_panel import RunPanelModel, run_panel_model


@dataclass(frozen=True, slots=True)
class WinnerRow:
    """A place on the podium."""

    rank: int
    racer: str
    is_long: bool
    score: str
    gap: str


@dataclass(frozen=True, slots=True)
class HallModel:
    """The whole big screen; which part of it is shown is the browser's choice (static/screen.js)."""

    title: str
    race: str
    rules: str
    score_name: str
    status: Sentence
    hall_rows: tuple[HallRow, ...]
    panel: RunPanelModel
    next: tuple[NextRacer, ...]
    queue: tuple[NextRacer, ...]
    podium: tuple[WinnerRow, ...]
    is_official: bool
    chart: LapChart
    leader: str


def hall_model(view: View) -> HallModel:
    """The big screen for this view."""
    rules = view.race.rules if view.race is not None else RaceRules()
    event = view.event.event
    race = view.race.name if view.race is not None else ""
    active = view.event.active
    title = event.name if event is not None and event.name else race
    return HallModel(
        title=title or text("Raceday"),
        race=race if race != title else "",
        rules=rules_in_short(rules) if view.race is not None else "",
        score_name=score_name(rules),
        status=_status(view),
        hall_rows=board_rows(view),
        panel=run_panel_model(view),
        next=next_racers(view, NEXT),
        queue=next_racers(view),
        podium=tuple(
            WinnerRow(
                line.rank,
                line.racer,
                is_long(line.racer),
                format_ms(line.score_ms),
                f"+{format_ms(line.gap_ms)}" if line.rank > 1 else "",
            )
            for line in view.standing[:3]
        ),
        is_official=active is not None and active.state == "official",
        chart=hall_chart(view),
        leader=view.standing[0].racer if view.standing else "",
    )


def _status(view: View) -> Sentence:
    """What concerns everybody in the hall; the reasons are the officials'."""
    if view.stop.on:
        return text("Short interruption")
    if view.procedure.paused is not None:
        return text("Paused")
    if view.mode == "test":
        return text("Test: crossings do not count")
    return text("")


def hall_data(view: View) -> dict[str, Any]:
    """What the screen's script needs: how many rows, whose result is new, and what the screens are to show."""
    active = view.event.active
    return {
        "figures": figure_chars(view),
        "card": _card(view),
        "official": active is not None and active.state == "official",
        "mode": view.mode,
        "rotation": rotation(view),
        "screens": screens_data(view),
    }


def rotation(view: View) -> tuple[ScreenMode, ...]:
    """What a screen in the mode "rotate" shows in turn (static/screen.js): whatever has something to show.

    Board and run alone while a clock runs: nobody in the hall is to miss a lap.
    """
    if any(run.phase == "running" for run in view.runs):
        return ("both",)
    chart: tuple[ScreenMode, ...] = ("chart",) if hall_chart(view).rows else ()
    queue: tuple[ScreenMode, ...] = ("queue",) if view.queue.lines else ()
    return ("both", *chart, *queue)


def _card(view: View) -> dict[str, str]:
    """The newest run with a result; `run` "" if there is none."""
    run = view.run
    if run is None or run.phase != "finished" or not run.counts or run.score_ms is None:
        return {"run": "", "key": "", "racer": "", "score": "", "place": ""}
    place = next((line.rank for line in view.standing if line.racer == run.racer), None)
    return {
        "run": run.run_id,
        "key": racer_key(run.racer),
        "racer": run.racer,
        "score": format_ms(run.score_ms),
        "place": "" if place is None else ordinal(place),
    }


def screens_data(view: View) -> dict[str, Any]:
    """What each screen is asked to show, by its id, and what all of them are told.

    `countdown_ms`: when the countdown ends, in ms of the station's clock, to half a second.
    """
    shown, clock = view.screens, view.clock
    ends_ms = None
    if shown.countdown_utc_ns is not None:
        ends_ms = 500 * round((clock.now_ns + shown.countdown_utc_ns - clock.utc_ns) / 500_000_000)
    return {
        "each": {
            each.screen_id: {
                "name": each.name,
                "mode": each.mode,
                "sound": each.sound,
                "identified": each.identified,
                "reloaded": each.reloaded,
            }
            for each in shown.screens
        },
        "message": shown.message,
        "countdown_ms": ends_ms,
    }


HALL = PageContent(
    hall_model,
    ("hall_head", "hall_panel", "hall_footer", "hall_queue", "hall_chart", "hall_winner"),
    {"hall_rows": "hall_row"},
    macros="screen_parts.html",
    data=hall_data,
)
