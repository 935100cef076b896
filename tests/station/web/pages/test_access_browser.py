"""Claim, pairing, sign-in and people in a real browser: by keyboard and by thumb, legible and whole at every size."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from station.access.identity import VISITOR, Identity
from station.access.roles import Role
from station.views.gate_views import GateView, SensorView
from tests import geometry
from tests.browser import Watched, violations
from tests.station.web.conftest import Served, serve
from tests.station.web.sample_views import VIEW, FakeStation
from tests.station.web.signed_in import session_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ADA = Identity("Ada", Role.ADMIN)
PIN = "284613"
NAMES = ("W" * 40, "محمد عبد الله", "张伟 👩‍🚀", "Grace Hopper")


@pytest.fixture
def hall() -> Iterator[Served]:
    yield from serve(FakeStation(), signed_in=False)


@contextmanager
def phone(browser: Browser, theme: str = "dark", **options: object) -> Iterator[Watched]:
    context = browser.new_context(color_scheme=theme, **options)  # type: ignore[arg-type]
    yield Watched(context.new_page())
    context.close()


def faults(page: Page, what: str) -> list[str]:
    """What is wrong with the page as it is now, by geometry and by axe."""
    return [*geometry.look(page, what), *violations(page)]


def test_a_newcomer_claims_the_station_by_keyboard_and_pairs_a_phone_by_thumb(browser: Browser, hall: Served) -> None:
    found: list[str] = []
    with phone(browser) as laptop, phone(browser, has_touch=True) as other:
        page = laptop.page
        page.goto(f"{hall.url}/operate")
        expect(page).to_have_url(f"{hall.url}/claim")
        found += faults(page, "claim")
        page.goto(f"{hall.url}/claim#{hall.access.claim_code_to_show()}")
        expect(page.get_by_label("Your name")).to_be_focused()
        page.keyboard.type("Ada Lovelace")
        for text in (PIN, PIN):
            page.keyboard.press("Tab")
            page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{hall.url}/setup")
        page.goto(f"{hall.url}/people")
        for name in NAMES:
            hall.access.people.add_person(VISITOR, name, Role.REFEREE, PIN)
        page.get_by_label("Name of the device").fill("Phone of the referee at the far corner")
        page.get_by_label("Name of the device").press("Enter")
        expect(page.locator(".outcome")).to_contain_text("Show the code below")
        found += faults(page, "people")
        [offer] = hall.access.people.offers()
        expect(page.locator(".offer-code")).to_have_text(offer.code)
        small = other.page
        small.set_viewport_size({"width": 390, "height": 844})
        small.goto(f"{hall.url}/pair#{offer.code}")
        expect(small.get_by_label("Pairing code")).to_have_value(offer.code)
        found += faults(small, "pair")
        small.get_by_role("button", name="Pair this device").tap()
        expect(small).to_have_url(f"{hall.url}/sign-in")
        small.get_by_text("Grace Hopper").tap()
        found += faults(small, "sign-in")
        small.set_viewport_size({"width": 390, "height": 844})
        for digit in PIN[:-1] + "99":
            small.get_by_role("button", name=digit, exact=True).tap()
        small.get_by_role("button", name="Delete the last digit").tap()
        small.get_by_role("button", name="Sign in").tap()
        expect(small.get_by_role("alert").filter(has_text="This is not the PIN")).to_be_visible()
        found += faults(small, "sign-in-refused")
        small.set_viewport_size({"width": 390, "height": 844})
        for digit in PIN:
            small.get_by_role("button", name=digit, exact=True).tap()
        small.get_by_role("button", name="Sign in").tap()
        expect(small).to_have_url(f"{hall.url}/operate")
        small.goto(f"{hall.url}/sign-in")
        found += faults(small, "signed-in")
        # The operator revokes the phone, whose stream ends with it.
        page.reload()
        page.get_by_role("button", name="Revoke Phone of the referee").click()
        expect(page.locator(".outcome")).to_contain_text("revoked")
        small.goto(f"{hall.url}/operate")
        expect(small).to_have_url(f"{hall.url}/sign-in?next=/operate")
        assert [each for each in laptop.errors if "404" not in each] == []
        assert all(request.startswith(hall.url) for request in (*laptop.requests, *other.requests))
    assert found == []


def test_the_pages_of_access_in_light_and_without_pairing(browser: Browser, hall: Served) -> None:
    session_of(hall.access, "Ada")
    found: list[str] = []
    with phone(browser, "light") as stranger:
        page = stranger.page
        for path in ("/sign-in?next=/people", "/claim", "/pair"):
            page.goto(hall.url + path)
            found += faults(page, f"light-{path.strip('/').partition('?')[0]}")
        page.goto(f"{hall.url}/people")
        page.get_by_label("Name").fill("Ada")
        page.get_by_label("Passphrase").fill("correct horse")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{hall.url}/people")
        found += faults(page, "light-people")
        assert stranger.errors == []
    assert found == []


def test_a_foreign_page_commands_nothing_through_an_officials_browser(browser: Browser, hall: Served) -> None:
    """A page of another origin, in the browser of somebody who is signed in, sends forms and requests."""
    session_of(hall.access, "Ada")
    with contextmanager(serve)(FakeStation(), signed_in=False) as foreign, phone(browser) as official:
        page = official.page
        page.goto(f"{hall.url}/sign-in")
        page.get_by_label("Name").fill("Ada")
        page.get_by_label("Passphrase").fill("correct horse")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{hall.url}/operate")
        evil = page.context.new_page()
        # Its own policy does not keep it from trying: the station has to refuse.
        evil.route(f"{foreign.url}/evil", lambda route: route.fulfill(body="<h1>evil</h1>", content_type="text/html"))
        evil.goto(f"{foreign.url}/evil")
        for path in ("/api/v1/stop", "/api/v1/commands", "/people/add"):
            evil.evaluate(
                """([url]) => fetch(url, {method: "POST", credentials: "include", mode: "no-cors",
                body: new URLSearchParams({name: "Mallory", role: "admin", pass_code: "284613"})}).catch(() => null)""",
                [hall.url + path],
            )
        evil.evaluate(
            """([url]) => {
                const form = document.createElement("form");
                form.method = "post";
                form.action = url;
                document.body.append(form);
                form.submit();
            }""",
            [f"{hall.url}/api/v1/stop"],
        )
        evil.wait_for_url(f"{hall.url}/api/v1/stop")
        assert "comes from a page other than" in evil.inner_text("body") or "sign in first" in evil.inner_text("body")
    assert hall.station.commands == []
    assert [person.name for person in hall.access.people.people()] == ["Ada"]


def test_the_set_up_wizard_ticks_what_is_there(browser: Browser) -> None:
    beam = SensorView("beam", 24)
    gate = GateView("start", ("beam",), True, "Last edge 4 s ago.", 24, 0, (), (beam,))
    station = FakeStation(replace(VIEW, gates=(gate,)))
    with contextmanager(serve)(station) as served, phone(browser) as watched:
        page = watched.open(f"{served.url}/setup")
        expect(page.locator("#setup_sensors .tick")).to_have_count(1)
        expect(page.locator("#setup_sensors .ticked")).to_have_count(1)
        found = faults(page, "setup")
        page.get_by_role("button", name="Begin anew").click()
        expect(page.locator("#setup_sensors .ticked")).to_have_count(0)
        served.station.show(gates=(replace(gate, each=(replace(beam, edges=26),)),))
        expect(page.locator("#setup_sensors .ticked")).to_have_count(1)
        page.get_by_label("Name, as it is shown").fill("Line 1 of the hall")
        page.get_by_label("Language").select_option("de")
        page.get_by_label("Name, as it is shown").press("Enter")
        expect(page.locator(".outcome")).to_contain_text("✓")
        assert served.access.state.settings == {"station": "Line 1 of the hall", "language": "de"}
        found += violations(page)
        page.goto(f"{served.url}/sign-in")
        expect(page.locator(".station")).to_have_text("Line 1 of the hall")
        assert (found, watched.errors) == ([], [])
