"""Does a slow browser keep up? The main thread's work for each update, and its longest task, beside a plain page.

Chromium's processor is throttled four times. Ten updates a second come to pages with 200 rows: one score changes, or
somebody takes the lead and every row changes its place and its gap. The peer shows the same rows in the same browser
and sets the `innerHTML` of each list that changed. Rounds are interleaved. Times are those of the main thread's
tasks in Chromium's trace; CPU time beside them tells a long task from one that had to wait for a busy machine.
"""

import contextlib
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

from bench.report import console, report
from bench.station.screen_server import EVERY_S, RACERS, view_at
from station.views.views import View
from tests.browser import CHROMIUM, FLAGS
from tests.station.web.conftest import Served, serve
from tests.station.web.sample_views import CAR, FakeStation, lap, on_track

THROTTLE = 4
MAX_TASK_MS = 50.0
LOAD_MS = 1500  # after the stream has spoken: late fonts, rows that waited
CATEGORIES = ["toplevel", "blink.user_timing"]
TASK = "ThreadControllerImpl::RunTask"
PEER = """
const rows = {}, lists = {};
new EventSource(`/live?topics=${document.body.dataset.topics}`).addEventListener("update", ({ data }) => {
  const { topics, version } = JSON.parse(data);
  for (const topic of Object.values(topics)) {
    for (const [id, html] of Object.entries(topic.parts)) document.getElementById(id).innerHTML = html;
    Object.assign(rows, topic.rows);
    Object.assign(lists, topic.lists);
    for (const [id, keys] of Object.entries(lists)) {
      if (id in topic.lists || keys.some((key) => key in topic.rows)) {
        document.getElementById(id).innerHTML = keys.map((key) => rows[key]).join("");
      }
    }
  }
  document.body.dataset.version = version;
  document.getElementById("link").dataset.state = "live";
});
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A page, and what happens on it: the view of the given update."""

    name: str
    path: str
    view: Callable[[int], View]
    width: int = 1920
    height: int = 1080


@dataclass(slots=True)
class Work:
    """What the main thread did, as (duration, CPU time) in ms: tasks while updates came, the longest of each load."""

    tasks: list[tuple[float, float]] = field(default_factory=list)
    load: list[tuple[float, float]] = field(default_factory=list)
    updates: int = 0

    def add(self, other: "Work") -> None:
        self.tasks += other.tasks
        self.load += other.load
        self.updates += other.updates


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one candidate in a case, in ms of the throttled processor; `load_`: the longest task of a load."""

    updates: int
    work_per_update_ms: float
    p50_task_ms: float
    p99_task_ms: float
    longest_ms: float
    longest_cpu_ms: float
    load_ms: float
    load_cpu_ms: float


def score_changes(number: int) -> View:
    """One place's score has changed, and the run."""
    return view_at(time.monotonic_ns(), number)


def lead_changes(number: int) -> View:
    """The last one has taken the lead: every rank and every gap is another."""
    made = view_at(time.monotonic_ns(), number)
    first = -number % RACERS
    order = [*made.standing[first:], *made.standing[:first]]
    lines = [
        replace(line, rank=place + 1, score_ms=9_000 + 20 * place - number, gap_ms=20 * place)
        for place, line in enumerate(order)
    ]
    return replace(made, standing=tuple(lines))


