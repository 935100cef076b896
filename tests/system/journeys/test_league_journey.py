"""A race among friends from the first passkey to the winner, in two browsers, with a station that posts results."""

import pathlib
import random
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from raceday.league_demo.driving import STATION, drive, result_of
from raceday.league_demo.serving import DemoClock, DemoLeaderboard, served
from shared.access.pass_code_hashing import Argon2idHasher
from shared.protocol.live import LiveMessage
from shared.units import NS_PER_S
from tests.browser import violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AUTHENTICATOR = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True} | dict.fromkeys(
    ("hasResidentKey", "hasUserVerification", "isUserVerified"), True
)
NAME = "Friday among friends"


class Visitors:
    """People with a browser each, and what went wrong in any of them."""

    def __init__(self, browser: Browser, leaderboard: DemoLeaderboard) -> None:
        self._browser, self.leaderboard = browser, leaderboard
        self.url = leaderboard.url.replace("127.0.0.1", "localhost")  # no passkey is made for a bare address
        self.problems: list[str] = []
        self.contexts: list[BrowserContext] = []

    def page(self, script: bool = True) -> Page:
        """The page of somebody new; with JavaScript their machine has passkeys."""
        context = self._browser.new_context(
            viewport={"width": 1280, "height": 800}, java_script_enabled=script, reduced_motion="reduce"
        )
        context.set_default_timeout(30_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        if script:
            devices = context.new_cdp_session(page)
            devices.send("WebAuthn.enable")
            devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        return page

    def check(self, page: Page) -> None:
        """Keep what axe finds in the page as it is."""
        self.problems += [f"{page.url}: {each}" for each in violations(page)]


@pytest.fixture
def visitors(browser: Browser, tmp_path: pathlib.Path) -> Iterator[Visitors]:
    clock = DemoClock(time.time_ns())
    clock.go_on()
    with served(tmp_path, clock, hasher=Argon2idHasher(8, 1, 1)) as leaderboard:
        made = Visitors(browser, leaderboard)
        yield made
        for context in made.contexts:
            context.close()


def test_friends_race_from_the_first_passkey_to_the_winner(visitors: Visitors) -> None:
    organiser, newcomer = visitors.page(), visitors.page(script=False)
    link = _make_race(visitors, organiser)
    race_id = _join(newcomer, link, "nils", "Nils")
    organiser.goto(f"{visitors.url}/races/{race_id}")
    organiser.get_by_role("button", name="Enter the race").click()
    visitors.check(organiser)

    _make_live(visitors, organiser, race_id)
    _drive_live(visitors, organiser, race_id)
    organiser.goto(f"{visitors.url}/desk")
    organiser.get_by_role("button", name=f"Close now: {NAME}").click()
    expect(organiser.get_by_text(f"{NAME} is closed.")).to_be_visible()
    visitors.check(organiser)
    newcomer.goto(f"{visitors.url}/races/{race_id}/podium")
    expect(newcomer.locator("main")).to_contain_text("Nils")
    # For everybody else there has never been such a race.
    stranger = visitors.page()
    answer = stranger.goto(f"{visitors.url}/races/{race_id}")
    assert answer is not None
    assert answer.status == 404
    assert visitors.problems == []


def _make_race(visitors: Visitors, page: Page) -> str:
    """Sign up by passkey and make a private race; its invitation."""
    page.goto(f"{visitors.url}/sign-up?next=/new-race")
    visitors.check(page)
    page.get_by_label("Alias").fill("olga")
    page.get_by_role("button", name="Sign up with a passkey").click()
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Track").fill("re:Invent 2018")
    for _ in range(3):
        visitors.check(page)
        page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Make the race").click()
    page.get_by_role("button", name="Make a link").click()
    visitors.check(page)
    return page.get_by_label("Link", exact=True).input_value()


def _join(page: Page, link: str, alias: str, name: str) -> str:
    """Follow the link as somebody without an account and without JavaScript; the id of the race."""
    page.goto(link)
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Alias").fill(alias)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Passphrase").fill("four words that differ")
    page.get_by_role("button", name="Sign up with a passphrase").click()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name=f"Join as {alias}").click()
    page.get_by_role("button", name="Enter the race").click()
    expect(page.get_by_text("You are entered. Good luck!")).to_be_visible()
    return page.url.rsplit("/", 1)[1]


def _make_live(visitors: Visitors, page: Page, race_id: str) -> None:
    """Make it a LIVE race at the desk, and put both into the queue, the newcomer first, by keyboard alone."""
    page.goto(f"{visitors.url}/desk/races/{race_id}")
    visitors.check(page)
    page.get_by_label("A live race").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{visitors.url}/races/{race_id}/live-control")
    page.wait_for_selector('[data-link="on"]', state="attached")
    page.get_by_role("button", name="Add all who are entered").press("Enter")
    turns = page.locator(".turn")
    expect(turns).to_have_count(2)
    names = [turns.nth(place).get_attribute("data-name") for place in range(2)]
    turns.nth(1).focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(turns.nth(0)).to_have_attribute("data-name", names[1] or "")
    if names[1] != "Nils":
        page.keyboard.press("Alt+ArrowDown")
    expect(turns.nth(0)).to_have_attribute("data-name", "Nils")
    visitors.check(page)


def _drive_live(visitors: Visitors, page: Page, race_id: str) -> None:
    """Both drive: the station reports the newcomer live and posts what both drove; the newcomer wins."""
    leaderboard, chance = visitors.leaderboard, random.Random(5)
    clock, station, rules = leaderboard.clock, leaderboard.station, leaderboard.services.board.race(race_id).rules
    for number, (alias, name, pace_ms) in enumerate((("nils", "Nils", 8_000), ("olga", "olga", 9_000)), 1):
        page.keyboard.press("Alt+l")
        expect(page.locator(".now-name")).to_have_text(name)
        clock.set(clock() + 11 * NS_PER_S)  # the countdown is over
        clock.go_on()
        message = LiveMessage(race_id, alias, "journey", number, station=STATION, lap=2, sectors=(2_700, None, None))
        assert station.send_live(message) == 200
        expect(page.locator(".now-state")).to_contain_text("driving")
        run = drive(chance, pace_ms)
        clock.set(clock() + run.run_ns)
        clock.go_on()
        one = result_of(run, race_id, alias, 1, rules, clock(), "physical")
        assert [station.post(one), station.post(one)] == [201, 200]  # exactly once, however often it is sent
        page.get_by_role("button", name="Finish").press("Enter")
        expect(page.locator(".now-state")).to_contain_text("The track is free")
    page.get_by_role("button", name="Declare Nils the winner").press("Enter")
    expect(page.locator(".winner-line")).to_contain_text("Winner: Nils")
