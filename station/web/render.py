"""Renders a view as HTML: the whole page at first, keyed parts for its updates, from one set of templates."""

import pathlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import FileSystemLoader

from shared.text.reader import language
from shared.web.assets import addresses
from shared.web.drawing.templates import page_environment
from station.access.identity import VISITOR, Identity
from station.access.roles import Role
from station.views.car_views import StopView
from station.views.views import View
from station.web.page import LiveTopic, Page, PageContent
from station.web.presenters.page import ZERO, page_model, run_panel
from station.web.presenters.stop import stop_panel
from station.web.presenters.time_zones import times_of, zone_shown
from station.web.presenters.visitors import visitor_view

_HERE = pathlib.Path(__file__).parent
STATIC = _HERE / "static"


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
class Rendered:
    """One version of a topic: parts by element id, rows by key, each list's keys in order, and data for the script."""

    version: int
    ticking: Ticking
    data: dict[str, Any]
    parts: dict[str, str]
    rows: dict[str, str]
    lists: dict[str, tuple[str, ...]]

    def __or__(self, other: "Rendered") -> "Rendered":
        """Both topics of one page."""
        return Rendered(
            self.version,
            self.ticking,
            self.data | other.data,
            self.parts | other.parts,
            self.rows | other.rows,
            self.lists | other.lists,
        )


class Pages:
    """Renders the pages from their templates, which are compiled once, in the reader's language.

    Only the officials' pages have controls.
    """

    def __init__(self, pages: tuple[Page, ...], topics: Mapping[str, LiveTopic]) -> None:
        self.table = {page.name: page for page in pages}
        self.topics = topics
        self._env = page_environment(FileSystemLoader(_HERE / "templates"), trim_blocks=True, lstrip_blocks=True)
        self._env.globals.update(static=addresses(STATIC))
        # The newest rows of each list by key, with the lines that they show: few lines differ between two views.
        self._drawn_rows: dict[tuple[object, ...], dict[str, tuple[object, str]]] = {}

    def page(self, name: str, view: View, identity: Identity = VISITOR, **values: object) -> str:
        """The whole page as HTML, readable without JavaScript. `values`: what its template needs beyond the view.

        Of these `body_data` becomes the data attributes of its body.
        """
        with times_of(view):
            return self._page(name, view, identity, values)

    def _page(self, name: str, view: View, identity: Identity, values: dict[str, object]) -> str:
        page = self.table[name]
        rendered = self.render(view, page.topics[0])
        for topic in page.topics[1:]:
            rendered |= self.render(view, topic)
        common: dict[str, Any] = {"body_data": {}}
        return self._env.get_template(f"{name}.html").render(
            page=page,
            tabs=[each for each in self.table.values() if each.in_tabs],
            identity=identity,
            roles=Role,
            screen=page_model(view if page.role > Role.VIEWER else visitor_view(view)),
            rendered=rendered,
            ticking=rendered.ticking,
            **common | values,
        )

    def fragment(self, template: str, **values: object) -> str:
        """A piece of HTML that a page's script puts into the page."""
        return self._env.get_template(template).render(**values)

    def stop(self, stop: StopView) -> str:
        """The page of the stop of all cars as HTML, for a browser without JavaScript."""
        return self._env.get_template("stop.html").render(stop=stop_panel(stop))

    def render(self, view: View, name: str) -> Rendered:
        """The parts and rows of this topic that show this view; of a public one, what a visitor may see of it."""
        with times_of(view):
            return self._render(view, name)

    def _render(self, view: View, name: str) -> Rendered:
        topic = self.topics[name]
        content, officials = topic.content, topic.role > Role.VIEWER
        view = view if officials else visitor_view(view)
        model = content.model(view)
        rows, lists = self._rows(content, model, officials)
        return Rendered(
            version=view.version,
            ticking=_ticking(view),
            data=content.data(view),
            parts={part: self._drawn(content, part, model, officials) for part in content.parts},
            rows=rows,
            lists=lists,
        )

    def _rows(
        self, content: PageContent, model: Any, officials: bool
    ) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
        """Each list's rows by key, and their order."""
        rows: dict[str, str] = {}
        lists: dict[str, tuple[str, ...]] = {}
        for name, macro in content.lists.items():
            lines: Iterable[Any] = model[name] if isinstance(model, dict) else getattr(model, name)
            drawn = self._drawn_anew(content, macro, lines, officials)
            rows.update(drawn)
            lists[name] = tuple(drawn)
        return rows, lists

    def _drawn_anew(self, content: PageContent, macro: str, lines: Iterable[Any], officials: bool) -> dict[str, str]:
        """The rows of these lines by key; those whose lines are as they were are not drawn again."""
        which = (content.macros, macro, officials, language(), zone_shown())
        before, now = self._drawn_rows.get(which, {}), {}
        for line in lines:
            was, html = before.get(line.key, (None, ""))
            now[line.key] = line, html if was == line else self._drawn(content, macro, line, officials)
        self._drawn_rows[which] = now
        return {key: html for key, (_, html) in now.items()}

    def _drawn(self, content: PageContent, macro: str, what: object, officials: bool) -> str:
        module = self._env.get_template(content.macros).module
        return str(getattr(module, macro)(what, officials)).strip()


def _ticking(view: View) -> Ticking:
    run = run_panel(view)
    return Ticking(
        boot=view.clock.boot,
        now_ms=view.clock.now_ns / 1e6,
        rate=view.clock.rate,
        started_ms=run.started_ms if run is not None else None,
        ends_ms=run.ends_ms if run is not None else None,
        text=run.clock if run is not None else ZERO,
    )
