"""The cars' page: charge and colour, as entered or as the car's own lights have it."""

from dataclasses import replace

import pytest

from station.core.event.records import EventCar
from station.web.pages.cars.presenter import CarRow, cars_model
from tests.station.web.sample_views import CAR, VIEW


def row(percent: int | None, own: str = "", entered: str = "") -> CarRow:
    car = replace(CAR, battery_percent=percent, colour=own)
    event = replace(VIEW.event, cars=(EventCar(CAR.name, colour=entered),))
    return next(row for row in cars_model(replace(VIEW, event=event, cars=(car,))).cars if row.name == CAR.name)


@pytest.mark.parametrize(
    ("percent", "words", "is_low"),
    [(None, "", False), (100, "Battery 100 %", False), (20, "Battery 20 %", False), (10, "Battery 10 %", True)],
)
def test_the_charge_stands_beside_the_state(percent: int | None, words: str, is_low: bool) -> None:
    assert (row(percent).battery, row(percent).is_battery_low) == (words, is_low)


@pytest.mark.parametrize(("own", "entered", "shown"), [("#112233", "", "#112233"), ("#112233", "#445566", "#445566")])
def test_the_colour_that_was_entered_goes_before_that_of_the_lights(own: str, entered: str, shown: str) -> None:
    assert row(50, own, entered).colour == shown
