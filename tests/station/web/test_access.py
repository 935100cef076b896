"""Who is let in over HTTP: cookies, tokens, roles; what visitors see; and the stop, which asks for least."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from shared.access.tokens import form_token, is_form_token, new_token
from shared.web.security import local_path
from station.access.identity import VISITOR, Identity
from station.access.records import DeviceKind
from station.access.roles import Role
from station.access.tokens import DEVICE_COOKIE, SESSION_COOKIE, ShownTokens, shown_tokens
from station.core.inputs import StopAll, VoidLap
from tests.station.web.conftest import Served, serve
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import PASSPHRASE, session_of

ADMIN = Identity("Ada", Role.ADMIN)


@pytest.fixture(scope="module")
def visited() -> Iterator[Served]:
    """Pages that visitors see; a test signs in by itself."""
    for served in serve(FakeStation(), signed_in=False):
        session_of(served.access)
        yield served


def paired(served: Served, name: str, role: Role, kind: DeviceKind = "tablet") -> str:
    """A paired device's token."""
    offer = served.access.people.offer_pairing(ADMIN, name, kind, role)
    return served.access.people.pair(offer.code, ShownTokens(), "127.0.0.1")


def cookies(session: str = "", device: str = "") -> dict[str, str]:
    return {name: value for name, value in ((SESSION_COOKIE, session), (DEVICE_COOKIE, device)) if value}


def status(served: Served, method: str, path: str, **more: Any) -> int:
    return requests.request(method, served.url + path, timeout=60, allow_redirects=False, **more).status_code


ROUTES = [
    ("GET", "/", Role.VIEWER),
    ("GET", "/live", Role.VIEWER),
    ("GET", "/api/v1/state", Role.VIEWER),
    ("GET", "/api/v1/stop", Role.VIEWER),
    ("GET", "/operate", Role.REFEREE),
    ("GET", "/gates", Role.REFEREE),
    ("GET", "/live?topics=operate", Role.REFEREE),
    ("GET", "/stop", Role.REFEREE),
    ("POST", "/api/v1/stop", Role.REFEREE),
    ("POST", "/api/v1/stop/release", Role.OPERATOR),
]


@pytest.mark.parametrize("role", Role)
def test_what_each_role_reaches(visited: Served, role: Role) -> None:
    token = visited.access.people.make_token("a test", f"script {role.word}", role)
    headers = {"authorization": f"Bearer {token}"}
    for method, path, needed in ROUTES:
        with requests.request(method, visited.url + path, headers=headers, timeout=60, stream=True) as answer:
            assert (answer.status_code < 400) == (role >= needed), (method, path, answer.status_code)


