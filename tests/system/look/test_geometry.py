"""Nothing is clipped, overlapping or too wide: one table over all pages of the three machines.

Every page is measured at every size of the screen with the worst that it may have to show, and with each other set of
data (`data_sets.py`) at the sizes that leave the least room; so is its first address, with the worst, in the letters of
a browser that has not our font. A page that is missing in a table fails.
"""

import pathlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from leaderboard.app import create_app as leaderboard_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from shared.protocol.messages import CarState
from shared.protocol.results import encode_result
from shared.web.server import listen
from station.access.identity import VISITOR, Identity
from station.access.roles import Role
from station.checklists.items import ITEMS
from station.checklists.records import ChecklistFacts, DiscardedRun, StationSightings, StopSighting
from station.checklists.register import ChecklistRegister
from station.screens.records import MODES
from station.screens.register import ScreenRegister
from station.service.backups.contents import Contents
from station.service.backups.station_backups import StationBackups, Work
from station.store.event_files.tracks import TrackLibrary
from station.views.runs.run_archive import RunPage, RunSummary
from station.views.views import View
from station.web.pages.registry import PAGES
from tests import geometry
from tests.leaderboard import sample_races
from tests.shared.web.sample_refusals import hostile_day
from tests.station.web.archived_runs import ArchiveRig, working
from tests.station.web.conftest import Served, serve
from tests.station.web.data_sets import ACTS, CODE, SCREENS, SETS, WORST
from tests.station.web.extreme_views import NAMES, names
from tests.station.web.sample_views import RUN, VIEW, FakeStation
from tests.vehicle.web.test_access import Site
from vehicle.web.server import ConsoleServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Sizes = tuple[tuple[int, int], ...]
TIGHT: Sizes = ((320, 640), (640, 400))  # a small phone, and a laptop's screen at 200 % zoom
CONTROL_TIGHT: Sizes = ((1280, 800), (320, 640))  # race control fits a laptop without scrolling
HALL_TIGHT: Sizes = geometry.HALL_VIEWPORTS
HALL: Sizes = (*geometry.HALL_VIEWPORTS, (390, 844), (320, 640))
OVERLAY: Sizes = ((1920, 1080),)  # the only size that it has

OVERLAY_PARTS = ("lower", "clock", "winner", "tower")
RANKED = ("0-racers", "1-racer", "9-racers", "200-racers", "over-1:00", "over-10:00")
RACED = ("3-cars", "6-cars", "queued", "staged", "paused", "over", "test-mode", "trouble", "stopped", "no-race")


class Look(NamedTuple):
    """An address of a page, and the data sets that it is shown with beside the worst."""

    address: str
    sets: tuple[str, ...] = ()
    sizes: Sizes = geometry.VIEWPORTS
    tight: Sizes = TIGHT


