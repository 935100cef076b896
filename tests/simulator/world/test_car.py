"""The car: what pulses mean to it, how fast it goes, how it turns and stops."""

import math
import random

import pytest

from simulator.world.car import (
    BRAKE_LAG_S,
    MAX_STEERING_RAD,
    REAR_AXLE_M,
    TOP_SPEED_MPS,
    WHEELBASE_M,
    CarParameters,
    SimulatedCar,
)
from simulator.world.cars.profiles import draw_car
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
        car = draw_car(seed)
        assert 0.59 <= car.steering_gain <= 0.71
        assert 0.04 <= car.steering_delay_s <= 0.06
        assert car.throttle_delay_s == car.steering_delay_s
        assert car.slowing_lag_s == car.speed_lag_s


class RollingCar:
    """The demo's car as it was first written down, against which the shared arithmetic is held bit for bit."""

    def __init__(self, parameters: CarParameters, pose: Pose) -> None:
        self.p, (self.x, self.y, self.yaw) = parameters, pose
        self.speed, self.steering = 0.0, parameters.steering_trim_rad

    def step(self, steering: float, throttle: float, dt_s: float) -> None:
        target = steering * MAX_STEERING_RAD * self.p.steering_gain + self.p.steering_trim_rad
        self.steering += (target - self.steering) * (1.0 - math.exp(-dt_s / self.p.steering_lag_s))
        lag = BRAKE_LAG_S if throttle == 0.0 else self.p.speed_lag_s
        wanted = throttle * TOP_SPEED_MPS * self.p.speed_gain
        self.speed += (wanted - self.speed) * (1.0 - math.exp(-dt_s / lag))
        travel = self.speed * dt_s
        turn = travel * math.tan(self.steering) / WHEELBASE_M
        rear_x = self.x + REAR_AXLE_M * math.cos(self.yaw) + travel * math.cos(self.yaw + turn / 2)
        rear_y = self.y + REAR_AXLE_M * math.sin(self.yaw) + travel * math.sin(self.yaw + turn / 2)
        self.yaw = math.remainder(self.yaw + turn, math.tau)
        self.x = rear_x - REAR_AXLE_M * math.cos(self.yaw)
        self.y = rear_y - REAR_AXLE_M * math.sin(self.yaw)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_demos_car_is_what_it_was_to_the_last_bit(seed: int) -> None:
    rng = random.Random(seed)
    parameters = draw_car(seed, spread=1.0 + seed)
    start = Pose(3.0, -1.0, 3.1)
    car, former = SimulatedCar(parameters, start), RollingCar(parameters, start)
    delay_steps = math.ceil(round(parameters.steering_delay_s * 1e9) * 240 / 1e9)
    reads = [(0.0, 0.0)] * delay_steps
    for n in range(2_400):
        if n % 16 == 0:
            action = Action(rng.uniform(-1, 1), rng.choice([0.0, 0.4, 1.0, -0.5]))
            pulses = to_pulses(action, STOCK_CALIBRATION)
            car.command(n * 1_000_000_000 // 240, pulses)
        reads.append(_read(pulses))
        car.step(n * 1_000_000_000 // 240, DT_S)
        former.step(*reads[n], DT_S)
        pose = car.pose
        assert (pose.x, pose.y, pose.yaw) == (former.x, former.y, former.yaw)
        assert (pose.speed_mps, pose.steering_rad) == (former.speed, former.steering)


def _read(pulses: Pulses) -> tuple[float, float]:
    """What servo and ESC of the stock calibration understand."""
    values = []
    for pulse_ns, channel in (
        (pulses.steering_ns, STOCK_CALIBRATION.steering),
        (pulses.throttle_ns, STOCK_CALIBRATION.motor),
    ):
        offset = pulse_ns - channel.mid_ns
        reach = channel.max_ns - channel.mid_ns if offset > 0 else channel.mid_ns - channel.min_ns
        values.append(max(-1.0, min(1.0, channel.polarity * offset / reach)))
    return values[0], values[1]


def test_the_demos_cars_are_drawn_as_before() -> None:
    car = draw_car(7, 2.5)
    assert (car.speed_gain, car.speed_lag_s, car.steering_gain) == (
        0.9227471039300701,
        0.3416804486556094,
        0.733369773751942,
    )
    assert (car.steering_lag_s, car.steering_trim_rad) == (0.039975740099590845, 0.02023787793955346)
    assert car.steering_delay_s == 0.051079322715212136
