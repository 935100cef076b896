"""What a racer does and sees in a browser from a dropped archive to the replay beside the leader."""

import base64
import pathlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect

from leaderboard.store import race_rows
from leaderboard.store.evaluations import trace_rows
from leaderboard.store.tables import ENTRIES
from shared.conditions import ENGINE
from shared.protocol.results import Evidence, encode_result
from shared.traces.encoding import encode, trace_sha256
from shared.tracks.shipped import shipped_outline
from shared.units import NS_PER_MS
from tests.browser import Watched, keep_picture
from tests.leaderboard import sample_races
from tests.leaderboard.submissions.serving import ServedRace
from tests.leaderboard.submissions.test_browser import DROP
from tests.shared.traces.driven import driven_on

CHUNK = 1 << 20
SIZES = {"wide": (1440, 900), "phone": (390, 844)}


def post_leader(served: ServedRace) -> None:
    """Bea has driven faster than any car of ours; her run can be replayed."""
    trace = driven_on(shipped_outline("reinvent_base"), 3, 4.0)
    digest = trace_sha256(trace)
    with served.board.store.write() as db:
        db.execute(ENTRIES.insert(), {"race_id": "cup", "racer": "bea", "name": "Bea", "entered_utc_ns": 1})
        trace_rows.keep(db, digest, encode(trace), 1)
        race = race_rows.race(db, "cup")
    times_ms = tuple(each.value_ns // NS_PER_MS for each in trace.events if each.value_ns)
    evidence = Evidence("farm", digest, 1, 1, 0, {"engine": ENGINE}, conditions_sha256=race.conditions_sha256)
    one = sample_races.result("submission-bea", "bea", times_ms, race.rules, kind="virtual", evidence=evidence)
    answer = served.board.apply(one.webhook_id, encode_result(one), time.time_ns())
    assert answer.status == 201, answer.body


@contextmanager
def watched_page(browser: Browser, served: ServedRace) -> Iterator[Watched]:
    """Ada's browser, at the page where she submits."""
    context = browser.new_context(reduced_motion="reduce")
    context.add_cookies([{"name": "raceday_league", "value": served.session, "url": served.url}])
    watched = Watched(context.new_page())
    watched.page.goto(f"{served.url}/races/cup/submissions")
    yield watched
    context.close()


def drop_and_submit(page: Page, archive: pathlib.Path) -> None:
    """Drop the archive; it is sent in chunks and waits in the queue."""
    page.evaluate(DROP, [base64.b64encode(archive.read_bytes()).decode(), archive.name, CHUNK])
    page.get_by_role("button", name="Submit the model").click()
    mine = page.locator("#submissions .submission").first
    expect(mine.locator(".name")).to_have_text("trained")
    expect(mine.locator(".badge")).to_have_text("Queued")
    expect(mine.locator(".stands")).to_contain_text("1 before it in the queue")


def see_it_ranked(page: Page, checkpoint: str) -> None:
    """The page follows it by itself: prepared, driven, ranked; what was chosen is told."""
    mine = page.locator("#submissions .submission").first
    expect(mine.locator(".badge")).to_have_text("Scored", timeout=120_000)
    expect(mine.locator(".stands")).to_contain_text("place 2 of 2")
    expect(page.locator("[data-left]")).to_have_text("2 left today")  # what was rejected counts for nothing
    mine.get_by_text("History", exact=True).click()
    expect(mine.locator(".changes b")).to_have_text(["Uploading", "Queued", "Preparing", "Evaluating", "Scored"])
    mine.locator("summary", has_text="Checkpoints").click()
    expect(mine.locator(".chosen")).to_contain_text(f"{checkpoint} is driven: most completed laps: 9")
    expect(mine.locator(".trials tbody tr")).to_have_count(2)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for name, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            box = mine.locator(".trials").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            scrolls = "(table) => [table.scrollWidth, table.clientWidth]"
            inside, seen = mine.locator(".trials").evaluate(scrolls)
            assert inside <= seen, f"{name}: nothing is clipped"
            mine.scroll_into_view_if_needed()
            keep_picture(page, f"submit-{name}-{scheme}")


def see_it_replayed(page: Page) -> None:
    """The run beside the leader's: two cars, one of them hers."""
    page.locator("#submissions .submission").first.get_by_role("link", name="Replay").click()
    expect(page.locator(".replay-who")).to_have_text(["A Ada", "B Bea"])
    expect(page.locator("[data-car]")).to_have_count(2)
    page.get_by_role("button", name="Play").click()
    expect(page.locator("[data-clock]")).not_to_have_text("0.0")
    keep_picture(page, "submit-replay")