# The page's name in the registry, and what is looked at.
TABLE: dict[str, tuple[Look, ...]] = {
    "live": (
        Look("/#board", (*RANKED, "trouble", "stopped", "no-race")),
        Look("/#run", ("over-1:00", "over-10:00", "3-cars", "6-cars", "staged", "over", "test-mode", "no-race"), TIGHT),
        Look("/#queue", ("0-racers", "200-racers"), TIGHT),
        Look("/#me", ("0-racers",), TIGHT),
    ),
    "screen": (
        Look("/screen", (*RANKED, "3-cars", "6-cars", "over", "queued", "stopped", "no-race"), HALL, HALL_TIGHT),
        Look("/screen?mode=board", ("over-10:00",), HALL, HALL_TIGHT),
        Look("/screen?mode=run", ("over-1:00", "over-10:00"), HALL, HALL_TIGHT),
        *(Look(f"/screen?mode={mode}", (), HALL) for mode in MODES if mode not in ("both", "board", "run")),
    ),
    "operate": (Look("/operate", ("0-racers", "200-racers", "over-10:00", *RACED), tight=CONTROL_TIGHT),),
    "racer": (Look(f"/r/{CODE}", ("9-racers", "over-1:00")),),
    "referee": (Look("/referee", ("0-racers", "over-10:00", "3-cars", "6-cars", "queued", "stopped")),),
    "runs": (Look("/runs"),),
    "run": (Look("/runs/run-3"),),
    "run_officials": (Look("/runs/run-3#officials"), Look("/runs/run-4", (), TIGHT)),
    "event": (
        Look("/event", ("9-racers", "200-racers", "no-race")),
        *(Look(f"/event?act={act}", (), TIGHT) for act in ("event", "create", "change&race=race-1")),
    ),
    "tracks": (Look("/tracks", ("no-race",)), Look("/tracks?find=nothing-is-called-this", (), TIGHT)),
    "backup": (Look("/backup"),),
    "racers": (
        Look("/racers", ("0-racers", "200-racers", "no-race")),
        *(Look(f"/racers?{act}", (), TIGHT) for act in ("act=add", "act=import", f"edit={NAMES[2]}")),
    ),
    "cards": (Look("/racers/cards"),),
    "cars": (Look("/cars", ("0-racers", "no-race")), Look("/cars?act=add", (), TIGHT)),
    "car_sheets": (Look("/cars/sheets", ("no-race",)),),
    "checklist": (Look("/checklist", ("0-racers", "trouble", "no-race")),),
    "results": (Look("/results/race-1", RANKED),),
    "certificates": (Look("/results/race-1/certificates", ("0-racers", "over-1:00")),),
    "screens": (Look("/screens", ("no-race",)),),
    "gates": (Look("/gates", ("9-racers", "test-mode", "trouble", "no-race")),),
    "commentator": (Look("/commentator", (*RANKED, "3-cars", "6-cars", "no-race")),),
    "chart": (Look("/chart", ("9-racers", "3-cars", "no-race")),),
    "sound": (Look("/sound", ("no-race",)),),
    "overlay": (
        Look("/overlay", (*RANKED, "over", "no-race"), OVERLAY, OVERLAY),
        *(Look(f"/overlay?part={part}", ("over-10:00",), OVERLAY, OVERLAY) for part in OVERLAY_PARTS),
    ),
    "people": (Look("/people"),),
    "audit": (Look("/audit"), Look("/audit?who=nobody-at-all", (), TIGHT)),
    "setup": (Look("/setup", ("0-racers", "trouble", "no-race")),),
    "claim": (Look("/claim"),),
    "sign_in": (Look("/sign-in"),),
    "pair": (Look("/pair"),),
}  # fmt: skip
BEFORE_SIGN_IN = ("claim", "sign_in", "pair", "run")
NO_STREAM = ("claim", "sign_in", "pair", "certificates")


@dataclass
class ShownStation(FakeStation):
    """A station that shows a data set; its archive is that of another, whose runs are long."""

    archive: ArchiveRig | None = field(default=None)

    def run_list(self) -> tuple[RunSummary, ...]:
        assert self.archive is not None
        return self.archive.station.run_list()

    def run_page(self, run_id: str) -> RunPage | None:
        assert self.archive is not None
        return self.archive.station.run_page(run_id)


@dataclass
class Pages:
    """One browser's page on a station, for officials or for visitors."""

    served: Served
    page: Page
    path: str = ""
    shown: str = ""

    def show(self, name: str, address: str) -> None:
        """Shows a data set at an address; the page is loaded again only where it does not follow by itself."""
        station, data = self.served.station, SETS[name]
        assert isinstance(station, ShownStation)
        station.results = data.results
        if self.shown != name:
            put(station, data.view)
        live = self.page.evaluate("'version' in document.body.dataset")
        if self.path.partition("#")[0] != address.partition("#")[0] or not live:
            self.page.goto(self.served.url + address)
        elif self.path != address:
            self.page.evaluate("hash => { location.hash = hash; }", address.partition("#")[2])
        if self.page.evaluate("'version' in document.body.dataset"):
            at_least(self.page, station)
        self.path, self.shown = address, name

    def look(self, name: str, looks: tuple[Look, ...]) -> list[str]:
        """The faults of a page in the worst state at all sizes, and in each other state at the tight ones."""
        found = []
        for place, (address, sets, sizes, tight) in enumerate(looks):
            for data in ("worst", *sets):
                self.show(data, address)
                found += geometry.look(self.page, f"{address} {data}", sizes if data == "worst" else tight)
                if place == 0 and data == "worst":
                    found += self.look_in_other_letters(address, tight)
        return [f"{name}: {fault}" for fault in found]

    def look_in_other_letters(self, address: str, sizes: Sizes) -> list[str]:
        """The faults of the open page in a browser without our font."""
        with geometry.other_letters(self.page):
            self.shown = ""  # what a script fits to its place is fitted anew
            self.show("worst", address)
            return geometry.look(self.page, f"{address} serif", sizes)


def put(station: FakeStation, view: View) -> None:
    station.show(**{part.name: getattr(view, part.name) for part in fields(view) if part.name != "version"})


