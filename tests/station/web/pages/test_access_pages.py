"""The forms of claim, sign-in, pairing and people over real HTTP: cookies, forged requests, roles."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from station.access.identity import VISITOR, Identity
from station.access.roles import Role
from station.access.tokens import FORM_COOKIE, SESSION_COOKIE, ShownTokens
from tests.station.web.conftest import Served, serve
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import session_of

ADA = Identity("Ada", Role.ADMIN)
PIN = "482913"


@pytest.fixture
def hall() -> Iterator[Served]:
    yield from serve(FakeStation(), signed_in=False)


class Phone:
    """A browser without scripts: it sends the forms of the pages, and their cookies."""

    def __init__(self, served: Served) -> None:
        self.served, self.session = served, requests.Session()

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.served.url + path, headers={"accept": "text/html"}, timeout=60)

    def send(self, page: str, to: str, headers: Any = None, **fields: Any) -> requests.Response:
        """Opens a page, and sends one of its forms."""
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.get(page).text)
        assert found is not None
        return self.session.post(
            self.served.url + to,
            {"form_token": found[1], **fields},
            headers={"accept": "text/html", **(headers or {})},
            timeout=60,
            allow_redirects=False,
        )


def paired(hall: Served, role: Role = Role.REFEREE) -> Phone:
    phone = Phone(hall)
    offer = hall.access.people.offer_pairing(ADA, f"Phone {len(hall.access.people.devices())}", "phone", role)
    assert phone.send("/pair", "/pair", code=offer.code).status_code == 303
    return phone


def test_claim_pair_and_sign_in(hall: Served) -> None:
    phone, code = Phone(hall), hall.access.claim_code_to_show()
    assert phone.get("/operate").url == f"{hall.url}/claim"
    fields = {"name": "Ada", "pass_code": PIN, "again": PIN}
    wrong = phone.send("/claim", "/claim", code="AAAAA-AAAAA", **fields)
    assert wrong.status_code == 409
    assert "not the station&#39;s claim code" in wrong.text
    assert phone.send("/claim", "/claim", code=code, **(fields | {"again": "1"})).status_code == 409
    done = phone.send("/claim", "/claim", code=code, **fields)
    assert (done.status_code, done.headers["location"]) == (303, "/setup")
    for cookie in done.headers["set-cookie"].split(", raceday"):
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
    assert phone.get("/operate").status_code == 200
    assert phone.send("/sign-in", "/sign-out").status_code == 303
    assert phone.get("/operate").url.endswith("/sign-in?next=/operate")
    signed_in = phone.send("/sign-in?next=/gates", "/sign-in", name="Ada", pass_code=PIN, next="/gates")
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/gates")
    assert phone.send("/sign-in", "/sign-out").status_code == 303
    away = phone.send("/sign-in", "/sign-in", name="Ada", pass_code=PIN, next="//evil.example")
    assert away.headers["location"] == "/operate"


def test_a_forged_form_does_nothing(hall: Served) -> None:
    session_of(hall.access, "Ada")
    hall.access.people.add_person(VISITOR, "Grace", Role.ADMIN, PIN)
    phone = paired(hall, Role.ADMIN)
    assert phone.send("/sign-in", "/sign-in", name="Grace", pass_code=PIN).status_code == 303
    fields = {"name": "Mallory", "role": "admin", "pass_code": PIN}
    evil = phone.send("/people", "/people/add", {"origin": "http://evil.example"}, **fields)
    cross = phone.send("/people", "/people/add", {"sec-fetch-site": "cross-site"}, **fields)
    url = f"{hall.url}/people/add"
    blind = phone.session.post(url, fields, timeout=60)
    other = phone.session.post(url, {"form_token": "0" * 64, **fields}, timeout=60)
    json = phone.session.post(url, json=fields, timeout=60)
    assert [each.status_code for each in (evil, cross, blind, other, json)] == [403, 403, 403, 403, 415]
    assert [person.name for person in hall.access.people.people()] == ["Ada", "Grace"]
    assert phone.send("/people", "/people/add", **fields).status_code == 303


def test_a_planted_session_is_never_used(hall: Served) -> None:
    session_of(hall.access, "Ada")
    hall.access.people.add_person(VISITOR, "Grace", Role.REFEREE, PIN)
    phone = paired(hall)
    planted = "p" * 43
    phone.session.cookies.set(SESSION_COOKIE, planted, domain="127.0.0.1", path="/")
    signed_in = phone.send("/sign-in", "/sign-in", name="Grace", pass_code=PIN)
    assert planted not in signed_in.headers["set-cookie"]
    assert hall.access.identify(ShownTokens(session=planted)) == VISITOR


def test_only_paired_devices_see_who_officiates(hall: Served) -> None:
    session_of(hall.access, "Ada")
    assert "Ada" not in Phone(hall).get("/sign-in").text
    assert "Ada" in paired(hall).get("/sign-in").text
    assert "Ada" not in paired(hall, Role.VIEWER).get("/sign-in").text


def test_a_wrong_pin_says_so_and_too_many_have_to_wait(hall: Served) -> None:
    session_of(hall.access, "Ada")
    phone = paired(hall)
    statuses = [phone.send("/sign-in", "/sign-in", name="Ada", pass_code="000000").status_code for _ in range(6)]
    assert statuses == [409] * 5 + [429]


def test_operators_pair_and_only_admins_manage_people(hall: Served) -> None:
    session_of(hall.access, "Ada")
    hall.access.people.add_person(VISITOR, "Grace", Role.OPERATOR, PIN)
    phone = paired(hall, Role.ADMIN)
    phone.send("/sign-in", "/sign-in", name="Grace", pass_code=PIN)
    made = phone.send("/people", "/people/pair", name="Projector", kind="screen", role="admin")
    assert made.headers["location"] == "/people?done=paired"
    [offer] = hall.access.people.offers()
    assert (offer.name, offer.role, offer.by) == ("Projector", Role.VIEWER, "Grace")
    page = phone.get("/people").text
    assert offer.code in page
    assert "<svg" in page
    refused = phone.send("/people", "/people/add", name="Mallory", role="admin", pass_code=PIN)
    assert refused.status_code == 403
    assert "Grace is signed in as Operator; this needs Admin." in refused.text
    assert phone.send("/people", "/people/pair", name="x", kind="car", role="admin").status_code == 400
    assert phone.send("/people", "/people/nothing").status_code == 403


def test_cookies_are_for_https_where_there_is_https(hall: Served) -> None:
    phone = Phone(hall)
    phone.get("/claim")
    cookies: list[Any] = list(phone.session.cookies)
    assert [(cookie.name, cookie.secure) for cookie in cookies] == [(FORM_COOKIE, False)]
