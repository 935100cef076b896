"""Two racers, watched in a real browser: each lap is read from the page within a second of its crossing."""

import contextlib
import pathlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from raceday.demo.config_files import GATE
from shared.units import format_ns
from simulator.realtime.control_client import WorldControl
from simulator.realtime.drivers import WorldClock
from simulator.realtime.protocol import TrueEvent
from tests.browser import Watched, chromium
from tests.system.demo.running import Demo, check_summary

SPEED = 3
RACERS = 2
LAPS = 2
pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.broker, pytest.mark.timeout(400)]


def test_two_racers_on_a_track_from_a_file_are_seen_and_ranked(
    tmp_path: pathlib.Path, shared_data: pathlib.Path
) -> None:
    words = ["--racers", str(RACERS), "--laps", str(LAPS), "--speed", str(SPEED), "--seed", "5"]
    with (
        Demo(tmp_path, *words, "--track", str(shared_data / "tracks" / "Vegas_track.npy")) as demo,
        chromium() as browser,
    ):
        url = demo.read_until("station: ").split()[-1]
        page = Watched(browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="dark"))
        page.open(url)
        delays_s = _watch_laps(str(demo.folder / "world"), page.page)
        # The demo ends its servers: a page that is still open would then log a failed request as an error.
        page.page.close()
        document = demo.finish()
        assert not page.errors
        assert all(request.startswith(url) for request in page.requests)
    check_summary(document)
    assert document["track"] == "Vegas_track"
    assert len(document["standing"]) == RACERS
    assert len(delays_s) == RACERS * LAPS
    assert max(delays_s) < 1.0, delays_s


def _watch_laps(world: str, page: Page) -> list[float]:
    """For each lap that ended in the world: how many real seconds until its time was on the page."""
    clock = WorldClock({"world": world})
    with contextlib.closing(WorldControl(world)) as control, contextlib.closing(control.events()) as events:
        return _delays(clock, events, page)


def _delays(clock: WorldClock, events: Iterator[TrueEvent], page: Page) -> list[float]:
    delays_s: list[float] = []
    started: TrueEvent | None = None
    for truth in events:
        if truth.event == "placed":
            started = None
        if truth.event != "crossing" or truth.gate != GATE:  # a split ends no lap
            continue
        if started is not None:
            _wait_for_text(page, "#laps", format_ns(truth.at_ns - started.at_ns))
            delays_s.append((clock.now_ns() - truth.at_ns) / 1e9 / SPEED)
        started = truth
        if len(delays_s) == RACERS * LAPS:
            break
    return delays_s


def _wait_for_text(page: Page, where: str, text: str) -> None:
    page.wait_for_function(
        "([where, text]) => document.querySelector(where).innerText.includes(text)", arg=[where, text], timeout=10_000
    )
