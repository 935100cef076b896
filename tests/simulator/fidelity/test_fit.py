"""Predictions are the world's own car, a fit finds the car that made a trace, and the profiles hold their figures."""

import math
import random
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from shared.traces.field_files import FRONT_AHEAD_M
from simulator.fidelity.baselines import constant_velocity
from simulator.fidelity.fit import BICYCLE, SLIDING, fit, fit_bicycle, fit_car
from simulator.fidelity.prediction import prediction_errors_m
from simulator.fidelity.simtrace import RecordedDrive, read_drives
from simulator.fidelity.windows import Windows, windows_of
from simulator.world.car import CarParameters, motion_constants
from simulator.world.cars.motion import MAX_STEERING_RAD, SUB_STEPS_PER_S, TOP_SPEED_MPS, Motion, advance
from simulator.world.cars.profiles import PROFILES, car_profile

CARRIED = Path(__file__).parents[2] / "assets" / "simtrace" / "console-2022"
FITTED_TO, HELD_OUT = (2,), (1, 3, 5)  # the profile was fitted to even iterations, and never saw odd ones
STEPS_A_LINE = 16


@cache
def carried(*iterations: int) -> Windows:
    return windows_of([drive for each in iterations for drive in read_drives(CARRIED / f"iteration_{each}.csv")])


def driven(car: CarParameters, lines: int, seed: int) -> RecordedDrive:
    """What the simulator would log of `car`: a line each 15th of a second, its command given one line before."""
    rng = random.Random(seed)
    constants = motion_constants(car, 1 / SUB_STEPS_PER_S)
    commands = [(rng.choice([-0.5, -0.2, 0.0, 0.2, 0.5]), rng.choice([1.0, 2.0])) for _ in range(lines + 1)]
    motion: Motion = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    logged = []
    for step in range(lines * STEPS_A_LINE):
        if step % STEPS_A_LINE == 0:
            x, y, yaw = motion[:3]
            logged.append((x + FRONT_AHEAD_M * math.cos(yaw), y + FRONT_AHEAD_M * math.sin(yaw), yaw))
        given = [
            max(0, math.floor((step - delay_s * SUB_STEPS_PER_S) / STEPS_A_LINE + 1e-9) + 1)
            for delay_s in (car.steering_delay_s, car.throttle_delay_s)
        ]
        steering, speed = commands[given[0]][0], commands[given[1]][1]
        motion = advance(*motion, steering / MAX_STEERING_RAD, speed / TOP_SPEED_MPS, constants)
    x_m, y_m, yaw_rad = np.array(logged).T
    steering_rad, speed_mps = np.array(commands[:lines]).T
    at_s = np.arange(lines) / 15.0
    return RecordedDrive("made.csv", "0", at_s, x_m, y_m, np.unwrap(yaw_rad), steering_rad, speed_mps)


@pytest.mark.parametrize("name", ["console-2022", "league-2023", "droa-2026", "physical"])
def test_a_prediction_is_the_worlds_own_car(name: str) -> None:
    """With the true motion at a window's beginning, the compiled prediction ends where the plain car drove."""
    profile = car_profile(name).middle
    car = replace(profile, braking_lag_s=profile.slowing_lag_s)
    drive = driven(car, 60, seed=5)
    windows = windows_of([drive])
    errors = prediction_errors_m(windows, car)
    assert np.median(errors) < 0.03, "only the differences that stand for speed and turning are off"
    for worse in (replace(car, speed_gain=car.speed_gain + 0.1), replace(car, steering_gain=car.steering_gain * 1.2)):
        assert np.median(prediction_errors_m(windows, worse)) > 1.5 * np.median(errors)


def test_a_fit_finds_the_car_that_made_the_trace() -> None:
    truth = replace(car_profile("console-2022").middle, speed_gain=0.8, steering_gain=0.7, throttle_delay_s=0.05)
    windows = windows_of([driven(truth, 100, seed) for seed in (1, 2)])
    start = replace(car_profile("console-2022").middle, speed_lag_s=0.2, scrub_m=0.02)
    found = fit(windows, SLIDING, start)
    assert found.car.speed_gain == pytest.approx(0.8, abs=0.02)
    assert found.car.steering_gain == pytest.approx(0.7, abs=0.1)
    assert np.median(prediction_errors_m(windows, found.car)) < 0.02
    assert found.cost < fit(windows, BICYCLE, CarParameters()).cost


def test_a_fit_finds_out_by_itself_that_a_car_rolls() -> None:
    truth = replace(car_profile("droa-2026").middle, reference_m=0.1)
    windows = windows_of([driven(truth, 80, 1)])
    found = fit_car(windows)
    assert found.car.grip_mps2 == 0.0
    assert np.median(prediction_errors_m(windows, found.car)) < 0.015
    assert found.car.steering_gain == pytest.approx(truth.steering_gain, abs=0.05)
    assert found.car.steering_lag_s + found.car.steering_delay_s == pytest.approx(0.13 + 0.112, abs=0.04)


def test_the_profile_of_the_console_holds_its_figure_on_iterations_it_was_not_fitted_to() -> None:
    windows = carried(*HELD_OUT)
    median, p90 = np.percentile(prediction_errors_m(windows, car_profile("console-2022").middle), [50, 90])
    assert median <= 0.11
    assert p90 <= 0.28
    others = [
        np.median(prediction_errors_m(windows, PROFILES[name].middle)) for name in PROFILES if name != "console-2022"
    ]
    assert min(others) > 1.4 * median, "there is no one car"
    assert np.median(constant_velocity(windows)) > 3 * median


def test_a_fresh_fit_to_one_iteration_is_good_on_others_and_better_than_a_bicycle() -> None:
    few, held_out = carried(*FITTED_TO).at_most(150), carried(*HELD_OUT)
    fresh, bicycle = (np.median(prediction_errors_m(held_out, each(few).car)) for each in (fit_car, fit_bicycle))
    assert fresh <= 0.12
    assert fresh < 0.9 * bicycle


def test_the_profiles_of_the_shared_traces(shared_data: Path) -> None:
    """All odd iterations of the console; each evaluation of the league by a fit to the other."""
    folder = shared_data / "simtrace"
    odd = windows_of([d for n in range(1, 20, 2) for d in read_drives(folder / "console-2022" / f"iteration_{n}.csv")])
    measured = car_profile("console-2022").measured
    assert measured is not None
    assert len(odd) == measured.windows
    median, p90 = np.percentile(prediction_errors_m(odd, car_profile("console-2022").middle), [50, 90])
    assert (median, p90) == pytest.approx((measured.median_m, measured.p90_m), abs=0.002)
    assert median <= 0.12
    laps = [windows_of(read_drives(folder / f"evaluation_{number}.csv")) for number in (0, 1)]
    for fitted_to, judged in (laps, laps[::-1]):
        fresh = fit(fitted_to.at_most(100), SLIDING, car_profile("console-2022").middle)
        assert np.median(prediction_errors_m(judged, fresh.car)) <= 0.195
        assert np.median(prediction_errors_m(judged, car_profile("league-2023").middle)) <= 0.13
