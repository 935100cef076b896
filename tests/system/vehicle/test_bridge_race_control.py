"""A stock car from the race screen: a real station and broker, a bridge, the mock console, and an official's browser.

The official sees what the car promises before the start, arms it, starts it and stops it.
"""

import pathlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from raceday.broker import RunningBroker, mosquitto_path, start_broker
from tests.system.station.test_process import Process, post, state
from tests.system.vehicle.bridge_rig import StockCarRig, until

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.browser]
STATION = """
data_dir = "{data}"
lease_ms = 3000
[[gate]]
name = "start"
driver = "mock"
options = {{ every_s = 600.0, width_ms = 20 }}
[mqtt]
port = {broker}
[web]
port = {port}
[race]
id = "race-1"
name = "A race"
"""


@pytest.fixture
def broker(tmp_path: pathlib.Path) -> Iterator[RunningBroker]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    running = start_broker(tmp_path / "broker", kind="mosquitto")
    yield running
    running.stop()


def test_a_stock_car_is_armed_driven_and_stopped_from_race_control(
    broker: RunningBroker, tmp_path: pathlib.Path, browser: Browser
) -> None:
    rig = StockCarRig(tmp_path, broker.port, "stock", is_leashed=False)
    station = Process(tmp_path, broker=broker.port, text=STATION)
    try:
        url = station.url()
        rig.start_bridge()
        until(lambda: any(car["online"] and car["model"] for car in state(url)["cars"]))
        post(url, command="open_run", racer="Ann", car="car-1")
        page = browser.new_page(extra_http_headers=station.bearer)
        page.goto(f"{url}/operate")
        card = page.locator("[id^=run-]").first
        expect(card).to_contain_text("promises: best effort")
        expect(card).to_contain_text("drives on when nothing reaches it")
        page.goto(f"{url}/cars")
        expect(page.locator("#car-car-1")).to_contain_text("promises: best effort")
        page.goto(f"{url}/operate")
        page.keyboard.press("a")
        until(lambda: state(url)["cars"][0]["mode"] == "ready")
        assert not rig.outputs.is_moving
        page.keyboard.press("s")
        until(lambda: rig.outputs.is_moving)
        page.keyboard.press("x")
        until(lambda: not rig.outputs.is_moving)
        until(lambda: state(url)["cars"][0]["mode"] == "tripped")
        page.close()
    finally:
        station.kill()
        rig.close()
