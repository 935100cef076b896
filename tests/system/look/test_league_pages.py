"""Nothing is clipped and axe finds nothing on the league's pages, with the worst data, for nobody, a racer, an admin.

One server and one load of each page: at each size it is measured, and once axe looks at it. The pages of the desk, of
invitations, of LIVE races, of seasons and of signing in are looked at where they are tested.
"""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from tests import geometry
from tests.browser import violations
from tests.system.look.league_world import LeagueWorld, league_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = ((1280, 800), (320, 640))
TABLE: dict[str, tuple[str, ...]] = {
    "nobody": (
        "/",
        "/races/worst?racer=W&around=1",
        "/races/worst?racer=nobody",
        "/races/worst/racers/{racer}",
        "/racers/{alias}",
        "/races/worst/share",
        "/embed/worst",
        "/seasons",
        "/seasons/cup-2027/prizes",
        "/records",
    ),
    "racer": ("/", "/racers/{alias}", "/races/worst", "/races/worst/attempts"),
    "admin": ("/races/live", "/races/worst/attempts", "/races/worst/notices", "/admin/accounts", "/admin/audit"),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeagueWorld]:
    with league_world(tmp_path_factory.mktemp("league")) as made:
        yield made


@pytest.mark.parametrize("who", TABLE)
def test_the_pages_show_everything_and_axe_finds_nothing(browser: Browser, world: LeagueWorld, who: str) -> None:
    context = browser.new_context(color_scheme="dark", reduced_motion="reduce")
    if who in world.sessions:
        context.add_cookies([{"name": "raceday_league", "value": world.sessions[who], "url": world.url}])
    page, found = context.new_page(), list[str]()
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    for path in TABLE[who]:
        answer = page.goto(world.url + path.format(racer=quote(world.racer, safe=""), alias="w" * 30))
        assert answer is not None
        assert answer.status == 200, path
        page.evaluate("document.querySelectorAll('.history details').forEach((each) => { each.open = true; })")
        faults = geometry.look(page, path, SIZES) + violations(page)
        found += [f"{who} {path}: {fault}" for fault in faults]
    context.close()
    assert found == []
