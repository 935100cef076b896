"""Axe finds nothing: every page of the station in every state, its dialogs, the leaderboard and the car's console.

A state is looked at whole in the theme that the page is in. In the other one only the colours differ, so only their
rules run again; the next state is then looked at whole in that one.
"""

import pathlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

import pytest
from playwright.sync_api import Browser, Page

from shared.protocol.messages import CarState
from station.access.roles import Role
from station.access.tokens import SESSION_COOKIE
from station.service.backups.station_backups import StationBackups
from station.store.event_files.tracks import TrackLibrary
from station.web.pages.registry import PAGES
from tests.browser import COLOURS, SCHEMES, bring_axe, in_scheme, violations
from tests.shared.web.sample_refusals import hostile_day
from tests.shared.web.tls.served_tls import protection
from tests.station.web.conftest import serve
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import session_of
from tests.system.look import serving
from tests.system.look.whole_station import VIEWS, WholeStation, whole_station
from tests.vehicle.web.test_access import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@dataclass(frozen=True, slots=True)
class Look:
    """An address, the states in which it is looked at, and what is clicked once it is open."""

    path: str
    states: tuple[str, ...] = ("full",)
    click: str = ""


# Every page of the registry, by its name.
LOOKS: dict[str, tuple[Look, ...]] = {
    "live": (Look("/", ("full", "nothing", "queued", "three", "stopped", "fault")),),
    "screen": (
        Look("/screen", ("full", "six", "stopped", "nothing")),
        *(Look(f"/screen?mode={mode}") for mode in ("queue", "winner", "qr", "chart")),
    ),
    "operate": (
        Look(
            "/operate",
            ("full", "nothing", "called", "armed", "staged", "over", "paused", "six", "stopped", "fault"),
        ),
        Look("/operate", ("one",), click="[data-ruling]:visible"),
    ),
    "referee": (Look("/referee", ("full", "nothing", "three")),),
    "event": (
        Look("/event", ("full", "no races", "nothing")),
        *(Look(f"/event?act={act}") for act in ("event", "create", "change&race=race-1")),
    ),
    "racers": (
        Look("/racers", ("full", "no races")),
        *(Look(f"/racers?{act}") for act in ("act=add", "act=import", "edit=Ada+Lovelace")),
    ),
    "backup": (Look("/backup"),),
    "cards": (Look("/racers/cards"),),
    "cars": (Look("/cars", ("full", "nothing")), Look("/cars?edit=stock-1")),
    "tracks": (Look("/tracks"),),
    "screens": (Look("/screens"),),
    "car_sheets": (Look("/cars/sheets"),),
    "checklist": (Look("/checklist", ("full", "nothing", "fault")),),
    "gates": (Look("/gates", ("full", "nothing", "test")),),
    "commentator": (Look("/commentator", ("full", "nothing")),),
    "chart": (Look("/chart", ("full", "nothing")),),
    "sound": (Look("/sound"),),
    "overlay": (Look("/overlay?part=all&bg=%23123456", ("full", "over", "nothing")),),
    "setup": (Look("/setup", ("full", "nothing")),),
    "people": (Look("/people"),),
    "audit": (Look("/audit", click=".refused-clients summary"),),
    "runs": (Look("/runs"), Look("/runs?racer=nobody")),
    "run_officials": (
        Look("/runs/run-2"),
        Look("/runs/run-1", click="#run-lap-3 .lap-pick"),
        Look("/runs/run-official"),
    ),
    "results": tuple(Look(f"/results/{race}") for race in ("official", "race-1", "none")),
    "certificates": (Look("/results/official/certificates"), Look("/results/none/certificates")),
    "racer": (Look("/r/K7QX2"),),
}
# Those that only somebody sees who is not signed in; test_doors opens them.
DOORS = {"claim", "sign_in", "pair", "run"}


@pytest.fixture(scope="module")
def make_station(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], WholeStation]:
    return whole_station(tmp_path_factory.mktemp("runs"))


@contextmanager
def opened(browser: Browser, **options: object) -> Iterator[Page]:
    """A page in the dark theme, in which nothing moves."""
    chosen: dict[str, object] = {"viewport": {"width": 1280, "height": 800}, **options}
    context = browser.new_context(color_scheme="dark", reduced_motion="reduce", **chosen)  # type: ignore[arg-type]
    bring_axe(context)
    yield context.new_page()
    context.close()


def look(page: Page, where: str, within: str = "") -> list[str]:
    """What axe finds, in both themes; the page stays in the other one."""
    other = SCHEMES[0] if page.evaluate(_DARK) else SCHEMES[1]
    found = violations(page, within)
    in_scheme(page, other)
    found += [f"{other}: {fault}" for fault in violations(page, within, COLOURS)]
    return [f"{where}: {fault}" for fault in found]


_DARK = "matchMedia('(prefers-color-scheme: dark)').matches"


def prepare(station: FakeStation, state: str) -> None:
    view = VIEWS[state]
    station.show(**{part.name: getattr(view, part.name) for part in fields(view) if part.name != "version"})


def show(station: FakeStation, page: Page, state: str) -> None:
    prepare(station, state)
    page.wait_for_function("v => Number(document.body.dataset.version) >= v", arg=station.view.version)


def visit(page: Page, address: str) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert answer.ok, address
    if page.locator("#link").count():
        page.wait_for_selector('#link[data-state="live"]', state="attached")


