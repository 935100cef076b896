"""The cars' sheets: what stands on them, what is left to be written, and what a printer and a phone make of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import cv2
import numpy as np
import pytest
import requests
from playwright.sync_api import Browser

from station.views.views import View
from station.web.pages.cars.sheets import HANDED, MEASURED, car_sheets
from tests.paper import printed
from tests.station.web.conftest import Served, serve
from tests.station.web.extreme_views import NAMES
from tests.station.web.sample_views import CAR, EMPTY, SPARE, VIEW, FakeStation
from tests.system.look.whole_station import ADA, FULL

ORIGIN = "http://192.0.2.7:8080"
BRIDGED = replace(SPARE, name="stock-1", promise="best_effort")
SEEN = replace(
    VIEW,
    event=replace(FULL, racers=(ADA, replace(ADA, alias="Al"))),
    cars=(replace(CAR, battery_percent=84, colour="#d62828", doubt="It reports 40 ms too early."), BRIDGED),
)
WORST = replace(
    SEEN,
    event=replace(
        FULL,
        cars=(),
        racers=tuple(replace(ADA, alias=name, car="c" * 64) for name in NAMES),
    ),
    cars=(replace(CAR, name="c" * 64, model="m" * 64, battery_percent=100, doubt="d" * 200, promise="best_effort"),),
)


def facts(view: View, car: str) -> dict[str, str]:
    (sheet,) = car_sheets(view, ORIGIN, car)
    return {str(label): str(value) for label, value in sheet.facts}


def test_what_the_station_knows_stands_there_and_the_rest_is_left_open() -> None:
    assert facts(SEEN, "car-1") == {
        "Kind": "with Raceday's software",
        "Colour of its lights": "#d62828",
        "Transponders": "",
        "Model, hash": "center-line-v3 · abababababab",
        "Promises": "lease: It stops by itself when its lease is not renewed.",
        "Battery when this was printed": "84 %",
        "Doubt": "It reports 40 ms too early.",
    }
    silent = facts(replace(SEEN, cars=()), "car-1")
    assert {name for name, value in silent.items() if not value} == {
        "Colour of its lights", "Transponders", "Model, hash", "Promises", "Battery when this was printed",
    }  # fmt: skip


def test_every_car_has_a_sheet_with_its_racers_and_its_own_code() -> None:
    sheets = {sheet.car.name: sheet for sheet in car_sheets(SEEN, ORIGIN)}
    assert list(sheets) == ["car-1", "stock-1", "toy-1"]
    assert sheets["car-1"].racers == "Ada Lovelace, Al"
    assert sheets["toy-1"].racers == ""
    assert len({sheet.qr for sheet in sheets.values()}) == 3
    assert car_sheets(SEEN, ORIGIN, "nobody") == []
    assert car_sheets(EMPTY, ORIGIN) == []


@pytest.fixture(scope="module")
def hall() -> Iterator[Served]:
    with contextmanager(serve)(FakeStation(SEEN)) as served:
        yield served


def test_over_http(hall: Served, served_elsewhere: Served) -> None:
    page = requests.get(f"{hall.url}/cars/sheets", timeout=60).text
    assert page.count('<article class="car-sheet"') == 3
    assert all(str(label) in page for label in (*HANDED, *MEASURED))
    one = requests.get(f"{hall.url}/cars/sheets", {"car": "toy-1"}, timeout=60).text
    assert one.count('<article class="car-sheet"') == 1
    strange = requests.get(f"{hall.url}/cars/sheets", {"car": "<script>x" * 500}, timeout=60)
    assert (strange.status_code, "<script>x" in strange.text) == (200, False)
    assert "/cars/sheets" in requests.get(f"{hall.url}/cars", timeout=60).text
    elsewhere = requests.get(f"{served_elsewhere.url}/cars/sheets", timeout=60, allow_redirects=False)
    assert elsewhere.status_code in (303, 401, 403)
    assert "Opens for officials" in one


@pytest.mark.browser
@pytest.mark.slow
def test_each_car_is_one_page_of_a4_and_its_code_is_read_by_another_reader(browser: Browser, hall: Served) -> None:
    """The reader is OpenCV's, which has nothing of the library that drew the code."""
    context = browser.new_context(viewport={"width": 794, "height": 1123}, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{hall.url}/cars/sheets?car=car-1")
    shown = cv2.imdecode(np.frombuffer(page.locator(".sheet-qr").screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert shown is not None
    content, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.resize(shown, None, fx=3, fy=3))
    assert content.endswith("/cars/sheets?car=car-1")
    assert content == page.locator(".sheet-address > span").first.inner_text()
    page.goto(f"{hall.url}/cars/sheets")
    pages = printed(page.pdf(prefer_css_page_size=True))
    assert [each.size_pt for each in pages] == [(595, 842)] * 3
    for each, name in zip(pages, ("car-1", "stock-1", "toy-1"), strict=True):
        assert each.says(name)
        assert each.says("Signature of the official")
        assert max(max(ink) for ink in each.inks) < 0.4
    hall.station.show(event=WORST.event, cars=WORST.cars)
    page.reload()
    assert len(printed(page.pdf(prefer_css_page_size=True))) == 1
    inside = page.evaluate(
        "() => [...document.querySelectorAll('.car-sheet > *')].every((each) => each.getBoundingClientRect().bottom"
        " <= document.querySelector('.car-sheet').getBoundingClientRect().bottom + 1)"
    )
    assert inside
    page.emulate_media(media="print")
    assert page.evaluate("() => { const sheet = document.querySelector('.car-sheet');"
                         " return sheet.scrollHeight <= sheet.clientHeight + 1; }")  # fmt: skip
    context.close()
