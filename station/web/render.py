"""Renders a view as HTML: the whole page at first, keyed parts for its updates, from one set of templates."""

import pathlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from shared.web.assets import addresses
from station.views.car_views import StopView
from station.views.views import View
from station.web.presenters.gates import GateCard, gate_cards
from station.web.presenters.page import ZERO, PageModel, next_command_of_run, page_model
from station.web.presenters.stop import stop_panel
from station.web.presenters.visitors import visitor_view

_HERE = pathlib.Path(__file__).parent
STATIC = _HERE / "static"
PageName = Literal["live", "operate", "gates"]
OFFICIALS: tuple[PageName, ...] = ("operate", "gates")  # pages with controls; the live page has none
COMMON = ("race", "mode", "stop", "alarms")
PARTS = (*COMMON, "run", "clock_label", "incidents", "tiles", "window", "decisions")
_PARTS_OF: dict[PageName, tuple[str, ...]] = {
    "live": PARTS,
    "operate": (*PARTS, "uncounted", "sending"),
    "gates": COMMON,
}
_PUBLIC_LISTS = {"together": "car", "laps": "lap", "places": "place"}
_LISTS = {**_PUBLIC_LISTS, "health": "health"}
_GATES = {"gates": "gate"}


@dataclass(frozen=True, slots=True)
class Ticking:
    """What a browser needs to run the clock between two updates, in milliseconds of the station's clock.

    `now_ms`: the instant when the view was made; the event stream adds the view's age.
    """

    boot: str
    now_ms: float
    rate: float
    started_ms: float | None
    ends_ms: float | None
    text: str


@dataclass(frozen=True, slots=True)
class RunChoice:
    """One of several runs that a command may be for; `next`: the command most likely to come next."""

    run_id: str
    racer: str
    car: str
    next: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """One version of the page: parts by element id, rows by key, and each list's keys in order."""

    version: int
    ticking: Ticking
    next_command: str
    car: str
    cars: tuple[str, ...]
    modes: dict[str, str]
    runs: tuple[RunChoice, ...]
    mode: str
    parts: dict[str, str]
    rows: dict[str, str]
    lists: dict[str, tuple[str, ...]]


class Pages:
    """Renders the pages from their templates, which are compiled once. Only the officials' pages have controls."""

    def __init__(self) -> None:
        self._env = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.globals["static"] = addresses(STATIC)
        self._parts = self._env.get_template("parts.html")

    def page(self, name: PageName, view: View) -> str:
        """The whole page as HTML, readable without JavaScript."""
        rendered = self.render(view, name)
        template: Template = self._env.get_template(f"{name}.html")
        view = view if name in OFFICIALS else visitor_view(view)
        return template.render(screen=page_model(view), rendered=rendered, ticking=rendered.ticking)

    def stop(self, stop: StopView) -> str:
        """The page of the stop of all cars as HTML, for a browser without JavaScript."""
        return self._env.get_template("stop.html").render(stop=stop_panel(stop))

    def render(self, view: View, name: PageName) -> Rendered:
        """The parts and rows of the page that show this view; on a public page, what a visitor may see of it."""
        view = view if name in OFFICIALS else visitor_view(view)
        screen, stop = page_model(view), stop_panel(view.stop)
        gates = name == "gates"
        macros = _GATES if gates else _LISTS if name in OFFICIALS else _PUBLIC_LISTS
        rows, lists = self._rows({"gates": gate_cards(view)} if gates else screen, macros, name)
        parts = {part: self._drawn(part, stop if part == "stop" else screen, name) for part in _PARTS_OF[name]}
        return Rendered(
            version=view.version,
            ticking=_ticking(view, screen),
            next_command=screen.next_command,
            car=view.run.car if view.run is not None else "",
            cars=tuple(car.name for car in view.cars),
            modes={car.name: car.mode if car.online else "silent" for car in view.cars},
            runs=tuple(RunChoice(run.run_id, run.racer, run.car, next_command_of_run(view, run)) for run in view.runs),
            mode=view.mode,
            parts=parts,
            rows=rows,
            lists=lists,
        )

    def _rows(
        self, source: PageModel | dict[str, list[GateCard]], macros: dict[str, str], page: PageName
    ) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
        """Each list's rows by key, and their order."""
        rows: dict[str, str] = {}
        lists: dict[str, tuple[str, ...]] = {}
        for name, macro in macros.items():
            lines: Iterable[Any] = source[name] if isinstance(source, dict) else getattr(source, name)
            drawn = {line.key: self._drawn(macro, line, page) for line in lines}
            rows.update(drawn)
            lists[name] = tuple(drawn)
        return rows, lists

    def _drawn(self, macro: str, what: object, page: PageName) -> str:
        return str(getattr(self._parts.module, macro)(what, page in OFFICIALS)).strip()


def _ticking(view: View, screen: PageModel) -> Ticking:
    run = screen.run
    return Ticking(
        boot=view.clock.boot,
        now_ms=view.clock.now_ns / 1e6,
        rate=view.clock.rate,
        started_ms=run.started_ms if run is not None else None,
        ends_ms=run.ends_ms if run is not None else None,
        text=run.clock if run is not None else ZERO,
    )
