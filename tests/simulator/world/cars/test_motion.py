"""One sub-step of the car: what each parameter does, for cars that roll and cars that slide."""

import math
from dataclasses import replace

import pytest

from simulator.world.car import CarParameters, motion_constants
from simulator.world.cars.motion import CONSTANTS, MAX_STEERING_RAD, WHEELBASE_M, Motion, advance

DT_S = 1 / 240
ROLLING = CarParameters(speed_lag_s=0.1, slowing_lag_s=0.1, steering_lag_s=0.01)
SLIDING = replace(ROLLING, grip_mps2=4.5, slip_mps=0.1, gyration_m=0.11)
REST: Motion = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def driven(car: CarParameters, steering: float, throttle: float, seconds: float, motion: Motion = REST) -> Motion:
    constants = motion_constants(car, DT_S)
    assert len(constants) == CONSTANTS
    for _ in range(round(seconds / DT_S)):
        motion = advance(*motion, steering, throttle, constants)
    return motion


def test_speed_rises_and_falls_with_its_own_lag_and_limit() -> None:
    car = replace(ROLLING, speed_gain=1.0, speed_lag_s=0.4, slowing_lag_s=0.1, braking_lag_s=0.05)
    at_speed = driven(car, 0.0, 0.5, 4.0)
    assert at_speed[3] == pytest.approx(2.0, abs=1e-3)
    assert driven(car, 0.0, 0.5, 0.4)[3] == pytest.approx(2.0 * (1 - math.exp(-1)), rel=1e-6)
    assert driven(car, 0.0, 0.25, 0.1, at_speed)[3] == pytest.approx(1.0 + math.exp(-1), abs=1e-3)
    assert driven(car, 0.0, 0.0, 0.05, at_speed)[3] == pytest.approx(2.0 * math.exp(-1), abs=1e-3)
    limited = replace(car, acceleration_mps2=3.0, deceleration_mps2=5.0)
    assert driven(limited, 0.0, 1.0, 0.2)[3] == pytest.approx(0.6, rel=1e-6)
    assert driven(limited, 0.0, -1.0, 0.2)[3] == pytest.approx(-0.6, rel=1e-6)
    assert driven(limited, 0.0, 0.0, 0.2, at_speed)[3] == pytest.approx(1.0, abs=1e-3)


def test_understeer_widens_the_turn_as_speed_squared() -> None:
    plain, wide = (driven(replace(ROLLING, understeer_s2pm2=k), 0.5, 0.5, 3.0) for k in (0.0, 0.25))
    assert plain[5] / wide[5] == pytest.approx(1 + 0.25 * wide[3] ** 2, rel=1e-9)


@pytest.mark.parametrize("reference_m", [0.0, 0.08, 0.15])
def test_the_pose_lies_where_the_profile_says(reference_m: float) -> None:
    """The rear axle goes along the car's heading, so a point ahead of it goes sideways by distance times turn rate."""
    motion = driven(replace(ROLLING, reference_m=reference_m), 0.6, 0.4, 2.0)
    after = driven(replace(ROLLING, reference_m=reference_m), 0.6, 0.4, DT_S, motion)
    middle = motion[2] + math.remainder(after[2] - motion[2], math.tau) / 2
    left = (after[1] - motion[1]) * math.cos(middle) - (after[0] - motion[0]) * math.sin(middle)
    assert left / DT_S == pytest.approx(reference_m * after[5], abs=1e-3)
    assert after[4] == pytest.approx(reference_m * after[5])


def test_slow_tyres_that_slide_turn_nearly_like_tyres_that_roll() -> None:
    grippy = replace(SLIDING, grip_mps2=20.0, slip_mps=0.2)
    steering = 0.4
    _, _, _, speed, _, turning, _ = driven(grippy, steering, 0.1, 3.0)
    rolling = speed * math.tan(steering * MAX_STEERING_RAD * grippy.steering_gain) / WHEELBASE_M
    assert turning == pytest.approx(rolling, rel=0.05)


def test_tyres_hold_no_more_than_their_grip_and_the_car_runs_wide() -> None:
    constants, grip = motion_constants(SLIDING, DT_S), SLIDING.grip_mps2
    for throttle in (0.3, 0.6, 1.0):
        motion, most = REST, 0.0
        for _ in range(960):
            after = advance(*motion, 1.0, throttle, constants)
            sideways_mps2 = (after[4] - motion[4]) / DT_S + motion[5] * motion[3]
            most, motion = max(most, abs(sideways_mps2)), after
        assert most < grip
    assert most > 0.8 * grip
    rolled = driven(ROLLING, 1.0, 1.0, 4.0)
    assert rolled[3] * rolled[5] > 3 * grip, "a car that rolls knows no such limit"


def test_a_sliding_car_turns_late_and_stops_sliding_when_it_stands() -> None:
    at_speed = driven(SLIDING, 0.0, 0.4, 2.0)
    early = driven(SLIDING, 1.0, 0.4, 0.03, at_speed)
    late = driven(SLIDING, 1.0, 0.4, 1.0, at_speed)
    assert 0 < early[5] < 0.7 * late[5]
    standing = driven(SLIDING, 1.0, 0.0, 2.0, late)
    assert abs(standing[3]) < 1e-3
    assert abs(standing[4]) < 1e-3
    assert abs(standing[5]) < 1e-2


@pytest.mark.parametrize("car", [ROLLING, SLIDING, replace(SLIDING, slip_mps=0.05)])
def test_left_is_the_mirror_of_right_and_nothing_grows_without_bound(car: CarParameters) -> None:
    left, right = driven(car, 1.0, 1.0, 20.0), driven(car, -1.0, 1.0, 20.0)
    assert [left[0], left[3]] == [right[0], right[3]]
    assert [left[n] for n in (1, 2, 4, 5, 6)] == [-right[n] for n in (1, 2, 4, 5, 6)]
    assert all(math.isfinite(value) for value in left)
    assert abs(left[2]) <= math.pi
    assert abs(left[4]) < 4.0


def test_wheels_of_one_speed_scrub_and_so_hold_the_turn() -> None:
    """With stiff tyres and little weight, the turn falls by 1 + (half the tread / half the wheelbase) squared."""
    half_tread_m, middle_m = 0.08, WHEELBASE_M / 2
    stiff = replace(SLIDING, grip_mps2=20.0, slip_mps=0.2, reference_m=middle_m)
    free, scrubbing = (driven(replace(stiff, scrub_m=width), 0.2, 0.05, 3.0)[5] for width in (0.0, half_tread_m))
    assert free / scrubbing == pytest.approx(1 + (half_tread_m / middle_m) ** 2, rel=0.05)
