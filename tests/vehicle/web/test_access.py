"""The console's app over HTTP: nothing without a session, nothing from another page, sentences for what is refused."""

import gzip
import io
import pathlib
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.protocol.messages import CarHeartbeat, CarState
from shared.refusals import Refusals
from shared.web.server import listen
from tests.shared.web.foreign_requests import stranger
from tests.vehicle.web.test_phone_control import Bench
from vehicle.core.pulses import STOCK_CALIBRATION
from vehicle.recordings.frame_feed import RecordedFrame
from vehicle.web.app import CarInfo, create_app
from vehicle.web.claim_codes import ClaimCodes
from vehicle.web.model_list import ModelList, ModelRow
from vehicle.web.server import ConsoleServer
from vehicle.web.session_auth import COOKIE
from vehicle.web.upload import MAX_BYTES, safe_name

OURS = {"x-raceday": "console"}


@dataclass
class FakeModelList:
    """Two models; accepts files whose names begin with good."""

    selected: str = "first"
    added: list[tuple[str, int]] = field(default_factory=list)

    def rows(self) -> list[ModelRow]:
        return [
            ModelRow(name, "FRONT_FACING_CAMERA; discrete, 5; shallow", name == self.selected)
            for name in ("first", "second")
        ]

    def add(self, file: pathlib.Path, name: str) -> ModelRow:
        self.added.append((name, file.stat().st_size))
        if not file.name.startswith("good"):
            raise BadInput(f"{file.name} is not an archive that a car can drive.")
        return ModelRow(name, "", False)

    def select(self, name: str) -> None:
        if name not in ("first", "second"):
            raise BadInput(f"There is no model {name!r}.")
        self.selected = name

    def remove(self, name: str) -> None:
        raise BadInput(f"{name} is selected.")


class Site:
    """The console, served on loopback."""

    def __init__(
        self, folder: pathlib.Path, calibration_file: pathlib.Path | None = None, model_list: ModelList | None = None
    ) -> None:
        self.bench = Bench()
        self.model_list = FakeModelList()
        self.claims = ClaimCodes(folder / "console.json", rounds=1)
        self.code = self.claims.new_code()
        self.wall_s, self.now_s = 1_800_000_000.0, 100.0
        self.refusals = Refusals()
        car = CarInfo("car-7", STOCK_CALIBRATION, "mock", "mock", folder, calibration_file)
        app = create_app(
            self.bench.control,
            model_list or self.model_list,
            self.claims,
            car,
            wall_s=lambda: self.wall_s,
            now_s=lambda: self.now_s,
            refusals=self.refusals,
        )
        self.server = ConsoleServer(app, listen("127.0.0.1", 0, "console"))
        self.server.start()
        self.url = f"http://127.0.0.1:{self.server.port}"

    def phone(self, code: str = "") -> requests.Session:
        """A browser session that has claimed the car."""
        session = requests.Session()
        session.headers.update(OURS)
        session.trust_env = False
        answer = session.post(f"{self.url}/api/claim", json={"code": code or self.code}, timeout=60)
        assert answer.status_code == 200, answer.text
        return session


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.server.close()


GUARDED = [
    ("GET", "/api/status"), ("GET", "/api/about"), ("GET", "/api/models"), ("GET", "/api/camera.jpg"),
    ("GET", "/api/refusals"),
    ("POST", "/api/hold"), ("POST", "/api/start"), ("POST", "/api/stop"), ("POST", "/api/reset"),
    ("POST", "/api/throttle"), ("POST", "/api/leave"), ("POST", "/api/models/select"),
    ("POST", "/api/calibration"), ("POST", "/api/calibration/keep"), ("POST", "/api/models/remove"),
    ("PUT", "/api/models?file=good.tar.gz"),
]  # fmt: skip


