"""A run that is timed by hand because the gate is dead: how race control offers it, and where it is marked."""

import pathlib
import tempfile

import pytest
from playwright.sync_api import Browser, expect

from station.core import inputs as e
from station.web.presenters.laps import lap_lines
from tests.station.service.station_rig import S
from tests.station.web.event_station import RULES, event_station

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HAND = "timed by hand, ±0.1 s"


def test_a_whole_run_is_timed_by_keyboard_and_marked_everywhere(browser: Browser) -> None:
    with tempfile.TemporaryDirectory(prefix="rd-") as folder, event_station(pathlib.Path(folder)) as station:
        station.rig.gate.detach()
        view = station.rig.station.snapshot()
        while any(gate.alive for gate in view.gates):  # the station misses it once its own clock has moved on
            station.rig.clock.advance(station.rig.clock.now_ns() + S)
            view = station.rig.station.wait_for_change(view.version, 1.0) or station.rig.station.snapshot()
        page = browser.new_page()
        page.goto(f"{station.url}/operate")
        page.keyboard.press("/")
        expect(page.locator("#by-hand-now")).to_be_visible()
        page.fill("[name=racer]", "Grace")
        page.fill("[name=car]", "car-1")
        page.check("[name=hand_timed]")
        expect(page.locator("#add-form [value=queue]")).to_be_disabled()
        page.fill("[name=hand_reason]", "the cable is torn")
        page.click("#add-form [value=open]")
        expect(page.locator("#cards")).to_contain_text("The gate does not time this run")
        run_id = station.rig.station.snapshot().runs[0].run_id
        station.give(e.StartRun(author="Ruth", run_id=run_id, by_hand=True))
        for lap in range(3):
            station.rig.clock.advance(station.rig.clock.now_ns() + 9 * S)
            expect(page.locator("#hand-time")).to_have_class("act primary")
            with page.expect_response(lambda answer: answer.request.method == "POST"):
                if lap < 2:
                    page.keyboard.press("t")
                else:  # the last one by thumb, on a phone
                    page.set_viewport_size({"width": 390, "height": 844})
                    page.click("#hand-time")
            if lap:
                expect(page.locator("#lap_rows tr")).to_have_count(lap)
        expect(page.locator("#lap_rows")).to_contain_text(HAND)
        results = page.request.get(f"{station.url}/results/race-1").text()
        assert results.count(HAND) >= 2, "the place and its run"
        assert "by hand, ±0.1 s" in page.request.get(f"{station.url}/").text()
        run = station.rig.station.snapshot().run
        assert run is not None
        assert [HAND in line.detail for line in lap_lines(run, RULES)] == [True, True]
        page.close()
