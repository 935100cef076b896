"""Nothing is clipped and axe finds nothing on every page of the league, with the worst data, for whoever has the page.

One server and one load of each page: at each size it is measured, and at the last axe looks at it, in both schemes. A
new address that is neither in the table nor among those that are no pages fails.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, Page, Route

from tests import geometry
from tests.browser import COLOURS, bring_axe, in_scheme, violations
from tests.leaderboard.api.test_private_races import every_route
from tests.system.look.league_world import LeagueWorld, league_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Sizes = tuple[tuple[int, int], ...]
SIZES: Sizes = ((1280, 800), (320, 640))
PHONES: Sizes = ((1280, 800), (320, 640), (390, 844))
HALL: Sizes = (*geometry.HALL_VIEWPORTS, (390, 844), (320, 640))
OVERLAY: Sizes = ((1920, 1080),)  # the only size that it has


class Look(NamedTuple):
    """An address, what it answers, and the sizes at which it is measured.

    `alike`: rows of which there are hundreds, all drawn by one template. All are measured; axe is shown six.
    """

    address: str
    sizes: Sizes = SIZES
    alike: str = ""
    status: int = 200


SEASON, DESK = "/seasons/cup-2027", "/desk/seasons/cup-2027"
# By who looks. "no script" is nobody whose browser runs none.
TABLE: dict[str, tuple[Look, ...]] = {
    "nobody": (
        Look("/"),
        Look("/races/worst?racer=W&around=1"),
        Look("/races/worst?racer=nobody"),
        Look("/races/worst/racers/{racer}"),
        Look("/racers/{alias}"),
        Look("/races/worst/share"),
        Look("/embed/worst"),
        Look("/seasons"),
        Look(f"{SEASON}?racer=Ben&place=1", PHONES, "tbody tr"),
        Look(f"{SEASON}/prizes", PHONES),
        Look(f"{SEASON}/teams", PHONES),
        Look(f"{SEASON}/teams/{{team}}"),
        Look(f"{SEASON}/calendar"),
        Look("/events/hall"),
        Look("/records"),
        Look("/brackets/{bracket}", PHONES),
        Look("/races/live/queue", alike=".short-list li"),
        Look("/races/live/broadcast", HALL),
        Look("/races/live/overlay", OVERLAY),
        Look("/races/won/overlay", OVERLAY),
        Look("/races/heat/queue", PHONES),
        Look("/races/heat/broadcast", HALL),
        Look("/races/heat/overlay", OVERLAY),
        Look("/races/live/podium"),
        Look("/races/won/podium"),
        Look("/sign-in?next=/races/worst"),
        Look("/sign-in/recovery"),
        Look("/races/boxes/conditions"),
        Look("/races/driven/replay", (*PHONES, (1920, 1080))),
        Look("/races/driven/replay?lap=run&with=none"),
        Look("/races/worst/replay"),
        Look("/brackets/{duel}"),
        Look("/join/{dead}", status=410),
    ),
    "no script": (
        Look("/sign-up?next=/join/{token}"),
        Look("/sign-in?next=/join/{token}"),
        Look("/join/{token}"),
        Look("/races/won"),
        Look("/races/won/podium"),
        Look("/races/driven/replay?lap=2"),
        Look("/brackets/{duel}/heats/1/replay?run=2&lap=1"),
    ),
    "racer": (
        Look("/"),
        Look("/racers/{alias}"),
        Look("/races/worst"),
        Look("/races/worst/attempts"),
        Look("/races/virtual/submissions", PHONES),
        Look(f"/races/virtual/submissions/{4:016x}/video"),
        Look("/races/live/queue", alike=".short-list li"),
        Look("/join/{token}"),
        Look("/account"),
        Look("/account/keys"),
        Look("/account/models"),
        Look("/claim"),
        Look("/new-race"),
    ),
    "admin": (
        Look("/races/live"),
        Look("/races/live/live-control", PHONES, ".turn"),
        Look("/races/live/commentator", PHONES),
        Look("/races/heat/live-control", PHONES),
        Look("/races/heat/commentator", PHONES),
        Look("/races/worst/attempts"),
        Look("/races/virtual/submissions/all", PHONES),
        Look("/races/worst/notices"),
        Look("/races/friends/invitation"),
        Look("/races/friends/participants", alike=".person"),
        Look("/races/boxes/conditions", PHONES),
        Look("/brackets/{duel}/heats/1/replay", (*PHONES, (1920, 1080))),
        Look("/farm", PHONES),
        Look("/admin/accounts"),
        Look("/admin/accounts/{alias}"),
        Look("/admin/audit"),
        Look("/desk"),
        Look("/desk/import"),
        Look("/desk/races/new"),
        Look("/desk/races/worst"),
        Look("/desk/races/draft/series"),
        Look("/desk/races/worst/bracket"),
        Look("/desk/seasons/new"),
        Look(DESK),
        Look(f"{DESK}/rules"),
        Look(f"{DESK}/people"),
        Look(f"{DESK}/racer?racer={{racer}}"),
        Look(f"{DESK}/archive"),
        Look("/desk/events/new"),
        Look("/desk/events/hall"),
    ),
}
NO_PAGES = {
    "/me": "leads to /racers/ALIAS",
    "/account/export": "a file",
    "/oembed": "JSON",
    "/embed/{race_id}.json": "JSON",
    "/board/{race_id}/latest.json": "JSON",
    "/board/{race_id}/v{version}.json": "JSON",
    "/feed.atom": "a feed",
    "/races/{race_id}/feed.atom": "a feed",
    "/races/{race_id}/card.png": "a picture",
    "/races/{race_id}/pictures/{sha256}": "a picture",
    "/seasons/{season_id}/pictures/{sha256}": "a picture",
    "/races/{race_id}/live": "a stream",
    "/races/{race_id}/replay/data": "JSON",
    "/brackets/{bracket_id}/heats/{number}/replay/data": "JSON",
    "/races/{race_id}/live-stream/{page}": "a stream",
    "/docs": "a page: in test_geometry.py and test_axe.py",
}
# In the other scheme rows have other colours and nothing else, and each row the same ones.
ROWS = "tbody tr, .turn, .short-list li, .person, .rows > li"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeagueWorld]:
    with league_world(tmp_path_factory.mktemp("league")) as made:
        yield made


def addresses(app: FastAPI) -> list[APIRoute]:
    """Every route that a browser may open, in the order in which they are asked; the API is for programs."""
    return [each for each in every_route(app.routes) if "GET" in (each.methods or ()) and not each.include_in_schema]


def test_every_page_is_looked_at(world: LeagueWorld) -> None:
    routes, shown = addresses(world.app), set[str]()
    for look in (look for looks in TABLE.values() for look in looks):
        path = look.address.format(**world.names).partition("?")[0]
        shown.update([each.path for each in routes if each.path_regex.match(path)][:1])
    assert shown | NO_PAGES.keys() == {each.path for each in routes}
    assert shown.isdisjoint(NO_PAGES)


@pytest.mark.parametrize("who", TABLE)
def test_the_pages_show_everything_and_axe_finds_nothing(browser: Browser, world: LeagueWorld, who: str) -> None:
    context = browser.new_context(color_scheme="dark", reduced_motion="reduce")
    bring_axe(context)
    if who in world.sessions:
        context.add_cookies([{"name": "raceday_league", "value": world.sessions[who], "url": world.url}])
    if not (scripts := who != "no script"):
        # Where scripts are off altogether, those of the tests do not run either: here they have nothing in them.
        context.route("**/*.js*", _empty)
    page, found = context.new_page(), list[str]()
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    for look in TABLE[who]:
        found += [f"{who} {look.address}: {fault}" for fault in looked(page, world, look, scripts)]
    context.close()
    # The browser names a page that is gone as an error of the page.
    assert [each for each in found if "status of 410" not in each] == []


def _empty(route: Route) -> None:
    route.fulfill(status=200, content_type="text/javascript", body="")


def looked(page: Page, world: LeagueWorld, look: Look, scripts: bool) -> list[str]:
    """What is wrong with the page at this address."""
    answer = page.goto(world.url + look.address.format(**world.names))
    assert answer is not None
    assert answer.status == look.status, look.address
    if scripts and page.locator("[data-link]").count():
        page.wait_for_selector('[data-link="on"]', state="attached")
    if scripts and page.locator("[data-replay]").count():
        page.wait_for_selector("[data-ready]")
    page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")
    faults = geometry.look(page, look.address, look.sizes)
    assert page.evaluate(KEEP_SIX, look.alike) >= (100 if look.alike else 0), look.address
    faults += [f"dark: {each}" for each in violations(page)]
    page.evaluate(KEEP_SIX, ROWS)
    in_scheme(page, "light")
    faults += [f"light: {each}" for each in violations(page, rules=COLOURS)]
    in_scheme(page, "dark")
    return faults


# Of the elements with this selector: the first five with the same parent, and the last. Returns how many there were.
KEEP_SIX = """selector => {
  const all = [...document.querySelectorAll(selector || "nothing")];
  for (const parent of new Set(all.map((each) => each.parentElement)))
    [...parent.querySelectorAll(selector)].filter((each) => each.parentElement === parent).slice(5, -1)
      .forEach((each) => each.remove());
  return all.length;
}"""


def test_the_gap_of_two_cars_is_told_until_both_are_through(browser: Browser, world: LeagueWorld) -> None:
    page = browser.new_page(reduced_motion="reduce")

    def told(address: str, *at_ms: int) -> list[tuple[str, str]]:
        """Who is ahead ("" where nobody races) and the gap, at these times of the slider."""
        page.goto(world.url + address.format(**world.names))
        page.wait_for_selector("[data-ready]")
        return [tuple(page.evaluate(MOVE_TO, each)) for each in at_ms]

    heat = "/brackets/{duel}/heats/1/replay?run="
    assert told(f"{heat}1", 0, 9_000, 99_000) == [("–", "–"), ("A", "+0.45"), ("A", "+0.93")]
    assert told(f"{heat}2", 12_000, 99_000) == [("B", "−0.33"), ("B", "−0.05")]
    slower_first = "/races/driven/replay?run=submission-1&with=submission-0&lap=1"
    [(_, gap)] = told(slower_first, 99_000)
    assert gap.startswith("−"), "the faster one is through and waits"
    page.close()


# Who is ahead and the gap, once the slider stands at a time (its end at the latest).
MOVE_TO = """ms => {
  const slider = document.querySelector("[data-time]");
  slider.value = ms;
  slider.dispatchEvent(new Event("input"));
  const ahead = document.querySelector("[data-ahead]");
  return [ahead ? ahead.textContent.slice(0, 1) : "", document.querySelector("[data-gap]").textContent];
}"""