def test_a_visitor_who_opens_an_officials_page_is_sent_to_sign_in(visited: Served) -> None:
    page = {"accept": "text/html,application/xhtml+xml"}
    answer = requests.get(f"{visited.url}/operate", headers=page, timeout=60, allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/operate")
    assert requests.get(f"{visited.url}/operate", timeout=60).json()["error"].endswith("sign in first.")


def test_who_reads_the_code_on_a_cars_sheet_and_signs_in_comes_to_the_sheet_of_that_car(visited: Served) -> None:
    page, url = {"accept": "text/html"}, f"{visited.url}/cars/sheets?car=car-1"
    where = requests.get(url, headers=page, timeout=60, allow_redirects=False).headers["location"]
    assert where == "/sign-in?next=/cars/sheets%3Fcar%3Dcar-1"
    form = requests.get(visited.url + where, headers=page, timeout=60).text
    assert '<input type="hidden" name="next" value="/cars/sheets?car=car-1">' in form
    for more in (
        "y" * 500,
        "<b>",
        "\u2215",
    ):  # too long, or nothing that an address of this site holds
        asked = requests.get(f"{url}&x={more}", headers=page, timeout=60, allow_redirects=False)
        wanted = parse_qs(urlsplit(asked.headers["location"]).query)["next"]
        assert [local_path(each) for each in wanted] == wanted
    assert wanted[0].startswith("/cars/sheets")


def test_the_author_and_the_device_are_who_is_signed_in(visited: Served) -> None:
    device = paired(visited, "Tablet 1", Role.REFEREE)
    session = visited.access.sign_in("operator", PASSPHRASE, ShownTokens(device=device), "127.0.0.1").session
    body = {"command": "void_lap", "number": 3, "author": "Mallory", "device": "another", "reason": "cut"}
    visited.station.commands.clear()
    answer = requests.post(f"{visited.url}/api/v1/commands", json=body, cookies=cookies(session, device), timeout=60)
    assert answer.status_code == 200
    assert visited.station.commands == [VoidLap(author="operator", device="Tablet 1", reason="cut", number=3)]
    # The person is an admin, but the device is paired for a referee.
    body = {"command": "set_mode", "mode": "test"}
    answer = requests.post(f"{visited.url}/api/v1/commands", json=body, cookies=cookies(session, device), timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (
        403,
        "operator is signed in as Referee; this needs Operator.",
    )


def test_a_paired_device_stops_all_cars_also_without_a_session(visited: Served) -> None:
    referees, screen = paired(visited, "Tablet 2", Role.REFEREE), paired(visited, "Hall", Role.VIEWER, "screen")
    visited.station.commands.clear()
    assert status(visited, "POST", "/api/v1/stop", cookies=cookies(device=referees)) == 200
    assert visited.station.commands == [StopAll(author="Tablet 2", device="Tablet 2")]
    assert status(visited, "POST", "/api/v1/stop/release", cookies=cookies(device=referees)) == 401
    assert status(visited, "POST", "/api/v1/stop", cookies=cookies(device=screen)) == 401
    assert status(visited, "GET", "/operate", cookies=cookies(device=referees)) == 401
    tablet = next(each for each in visited.access.people.devices() if each.name == "Tablet 2")
    visited.access.people.revoke_device(ADMIN, tablet.id)
    assert status(visited, "POST", "/api/v1/stop", cookies=cookies(device=referees)) == 401


def test_the_stop_waits_for_no_lock_and_no_disk_of_access(visited: Served) -> None:
    device = paired(visited, "Tablet 3", Role.REFEREE)
    with visited.access.state.change():  # somebody else's change is in the middle of its transaction
        assert status(visited, "POST", "/api/v1/stop", cookies=cookies(device=device)) == 200


def test_a_revoked_device_loses_its_stream(visited: Served) -> None:
    device = paired(visited, "Tablet 4", Role.REFEREE)
    session = visited.access.sign_in("operator", PASSPHRASE, ShownTokens(device=device), "127.0.0.1").session
    tablet = next(each for each in visited.access.people.devices() if each.name == "Tablet 4")
    with requests.get(
        f"{visited.url}/live?topics=operate", cookies=cookies(session, device), stream=True, timeout=60
    ) as stream:
        lines = stream.iter_lines()
        while next(lines) != b"event: update":
            pass
        visited.access.people.revoke_device(ADMIN, tablet.id)
        list(lines)  # it ends
    assert status(visited, "GET", "/live?topics=operate", cookies=cookies(session, device)) == 401


TOKEN = "a" * 43


@pytest.mark.parametrize(
    ("cookie", "authorization", "shown"),
    [
        (f"raceday_session={TOKEN}", "", ShownTokens(session=TOKEN)),
        (f"a=b; raceday_device={TOKEN};x", "", ShownTokens(device=TOKEN)),
        (f"raceday_session={TOKEN}; raceday_session={'b' * 43}", "", ShownTokens(session=TOKEN)),
        (f"raceday_session={TOKEN[1:]}", "", ShownTokens()),
        (f"raceday_session={TOKEN}é", "", ShownTokens()),
        (f'raceday_session="{TOKEN}"', "", ShownTokens()),
        (f"raceday_session={TOKEN}" + ";" * 5000, "", ShownTokens()),
        ("", f"Bearer {TOKEN}", ShownTokens(bearer=TOKEN)),
        ("", f"bearer   {TOKEN} ", ShownTokens(bearer=TOKEN)),
        ("", f"Basic {TOKEN}", ShownTokens()),
        ("", f"Bearer {TOKEN}, Bearer {TOKEN}", ShownTokens()),
    ],
)
def test_which_tokens_a_request_shows(cookie: str, authorization: str, shown: ShownTokens) -> None:
    assert shown_tokens(cookie, authorization) == shown


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_header_shows_tokens_or_none(cookie: str, authorization: str) -> None:
    shown = shown_tokens(cookie, authorization)
    assert all(len(each) in (0, 43) for each in (shown.session, shown.device, shown.bearer, shown.form))


def test_a_forms_token_belongs_to_one_browser() -> None:
    mine, other = new_token(), new_token()
    assert is_form_token(form_token(mine), mine)
    assert not is_form_token(form_token(mine), other)
    assert not is_form_token(form_token(""), "")
    assert not is_form_token("ü", mine)


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/operate", "/operate"),
        ("/runs/run-1?x=1", "/runs/run-1?x=1"),
        ("", "/"),
        ("operate", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("http://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("/" + "x" * 300, "/"),
        ("/\u2215evil", "/"),
    ],
)
def test_only_paths_of_this_site_are_gone_to(wanted: str, path: str) -> None:
    assert local_path(wanted) == path


@given(st.text())
def test_no_text_leads_away(wanted: str) -> None:
    path = local_path(wanted)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))


def test_nobody_has_no_rights() -> None:
    assert not VISITOR.is_official
    assert not VISITOR.may_stop
