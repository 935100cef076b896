"""The console in a real browser: the page alone on every axe rule, then claim, upload, start and stop on a real car."""

import io
import json
import os
import pathlib
import signal
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from raceday.broker import mosquitto_path, start_broker
from shared.protocol.messages import CarHeartbeat, CarState, DriveOrder, Lease
from tests.browser import SCHEMES, in_scheme, keep_picture, violations_in_both_schemes
from tests.system.vehicle.test_processes import REST, Car
from tests.vehicle.sample_parts import METADATA, config_text, frame, pulses, tiny_graph, write_model
from tests.vehicle.web.test_access import Site
from tests.vehicle.web.test_calibration_api import FakeGuard
from vehicle.calibration.file import read_calibration
from vehicle.core.messages import CalibrationCommand, ControlTrace, LoopTelemetry, ThrottleLimit
from vehicle.hardware.motors.pwm_chip import PCA9685_RESOLUTION
from vehicle.recordings.frame_feed import RecordedFrame, jpeg_of
from vehicle.web.model_list import LibraryModelList

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DATA = pathlib.Path(__file__).parent.parent / "models" / "data"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.server.close()


@contextmanager
def phone(browser: Browser, **more: object) -> Iterator[Page]:
    """A phone's page; what goes wrong in it fails the test."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, has_touch=True, is_mobile=True, **more)  # type: ignore[arg-type]
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def claim(page: Page, url: str, code: str, *, unfolded: bool = True) -> None:
    """Claims the car; `unfolded`: opens everything that the page folds away."""
    page.goto(url)
    if unfolded:
        page.locator("details").evaluate_all("all => { for (const each of all) each.open = true; }")
    page.get_by_label("Claim code").fill(code)
    page.get_by_role("button", name="Claim").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()


def report_driving(site: Site) -> None:
    """The guard reports that the car drives."""
    control = site.bench.control
    control.on_guard_message(CarState(True, "driving", "", "first", "ab" * 32, 40))
    control.on_guard_message(ControlTrace(1, "driving", 1, 0, 0.4, 1.0, 0.35, 0.4, 1_400_000, 1_390_000))
    stages = ((600, 600, 900), (20_000, 21_000, 38_000), (19_000, 20_000, 36_000), (900, 1_000, 1_400))
    ages = (21_000, 24_000, 40_000)
    control.on_guard_message(LoopTelemetry(900, 2, 0, 1, ages, (1_900,) * 3, 0.0, 0.0, *stages, "int8", "guard, pilot"))
    picture = frame(60)
    picture[120:, :] = 140
    picture[100:, 150:170] = 230
    control.on_picture(RecordedFrame(jpeg_of(picture), 1, 1))


def pictured(page: Page, name: str) -> None:
    """Keeps the page's picture in both schemes."""
    for scheme in SCHEMES:
        in_scheme(page, scheme)
        keep_picture(page, f"{name}-{scheme}")


