"""Pictures of the league's pages, as `raceday demo --league` serves them: each whole, and kept for docs/screens.

`RACEDAY_PICTURES=docs/screens pytest tests/system/league/test_league_pictures.py` takes them anew.
"""

import itertools
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from leaderboard.accounts.entrance.entrance import Visitor
from leaderboard.core.access import ADMIN, Grant
from raceday.league_demo.builder import DemoLeague
from raceday.league_demo.cast import OFFICIAL, ORGANISER, RACER
from raceday.league_demo.driving import drive
from raceday.league_demo.live_show import message_of
from raceday.league_demo.meeting import LIVE
from shared.units import NS_PER_S
from tests import geometry
from tests.browser import keep_picture
from tests.system.league.conftest import NOW_UTC_NS

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HALL, LAPTOP, PHONE = (1920, 1080), (1280, 800), (390, 844)
VISITOR, ADMINISTRATOR = "", "anders"
PODIUM = "league-live-podium"
DOCS = pathlib.Path(__file__).parents[3] / "docs" / "screens"


class LeaguePicture(NamedTuple):
    """A picture: the address, who looks at it, and the size and theme of the screen."""

    address: str
    who: str = VISITOR
    size: tuple[int, int] = LAPTOP
    theme: str = "light"


PICTURES = {
    "league-home": LeaguePicture("/"),
    "league-home-phone": LeaguePicture("/", size=PHONE),
    "league-season": LeaguePicture("/seasons/league"),
    "league-season-phone": LeaguePicture("/seasons/league?division=Pro", size=PHONE, theme="dark"),
    "league-teams": LeaguePicture("/seasons/league/teams"),
    "league-prizes": LeaguePicture("/seasons/league/prizes", size=PHONE),
    "league-records": LeaguePicture("/records", size=PHONE),
    "league-event": LeaguePicture("/events/summit"),
    "league-bracket": LeaguePicture("/brackets/{bracket}", size=HALL, theme="dark"),
    "league-race": LeaguePicture("/races/open-5"),
    "league-race-phone": LeaguePicture("/races/open-4", size=PHONE),
    "league-racer": LeaguePicture("/races/{racer_race}/racers/mara", RACER, PHONE),
    "league-profile": LeaguePicture("/racers/nadia", size=PHONE),
    "league-my-races": LeaguePicture("/me", RACER, PHONE),
    "league-share": LeaguePicture("/races/open-5/share"),
    "league-embed": LeaguePicture("/embed/open-5", size=PHONE),
    "league-sign-up": LeaguePicture("/sign-up", size=PHONE),
    "league-sign-in": LeaguePicture("/sign-in", size=PHONE),
    "league-account": LeaguePicture("/account", RACER),
    "league-new-race": LeaguePicture("/new-race", RACER, PHONE),
    "league-invitation": LeaguePicture("/races/{private}/invitation", RACER),
    "league-join": LeaguePicture("{invitation}", size=PHONE),
    "league-participants": LeaguePicture("/races/{private}/participants", RACER),
    "league-desk": LeaguePicture("/desk", ORGANISER),
    "league-desk-season": LeaguePicture("/desk/seasons/league", ORGANISER),
    "league-desk-race": LeaguePicture("/desk/races/open-6", ORGANISER),
    "league-new-season": LeaguePicture("/desk/seasons/new", ORGANISER),
    "league-attempts": LeaguePicture("/races/open-5/attempts", OFFICIAL),
    "league-notices": LeaguePicture("/races/open-5/notices", ORGANISER),
    "league-live-control": LeaguePicture(f"/races/{LIVE}/live-control", OFFICIAL, theme="dark"),
    "league-live-queue": LeaguePicture(f"/races/{LIVE}/queue", size=PHONE),
    "league-live-broadcast": LeaguePicture(f"/races/{LIVE}/broadcast", size=HALL, theme="dark"),
    "league-live-overlay": LeaguePicture(f"/races/{LIVE}/overlay", size=HALL, theme="dark"),
    "league-live-commentator": LeaguePicture(f"/races/{LIVE}/commentator", OFFICIAL, theme="dark"),
    "league-accounts": LeaguePicture("/admin/accounts", ADMINISTRATOR),
    "league-audit": LeaguePicture("/admin/audit", ADMINISTRATOR),
}


