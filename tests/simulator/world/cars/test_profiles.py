"""The profiles of cars: their names, what is drawn, and what a wrong name gets."""

import math
from dataclasses import astuple

import pytest

from shared.errors import BadInput
from simulator.world.car import CarParameters
from simulator.world.cars.profiles import PROFILES, car_profile, draw_car, profile_names


def test_the_four_profiles_and_their_sources() -> None:
    assert profile_names() == ["console-2022", "league-2023", "droa-2026", "physical"]
    assert all(profile.source for profile in PROFILES.values())
    assert car_profile("physical").middle == CarParameters()
    assert draw_car(5) == draw_car(5, profile="physical")


@pytest.mark.parametrize("name", ["console-2022", "league-2023", "droa-2026", "physical"])
def test_cars_of_a_profile_lie_within_its_spread_around_its_middle(name: str) -> None:
    profile = car_profile(name)
    drawn = [draw_car(seed, profile=name) for seed in range(60)]
    assert len(set(drawn)) == 60
    varied = {field for spread in profile.spreads for field in spread.fields}
    for field in CarParameters.__dataclass_fields__:
        values = {getattr(car, field) for car in drawn}
        if field in varied:
            assert min(values) <= getattr(profile.middle, field) <= max(values), field
        else:
            assert values == {getattr(profile.middle, field)}, field
    assert all(value > 0 for car in drawn for value in (car.speed_lag_s, car.slowing_lag_s, car.steering_lag_s))
    wild = [draw_car(seed, 5.0, name) for seed in range(60)]
    assert all(car.steering_delay_s >= 0 and car.speed_lag_s > 0 for car in wild)
    assert not any(math.isnan(value) for car in wild for value in astuple(car))


def test_an_unknown_profile_gets_one_sentence_with_those_that_are() -> None:
    with pytest.raises(
        BadInput, match=r"There is no car profile 'lambo': the profiles are console-2022, .*physical\.$"
    ):
        draw_car(1, profile="lambo")
