"""Pictures of every page, of an event as it might be, each at its natural size: whole, and kept for docs/screens.

`RACEDAY_PICTURES=docs/screens pytest tests/system/look/test_pictures.py` takes them anew.
"""

import pathlib
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from station.access.tokens import DEVICE_COOKIE
from station.web.pages.registry import PAGES
from tests import geometry
from tests.browser import keep_picture
from tests.system.look.board_and_car import car_console, leaderboard
from tests.system.look.summit import Hall, summit_hall

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HALL, LAPTOP, PHONE, PAPER = (1920, 1080), (1280, 800), (390, 844), (1123, 794)


class Picture(NamedTuple):
    """A picture: the page of the registry that it shows, its address, size and theme, and what is pressed before."""

    page: str
    address: str
    size: tuple[int, int] = LAPTOP
    theme: str = "light"
    press: str = ""


PICTURES = {
    "race-control": Picture("operate", "/operate", theme="dark"),
    "referee": Picture("referee", "/referee", PHONE, "dark"),
    "runs": Picture("runs", "/runs"),
    "run-officials": Picture("run_officials", "/runs/run-4", press="Rule on lap 4"),
    "run-public": Picture("run", "/runs/run-2", PHONE),
    "event": Picture("event", "/event"),
    "event-new-race": Picture("event", "/event?act=create"),
    "tracks": Picture("tracks", "/tracks"),
    "backup": Picture("backup", "/backup"),
    "racers": Picture("racers", "/racers"),
    "racers-import": Picture("racers", "/racers?act=import"),
    "racers-cards": Picture("cards", "/racers/cards"),
    "cars": Picture("cars", "/cars"),
    "car-sheet": Picture("car_sheets", "/cars/sheets?car=car-1", (794, 1123)),
    "checklist": Picture("checklist", "/checklist"),
    "screens": Picture("screens", "/screens"),
    "gates": Picture("gates", "/gates"),
    "people": Picture("people", "/people"),
    "audit": Picture("audit", "/audit"),
    "setup": Picture("setup", "/setup"),
    "claim": Picture("claim", "/claim"),
    "sign-in": Picture("sign_in", "/sign-in", PHONE),
    "pair": Picture("pair", "/pair", PHONE),
    "big-screen": Picture("screen", "/screen", HALL, "dark"),
    "big-screen-board": Picture("screen", "/screen?mode=board", HALL, "dark"),
    "big-screen-run": Picture("screen", "/screen?mode=run", HALL, "dark"),
    "big-screen-winner": Picture("screen", "/screen?mode=winner", HALL, "dark"),
    "big-screen-chart": Picture("screen", "/screen?mode=chart", HALL, "dark"),
    "queue-display": Picture("screen", "/screen?mode=queue", HALL, "dark"),
    "overlay": Picture("overlay", "/overlay?bg=%23245a3c", HALL, "dark"),
    "spectator-board": Picture("live", "/#board", PHONE),
    "spectator-run": Picture("live", "/#run", PHONE),
    "spectator-queue": Picture("live", "/#queue", PHONE),
    "spectator-wide": Picture("live", "/", LAPTOP),
    "racer": Picture("racer", "/r/{code}", PHONE),
    "commentator": Picture("commentator", "/commentator", theme="dark"),
    "lap-chart": Picture("chart", "/chart"),
    "sound": Picture("sound", "/sound"),
    "results": Picture("results", "/results/qualifying"),
    "certificates": Picture("certificates", "/results/qualifying/certificates?place=1", PAPER),
}
VISITORS = ("live", "screen", "overlay", "racer", "run", "commentator", "chart", "sound", "results", "certificates",
            "claim", "pair")  # fmt: skip
DOCS = pathlib.Path(__file__).parents[3] / "docs" / "screens"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with summit_hall(tmp_path_factory.mktemp("summit")) as hall:
        yield hall


def taken(page: Page, name: str) -> list[str]:
    """The faults of the page as it stands, whose picture is kept."""
    geometry.settled(page)
    keep_picture(page, name)
    return [f"{name}: {fault}" for fault in geometry.faults(page)]


def test_every_page_has_a_picture() -> None:
    assert {picture.page for picture in PICTURES.values()} == {page.name for page in PAGES}


def test_only_the_line_is_among_the_crossings_of_a_run(hall: Hall) -> None:
    """This once happened: each pass of a split gate looked like a crossing that counts for nobody."""
    page = hall.summit.station.run_page("run-1")
    assert page is not None
    assert {crossing.gate for crossing in page.trace.crossings} == {"start"}
    assert {lane.gate for lane in page.trace.beams} == {"start", "sector-1", "sector-2"}


def test_the_pages_of_an_event_are_whole_at_their_size(browser: Browser, hall: Hall) -> None:
    found: list[str] = []
    for theme in ("dark", "light"):
        context = browser.new_context(color_scheme=theme, reduced_motion="reduce", timezone_id="Europe/Berlin")
        page = context.new_page()
        for name, picture in PICTURES.items():
            if picture.theme != theme:
                continue
            page.set_viewport_size({"width": picture.size[0], "height": picture.size[1]})
            if picture.page == "sign_in":  # on a device that is paired, where names are offered
                context.add_cookies([{"name": DEVICE_COOKIE, "value": hall.device, "url": hall.officials.url}])
            page.goto(hall.at(picture.address, public=picture.page in VISITORS))
            context.clear_cookies()
            if picture.address.startswith(
                ("/operate", "/referee", "/screen", "/overlay", "/commentator", "/gates", "/checklist")
            ):
                page.wait_for_selector('#link[data-state="live"]', state="attached")
            if picture.press:
                page.get_by_role("button", name=picture.press).click()
                page.evaluate("scrollTo(0, 0)")
            found += taken(page, name)
        context.close()
    assert found == []


def test_the_leaderboard_is_whole_at_its_size(browser: Browser, tmp_path: pathlib.Path) -> None:
    found: list[str] = []
    with leaderboard(tmp_path) as url:
        page = browser.new_page(color_scheme="light", viewport={"width": 1280, "height": 800})
        for name, path in (
            ("leaderboard", "/"),
            ("leaderboard-race", "/races/qualifying"),
            ("leaderboard-racer", "/races/qualifying/racers/Lena%20Hoffmann"),
        ):
            page.goto(url + path)
            found += taken(page, name)
        page.set_viewport_size({"width": 1920, "height": 1080})
        page.emulate_media(color_scheme="dark")
        page.goto(f"{url}/races/qualifying?screen=true")
        found += taken(page, "leaderboard-screen")
        page.close()
    assert found == []


def test_the_car_is_whole_on_a_phone(browser: Browser, tmp_path: pathlib.Path) -> None:
    found: list[str] = []
    with car_console(tmp_path) as (url, code, reports):
        page = browser.new_page(color_scheme="light", viewport={"width": 390, "height": 844})
        page.goto(url)
        page.get_by_label("Claim code").wait_for()
        found += taken(page, "car-claim")
        page.get_by_label("Claim code").fill(code)
        page.get_by_role("button", name="Claim").click()
        page.locator("#models li").first.wait_for(state="attached")
        reports()
        page.locator("#mode").filter(has_text="Driving").wait_for()
        found += taken(page, "car")
        page.close()
    assert found == []


def test_the_index_names_every_picture_and_no_other() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    files = {file.name for file in DOCS.glob("*.png")}
    assert {name for name in files if f"({name})" in index} == files
    assert {f"{name}.png" for name in PICTURES} <= files
    assert sum(file.stat().st_size for file in DOCS.glob("*.png")) < 9_000_000  # those of the league are among them