@pytest.fixture(scope="module")
def on_the_track(league: DemoLeague) -> Iterator[DemoLeague]:
    """The league while a racer is in the second lap of a LIVE run."""
    clock, live, official = league.world.leaderboard.clock, league.world.services.live, league.world.people.official
    queue = live.state(LIVE, clock()).queue
    into_ns = 14 * NS_PER_S
    clock.set(NOW_UTC_NS - into_ns - 10 * NS_PER_S)
    queue = live.launch(official, LIVE, queue.version, clock())
    item = queue.on_track
    assert item is not None
    clock.set(NOW_UTC_NS)
    run = drive(league.world.chance("picture"), 8_400)
    league.world.leaderboard.station.send_live(message_of(run, item, into_ns, "pictures", 1))
    yield league
    queue = live.state(LIVE, clock()).queue
    if queue.on_track is not None:
        queue = live.act(official, LIVE, queue.version, clock(), item.item_id, "fail")
    live.act(official, LIVE, queue.version, clock(), item.item_id, "return")


@pytest.fixture(scope="module")
def sessions(league: DemoLeague) -> dict[str, str]:
    """A session of each person who looks at pictures."""
    entrance, numbers = league.world.services.accounts.entrance, itertools.count(1)
    made = {}
    for alias, passphrase in league.passphrases.items():
        visitor = Visitor(f"198.51.100.{next(numbers)}")
        made[alias] = entrance.sign_in(alias, passphrase, visitor, NOW_UTC_NS).session.token
    visitor = Visitor("198.51.100.99")
    signed_in = entrance.sign_up(ADMINISTRATOR, "Anders Holm", "seldom verbose gravel tunnel", visitor, NOW_UTC_NS)
    league.world.services.accounts.administration.grant(ADMIN, ADMINISTRATOR, Grant("admin"), NOW_UTC_NS)
    return made | {ADMINISTRATOR: signed_in.session.token}


def address(league: DemoLeague, path: str) -> str:
    return league.url + path.format(
        bracket=league.meeting.bracket_id,
        racer_race=league.racer_race_id,
        private=league.community.private_id,
        invitation=league.community.invitation_path,
    )


def context_of(browser: Browser, league: DemoLeague, theme: str, session: str) -> BrowserContext:
    context = browser.new_context(color_scheme=theme, reduced_motion="reduce", timezone_id="Europe/Berlin")  # type: ignore[arg-type]
    if session:
        context.add_cookies([{"name": "raceday_league", "value": session, "url": league.url}])
    return context


def taken(page: Page, name: str) -> list[str]:
    geometry.settled(page)
    keep_picture(page, name)
    return [f"{name}: {fault}" for fault in geometry.faults(page)]


def test_the_pages_of_the_league_are_whole_at_their_size(
    browser: Browser, on_the_track: DemoLeague, sessions: dict[str, str]
) -> None:
    found: list[str] = []
    seen = {(picture.theme, picture.who) for picture in PICTURES.values()}
    for theme, who in sorted(seen):
        context = context_of(browser, on_the_track, theme, sessions.get(who, ""))
        page = context.new_page()
        for name, picture in PICTURES.items():
            if (picture.theme, picture.who) != (theme, who):
                continue
            page.set_viewport_size({"width": picture.size[0], "height": picture.size[1]})
            answer = page.goto(address(on_the_track, picture.address))
            assert answer is not None
            found += [f"{name}: answers {answer.status}"] if answer.status != 200 else taken(page, name)
        context.close()
    assert found == []


def test_the_podium_is_whole_once_there_is_a_winner(browser: Browser, on_the_track: DemoLeague) -> None:
    clock, live = on_the_track.world.leaderboard.clock, on_the_track.world.services.live
    official, queue = on_the_track.world.people.official, live.state(LIVE, clock()).queue
    assert queue.on_track is not None
    queue = live.act(official, LIVE, queue.version, clock(), queue.on_track.item_id, "fail", "out of the road")
    queue = live.declare(official, LIVE, queue.version, clock())
    context = context_of(browser, on_the_track, "dark", "")
    page = context.new_page()
    page.set_viewport_size({"width": HALL[0], "height": HALL[1]})
    page.goto(f"{on_the_track.url}/races/{LIVE}/podium")
    assert queue.winner in page.locator("main").inner_text()
    assert taken(page, PODIUM) == []
    context.close()
    live.declare(official, LIVE, queue.version, clock(), "")


def test_the_index_names_every_picture_of_the_league() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    files = {file.name for file in DOCS.glob("league-*.png")}
    assert files == {f"{name}.png" for name in (*PICTURES, PODIUM)}
    assert {name for name in files if f"({name})" in index} == files
