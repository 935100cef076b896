"""A racer's whole path: a DeepRacer archive from the phone, in a real browser, to a car that drives in the mock world.

The car is the real one, guard, pilot and comms, with the world's camera and motors; the pictures are rendered. What
TensorFlow froze is uploaded, selected, started and stopped from the page; the black box then proves what it answered.
"""

import contextlib
import pathlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from raceday.broker import mosquitto_path, start_broker
from raceday.model import main as model_main
from simulator.realtime.control_client import WorldControl
from tests.browser import keep_picture, violations
from tests.simulator.realtime.conftest import RunningWorld
from tests.system.vehicle.test_processes import Car
from tests.vehicle.models.importing.tars import Member, tar_gz
from tests.vehicle.web.test_browser import DATA, claim, first_boot, phone, until
from vehicle.commands.run import main as run_main
from vehicle.recordings.reader import read_recording
from vehicle.recordings.recorder import recordings

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.slow]

UPLOAD_BYTES_S = 150_000  # a phone with a poor connection: slow enough that a person sees the bar
WATCH_PROGRESS = """() => {
  window.seen = [];
  const bar = document.getElementById("progress");
  new MutationObserver(() => window.seen.push(bar.value)).observe(bar, { attributes: true });
}"""


@dataclass
class Garage:
    """The car, its world and its page."""

    folder: pathlib.Path
    car: Car
    world: WorldControl
    url: str

    def speed_mps(self) -> float:
        return self.world.status().speed_mps


@pytest.fixture
def garage(tmp_path: pathlib.Path, free_port: Callable[[], int]) -> Iterator[Garage]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    with contextlib.ExitStack() as stack:
        broker = start_broker(tmp_path / "broker", kind="mosquitto")
        stack.callback(broker.stop)
        (tmp_path / "w").mkdir()
        world = RunningWorld(tmp_path / "w", "speed = 1.0", "reinvent_base")
        stack.callback(world.stop)
        control = WorldControl(str(world.folder))
        stack.callback(control.close)
        control.place("car-1")
        port = free_port()
        car = Car(tmp_path, config_text(tmp_path, broker.port, port))
        stack.callback(_end, car)
        yield Garage(tmp_path, car, control, f"http://127.0.0.1:{port}")


def config_text(folder: pathlib.Path, broker: int, console: int) -> str:
    """A car in the mock world with the demo's long timeouts, since it shares its cores with a browser."""
    devices = f'driver = "simulator"\noptions = {{ world = "{folder}/w", car = "car-1" }}'
    return f"""
device = "car-1"
[clock]
driver = "simulator"
options = {{ world = "{folder}/w" }}
[camera]
{devices}
[motors]
{devices}
[calibration]
stock = true
[model]
path = "{folder}/models/selected"
[outbox]
path = "{folder}/laps.db"
[local]
socket = "{folder}/car.sock"
[mqtt]
host = "127.0.0.1"
port = {broker}
[safety]
frame_period_ms = 66.7
hold_periods = 4.0
trip_periods = 10.0
realtime = false
hang_ms = 1500
[console]
enabled = true
host = "127.0.0.1"
port = {console}
claims = "{folder}/console.json"
models = "{folder}/models"
[recorder]
enabled = true
folder = "{folder}/runs"
"""


def _end(car: Car) -> None:
    car.end()
    assert car.process.stderr is not None
    sys.stdout.write(car.process.stderr.read())
    car.process.stderr.close()


def test_an_archive_from_the_phone_drives_in_the_world_and_stops(
    garage: Garage, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = garage.folder / "my-racer.tar.gz"
    shutil.copy(DATA / "racer.tar.gz", archive)
    code = first_boot(garage.car)
    with phone(browser) as page:
        claim(page, garage.url, code)
        expect(page.locator("#camera")).to_be_visible(timeout=30_000)  # a new car has a camera before it has a model
        expect(page.locator("#model")).to_have_text("none")
        expect(page.locator("#start")).to_have_attribute("aria-disabled", "true")
        expect(page.locator("#missing")).to_contain_text("No model is loaded")
        refuse(page, garage)
        upload(page, archive)
        select(page, "my-racer")
        page.get_by_role("slider", name="Throttle").fill("70")
        page.locator("#camera_title").scroll_into_view_if_needed()
        drive(page, garage)
        assert violations(page) == []
        keep_picture(page, "road-driving")
        stop(page, garage)
        assert violations(page) == []
        keep_picture(page, "road-stopped")
    assert garage.car.end() == 0
    proven(garage, capsys)


def refuse(page: Page, garage: Garage) -> None:
    """Uploads a hostile archive: one sentence on the page, and nothing on the car."""
    evil = garage.folder / "evil.tar.gz"
    evil.write_bytes(tar_gz(Member(b"agent/model.pb", b"x"), Member(b"evil", kind=b"2", link=b"/etc/passwd")))
    page.locator("#file").set_input_files(str(evil))
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#models_message")).to_contain_text("The archive holds a link", timeout=30_000)
    expect(page.locator("#models_message")).not_to_contain_text(str(garage.folder))
    assert not list((garage.folder / "models").glob("*"))


def upload(page: Page, archive: pathlib.Path) -> None:
    """Uploads an archive; the racer sees the progress bar move, and a sentence at the end."""
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": UPLOAD_BYTES_S},
    )
    page.evaluate(WATCH_PROGRESS)
    page.locator("#file").set_input_files(str(archive))
    page.get_by_role("button", name="Upload").click()
    until(page, lambda: bool(page.evaluate("window.seen.some((at) => at > 0 && at < 100)")))
    assert violations(page) == []
    keep_picture(page, "road-uploading")
    expect(page.locator("#models_message")).to_have_text("my-racer is on the car.", timeout=60_000)
    line.detach()


def select(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Select {name}").click()
    expect(page.locator("#model")).to_have_text(name, timeout=30_000)
    expect(page.locator("#models_message")).to_contain_text(f"{name} is selected")
    assert violations(page) == []
    keep_picture(page, "road-selected")


def drive(page: Page, garage: Garage) -> None:
    """Drives until the car moves. A browser that stalls loses the lease; then it tries again, as a person would."""
    for _ in range(5):
        if page.locator("#mode").text_content() == "Tripped":
            page.get_by_role("button", name="Reset the trip").click()
            expect(page.locator("#mode")).to_have_text("Disarmed")
        page.get_by_role("button", name="Start").click()
        expect(page.locator("#mode")).to_have_text(re.compile("Driving|Tripped"), timeout=20_000)
        for _ in range(100):
            if garage.speed_mps() > 0.3:
                return
            page.wait_for_timeout(50)
    raise AssertionError("the car does not roll")


def stop(page: Page, garage: Garage) -> None:
    page.locator("#stop").tap()
    expect(page.locator("#mode")).to_have_text(re.compile("Stopped|Tripped"))
    until(page, lambda: garage.speed_mps() < 0.05)


def proven(garage: Garage, capsys: pytest.CaptureFixture[str]) -> None:
    """Checks that the recordings contain the drive, and that the model answers as it did then."""
    found = recordings(garage.folder / "runs")
    assert found
    for path in found:
        run = read_recording([path])
        assert run.is_complete
        assert run.about["model"] == "my-racer"
        assert max(trace.throttle for trace in run.traces) > 0.1
        assert run.traces[-1].throttle == 0.0
        capsys.readouterr()
        assert model_main(["replay", str(path)]) == 0
        said = capsys.readouterr().out
        assert "which drove then" in said
        assert "(100.0%)" in said
        assert "compared (exact)" in said
        assert run_main(["plot", str(path)]) == 0
