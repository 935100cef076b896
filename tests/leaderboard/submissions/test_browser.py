"""A model is dropped into a real browser: read, sent in chunks over a connection that breaks, and seen in the queue."""

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import Watched
from tests.leaderboard.submissions.racers import archive, sha256
from tests.leaderboard.submissions.serving import ServedRace, served_race

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CHUNK = 300_000
CONTENT = archive(1, CHUNK + 100_000)
DROP = """([content, name, chunk]) => {
  const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
  const held = new DataTransfer();
  held.items.add(new File([bytes], name, { type: "application/gzip", lastModified: 1 }));
  const form = document.getElementById("submit");
  form.querySelector("[data-sending]").dataset.chunk = chunk;
  for (const kind of ["dragenter", "dragover", "drop"])
    form.dispatchEvent(new DragEvent(kind, { dataTransfer: held, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedRace]:
    with served_race(tmp_path_factory.mktemp("submit")) as made:
        yield made


def test_a_model_is_dropped_stopped_and_sent_on(browser: Browser, served: ServedRace) -> None:
    context = browser.new_context(reduced_motion="reduce")
    context.add_cookies([{"name": "raceday_league", "value": served.session, "url": served.url}])
    watched = Watched(context.new_page())
    page, patches, broken = watched.page, list[int](), list[bool]()

    def patched(route: Route) -> None:
        offset = int(route.request.headers["upload-offset"])
        patches.append(offset)
        if offset and not broken:  # the second chunk is lost once
            broken.append(True)
            route.abort("connectionreset")
        elif offset and len(broken) == 1:  # and held the next time, until somebody stops it
            broken.append(True)
        else:
            route.continue_()

    page.route(
        "**/api/v1/uploads/*", lambda route: patched(route) if route.request.method == "PATCH" else route.continue_()
    )
    page.goto(f"{served.url}/races/cup/submissions")
    _drop(page)
    page.get_by_role("button", name="Submit the model").click()
    # Submitted before the last byte: it is seen, and has its place among today's.
    expect(page.get_by_text("trying again. What was sent is kept.")).to_be_visible()
    page.wait_for_function(
        "() => document.querySelector('[data-words]').textContent.startsWith('Sending: 0.3 of 0.4 MB')"
    )
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#refusal")).to_contain_text("Stopped. Choose the same file again")
    expect(page.locator("#submissions .badge")).to_have_text(["Uploading"])
    expect(page.locator("[data-left]")).to_have_text("2 left today")

    page.reload()
    _drop(page)
    page.get_by_role("button", name="Submit the model").click()
    expect(page.locator("#submissions .badge")).to_have_text(["Queued"])
    expect(page.locator("#submissions .name")).to_have_text(["my-car"])
    assert patches == [0, CHUNK, CHUNK, CHUNK]
    assert served.stored(sha256(CONTENT)) == CONTENT

    # The page follows what becomes of it, and takes the next one once there is room: nothing is sent then.
    served.moved("reject", "The archive holds no model.")
    expect(page.locator("#submissions .badge")).to_have_text(["Rejected"])
    page.locator("#submit").wait_for()
    _drop(page, "other-name.zip")
    page.get_by_role("button", name="Submit the model").click()
    expect(page.locator("#submissions .badge")).to_have_text(["Queued", "Rejected"])
    assert len(patches) == 4
    refused = [each for each in watched.errors if "ERR_CONNECTION_RESET" not in each]
    assert refused == []
    context.close()


def _drop(page: Page, name: str = "my-car.tar.gz") -> None:
    page.wait_for_load_state()  # the page may just have come anew: its script is there then
    page.evaluate(DROP, [base64.b64encode(CONTENT).decode(), name, CHUNK])
    assert page.evaluate("document.getElementById('file').files[0].name") == name