def at_least(page: Page, station: FakeStation) -> None:
    """Waits until the page shows what the station shows."""
    page.wait_for_function("v => Number(document.body.dataset.version) >= v", arg=station.view.version)
    if station.view.stop.on and page.locator("#stop-answer").count():
        page.wait_for_function("() => document.getElementById('stop-answer').textContent")


def show(station: FakeStation, page: Page, view: View) -> None:
    """Shows a whole view on a page that is open, and waits until it is there."""
    put(station, view)
    at_least(page, station)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveRig]:
    with working(ArchiveRig.long(tmp_path_factory.mktemp("archive") / "station.db")) as rig:
        assert isinstance(rig, ArchiveRig)
        yield rig


@contextmanager
def opened(browser: Browser, archive: ArchiveRig, *, signed_in: bool = True) -> Iterator[Pages]:
    """The station's pages in the worst state."""
    screens = ScreenRegister(None)
    for screen in SCREENS.screens:
        screens.here(screen.screen_id, "screen", 1920, 1080, screen.seen_utc_ns)
        screens.change(screen.screen_id, name=screen.name[:40])
    screens.show_message(SCREENS.message)
    context = browser.new_context(color_scheme="dark", reduced_motion="reduce")
    page = context.new_page()
    station = ShownStation(view=WORST, acts=ACTS, archive=archive)
    with tempfile.TemporaryDirectory() as name:
        backups = long_backups(pathlib.Path(name))
        shown: dict[str, Any] = {
            "screens": screens,
            "tracks": TrackLibrary(pathlib.Path(name)),
            "backups": backups,
            "checklists": long_checklists(),
            "refusals": hostile_day(),
        }
        with contextmanager(serve)(station, signed_in=signed_in, **shown) as served:
            yield Pages(served, page)
        backups.close()
    context.close()


def long_backups(folder: pathlib.Path) -> StationBackups:
    """Twenty backups with names as long as they may be, of which one is checked."""
    backups = StationBackups(folder)
    backups.folder.mkdir()
    files = [f"{number:02}{'b' * 94}.zip" for number in range(20)]
    for name in files:
        (backups.folder / name).write_bytes(bytes(1000))
    held = Contents("W" * 64, 99, 200, 999, 123_456, WORST.clock.utc_ns)
    backups.work = Work("check", files[0], 1.0, over=True, there=held, here=replace(held, runs=1_000))
    return backups


def long_checklists() -> ChecklistRegister:
    """Every box ticked by somebody with a long name, and long names in what the station saw."""
    checklists, now_ns = ChecklistRegister(None), WORST.clock.utc_ns
    for number, item in enumerate(each for each in ITEMS.values() if not each.by_station):
        checklists.tick(item.key, NAMES[number % len(NAMES)][:40], now_ns - number % 2 * 86_400 * 10**9, on=True)
    checklists.set_facts(ChecklistFacts(tuple(name[:40] for name in NAMES), (), True, "", "b" * 96 + ".zip", now_ns))
    stopped = StopSighting(NAMES[0], now_ns, ("c" * 64, "d" * 64), ())
    run = DiscardedRun("run-99", "c" * 64, 99, 99, False, now_ns)
    checklists.set_sightings(StationSightings(button_utc_ns=now_ns, stop=stopped, run=run))
    return checklists


@pytest.fixture(scope="module")
def officials(browser: Browser, archive: ArchiveRig) -> Iterator[Pages]:
    with opened(browser, archive) as pages:
        people = pages.served.access.people
        for name in NAMES[:5]:
            people.add_person(VISITOR, name[:40], Role.REFEREE, "284613")
        people.offer_pairing(Identity("Nadia", Role.ADMIN), NAMES[2][:40], "tablet", Role.REFEREE)
        yield pages


@pytest.fixture(scope="module")
def visitors(browser: Browser, archive: ArchiveRig) -> Iterator[Pages]:
    with opened(browser, archive, signed_in=False) as pages:
        yield pages


def test_every_page_of_the_station_is_in_the_table() -> None:
    assert set(TABLE) == {page.name for page in PAGES}


@pytest.mark.parametrize("name", [name for name in TABLE if name not in BEFORE_SIGN_IN])
def test_a_page_shows_everything_at_every_size(officials: Pages, name: str) -> None:
    assert officials.look(name, TABLE[name]) == []


@pytest.mark.parametrize("name", BEFORE_SIGN_IN)
def test_a_page_before_signing_in_shows_everything_at_every_size(visitors: Pages, name: str) -> None:
    if name == "sign_in" and not visitors.served.access.people.people():
        for racer in NAMES[:5]:
            visitors.served.access.people.add_person(VISITOR, racer[:40], Role.REFEREE, "284613")
    assert visitors.look(name, TABLE[name]) == []


