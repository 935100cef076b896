"""Organiser and newcomer in two browsers: the race, the link, joining, a result, removing; and that all of it fits."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.sessions import open_session
from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from leaderboard.store import entries
from shared.protocol.results import encode_result
from shared.web.server import listen
from tests.browser import violations, violations_in_both_schemes
from tests.geometry import faults, look
from tests.leaderboard.by_hand import enter
from tests.leaderboard.sample_races import TOKEN, race, result
from tests.leaderboard.signed_in import account
from vehicle.web.server import ConsoleServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOW = 1_800_000_000_000_000_000
LONG = "Wolkensteinerin-Trostburg-Maximiliane-40"


class Site:
    """The leaderboard on a port, with browsers."""

    def __init__(self, board: LeaderboardService, url: str, browser: Browser) -> None:
        self.board, self.url, self._browser = board, url, browser
        self.contexts: list[BrowserContext] = []
        self.problems: list[str] = []

    def page(self, script: bool = True) -> Page:
        """A page of a browser of its own, in which nobody is signed in."""
        context = self._browser.new_context(viewport={"width": 1280, "height": 800}, java_script_enabled=script)
        context.set_default_timeout(30_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        return page

    def sign_in(self, page: Page, account_id: str) -> None:
        with self.board.store.write() as db:
            opened = open_session(db, account_id, "a test", NOW, SessionPeriods())
        page.context.add_cookies([{"name": "raceday_league", "value": opened.token, "url": self.url}])


@pytest.fixture
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    board = open_board(tmp_path_factory.mktemp("site") / "board.db")
    app, feed = create_app(board, Credentials((), TOKEN), LeaderboardConfig(), lambda: NOW)
    server = ConsoleServer(app, listen("127.0.0.1", 0, "console"))
    server.start()
    made = Site(board, f"http://localhost:{server.port}", browser)
    yield made
    for context in made.contexts:
        context.close()
    feed.close()
    server.close()
    assert made.problems == []


def has_passkeys(page: Page) -> None:
    """The page's machine has what Chromium calls a virtual authenticator."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
    verifies = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": kind | verifies})


def test_a_newcomer_follows_the_link_and_is_ranked(site: Site) -> None:
    organiser, newcomer = site.page(), site.page(script=False)
    has_passkeys(organiser)
    organiser.goto(site.url + "/sign-up?next=/new-race")
    organiser.get_by_label("Alias").fill("olga")
    organiser.get_by_role("button", name="Sign up with a passkey").click()
    organiser.get_by_role("link", name="I have kept them: go on").click()
    organiser.get_by_label("Name").fill("Abend-Cup")
    organiser.get_by_label("Name").press("Enter")
    # The track is missing: the browser says so, and the step stays.
    expect(organiser.get_by_label("Track")).to_be_focused()
    organiser.get_by_label("Track").fill("Oval")
    organiser.get_by_label("Track").press("Enter")
    expect(organiser.locator("[aria-current=step]")).to_contain_text("When")
    for _ in range(2):
        assert look(organiser, "wizard", ((390, 844), (320, 640))) == []
        organiser.get_by_role("button", name="Go on").click()
    assert violations(organiser) == []
    organiser.get_by_role("button", name="Make the race").click()
    organiser.get_by_role("button", name="Make a link").click()
    link = organiser.get_by_label("Link", exact=True).input_value()
    organiser.get_by_role("button", name="Copy the link").click()
    expect(organiser.locator("[data-copy=link-address]")).to_have_text("Copied")
    assert violations_in_both_schemes(organiser) == []
    assert look(organiser, "invitation", ((1280, 800), (390, 844), (320, 640))) == []

    newcomer.goto(link)
    expect(newcomer.get_by_text("olga invites you to this race.")).to_be_visible()
    # The way to the account and back needs no script, and does not lose the link.
    newcomer.get_by_role("link", name="Make an account").click()
    newcomer.get_by_label("Alias").fill("nils")
    newcomer.get_by_label("Name").fill("Nils")
    newcomer.get_by_label("Passphrase").fill("four words that differ")
    newcomer.get_by_role("button", name="Sign up with a passphrase").click()
    newcomer.get_by_role("link", name="I have kept them: go on").click()
    newcomer.get_by_role("button", name="Join as nils").click()
    newcomer.get_by_role("button", name="Enter the race").click()
    expect(newcomer.get_by_text("You are entered. Good luck!")).to_be_visible()
    race_id = newcomer.url.rsplit("/", 1)[1]
    with site.board.store.read() as db:
        entered = entries.of_racer(db, race_id, "nils")
    assert entered is not None
    one = result("first", "nils", race_id=race_id, rules=site.board.race(race_id).rules, finished_utc_ns=NOW)
    assert site.board.apply(one.webhook_id, encode_result(one), NOW).status == 201
    newcomer.reload()
    expect(newcomer.locator("tbody .name")).to_have_text("Nils")

    organiser.set_viewport_size({"width": 1280, "height": 800})
    organiser.goto(f"{site.url}/races/{race_id}")
    expect(organiser.locator("tbody .name")).to_have_text("Nils")
    watching = site.page()
    site.sign_in(watching, entered.account_id)
    watching.goto(f"{site.url}/races/{race_id}")
    expect(watching.locator("[data-link-text]")).to_have_text("Live")
    organiser.get_by_role("link", name="Participants").click()
    organiser.get_by_role("button", name="Remove: Nils").click()
    expect(organiser.get_by_text("Nils is removed")).to_be_visible()
    # The open page hears nothing more of the race, and a new one does not exist.
    expect(watching.locator("[data-link-text]")).to_have_text("Reconnecting …")
    newcomer.reload()
    expect(newcomer.get_by_role("heading", name="Page not found")).to_be_visible()
    organiser.get_by_role("button", name="Let in again: Nils").click()
    newcomer.reload()
    expect(newcomer.locator("tbody .name")).to_have_text("Nils")


def test_two_hundred_participants_with_long_names_fit(site: Site) -> None:
    """Participants, invitation and joining by themselves: tests/system/look/test_league_pages.py."""
    olga = account(site.board.store, "olga", now_utc_ns=NOW)
    site.board.create_race(race("cup", name=f"{LONG} {LONG}", owner=olga, visibility="private"), NOW)
    for number in range(200):
        enter(site.board, "cup", f"{number:03d}-{LONG}"[:40], f"{number:03d} {LONG}"[:40], NOW)
    page = site.page()
    site.sign_in(page, olga)
    page.goto(f"{site.url}/races/cup/participants")
    expect(page.locator(".person")).to_have_count(200)
    page.goto(f"{site.url}/races/cup")
    assert faults(page) == []
    page.goto(f"{site.url}/races/cup/invitation")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link", exact=True).input_value()
    guest = site.page()
    site.sign_in(guest, account(site.board.store, LONG[:30], now_utc_ns=NOW))
    guest.goto(link)
    guest.get_by_role("button", name="Join as").click()
    assert look(guest, "long-joined", ((320, 640),)) == []
