"""The heads of all pages, as live content: the race, the alarms, the stop, and for officials the health in one line."""

from dataclasses import dataclass
from typing import Any

from shared.text import Sentence, text
from station.access.roles import Role
from station.views.views import View
from station.web.page import LiveTopic, PageContent
from station.web.presenters.health import HealthLine, alarms, health_lines
from station.web.presenters.page import PageModel, page_model
from station.web.presenters.stop import StopPanel, stop_panel

_ORDER = {"bad": 0, "warn": 1, "ok": 2}


@dataclass(frozen=True, slots=True)
class HealthSummary:
    """The health of the station in one line: `troubles` in words, the worst first, and how the rest is."""

    troubles: tuple[HealthLine, ...]
    rest: Sentence


@dataclass(frozen=True, slots=True)
class HeadModel:
    """What the head of a page shows."""

    race_name: str
    track: str
    rules: str
    testing: bool
    alarms: tuple[str, ...]
    clock_unset: bool
    stop: StopPanel
    health: HealthSummary


def head_model(view: View) -> HeadModel:
    """The head of any page, for this view."""
    screen: PageModel = page_model(view)
    return HeadModel(
        race_name=screen.race_name,
        track=screen.track,
        rules=screen.rules,
        testing=screen.testing,
        alarms=tuple(alarms(view)),
        clock_unset=screen.clock_unset,
        stop=stop_panel(view.stop),
        health=health_summary(view),
    )


def health_summary(view: View) -> HealthSummary:
    """Only what is not well is spelled out."""
    lines = sorted(health_lines(view), key=lambda line: _ORDER[line.level])
    troubles = tuple(line for line in lines if line.level != "ok")
    well = len(lines) - len(troubles)
    if not troubles:
        return HealthSummary((), text("Everything is ready."))
    return HealthSummary(troubles, text("Everything else is ready.") if well else text(""))


def _mode(view: View) -> dict[str, Any]:
    return {"mode": view.mode}


_PARTS = ("race", "mode", "stop", "alarms")
PUBLIC_HEAD = LiveTopic("public", Role.VIEWER, PageContent(head_model, _PARTS, macros="head.html", data=_mode))
OFFICIALS_HEAD = LiveTopic(
    "officials", Role.REFEREE, PageContent(head_model, (*_PARTS, "health_line"), macros="head.html", data=_mode)
)