def test_a_minute_takes_neither_the_name_nor_the_figure(officials: Pages) -> None:
    """This once happened: from 1:00 on, the racer's name was squeezed to nothing and the figure clipped."""
    page = officials.page
    page.set_viewport_size({"width": 1280, "height": 800})
    officials.show("9-racers", "/")
    idle = replace(RUN, phase="armed", released=False, laps=(), lap_started_ns=None, score_ms=None)
    show(officials.served.station, page, replace(VIEW, run=idle))
    officials.shown = ""
    places = set()
    for text in ("59.9", "1:00.0", "10:00.0", "9:59.999", "59:59.999"):
        places.add(page.evaluate(_CLOCK_SAYS, text))
    assert len(places) == 1


_CLOCK_SAYS = """text => {
    const face = document.getElementById("clock");
    face.textContent = text;
    face.dataset.chars = text.length;
    if (face.scrollWidth > face.parentElement.clientWidth) throw new Error(`${text} is wider than its box`);
    return JSON.stringify(document.querySelector(".racer").getBoundingClientRect());
}"""

# The leaderboard's races by the scores of their racers, in ms.
BOARD_RACES = {
    "cup": [9_000] + [599_999 - n % 9 for n in range(98)],
    "none": [],
    "one": [9_412],
    "nine": [72_123 + n for n in range(9)],
    "many": [619_412 + n for n in range(200)],
}
BOARD = ("/", "/races/{race_id}", "/docs")


@contextmanager
def board(folder: pathlib.Path) -> Iterator[str]:
    """A leaderboard with these races, on loopback."""
    held = open_board(folder / "board.db")
    for race_id, scores in BOARD_RACES.items():
        held.create_race(sample_races.race(race_id, name="W" * 40 if race_id == "cup" else race_id), 1)
        for number, (racer, score_ms) in enumerate(zip(names(len(scores)), scores, strict=True)):
            one = sample_races.result(
                f"{race_id}-{number}", racer, (score_ms,) * 3, race_id=race_id, car="c" * 64, model="m" * 64
            )
            held.apply(one.webhook_id, encode_result(one), 1)
    app, feed = leaderboard_app(held, Credentials((), "x" * 32), LeaderboardConfig(), lambda: 10**18)
    server = ConsoleServer(app, listen("127.0.0.1", 0, "console"))
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    feed.close()
    server.close()


def test_the_leaderboard_shows_every_score_at_every_size(browser: Browser, tmp_path: pathlib.Path) -> None:
    found: list[str] = []
    with board(tmp_path) as url:
        context = browser.new_context(color_scheme="dark")
        page = context.new_page()
        looks: list[tuple[str, Sizes]] = [
            (path, geometry.VIEWPORTS) for path in ("/", "/races/cup", "/docs", "/nowhere")
        ]
        looks += [(f"/races/{race_id}", TIGHT) for race_id in BOARD_RACES if race_id != "cup"]
        looks += [("/races/cup?screen=1", geometry.VIEWPORTS), ("/races/many?screen=1", HALL_TIGHT)]
        looks += [(f"/races/cup/racers/{quote(NAMES[2])}", geometry.VIEWPORTS)]
        for path, sizes in looks:
            page.goto(url + path)
            found += geometry.look(page, path, sizes)
            if path == "/races/cup":
                with geometry.other_letters(page):
                    found += geometry.look(page, "serif", TIGHT)
        context.close()
    assert found == []


def test_the_car_shows_everything_on_a_phone(browser: Browser, tmp_path: pathlib.Path) -> None:
    site = Site(tmp_path)
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(site.url)
    page.get_by_label("Claim code").wait_for()
    found = looks_in_all_letters(page, "car-claim")
    page.get_by_label("Claim code").fill(site.code)
    page.get_by_role("button", name="Claim").click()
    page.locator("#models li").first.wait_for(state="attached")
    site.bench.control.on_guard_message(CarState(True, "tripped", "x" * 120, NAMES[0] + "m" * 24, "ab" * 32, 40))
    page.locator("#model").filter(has_text=NAMES[0]).wait_for()
    found += looks_in_all_letters(page, "car-desk")
    context.close()
    site.server.close()
    assert found == []


def looks_in_all_letters(page: Page, what: str) -> list[str]:
    """The faults of the open page, in our letters and in those of a browser without our font."""
    found = geometry.look(page, what)
    with geometry.other_letters(page):
        return found + geometry.look(page, f"{what} serif", TIGHT)