def test_the_page_is_for_everybody(site: Site, browser: Browser) -> None:
    with phone(browser) as page:
        page.goto(site.url)
        expect(page.get_by_label("Claim code")).to_be_focused()
        assert violations_in_both_schemes(page, "console-claim") == []
        claim(page, site.url, site.code, unfolded=False)
        expect(page.locator("#models li")).to_have_count(2)
        # What a racer needs first is on the first screen, in the order in which it is needed.
        order = ["#reason", "#station", "#model", "#throttle", "#start", "#camera, #no_camera", "#calibration_part"]
        tops = [page.locator(f":is({each}):visible").first.bounding_box()["y"] for each in order]  # type: ignore[index]
        assert tops == sorted(tops)
        bar = page.locator("#stopbar").bounding_box()
        go = page.locator("#start").bounding_box()
        assert bar is not None
        assert go is not None
        assert go["y"] + go["height"] <= bar["y"]
        expect(page.locator("#station")).to_have_text("No station is on: practice is allowed.")
        expect(page.locator("#start")).to_have_attribute("aria-disabled", "false")
        assert violations_in_both_schemes(page, "console-first") == []
        site.bench.control.on_guard_message(CarState(True, "disarmed"))
        expect(page.locator("#missing")).to_have_text("No model is loaded: choose or add one above.")
        expect(page.locator("#start")).to_have_attribute("aria-disabled", "true")
        page.locator("#calibration_part summary").press("Enter")
        expect(page.locator("#calibration tr")).to_have_count(2)
        pictured(page, "console-no-model")
        page.locator("details").evaluate_all("all => { for (const each of all) each.open = true; }")
        report_driving(site)
        expect(page.locator("#mode")).to_have_text("Driving")
        expect(page.locator("#camera")).to_be_visible()
        expect(page.locator("#health")).to_contain_text("unknown")
        assert violations_in_both_schemes(page, "console-driving") == []
        expect(page.locator("#frame_age_p99")).to_have_text("40.0")
        expect(page.locator("#loop_precision")).to_have_text("int8")
        expect(page.locator("#loop_realtime")).to_have_text("guard and pilot")
        page.locator("#loop_title").evaluate("title => title.scrollIntoView()")
        pictured(page, "console-loop")
        page.locator("#health").scroll_into_view_if_needed()
        pictured(page, "console-health")
        site.bench.control.on_guard_message(
            CarState(True, "tripped", "The newest frame is 412 ms old; the limit is 333 ms.")
        )
        expect(page.locator("#reason")).to_contain_text("412 ms")
        expect(page.get_by_role("button", name="Reset the trip")).to_be_visible()
        page.evaluate("scrollTo(0, 0)")
        assert violations_in_both_schemes(page, "console-tripped") == []


def test_nothing_is_wider_than_a_small_phone(site: Site, browser: Browser) -> None:
    with phone(browser) as page:
        page.set_viewport_size({"width": 320, "height": 568})
        claim(page, site.url, site.code)
        expect(page.locator("#calibration tr")).to_have_count(2)
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        for name in ("Start", "Stop"):
            box = page.get_by_role("button", name=name).bounding_box()
            assert box is not None
            assert box["height"] >= 60


def test_stop_acts_on_the_touch_itself_and_wherever_the_page_is(site: Site, browser: Browser) -> None:
    with phone(browser) as page:
        claim(page, site.url, site.code)
        page.get_by_role("button", name="Start").click()
        until(page, lambda: site.bench.sent_names[:3] == ["Lease", "arm", "start"])
        report_driving(site)
        expect(page.locator("#mode")).to_have_text("Driving")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.locator("#stop").dispatch_event("pointerdown")  # the finger has not left yet
        until(page, lambda: site.bench.sent_names[-1] == "stop")


def test_the_lease_lives_with_the_page(site: Site, browser: Browser) -> None:
    with phone(browser) as page:
        claim(page, site.url, site.code)
        page.get_by_role("slider", name="Throttle").fill("55")
        page.get_by_role("button", name="Start").click()
        until(page, lambda: "start" in site.bench.sent_names)
        report_driving(site)
        for number in range(101, 104):
            site.bench.control.on_guard_message(CarHeartbeat(number, "driving"))
            until(page, lambda number=number: leases(site)[-1].heartbeat == number)  # type: ignore[misc]
        started = next(
            message for message in site.bench.sent if isinstance(message, DriveOrder) and message.action == "start"
        )
        assert started.throttle_percent == 55
        page.get_by_role("slider", name="Throttle").fill("70")
        until(page, lambda: ThrottleLimit(70) in site.bench.sent)
        page.goto("about:blank")
        until(page, lambda: site.bench.sent_names[-1] == "stop")


def driving(page: Page, site: Site) -> None:
    """Start the car from this phone, and wait for its first renewal."""
    claim(page, site.url, site.code)
    page.get_by_role("button", name="Start").click()
    until(page, lambda: "start" in site.bench.sent_names)
    report_driving(site)
    expect(page.locator("#mode")).to_have_text("Driving")
    with page.expect_request("**/api/hold"):
        pass


def requests_to(page: Page, path: str) -> list[Request]:
    """The requests to `path` from now on."""
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request) if request.url.endswith(path) else None)
    return requests


