"""Results that wait or were rejected: officials see each of them, and can send them from the page."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import expect

from shared.errors import StorageError
from station.sync.operator.send_requests import SendRequest
from tests.browser import Watched, chromium
from tests.station.web.conftest import Served, serve
from tests.station.web.sample_views import TROUBLE, FakeStation

wished: list[SendRequest] = []


def keep(wanted: SendRequest) -> None:
    if wanted.webhook_id == "full":
        raise StorageError("The disk is full.")
    wished.append(wanted)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    yield from serve(FakeStation(), send=keep)


@pytest.fixture(autouse=True)
def nothing_wished() -> None:
    wished.clear()


@pytest.mark.parametrize(
    ("body", "status", "wanted"),
    [
        ({}, 200, SendRequest(author="operator")),
        ({"author": "Ruth"}, 200, SendRequest(author="operator")),  # who is signed in
        (
            {"rejected": True, "webhook_id": "race-1.run-6.1"},
            200,
            SendRequest(True, "race-1.run-6.1", "operator"),
        ),
        ({"rejected": "yes"}, 400, None),
        ([], 400, None),
        ({"webhook_id": "x" * 300}, 400, None),
        ({"author": "x" * 9000}, 413, None),
        ({"webhook_id": "full"}, 503, None),
    ],
)
def test_a_wish_is_handed_on_or_refused_with_a_sentence(
    served: Served, body: object, status: int, wanted: SendRequest | None
) -> None:
    answer = requests.post(f"{served.url}/api/v1/sync", json=body, timeout=60)
    assert answer.status_code == status
    assert wished == ([] if wanted is None else [wanted])
    assert answer.json() == {"accepted": True} if wanted else answer.json()["error"]


def test_only_officials_may_send(served_elsewhere: Served, served: Served) -> None:
    foreign = requests.post(f"{served.url}/api/v1/sync", json={}, headers={"origin": "http://evil.example"}, timeout=60)
    plain = requests.post(f"{served.url}/api/v1/sync", data="{}", timeout=60)
    nobody = requests.post(f"{served.url}/api/v1/sync", json={}, headers={"authorization": "Bearer none"}, timeout=60)
    assert (foreign.status_code, plain.status_code, nobody.status_code) == (403, 415, 401)
    assert wished == []


@pytest.mark.browser
@pytest.mark.slow
def test_an_official_sends_a_rejected_result_again(served: Served) -> None:
    with chromium() as browser:
        page = Watched(browser.new_page()).open(f"{served.url}/operate")
        served.station.show(sync=TROUBLE.sync)
        page.get_by_role("button", name="More", exact=True).click()
        panel = page.locator("#more_info")
        expect(panel).to_contain_text("does not know the race 'race-1'", timeout=5000)
        page.get_by_role("button", name="Resend: race-1.run-6, revision 1").click()
        expect(page.locator("#sending-answer")).to_contain_text("requested")
        page.get_by_role("button", name="Send pending results now").click()
        expect(page.locator("#sending-answer")).to_contain_text("Send pending results now: requested")
        page.get_by_role("button", name="Resend all rejected results").click()
        expect(page.locator("#sending-answer")).to_contain_text("Resend all rejected results: requested")
    assert wished == [
        SendRequest(True, "race-1.run-6.1", "operator"),
        SendRequest(author="operator"),
        SendRequest(True, author="operator"),
    ]
