"""What the station's pages refuse is counted by its kind and by where it came from."""

import json
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest

from shared.refusals import Refusals
from station.access.roles import Role
from station.access.station_access import StationAccess
from station.access.tokens import FORM_COOKIE
from station.web.app import create_app
from tests.shared.web.test_error_pages import Answer, TestClient
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import cheap_access, session_of

STRANGER = "10.66.6.6"
JSON = {"content-type": "application/json", "origin": "http://127.0.0.1"}


@dataclass
class Hall:
    """The pages of a station, and what they refused."""

    access: StationAccess
    refusals: Refusals = field(default_factory=Refusals)

    def __post_init__(self) -> None:
        self.client = TestClient(create_app(FakeStation(), self.access, refusals=self.refusals))

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, path, named, STRANGER, body)

    def submit(self, path: str, **fields: str) -> Answer:
        """Send the form of this page, as a browser does that just opened it."""
        page = self.ask("GET", path, accept="text/html")
        token = re.search(r'name="form_token" value="(\w+)"', page.text)
        cookie = re.search(rf"{FORM_COOKIE}=([^;]+)", page.headers["set-cookie"])
        assert token is not None
        assert cookie is not None
        body = urlencode(fields | {"form_token": token[1]}).encode()
        form = {"content_type": "application/x-www-form-urlencoded", "origin": "http://127.0.0.1"}
        return self.ask("POST", path, body, cookie=f"{FORM_COOKIE}={cookie[1]}", **form)

    def command(self, session: str, **command: object) -> Answer:
        cookie = {"cookie": f"raceday_session={session}"}
        return self.client.request("POST", "/api/v1/commands", JSON | cookie, STRANGER, json.dumps(command).encode())


@pytest.fixture
def hall(tmp_path: pathlib.Path) -> Iterator[Hall]:
    access = cheap_access(tmp_path)
    yield Hall(access)
    access.close()


def test_requests_are_counted_by_what_is_wrong_with_them(hall: Hall) -> None:
    session = session_of(hall.access)
    cookie, json_type = f"raceday_session={session}", "application/json"
    hall.ask("GET", "/", host="evil.example")
    hall.ask("POST", "/api/v1/commands", b"{}", content_type=json_type)
    hall.ask("POST", "/api/v1/commands", b"{}", content_type=json_type, cookie=cookie, origin="http://evil.example")
    hall.ask("POST", "/api/v1/commands", b"{}", content_type=json_type, cookie=cookie, sec_fetch_site="cross-site")
    hall.ask("POST", "/api/v1/commands", b"{}", content_type="text/plain", cookie=cookie)
    hall.ask("POST", "/api/v1/commands", b" " * 9_000, content_type=json_type, cookie=cookie)
    hall.ask("GET", "/api/v1/state", authorization="Bearer " + "A" * 43)
    assert hall.refusals.totals() == {"host": 1, "sign-in": 1, "origin": 2, "form": 1, "size": 1, "key": 1}
    assert {row.who for row in hall.refusals.counts()} == {STRANGER}


def test_wrong_codes_and_pass_codes_are_counted_as_such(hall: Hall) -> None:
    wrong = {"code": "AAAAA-AAAAA", "name": "Eve", "pass_code": "correct horse", "again": "correct horse"}
    assert hall.access.claim_code_to_show()
    assert hall.submit("/claim", **wrong).status_code == 409
    session_of(hall.access)
    assert hall.submit("/pair", code="AAAA").status_code == 409
    assert hall.submit("/sign-in", name="operator", pass_code="guessed", next="/").status_code == 409
    assert hall.refusals.totals() == {"code": 2, "pass code": 1}
    assert [row.what for row in hall.refusals.counts()] == ["POST /sign-in", "POST /pair"]


def test_a_role_that_is_too_low_and_a_wrong_pin_at_a_confirmation(hall: Hall) -> None:
    referee = session_of(hall.access, "Ruth", Role.REFEREE)
    opened = hall.command(referee, command="open_run", racer="Ada", car="car-1")
    assert opened.status_code == 403, opened.text
    admin = session_of(hall.access)
    answer = hall.command(admin, command="reopen_results", race_id="cup", reason="a protest", pin="9999")
    assert answer.status_code == 403, answer.text
    assert hall.refusals.totals() == {"permission": 1, "pass code": 1}


def test_what_is_done_is_no_refusal(hall: Hall) -> None:
    session = session_of(hall.access)
    assert hall.ask("GET", "/").status_code == 200
    assert hall.ask("GET", "/no-such-page").status_code == 404
    assert hall.ask("GET", "/people", accept="text/html").status_code == 303  # a person is led to signing in
    assert hall.command(session, command="stop_all", reason="a test").status_code == 200
    assert hall.refusals.counts() == ()