def hold_back(page: Page, pattern: str) -> list[Route]:
    """The requests from now on that match `pattern`; each waits until it is continued."""
    routes: list[Route] = []

    def hold(route: Route) -> None:
        routes.append(route)

    page.route(pattern, hold)
    return routes


def test_a_stop_that_is_lost_ends_the_renewals_and_is_asked_again_until_it_arrives(
    site: Site, browser: Browser
) -> None:
    with phone(browser) as page:
        driving(page, site)
        held_renewals = hold_back(page, "**/api/hold")  # requested before the stop, and answered after it
        until(page, lambda: held_renewals != [])
        page.route("**/api/stop", lambda route: route.abort())
        renewals, stops = requests_to(page, "/api/hold"), requests_to(page, "/api/stop")
        page.get_by_role("button", name="Stop").tap()
        until(page, lambda: len(stops) == 1)
        with page.expect_response("**/api/hold") as answered:
            held_renewals[0].continue_()
        assert answered.value.json()["has_control"] is True
        until(page, lambda: len(stops) >= 3)
        expect(page.locator("#drive_message")).to_have_text(
            "The car is not responding. Sending Stop again; without this page the car stops by itself."
        )
        assert "stop" not in site.bench.sent_names
        page.unroute("**/api/stop")
        until(page, lambda: site.bench.sent_names[-1] == "stop")
        expect(page.locator("#drive_message")).to_have_text("Stopping.")
        assert renewals == []
        count = len(stops)
        for _ in range(5):  # the page polls five times: no more stops, no renewal
            with page.expect_response("**/api/status"):
                pass
        assert (renewals, len(stops)) == ([], count)
        site.bench.control.on_guard_message(CarState(True, "stopped", "", "first", "ab" * 32, 40))
        page.unroute("**/api/hold")
        with page.expect_request("**/api/hold"):  # the next start renews again
            page.get_by_role("button", name="Start").click()


def test_a_start_that_comes_after_the_stop_is_stopped(site: Site, browser: Browser) -> None:
    with phone(browser) as page:
        claim(page, site.url, site.code)
        late = hold_back(page, "**/api/start")
        page.get_by_role("button", name="Start").click()
        until(page, lambda: late != [])
        page.get_by_role("button", name="Stop").tap()
        until(page, lambda: site.bench.sent_names[-1:] == ["stop"])
        renewals = requests_to(page, "/api/hold")
        late[0].continue_()
        until(page, lambda: "start" in site.bench.sent_names and site.bench.sent_names[-1] == "stop")
        for _ in range(3):
            with page.expect_response("**/api/status"):
                pass
        assert renewals == []


def test_a_refused_stop_is_said_and_not_asked_again(site: Site, browser: Browser) -> None:
    with phone(browser) as page:
        driving(page, site)
        page.route("**/api/stop", lambda route: route.fulfill(status=403, json={"error": "Not from there."}))
        stops = requests_to(page, "/api/stop")
        page.get_by_role("button", name="Stop").tap()
        expect(page.locator("#drive_message")).to_have_text("Not from there.")
        for _ in range(5):
            with page.expect_response("**/api/status"):
                pass
        assert len(stops) == 1


STRANGERS = [
    (200, "text/html", "<html>Welcome to Guest Wi-Fi. Log in.</html>"),
    (403, "text/html", "<html>Blocked</html>"),
    (401, "application/json", "{}"),
    (200, "application/json", '{"ok": true}'),
    (502, "application/json", '{"error": "Bad gateway"}'),
]


def foreign_answers(page: Page) -> Counter[str]:
    """Each path is answered by one stranger after the other; counts the answers by path."""
    answered = Counter[str]()

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        status, kind, body = STRANGERS[answered[path] % len(STRANGERS)]
        answered[path] += 1
        route.fulfill(status=status, content_type=kind, body=body)

    page.route("**/api/**", answer)
    return answered


