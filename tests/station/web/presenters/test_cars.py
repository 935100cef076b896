"""The cars' page: charge and colour, as entered or as the car's own lights have it."""

from dataclasses import replace
from typing import Any

import pytest

from station.core.event.records import EventCar
from station.web.pages.cars.presenter import CarRow, cars_model
from tests.station.web.sample_views import CAR, VIEW


def row(percent: int | None, own: str = "", entered: str = "", **changes: Any) -> CarRow:
    car = replace(CAR, battery_percent=percent, colour=own, **changes)
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


@pytest.mark.parametrize(
    ("changes", "promise", "words"),
    [
        ({}, "lease", "with Raceday's software"),
        ({"promise": "leash"}, "leash", "as its maker sold it, with a bridge"),
        ({"promise": "best_effort"}, "best effort", "as its maker sold it, with a bridge"),
        ({"promise": "best_effort", "online": False}, "", "with Raceday's software"),
    ],
)
def test_what_a_car_promises_stands_beside_its_state(changes: dict[str, Any], promise: str, words: str) -> None:
    """Of one that is offline the broker holds only its will, which promises nothing."""
    assert (row(50, **changes).promise, row(50, **changes).words) == (promise, words)