def cars_race(cars: int) -> Callable[[int], View]:
    """So many cars on the track; each update one of them completes a lap."""

    def view(number: int) -> View:
        made = view_at(time.monotonic_ns(), number)
        done = [(number + cars - 1 - car) // cars for car in range(cars)]
        runs = tuple(
            on_track(
                car + 1,
                f"Racer {car}",
                f"car-{car + 1}",
                tuple(lap(n, 9_400 + 7 * n + car) for n in range(1, 2 + laps % 6)),
            )
            for car, laps in enumerate(done)
        )
        return replace(
            made, runs=runs, run=runs[0], cars=tuple(replace(CAR, name=f"car-{car + 1}") for car in range(cars))
        )

    return view


CASES = (
    Case("/ with a new score", "/", score_changes),
    Case("/ with a new leader", "/", lead_changes),
    Case("/ on a phone, with a new leader", "/", lead_changes, 390, 844),
    Case("/screen with a new score", "/screen", score_changes),
    Case("/screen with a new leader", "/screen", lead_changes),
    Case("/operate with 3 cars", "/operate", cars_race(3), 1280, 800),
    Case("/operate with 6 cars", "/operate", cars_race(6), 1280, 800),
)


def main(quick: bool) -> None:
    """Prints the figures and writes run/bench/pages.json."""
    rounds, seconds = (1, 2.0) if quick else (3, 6.0)
    notes: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for case in CASES:
            for name, figures in _measured(browser, case, rounds, seconds).items():
                notes[f"{case.name}: {name}"] = asdict(figures)
                missed = "  MISSED" if name == "ours" and figures.longest_ms > MAX_TASK_MS else ""
                console().print(f"{case.name}: {name}: {figures}{missed}", markup=False)
        browser.close()
    report("pages", [], notes)


def _measured(browser: Browser, case: Case, rounds: int, seconds: float) -> dict[str, Figures]:
    found = {"ours": Work(), "innerHTML": Work()}
    station = FakeStation(view=case.view(0))
    with contextlib.contextmanager(serve)(station) as served:
        for _ in range(rounds):
            for name, work in found.items():
                with _page(browser, served, case, plain=name != "ours") as page:
                    work.add(_work(browser, page, served, case, seconds))
    return {name: _figures(work) for name, work in found.items()}


@contextlib.contextmanager
def _page(browser: Browser, served: Served, case: Case, *, plain: bool) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": case.width, "height": case.height})
    page = context.new_page()
    if plain:
        context.route(served.url + case.path, _without_scripts)
        context.route("**/peer.js", lambda route: route.fulfill(body=PEER, content_type="text/javascript"))
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    try:
        yield page
    finally:
        context.close()


def _without_scripts(route: Route) -> None:
    """The same page with the peer's script instead of its own."""
    answer = route.fetch()
    lines = [line for line in answer.text().splitlines() if not line.lstrip().startswith("<script")]
    body = "\n".join(lines).replace("</head>", '<script src="/peer.js" defer></script>\n</head>', 1)
    route.fulfill(response=answer, body=body)


def _work(browser: Browser, page: Page, served: Served, case: Case, seconds: float) -> Work:
    browser.start_tracing(page=page, categories=CATEGORIES)
    page.goto(served.url + case.path)
    page.wait_for_selector('#link[data-state="live"]')
    page.wait_for_timeout(LOAD_MS)
    before = int(page.evaluate("performance.mark('updates'), Number(document.body.dataset.version)"))
    ends, number = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        number += 1
        made = case.view(number)
        served.station.show(standing=made.standing, run=made.run, runs=made.runs, cars=made.cars)
        time.sleep(EVERY_S)
    after = int(page.evaluate("performance.mark('end'), Number(document.body.dataset.version)"))
    events = json.loads(browser.stop_tracing())["traceEvents"]
    return _of_trace(events, after - before)


def _of_trace(events: list[dict[str, Any]], updates: int) -> Work:
    """The tasks of the page's main thread, which is the one that has set the marks."""
    marks = {event["name"]: event for event in events if event.get("name") in ("updates", "end")}
    thread = marks["updates"]["pid"], marks["updates"]["tid"]
    began, ended = marks["updates"]["ts"], marks["end"]["ts"]
    tasks = [
        (event["ts"], (event["dur"] / 1e3, event.get("tdur", 0) / 1e3))
        for event in events
        if event.get("name") == TASK and event["ph"] == "X" and (event["pid"], event["tid"]) == thread
    ]
    load = max((task for at, task in tasks if at < began), default=(0.0, 0.0))
    return Work([task for at, task in tasks if began <= at < ended], [load], updates)


def _figures(work: Work) -> Figures:
    durations = sorted(task[0] for task in work.tasks)
    longest, load = max(work.tasks), max(work.load)
    rounded = (
        sum(durations) / max(1, work.updates),
        statistics.median(durations),
        durations[min(len(durations) - 1, len(durations) * 99 // 100)],
        *longest,
        *load,
    )
    return Figures(work.updates, *(round(figure, 1) for figure in rounded))


if __name__ == "__main__":
    main(quick=True)