def test_foreign_answers_at_the_cars_address_are_not_the_cars(site: Site, browser: Browser) -> None:
    """The phone has changed its network: the page looks silent, keeps its stop bar, and asks for its stop again."""
    with phone(browser) as page:
        driving(page, site)
        stops = requests_to(page, "/api/stop")
        answered = foreign_answers(page)  # the polls meet each of them in a second, and silence takes longer
        page.locator("body[data-silent]").wait_for(timeout=30_000)
        expect(page.locator("#mode")).to_have_text("Car unreachable")
        polls, done = answered["/api/status"], site.bench.sent_names.count("stop")
        page.get_by_role("button", name="Stop").tap()
        until(page, lambda: len(stops) > len(STRANGERS))  # none of them ended it
        until(page, lambda: answered["/api/status"] >= polls + len(STRANGERS))
        expect(page.locator("#drive_message")).to_contain_text("Sending Stop again")
        assert page.locator("body[data-silent]").count() == 1
        page.unroute("**/api/**")
        until(page, lambda: site.bench.sent_names.count("stop") > done)
        page.locator("body:not([data-silent])").wait_for(timeout=30_000)


def test_a_second_phone_can_stop_and_cannot_take(site: Site, browser: Browser) -> None:
    with phone(browser) as one, phone(browser) as other:
        claim(one, site.url, site.code)
        claim(other, site.url, site.code)
        one.get_by_role("button", name="Start").click()
        until(one, lambda: "start" in site.bench.sent_names)
        other.get_by_role("button", name="Start").click()
        expect(other.locator("#drive_message")).to_have_text("Another phone holds the car.")
        other.get_by_role("button", name="Stop").click()
        until(other, lambda: site.bench.sent_names[-1] == "stop")


def test_a_car_that_is_gone_is_said(site: Site, browser: Browser) -> None:
    with phone(browser) as page:
        claim(page, site.url, site.code)
        site.server.close()
        expect(page.locator("#mode")).to_have_text("Car unreachable")


# All of the wizard lies above the neutral button.
WIZARD_ABOVE_THE_BAR = """() => ["wizard_pulse", "wizard_cancel"].every((last) =>
  document.getElementById(last).getBoundingClientRect().bottom
    <= document.getElementById("stopbar").getBoundingClientRect().top)"""


def test_the_wizard_is_for_everybody(tmp_path: pathlib.Path, browser: Browser) -> None:
    site = Site(tmp_path, tmp_path / "calibration.json")
    guard = FakeGuard(site)
    try:
        with phone(browser) as page:
            claim(page, site.url, site.code)
            begin = page.get_by_role("button", name="Calibrate this car")
            begin.scroll_into_view_if_needed()
            begin.click()
            expect(page.locator("#wizard")).to_be_hidden()  # the box about the stand is not ticked
            page.get_by_label("The car is on a stand").check()
            pictured(page, "console-stand")
            begin.click()
            expect(page.locator("#wizard_step")).to_have_text("Step 1 of 9")
            expect(page.locator("#wizard_question")).to_be_focused()
            page.get_by_role("button", name="Show for one second").click()
            expect(page.locator("#wizard_pulse")).to_have_text("The pulse is on")
            page.get_by_role("button", name="No", exact=True).click()
            expect(page.locator("#wizard_message")).to_contain_text("Swap the two channels")
            assert violations_in_both_schemes(page, "console-channels") == []
            page.get_by_role("button", name="Show for one second").click()
            page.get_by_role("button", name="Yes").click()
            expect(page.locator("#wizard_step")).to_have_text("Step 2 of 9")
            height = page.evaluate("document.body.scrollHeight")
            page.wait_for_function(WIZARD_ABOVE_THE_BAR)  # once the page has scrolled to the new step
            page.get_by_role("button", name="+10").click()
            expect(page.locator("#wizard_pulse")).to_have_text("The pulse is on")
            assert page.evaluate("document.body.scrollHeight") == height
            assert violations_in_both_schemes(page, "console-wizard") == []
            page.get_by_role("button", name="Neutral").tap()
            expect(page.locator("#wizard_pulse")).to_have_text("The wheels are at neutral")
            page.get_by_label("Pulse, µs").fill("1500")
            page.get_by_role("button", name="This is right").click()
            expect(page.locator("#wizard_message")).to_have_text("Try this width before you accept it.")
            page.get_by_label("Pulse, µs").press("Enter")
            expect(page.locator("#wizard_pulse")).to_have_text("The pulse is on")
            page.keyboard.press("Escape")
            until(page, lambda: site.bench.sent[-1] == CalibrationCommand("neutral"))
            for step in range(3, 9):
                page.get_by_role("button", name="This is right").click()
                expect(page.locator("#wizard_step")).to_have_text(f"Step {step} of 9")
            page.get_by_role("button", name="Show for one second").click()
            expect(page.locator("#wizard_pulse")).to_have_text("The pulse is on")
            guard.end_pulse()
            expect(page.locator("#wizard_pulse")).to_have_text("The wheels are at neutral")
            pictured(page, "console-way")
            page.get_by_role("button", name="Yes").click()
            page.get_by_role("button", name="No", exact=True).click()
            expect(page.locator("#wizard_step")).to_have_text("All steps are done")
            assert violations_in_both_schemes(page, "console-found") == []
            page.get_by_role("button", name="Save this calibration").click()
            expect(page.locator("#calibration tr").first).to_contain_text("1500")
            expect(page.locator("#stop_word")).to_have_text("Stop")
    finally:
        site.server.close()


