"""The calibration over HTTP: wheels off first, one phone at a time, and the file only when all steps are done."""

import pathlib
from collections.abc import Iterator

import pytest

from shared.errors import Refused
from shared.protocol.messages import CarState
from tests.vehicle.web.test_access import Site
from tests.vehicle.web.test_phone_control import Bench
from vehicle.calibration.file import read_calibration
from vehicle.core.calibration_session import CLOSED, CalibrationSession
from vehicle.core.messages import CalibrationCommand
from vehicle.core.pulses import MICROSECONDS, STOCK_CALIBRATION, PulseResolution
from vehicle.process.channel import IpcMessage


class FakeGuard:
    """Plays the guard's part for a site: a real calibration session that answers each command."""

    def __init__(self, site: Site, resolution: PulseResolution = MICROSECONDS) -> None:
        self.site, self.session = site, CalibrationSession(STOCK_CALIBRATION, resolution, 0)
        self.send_to_bench = site.bench.send
        site.bench.control._send = site.bench.control.calibration._send = self.send

    def send(self, message: IpcMessage) -> bool:
        if isinstance(message, CalibrationCommand):
            if message.action in ("cancel", "saved"):
                self.site.bench.control.on_guard_message(CLOSED)
            else:
                self.session.on_command(message, 0)
                self.site.bench.control.on_guard_message(self.session.status())
        return self.send_to_bench(message)

    def end_pulse(self) -> None:
        """Let the pulse's second pass."""
        self.session.pulses(10**12)
        self.site.bench.control.on_guard_message(self.session.status())


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    site = Site(tmp_path, tmp_path / "calibration.json")
    FakeGuard(site)
    yield site
    site.server.close()


BEGIN = {"action": "begin", "wheels_off": True}


def test_from_the_stand_to_the_file(site: Site, tmp_path: pathlib.Path) -> None:
    phone, url = site.phone(), f"{site.url}/api/calibration"
    assert phone.get(f"{site.url}/api/about", timeout=60).json()["can_calibrate"]
    status = phone.post(url, json=BEGIN, timeout=60).json()
    assert (status["calibration"]["step"], status["is_calibrating"]) == (0, True)
    for action in ("show", "yes"):
        status = phone.post(url, json={"action": action}, timeout=60).json()
    status = phone.post(url, json={"action": "try", "width_us": 1500}, timeout=60).json()
    assert status["calibration"]["is_pulsing"]
    assert phone.post(f"{url}/keep", json={}, timeout=60).status_code == 409  # not done yet
    for action in ("keep", "keep", "keep", "keep", "keep", "keep", "yes", "no"):
        status = phone.post(url, json={"action": action}, timeout=60).json()
    assert status["calibration"]["step"] == 9
    assert phone.post(f"{url}/keep", json={}, timeout=60).status_code == 200
    assert read_calibration(tmp_path / "calibration.json").steering.mid_ns == 1_500_000
    about = phone.get(f"{site.url}/api/about", timeout=60).json()
    assert about["calibration"]["steering"]["mid_ns"] == 1_500_000
    assert not phone.get(f"{site.url}/api/status", timeout=60).json()["is_calibrating"]


def test_the_wheels_are_off_or_nothing_begins(site: Site) -> None:
    phone = site.phone()
    for body in ({"action": "begin"}, {"action": "begin", "wheels_off": False}, {"action": "try", "width_us": 1500}):
        assert phone.post(f"{site.url}/api/calibration", json=body, timeout=60).status_code == 409
    for odd in (
        {"action": "saved"},
        {"action": "sweep"},
        {"action": "try", "width_us": -1},
        {"action": "try", "width_us": 9_999},
        {},
    ):
        assert phone.post(f"{site.url}/api/calibration", json=odd, timeout=60).status_code == 422
    assert site.bench.sent == []


def test_one_phone_at_a_time_and_anyone_sets_the_wheels_to_rest(site: Site) -> None:
    one, other = site.phone(), site.phone()
    one.post(f"{site.url}/api/calibration", json=BEGIN, timeout=60)
    for body in (BEGIN, {"action": "try", "width_us": 1500}):
        answer = other.post(f"{site.url}/api/calibration", json=body, timeout=60)
        assert "Another phone" in answer.json()["error"]
    assert other.post(f"{site.url}/api/start", json={"throttle_percent": 30}, timeout=60).status_code == 409
    one.post(f"{site.url}/api/calibration", json={"action": "try", "width_us": 1500}, timeout=60)
    assert other.post(f"{site.url}/api/stop", json={}, timeout=60).status_code == 200
    assert site.bench.sent[-2] == CalibrationCommand("neutral")
    assert not one.get(f"{site.url}/api/status", timeout=60).json()["calibration"]["is_pulsing"]


@pytest.mark.parametrize("mode", ["ready", "driving"])
def test_an_armed_car_is_not_calibrated(site: Site, mode: str) -> None:
    site.bench.control.on_guard_message(CarState(True, mode))  # type: ignore[arg-type]
    answer = site.phone().post(f"{site.url}/api/calibration", json=BEGIN, timeout=60)
    assert "stop it first" in answer.json()["error"]


def test_a_car_whose_settings_name_no_file_says_so(tmp_path: pathlib.Path) -> None:
    site = Site(tmp_path)
    try:
        phone = site.phone()
        for path, body in (("", BEGIN), ("/keep", {})):
            answer = phone.post(f"{site.url}/api/calibration{path}", json=body, timeout=60)
            assert "calibration.file" in answer.json()["error"]
    finally:
        site.server.close()


def test_a_guard_that_does_not_listen_is_said() -> None:
    bench = Bench()
    bench.is_reachable = False
    with pytest.raises(Refused, match="does not respond"):
        bench.control.calibration.command("me", "begin", 0, 10.0)
