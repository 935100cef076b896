"""A screen to HTML, whole for the first paint and in keyed parts for the updates: one set of templates for both."""

import hashlib
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from station.view import View
from station.web.screen import ZERO, Screen, screen_of

_HERE = pathlib.Path(__file__).parent
STATIC = _HERE / "static"
PARTS = ("race", "alarms", "run", "clock_label", "incidents", "tiles", "window", "doubts")
_LISTS = {"laps": "lap", "places": "place", "health": "health"}


@dataclass(frozen=True, slots=True)
class Ticking:
    """What a browser needs to let the clock run between two updates. Milliseconds of the station's clock.

    `now_ms` belongs to the instant when the view was made; the stream adds the view's age.
    """

    boot: str
    now_ms: float
    rate: float
    started_ms: float | None
    ends_ms: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """One version of the page: parts by element id, rows by key, and which rows each list holds, in order."""

    version: int
    ticking: Ticking
    next_command: str
    car: str
    cars: tuple[str, ...]
    parts: dict[str, str]
    rows: dict[str, str]
    lists: dict[str, tuple[str, ...]]


class Pages:
    """The templates, compiled once. `operator`: with the controls that only officials get."""

    def __init__(self) -> None:
        self._env = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.globals["static"] = fingerprints()
        self._parts = self._env.get_template("parts.html")

    def page(self, name: str, view: View) -> str:
        """The whole page `live` or `operate`, readable without JavaScript."""
        rendered = self.render(view, operator=name == "operate")
        template: Template = self._env.get_template(f"{name}.html")
        return template.render(screen=screen_of(view), rendered=rendered, ticking=rendered.ticking)

    def render(self, view: View, *, operator: bool) -> Rendered:
        """The parts of the page as they are now."""
        screen = screen_of(view)
        macros = self._parts.module
        rows: dict[str, str] = {}
        lists: dict[str, tuple[str, ...]] = {}
        for name, macro in _LISTS.items():
            lines: Iterable[object] = getattr(screen, name)
            drawn = {line.key: str(getattr(macros, macro)(line, operator)).strip() for line in lines}  # type: ignore[attr-defined]
            rows.update(drawn)
            lists[name] = tuple(drawn)
        parts = {part: str(getattr(macros, part)(screen, operator)).strip() for part in PARTS}
        cars = tuple(car.name for car in view.cars)
        car = view.run.car if view.run is not None else ""
        return Rendered(view.version, _ticking(view, screen), screen.next_command, car, cars, parts, rows, lists)


def _ticking(view: View, screen: Screen) -> Ticking:
    run = screen.run
    return Ticking(
        boot=view.clock.boot,
        now_ms=view.clock.now_ns / 1e6,
        rate=view.clock.rate,
        started_ms=run.started_ms if run is not None else None,
        ends_ms=run.ends_ms if run is not None else None,
        text=run.clock if run is not None else ZERO,
    )


def fingerprints() -> dict[str, str]:
    """Static files by name to their addresses; the digest in it lets a browser keep them for ever."""
    return {
        file.name: f"/static/{file.name}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
        for file in sorted(STATIC.iterdir())
        if file.is_file()
    }
