"""What pages say of a car whose reports are constantly ahead of the gate, and when they say nothing."""

from dataclasses import replace

import pytest

from shared.protocol import messages as m
from shared.text.catalogue import translate
from station.service.cars.car_control import CarControl
from station.web.pages.cars.presenter import cars_model
from station.web.presenters.health import health_lines
from tests.station.web.sample_views import CAR, VIEW

MS = 1_000_000


@pytest.mark.parametrize(
    ("lead_ns", "english", "german"),
    [
        (240 * MS, "car-1 reports each passing 240 ms too early", "240 ms zu früh"),
        (-130 * MS, "car-1 reports each passing 130 ms too late", "130 ms zu spät"),
        (None, "", ""),
    ],
)
def test_a_constant_lead_is_a_sentence_with_its_cure(lead_ns: int | None, english: str, german: str) -> None:
    cars = CarControl(500, 2000, "n")
    cars.set_report_lead("car-1", lead_ns)  # not heard of yet: it makes no car
    assert cars.views(0) == ()
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "ready"), 0)
    cars.set_report_lead("car-1", lead_ns)
    (view,) = cars.views(0)
    assert english in view.doubt
    assert ("raceday vehicle lens" in view.doubt) == bool(english)
    assert german in translate(view.doubt, "de")
    assert not view.alarm  # it stops no race


def test_race_control_and_the_cars_page_show_it() -> None:
    doubted = replace(VIEW, cars=(replace(CAR, doubt="car-1 reports each passing 240 ms too early."),))
    (row,) = (row for row in cars_model(doubted).cars if row.name == "car-1")
    assert row.doubt == "car-1 reports each passing 240 ms too early."
    (line,) = (line for line in health_lines(doubted) if line.key == "car-car-1")
    assert line.level == "warn"
    assert "too early" in line.detail