def test_the_wizard_moves_in_the_motors_own_steps(tmp_path: pathlib.Path, browser: Browser) -> None:
    site = Site(tmp_path, tmp_path / "calibration.json")
    FakeGuard(site, PCA9685_RESOLUTION)
    try:
        with phone(browser) as page:
            claim(page, site.url, site.code)
            page.get_by_label("The car is on a stand").check()
            page.get_by_role("button", name="Calibrate this car").click()
            page.get_by_role("button", name="Show for one second").click()
            page.get_by_role("button", name="Yes").click()
            width = page.get_by_label("Pulse, µs")
            expect(width).to_have_value("1450")
            page.get_by_role("button", name="+5", exact=True).click()  # a change of 1 µs would be none
            expect(page.get_by_role("button", name="+1", exact=True)).to_have_count(0)
            expect(width).to_have_value("1455")
            width.fill("1448")
            # A status with another width, as the answer to an earlier try, leaves what is being typed.
            page.evaluate(
                """async () => {
                  const status = await (await fetch("/api/status")).json();
                  status.calibration.width_us = 1500;
                  document.dispatchEvent(new CustomEvent("status", { detail: status }));
                }"""
            )
            assert width.input_value() == "1448"
            width.press("Enter")
            expect(width).to_have_value("1450")  # what the motors make of it
            pictured(page, "console-steps")
            for step in range(2, 8):
                expect(page.locator("#wizard_step")).to_have_text(f"Step {step} of 9")
                page.get_by_role("button", name="This is right").click()
            for answer in ("Yes", "No"):
                page.get_by_role("button", name=answer, exact=True).click()
            expect(page.locator("#wizard_message")).to_contain_text("steps of 4.88 us: 29 positions")
            expect(page.locator("#wizard_found tr").first).to_contain_text("1450.2")
            assert violations_in_both_schemes(page, "console-positions") == []
            pictured(page, "console-positions")
    finally:
        site.server.close()


def until(page: Page, what: Callable[[], bool]) -> None:
    """Wait until `what` holds, and let the browser work meanwhile."""
    for _ in range(200):
        if what():
            return
        page.wait_for_timeout(50)
    raise AssertionError("the condition never held")


def leases(site: Site) -> list[Lease]:
    return [message for message in site.bench.sent if isinstance(message, Lease)]


