"""Signing up, in and on with passkeys in a real browser; every page of accounts fits, with the longest names."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import keep_picture, violations_in_both_schemes
from tests.leaderboard.sample_races import Running

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LONGEST_ALIAS = "Wilhelmina_Wolfeschlegelstein1"
LONGEST_NAME = "Wilhelmina Wolfeschlegelsteinhausenbergerdorff"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def overflowing(page: Page) -> list[str]:
    """What stands out of the page at the sizes of a small phone, a phone and a desk."""
    found = []
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        script = """() => document.documentElement.scrollWidth > innerWidth
            || [...document.querySelectorAll("main *, header *")].some((each) => each.checkVisibility()
                && !each.classList.contains("visually-hidden")
                && each.getBoundingClientRect().right > innerWidth + 1)"""
        if page.evaluate(script):
            found.append(f"{page.url} at {width}")
    return found


def test_a_passkey_from_signing_up_to_signing_in(browser: Browser, running: Running) -> None:
    url = running.url.replace("127.0.0.1", "localhost")  # no passkey is made for a bare address
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

    page.goto(f"{url}/sign-up?next=/races/cup")
    wrong = violations_in_both_schemes(page)
    cut = overflowing(page)
    keep_picture(page, "sign-up")
    page.get_by_label("Alias").fill(LONGEST_ALIAS)
    page.get_by_label("Name").fill(LONGEST_NAME)
    page.get_by_role("button", name="Sign up with a passkey").click()
    expect(page.locator(".codes li")).to_have_count(10)
    cut += overflowing(page)
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url("**/races/cup")
    for path in ("/account", "/account/keys"):
        page.goto(url + path)
        cut += overflowing(page)
        wrong += violations_in_both_schemes(page)
        keep_picture(page, path.strip("/"))
    page.locator(".account-menu summary").click()
    cut += overflowing(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in", exact=True)).to_be_visible()

    page.goto(f"{url}/sign-in?next=/account")
    wrong += violations_in_both_schemes(page)
    cut += overflowing(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/account")
    expect(page.get_by_role("heading", level=1)).to_have_text(LONGEST_ALIAS)
    page.get_by_label("Delete the account").fill(LONGEST_ALIAS)
    page.get_by_role("button", name="Delete the account for good").click()
    expect(page.get_by_text("Your results stay under deleted racer 1")).to_be_visible()
    context.close()
    assert (wrong, cut, problems) == ([], [], [])