def dialogs(page: Page, where: str, known: set[str]) -> list[str]:
    """Each dialog of the page that is not known yet, by itself, with a title where a script writes it."""
    found = []
    for name in page.evaluate("() => [...document.querySelectorAll('dialog[id]')].map((dialog) => dialog.id)"):
        if name in known:
            continue
        known.add(name)
        page.evaluate(
            """name => {
                const dialog = document.getElementById(name);
                dialog.querySelector("h2").textContent ||= "Lap 3: 9.654";
                if (!dialog.open) dialog.showModal();
            }""",
            name,
        )
        found += look(page, f"{where}, dialog {name}", f"#{name}")
        page.evaluate("name => document.getElementById(name).close()", name)
    return found


def test_every_page_of_the_station_is_in_the_table() -> None:
    assert set(LOOKS) | DOORS == {page.name for page in PAGES}


@pytest.fixture(scope="module")
def known() -> set[str]:
    """The dialogs that were looked at: some are the same on every page."""
    return set()


# Four groups that take about as long as each other.
@pytest.mark.parametrize("group", [sorted(LOOKS)[start::4] for start in range(4)], ids=",".join)
def test_every_page_of_the_station_in_every_state(
    browser: Browser,
    make_station: Callable[[], WholeStation],
    tmp_path: pathlib.Path,
    known: set[str],
    group: list[str],
) -> None:
    station, found = make_station(), list[str]()
    files = StationBackups(tmp_path), TrackLibrary(tmp_path)
    with (
        contextmanager(serve)(station, backups=files[0], tracks=files[1], refusals=hostile_day()) as served,
        opened(browser) as page,
    ):
        for name in group:
            for each in LOOKS[name]:
                found += _looked(page, served.url, station, each)
            found += dialogs(page, LOOKS[name][0].path, known)
    assert "\n".join(found) == ""


def test_pages_in_german_and_without_a_station(browser: Browser, make_station: Callable[[], WholeStation]) -> None:
    station, found = make_station(), list[str]()
    with opened(browser) as page:
        with contextmanager(serve)(station) as served:
            for path in ("/", "/event?act=create", "/operate"):
                visit(page, f"{served.url}{path}{'&' if '?' in path else '?'}lang=de")
                assert page.locator("html").get_attribute("lang") == "de"
                found += look(page, f"{path}, German")
            visit(page, f"{served.url}/operate?lang=en")
        page.wait_for_selector("body[data-silent]")
        found += look(page, "/operate, old")
        page.evaluate("performance.now = ((now) => () => now() + 10_000)(performance.now.bind(performance))")
        page.wait_for_selector("body[data-silent=away]")
        found += look(page, "/operate, away")
    assert "\n".join(found) == ""


def _looked(page: Page, url: str, station: WholeStation, each: Look) -> list[str]:
    """What axe finds at this address, in its states."""
    prepare(station, each.states[0])
    visit(page, url + each.path)
    if each.click:
        page.locator(each.click).first.click()
    found: list[str] = []
    for place, state in enumerate(each.states):
        if place:
            show(station, page, state)
        found += look(page, f"{each.path}, {state}")
    return found


def test_doors_and_errors(browser: Browser, make_station: Callable[[], WholeStation]) -> None:
    station, found = make_station(), list[str]()
    with contextmanager(serve)(station, signed_in=False) as served, opened(browser) as page:

        def looked(*paths: str) -> None:
            for path in paths:
                page.goto(served.url + path)
                found.extend(look(page, path))

        looked("/claim", "/", "/runs/run-1", "/nowhere", "/results/nowhere")
        session = session_of(served.access, "Rita", Role.REFEREE)
        looked("/claim", "/pair", "/sign-in", "/people")
        page.context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": served.url}])
        looked("/sign-in", "/people")  # signed in, but not allowed to
        page.set_viewport_size({"width": 390, "height": 844})
        looked("/", "/operate", "/gates")
    assert found == []


def test_the_page_that_helps_to_trust(browser: Browser, tmp_path: pathlib.Path) -> None:
    found = list[str]()
    tls = protection(tmp_path)
    with contextmanager(serve)(FakeStation(), signed_in=False, tls=tls) as served, opened(browser) as page:
        for width, tongue in ((1920, "en"), (360, "de")):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(f"{served.url}/trust?lang={tongue}")
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            found += look(page, f"/trust {width}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert found == []


def test_the_leaderboard(browser: Browser, tmp_path: pathlib.Path) -> None:
    found: list[str] = []
    with serving.leaderboard(tmp_path) as url, opened(browser) as page:
        for path in ("/races/cup", "/races/cup?screen=1", "/races/cup/racers/Anna", "/", "/docs", "/nowhere"):
            page.goto(url.removesuffix("/races/cup") + path)
            found += look(page, path)
    assert found == []


def test_the_console_of_a_car(browser: Browser, tmp_path: pathlib.Path) -> None:
    site, found = Site(tmp_path), list[str]()
    with opened(browser, viewport={"width": 390, "height": 844}) as page:
        page.goto(site.url)
        page.get_by_label("Claim code").fill(site.code)
        found += look(page, "claim")
        page.get_by_role("button", name="Claim").click()
        page.locator("#stop").wait_for()
        for mode in ("disarmed", "driving", "tripped"):
            reason = "The newest frame is 412 ms old." if mode == "tripped" else ""
            site.bench.control.on_guard_message(CarState(True, mode, reason, "first", "ab" * 32, 40))
            page.locator("#mode", has_text=mode.capitalize()).wait_for()
            found += look(page, mode)
        site.refusals.record("code", "10.66.6.6", "POST /api/claim", site.now_s)
        page.locator("#health_part summary").click()
        page.evaluate("document.dispatchEvent(new Event('calibrated'))")  # has the health read anew
        page.get_by_text("10.66.6.6").wait_for()
        found += look(page, "refusals")
    site.server.close()
    assert found == []