@pytest.fixture
def downloads(tmp_path: pathlib.Path) -> tuple[str, str]:
    """The paths of an ONNX file and its metadata in a phone's downloads."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    model, metadata = folder / "My net.onnx", folder / "model_metadata (1).json"
    model.write_bytes(tiny_graph([0.0, 9.0, 0.0]).SerializeToString())
    metadata.write_text(json.dumps(METADATA))
    return str(model), str(metadata)


def test_an_onnx_file_comes_with_its_metadata_together_or_one_after_the_other(
    tmp_path: pathlib.Path, browser: Browser, downloads: tuple[str, str]
) -> None:
    model, metadata = downloads
    library = LibraryModelList(tmp_path / "models")
    site = Site(tmp_path, model_list=library)
    try:
        with phone(browser) as page:
            claim(page, site.url, site.code)
            upload = page.get_by_role("button", name="Upload")
            page.locator("#file").set_input_files(model)
            expect(page.locator("#file_message")).to_have_text("Now choose the model_metadata.json for My net.onnx.")
            upload.click()
            expect(page.locator("#file_message")).to_have_text("Now choose the model_metadata.json for My net.onnx.")
            assert library.rows() == []
            page.locator("#models_title").evaluate("title => title.scrollIntoView()")
            assert violations_in_both_schemes(page, "console-half") == []
            page.locator("#file").set_input_files(metadata)
            expect(page.locator("#file_message")).to_have_text("Ready: My net.onnx with model_metadata (1).json.")
            assert violations_in_both_schemes(page, "console-both") == []
            upload.click()
            expect(page.locator("#models_message")).to_have_text("My-net is on the car.", timeout=60_000)
            expect(page.locator("#models_message")).to_have_attribute("data-done", "true")  # good news: no warning
            expect(page.locator("#models li")).to_have_count(1)
            page.locator("#file").set_input_files([metadata, model])
            expect(page.locator("#file_message")).to_have_text("Ready: My net.onnx with model_metadata (1).json.")
            page.locator("#file").set_input_files([model, model])
            expect(page.locator("#file_message")).to_have_text("Choose one model at a time.")
    finally:
        site.server.close()
    imported = tmp_path / "models" / "My-net"
    assert (imported / "model.onnx").read_bytes() == pathlib.Path(model).read_bytes()
    assert (imported / "model_metadata.json").read_bytes() == pathlib.Path(metadata).read_bytes()


def test_what_a_download_added_to_a_name_is_no_hindrance(
    tmp_path: pathlib.Path, browser: Browser, downloads: tuple[str, str]
) -> None:
    folder = pathlib.Path(downloads[0]).parent
    model, metadata = folder / "net.ONNX (1)", folder / "model_metadata.json.txt"
    for original, downloaded in zip(downloads, (model, metadata), strict=True):
        downloaded.write_bytes(pathlib.Path(original).read_bytes())
    archive = folder / "export"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(downloads[0], "model.onnx")
        packed.add(downloads[1], "model_metadata.json")
    library = LibraryModelList(tmp_path / "models")
    site = Site(tmp_path, model_list=library)
    try:
        with phone(browser) as page:
            claim(page, site.url, site.code)
            upload = page.get_by_role("button", name="Upload")
            page.locator("#file").set_input_files(str(model))
            expect(page.locator("#file_message")).to_have_text("Now choose the model_metadata.json for net.ONNX (1).")
            page.locator("#file").set_input_files(str(metadata))
            expect(page.locator("#file_message")).to_have_text("Ready: net.ONNX (1) with model_metadata.json.txt.")
            upload.click()
            expect(page.locator("#models_message")).to_have_text("net is on the car.", timeout=60_000)
            page.locator("#file").set_input_files(str(archive))
            expect(page.locator("#file_message")).to_have_text("Ready: export.")
            upload.click()
            expect(page.locator("#models_message")).to_have_text(
                "net is on the car.", timeout=60_000
            )  # the same content
            page.locator("#file").set_input_files(
                {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8"}
            )
            upload.click()
            expect(page.locator("#models_message")).to_contain_text("A model is a DeepRacer archive")
    finally:
        site.server.close()
    assert [row.name for row in library.rows()] == ["net"]


def test_the_page_says_which_checkpoint_was_taken(tmp_path: pathlib.Path, browser: Browser) -> None:
    packed = tmp_path / "export.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        for number in (24, 25):
            archive.add(DATA / "tf1" / "shallow.pb", f"model/model_{number}.pb")
        archive.add(DATA / "tf1" / "shallow.json", "model/model_metadata.json")
        note = b'{"best_checkpoint": {"name": "24_Step-100.ckpt"}}'
        info = tarfile.TarInfo("model/deepracer_checkpoints.json")
        info.size = len(note)
        archive.addfile(info, io.BytesIO(note))
    site = Site(tmp_path, model_list=LibraryModelList(tmp_path / "models"))
    choice = "model/model_24.pb of 2 checkpoints: deepracer_checkpoints.json calls 24_Step-100.ckpt the best"
    try:
        with phone(browser) as page:
            claim(page, site.url, site.code)
            page.locator("#file").set_input_files(str(packed))
            page.get_by_role("button", name="Upload").click()
            expect(page.locator("#models_message")).to_have_text(
                f"export is on the car. It is {choice}.", timeout=60_000
            )
            expect(page.locator("#models li")).to_contain_text(choice)
            page.locator("#models_title").evaluate("title => title.scrollIntoView()")
            keep_picture(page, "console-checkpoint")
    finally:
        site.server.close()


@pytest.mark.broker
def test_a_racer_claims_brings_a_model_starts_and_stops_a_real_car(
    tmp_path: pathlib.Path, browser: Browser, free_port: Callable[[], int]
) -> None:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    broker = start_broker(tmp_path / "broker", kind="mosquitto")
    models = tmp_path / "models"
    write_model(models / "first")
    (models / "selected").symlink_to("first")
    port = free_port()
    extra = f"""