def test_nothing_without_a_session_and_nothing_from_elsewhere(site: Site) -> None:
    phone = site.phone()
    for method, path in GUARDED:
        answer = requests.request(method, site.url + path, json={}, headers=OURS, timeout=60)
        assert answer.status_code in (401, 422), path
        assert "error" in answer.json()
        if method == "GET":
            continue
        for headers in ({"x-raceday": ""}, {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
            answer = phone.request(method, site.url + path, json={}, headers=headers, timeout=60)
            assert answer.status_code in (403, 422), (path, headers)
    assert site.bench.sent == []
    assert site.model_list.added == []


def test_every_guarded_path_is_in_the_list(site: Site) -> None:
    """A new path has to be added to the list above, or be one of the open ones."""
    known = {path.partition("?")[0] for _, path in GUARDED} | {"/", "/static", "/api/session", "/api/claim"}
    assert {getattr(route, "path", "") for route in site.server.app.routes} <= known


def test_a_foreign_page_cannot_reach_it_by_a_name_of_its_own(site: Site) -> None:
    answer = requests.get(site.url, headers={"host": "evil.example"}, timeout=60)
    assert answer.status_code == 421
    answer = requests.get(site.url, timeout=60)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_refused_is_counted_by_its_kind(site: Site) -> None:
    phone = site.phone()
    requests.get(site.url, headers={"host": "evil.example"}, timeout=60)
    requests.get(f"{site.url}/api/about", timeout=60)
    for _ in range(6):  # five tries a minute: the sixth is not even compared, and is counted too
        requests.post(f"{site.url}/api/claim", json={"code": "AAAAA-AAAAA"}, headers=OURS, timeout=60)
    phone.post(f"{site.url}/api/stop", json={}, headers={"origin": "http://evil.example"}, timeout=60)
    phone.put(f"{site.url}/api/models?file=bad.tar.gz", data=gzip.compress(b"no model"), timeout=60)
    assert site.refusals.totals() == {"host": 1, "sign-in": 1, "code": 6, "origin": 1, "model": 1}
    assert {row.who for row in site.refusals.counts()} == {"127.0.0.1"}


def test_the_cookie_is_of_no_use_to_scripts(site: Site) -> None:
    answer = requests.post(f"{site.url}/api/claim", json={"code": site.code}, headers=OURS, timeout=60)
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(COOKIE)
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_start_hold_stop(site: Site) -> None:
    phone = site.phone()
    status = phone.post(f"{site.url}/api/start", json={"throttle_percent": 30}, timeout=60).json()
    assert (status["has_control"], status["heartbeat"]) == (True, 100)
    site.bench.control.on_guard_message(CarState(True, "driving"))
    site.bench.control.on_guard_message(CarHeartbeat(101, "driving"))
    assert phone.post(f"{site.url}/api/hold", json={"heartbeat": 101}, timeout=60).json()["mode"] == "driving"
    assert phone.post(f"{site.url}/api/stop", json={}, timeout=60).json() == {"message": "Stopping."}
    assert site.bench.sent_names == ["Lease", "arm", "start", "Lease", "stop"]


@pytest.mark.parametrize("body", [{}, {"throttle_percent": 101}, {"throttle_percent": -1}, {"throttle_percent": "x"}])
def test_an_odd_start_is_refused(site: Site, body: dict[str, object]) -> None:
    answer = site.phone().post(f"{site.url}/api/start", json=body, timeout=60)
    assert (answer.status_code, site.bench.sent) == (422, [])
    assert answer.json()["error"]


def test_refusals_are_sentences(site: Site) -> None:
    phone = site.phone()
    site.bench.control.on_guard_message(CarState(True, "tripped", "Emergency stop."))
    answer = phone.post(f"{site.url}/api/start", json={"throttle_percent": 30}, timeout=60)
    assert answer.status_code == 409
    assert answer.json()["error"].startswith("The car is tripped (Emergency stop)")
    assert phone.get(f"{site.url}/nothing", timeout=60).json()["error"]


def test_a_session_that_ended_is_reported(site: Site) -> None:
    phone = site.phone()
    site.wall_s += 13 * 3600
    answer = phone.get(f"{site.url}/api/status", timeout=60)
    assert answer.status_code == 401
    assert phone.get(f"{site.url}/api/session", timeout=60).json() == {"device": "car-7", "claimed": False}


def test_models_come_in_whole_and_are_chosen_while_the_car_stands(site: Site) -> None:
    phone = site.phone()
    put = f"{site.url}/api/models?file="
    assert phone.put(put + "good.tar.gz", data=b"x" * 5000, timeout=60).json()["name"] == "good"
    assert site.model_list.added == [("good", 5000)]
    for name, body, match in (
        ("bad.tar.gz", b"x", "not an archive"),
        ("good.exe", b"x", "DeepRacer archive"),
        ("good.onnx", b"", "empty"),
    ):
        answer = phone.put(put + name, data=body, timeout=60)
        assert answer.status_code == 422
        assert match in answer.json()["error"]
    rows = phone.post(f"{site.url}/api/models/select", json={"name": "second"}, timeout=60).json()
    assert [row["selected"] for row in rows] == [False, True]
    assert site.bench.sent_names == ["ReloadModel"]
    site.bench.control.on_guard_message(CarState(True, "driving"))
    answer = phone.post(f"{site.url}/api/models/select", json={"name": "first"}, timeout=60)
    assert answer.status_code == 409
    answer = phone.put(put + "good.tar.gz", data=b"x", timeout=60)
    assert (answer.status_code, site.model_list.selected) == (409, "second")


def test_a_file_that_is_too_large_is_not_read(site: Site) -> None:
    answer = site.phone().put(
        f"{site.url}/api/models?file=good.tar.gz", data=b"", headers={"content-length": str(MAX_BYTES + 1)}, timeout=60
    )
    assert (answer.status_code, site.model_list.added) == (413, [])


@pytest.mark.parametrize(
    ("name", "fit"),
    [
        ("../../etc/x.tar.gz", "x.tar.gz"),
        ("C:\\models\\My Model (2).tar.gz", "My-Model-2.tar.gz"),
        ("..onnx", "model.onnx"),
        ("ü.pb", "model.pb"),
        ("a" * 500 + ".tgz", "a" * 80 + ".tgz"),
        ("model.tar.gz (1)", "model.tar.gz"),
        ("model.tar.gz(12)", "model.tar.gz"),
        ("model.tar.gz.bin", "model.tar.gz"),
        ("model.TAR.GZ.download", "model.tar.gz"),
        ("model.zip.txt (2)", "model.zip"),
        ("net.onnx (1)", "net.onnx"),
        ("model (1).tar.gz", "model-1.tar.gz"),
        ("model", "model"),
        ("my model (1)", "my-model-1"),
        ("export.dat", "export.dat"),
        ("a/b\\c d.bin", "c-d.bin"),
        (".pb.", "pb"),
        ("", "model"),
        ("..", "model"),
        ("../..", "model"),
        ("a" * 79 + "..b", "a" * 79),
    ],
)
def test_names_become_fit(name: str, fit: str) -> None:
    assert safe_name(name) == fit


@given(st.text(max_size=120) | st.text("./\\\\ ()-1a\0", max_size=20))
def test_any_name_becomes_a_plain_one(name: str) -> None:
    fit = safe_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", fit)
    assert ".." not in (fit, *pathlib.PurePath(fit).parts)


PACKED = io.BytesIO()
with tarfile.open(fileobj=PACKED, mode="w") as written:
    written.addfile(tarfile.TarInfo("model.pb"))


def test_what_an_upload_is_its_content_says(site: Site) -> None:
    phone = site.phone()
    for body in (PACKED.getvalue(), gzip.compress(PACKED.getvalue()), b"PK\x03\x04" + bytes(60)):
        for name in ("good.tar.gz.bin", "good.tar.gz (1)", "good", "good.dat", "good archive", "good.tar.gz."):
            answer = phone.put(f"{site.url}/api/models", params={"file": name}, data=body, timeout=60)
            assert answer.status_code == 200, (name, answer.text)
            assert site.model_list.added[-1] == (answer.json()["name"], len(body))
            assert answer.json()["name"] in ("good", "good-archive")


def test_what_is_no_model_by_name_nor_content_is_said(site: Site) -> None:
    phone = site.phone()
    for body, sentence in (
        (b"\xff\xd8\xff\xe0 a picture", "A model is a DeepRacer archive (.tar.gz, .tar or .zip), or an .onnx"),
        (b"<!DOCTYPE html>", "A model is a DeepRacer archive"),
        (b"BZh9" + bytes(600), "packed with bzip2, which is not supported: pack it as tar.gz or zip"),
        (b"7z\xbc\xaf\x27\x1c", "packed with 7-Zip"),
        (b"", "The file is empty."),
    ):
        for name in ("good", "good.jpg", "good.json"):
            answer = phone.put(f"{site.url}/api/models", params={"file": name}, data=body, timeout=60)
            assert answer.status_code == 422
            assert sentence in answer.json()["error"]
    assert site.model_list.added == []


def test_the_camera_shows_the_newest_frame(site: Site) -> None:
    phone = site.phone()
    assert phone.get(f"{site.url}/api/camera.jpg", timeout=60).status_code == 204
    site.bench.control.on_picture(RecordedFrame(b"\xff\xd8one", 1, 1))
    answer = phone.get(f"{site.url}/api/camera.jpg", timeout=60)
    assert (answer.content, answer.headers["content-type"]) == (b"\xff\xd8one", "image/jpeg")


def test_about_has_calibration_and_health(site: Site) -> None:
    about = site.phone().get(f"{site.url}/api/about", timeout=60).json()
    assert about["calibration"]["steering"]["mid_ns"] == 1_450_000
    assert set(about["health"]) == {"battery_percent", "wifi_dbm", "temperature_c", "disk_free_mb", "load"}


def test_idle_sockets_do_not_lock_the_phone_out(site: Site) -> None:
    """Stop works over an open connection and over a new one, however many idle sockets there are."""
    phone = site.phone()
    with stranger(site.server.port, "/", "/api/claim", "/api/stop") as idle:
        idle.open(600)
        for _ in range(5):
            assert phone.post(f"{site.url}/api/stop", json={}, timeout=60).status_code == 200
            fresh = requests.post(
                f"{site.url}/api/stop", json={}, headers=OURS, cookies=phone.cookies.get_dict(), timeout=60
            )
            assert fresh.status_code == 200
        assert phone.get(f"{site.url}/api/status", timeout=60).status_code == 200
