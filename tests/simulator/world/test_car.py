"""The car: what pulses mean to it, how fast it goes, how it turns and stops."""

import math

import pytest

from simulator.world.car import MAX_STEERING_RAD, WHEELBASE_M, CarParameters, SimulatedCar, draw_car
from simulator.world.geometry import Pose
from vehicle.core.actions import Action
from vehicle.core.pulses import STOCK_CALIBRATION, Pulses, neutral_pulses, to_pulses

DT_S = 1 / 240
STANDARD = CarParameters()


def driven(car: SimulatedCar, wire: Pulses | None, seconds: float, from_s: float = 0.0) -> SimulatedCar:
    car.command(round(from_s * 1e9), wire)
    for n in range(round(seconds / DT_S)):
        car.step(round((from_s + n * DT_S) * 1e9), DT_S)
    return car


def at_rest() -> SimulatedCar:
    return SimulatedCar(STANDARD, Pose(0.0, 0.0, 0.0))


def wire(steering: float, throttle: float) -> Pulses:
    return to_pulses(Action(steering, throttle), STOCK_CALIBRATION)


SPEEDS = [(0.0, 0.0), (0.25, 0.93), (0.5, 1.86), (1.0, 3.72), (-0.5, -1.86)]


@pytest.mark.parametrize(("throttle", "speed_mps"), SPEEDS)
def test_steady_speed(throttle: float, speed_mps: float) -> None:
    assert driven(at_rest(), wire(0.0, throttle), 5.0).speed_mps == pytest.approx(speed_mps, abs=0.03)


@pytest.mark.parametrize("steering", [-1.0, -0.5, 0.5, 1.0])
def test_steady_turn(steering: float) -> None:
    car = driven(at_rest(), wire(steering, 0.25), 4.0)
    yaw, step_s = car.yaw, 0.1
    driven(car, wire(steering, 0.25), step_s, 4.0)
    radius_m = car.speed_mps * step_s / math.remainder(car.yaw - yaw, math.tau)
    expected = WHEELBASE_M / math.tan(steering * MAX_STEERING_RAD * STANDARD.steering_gain)
    assert radius_m == pytest.approx(expected, rel=0.02)


def test_nothing_happens_before_the_delay() -> None:
    assert driven(at_rest(), wire(0.0, 1.0), 0.045).speed_mps == 0.0
    assert driven(at_rest(), wire(0.0, 1.0), 0.10).speed_mps > 0.1


@pytest.mark.parametrize("stop", [None, neutral_pulses(STOCK_CALIBRATION)])
def test_neutral_and_no_pulse_stop_the_car(stop: Pulses | None) -> None:
    car = driven(at_rest(), wire(0.0, 0.5), 3.0)
    driven(car, stop, 0.7, 3.0)
    assert 0.0 <= car.speed_mps < 0.02


def test_without_pulse_the_servo_stays_where_it_is() -> None:
    car = driven(at_rest(), wire(0.8, 0.3), 1.0)
    turned = car.pose.steering_rad
    assert driven(car, None, 0.5, 1.0).pose.steering_rad == pytest.approx(turned)


@pytest.mark.parametrize("pulse_ns", [0, 900_000, 2_400_000])
def test_a_pulse_beyond_the_ends_is_the_end(pulse_ns: int) -> None:
    car = driven(at_rest(), Pulses(pulse_ns, 1_446_000), 1.0)
    assert abs(car.pose.steering_rad) == pytest.approx(MAX_STEERING_RAD * STANDARD.steering_gain, rel=1e-3)


def test_cars_differ_by_seed_and_not_otherwise() -> None:
    assert draw_car(1) == draw_car(1)
    assert len({draw_car(seed) for seed in range(50)}) == 50
    for seed in range(200):
        assert 0.59 <= draw_car(seed).steering_gain <= 0.71
        assert 0.04 <= draw_car(seed).delay_s <= 0.06