[console]
enabled = true
host = "127.0.0.1"
port = {port}
claims = "{tmp_path}/console.json"
models = "{models}"
[recorder]
enabled = true
folder = "{tmp_path}/runs"
"""
    text = config_text(tmp_path, broker.port, extra=extra).replace(
        f'path = "{tmp_path}/model"', f'path = "{models}/selected"'
    )
    text = text.replace("[safety]", "[safety]\nhang_ms = 5000")  # a busy machine is no guard that hangs
    car = Car(tmp_path, text)
    archive = archive_of(DATA / "tf1", tmp_path / "racer.tar.gz")
    try:
        code = first_boot(car)
        with phone(browser) as page:
            claim(page, f"http://127.0.0.1:{port}", code)
            expect(page.locator("#model")).to_have_text("first", timeout=20_000)
            page.locator("#file").set_input_files(str(archive))
            page.get_by_role("button", name="Upload").click()
            expect(page.locator("#models_message")).to_contain_text("is on the car", timeout=60_000)
            page.get_by_role("button", name="Select").first.click()
            expect(page.locator("#model")).not_to_have_text("first", timeout=30_000)
            expect(page.locator("#camera")).to_be_visible()
            page.get_by_role("slider", name="Throttle").fill("60")
            expect(page.locator("#start")).to_have_attribute("aria-disabled", "false")
            page.get_by_role("button", name="Start").click()
            expect(page.locator("#mode")).to_have_text("Driving", timeout=10_000)
            until(page, lambda: pulses(tmp_path)[-1] != REST)
            page.locator("#stop").tap()
            expect(page.locator("#mode")).to_have_text("Stopped")
            assert pulses(tmp_path)[-1] == REST

            page.get_by_role("button", name="Start").click()
            expect(page.locator("#mode")).to_have_text("Driving", timeout=10_000)
            os.kill(car.child("comms"), signal.SIGKILL)  # the console dies, and its lease with it
            expect(page.locator("#mode")).to_have_text("Tripped", timeout=20_000)
            assert pulses(tmp_path)[-1] == REST
            expect(page.locator("#reason")).to_contain_text("lease ran out")
            page.get_by_role("button", name="Reset the trip").click()
            expect(page.locator("#mode")).to_have_text("Disarmed")
            page.get_by_role("button", name="Start").click()
            expect(page.locator("#mode")).to_have_text("Driving", timeout=10_000)
            page.close()  # a phone that is gone
        until_rest(tmp_path)
    finally:
        car.end()
        assert car.process.stderr is not None
        sys.stdout.write(car.process.stderr.read())
        car.process.stderr.close()
        broker.stop()
    assert len(list((tmp_path / "runs").glob("*.mcap"))) >= 2


@pytest.mark.broker
def test_a_racer_calibrates_a_real_car_and_drives_with_it(
    tmp_path: pathlib.Path, browser: Browser, free_port: Callable[[], int]
) -> None:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    broker = start_broker(tmp_path / "broker", kind="mosquitto")
    write_model(tmp_path / "model")
    port, file = free_port(), tmp_path / "calibration.json"
    extra = f'[console]\nenabled = true\nhost = "127.0.0.1"\nport = {port}\nclaims = "{tmp_path}/console.json"\n'
    text = config_text(tmp_path, broker.port, extra=extra).replace("stock = true", f'file = "{file}"')
    car = Car(tmp_path, text)
    try:
        code = first_boot(car)
        with phone(browser) as page:
            claim(page, f"http://127.0.0.1:{port}", code)
            expect(page.locator("#model")).to_have_text("model", timeout=30_000)
            expect(page.locator("#no_calibration")).to_be_visible()
            expect(page.locator("#missing")).to_have_text("The car is not calibrated: open Calibration below.")
            expect(page.locator("#start")).to_have_attribute("aria-disabled", "true")
            page.get_by_label("The car is on a stand").check()
            page.get_by_role("button", name="Calibrate this car").click()
            expect(page.locator("#wizard_step")).to_have_text("Step 1 of 9")
            page.get_by_role("button", name="Show for one second").click()
            until(page, lambda: (1_490_000, REST[1]) in pulses(tmp_path))
            page.get_by_role("button", name="Yes").click()
            expect(page.locator("#wizard_step")).to_have_text("Step 2 of 9")
            page.get_by_role("button", name="+50").click()
            until(page, lambda: (1_500_000, REST[1]) in pulses(tmp_path))
            until(page, lambda: pulses(tmp_path)[-1] == REST)  # by itself: nobody touches anything
            for step in range(3, 9):
                page.get_by_role("button", name="This is right").click()
                expect(page.locator("#wizard_step")).to_have_text(f"Step {step} of 9")
            middle = (1_500_000, REST[1])
            page.get_by_role("button", name="Yes").click()
            expect(page.locator("#wizard_question")).to_contain_text("forward")
            page.get_by_role("button", name="Show for one second").click()
            until(page, lambda: pulses(tmp_path)[-1] == (1_500_000, 1_525_000))
            page.get_by_role("button", name="Neutral").tap()
            until(page, lambda: pulses(tmp_path)[-1] == middle)
            page.get_by_role("button", name="No", exact=True).click()
            assert not file.exists()
            page.get_by_role("button", name="Save this calibration").click()
            expect(page.locator("#calibration tr").first).to_contain_text("1500")
            assert read_calibration(file).motor.polarity == -1
            page.get_by_role("slider", name="Throttle").fill("60")
            expect(page.locator("#start")).to_have_attribute("aria-disabled", "false")
            page.get_by_role("button", name="Start").click()
            expect(page.locator("#mode")).to_have_text("Driving", timeout=10_000)
            until(page, lambda: pulses(tmp_path)[-1][1] < REST[1])
            os.kill(car.process.pid, signal.SIGKILL)  # the fail-safe process knows the new middle as well
            until(page, lambda: pulses(tmp_path)[-1] == middle)
    finally:
        car.process.kill()
        car.process.wait()
        assert car.process.stderr is not None
        sys.stdout.write(car.process.stderr.read())
        car.process.stderr.close()
        broker.stop()


def archive_of(folder: pathlib.Path, path: pathlib.Path) -> pathlib.Path:
    """Write an archive as the DeepRacer console exports it."""
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder / "shallow.json", "model_metadata.json")
        archive.add(folder / "shallow.pb", "agent/model.pb")
    return path


def first_boot(car: Car) -> str:
    """The claim code from the log of the first boot."""
    assert car.process.stderr is not None
    for line in car.process.stderr:
        if "claim code of the console: " in line:
            return line.split("claim code of the console: ")[1].split()[0]
    raise AssertionError("no claim code was logged")


def until_rest(folder: pathlib.Path) -> None:
    """Wait for neutral, on the kernel's clock: a second of lease, and the ramp."""
    for _ in range(100):
        if pulses(folder)[-1] == REST:
            return
        signal.sigtimedwait([], 0.05)
    raise AssertionError("the car drives on")
