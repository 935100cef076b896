"""The car: servo, motor controller and a kinematic bicycle with lags, driven by PWM pulses like the real one.

The stock calibration (source: aws-deepracer-servo-pkg) is inverted here, as servo and ESC do physically. Gains and lags
are fitted to recorded DeepRacer evaluations: the car steers about 0.65 of the commanded angle, runs at about 0.93 of
the commanded speed, and responds some 50 ms late. Plain floats, since this runs 240 times a second.
"""

import math
import random
from collections import deque
from dataclasses import dataclass

from simulator.world.geometry import Pose
from vehicle.core.pulses import STOCK_CALIBRATION, Calibration, ChannelCalibration, Pulses

TOP_SPEED_MPS = 4.0
MAX_STEERING_RAD = math.radians(30.0)
WHEELBASE_M = 0.163974
FRONT_AXLE_M, REAR_AXLE_M = 0.082311, -0.081663  # from the base
FRONT_M, REAR_M = 0.14, -0.14  # bumper to bumper, from the base
HALF_TREAD_M = 0.08
BRAKE_LAG_S = 0.12


@dataclass(frozen=True, slots=True)
class CarPose:
    """The car's pose and motion: metres, radians, m/s; `steering_rad` is the wheels' effective angle."""

    x: float
    y: float
    yaw: float
    speed_mps: float
    steering_rad: float

    @property
    def place(self) -> Pose:
        """The pose, without the motion."""
        return Pose(self.x, self.y, self.yaw)

    def ahead(self, distance_m: float) -> tuple[float, float]:
        """The point on the car's long axis `distance_m` ahead of its base."""
        return self.x + distance_m * math.cos(self.yaw), self.y + distance_m * math.sin(self.yaw)

    def wheels(self) -> list[tuple[float, float]]:
        """The four points where the wheels touch the floor."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return [
            (self.x + along * c - across * s, self.y + along * s + across * c)
            for along in (FRONT_AXLE_M, REAR_AXLE_M)
            for across in (HALF_TREAD_M, -HALF_TREAD_M)
        ]


@dataclass(frozen=True, slots=True)
class CarParameters:
    """The physical parameters of one car."""

    speed_gain: float = 0.93
    speed_lag_s: float = 0.30
    steering_gain: float = 0.65
    steering_lag_s: float = 0.02
    steering_trim_rad: float = 0.0
    delay_s: float = 0.05


def draw_car(seed: int, spread: float = 1.0) -> CarParameters:
    """Draw car number `seed`; `spread` 1 is the usual difference between cars, more is harsher (for training)."""
    rng = random.Random(f"car-{seed}")

    def between(low: float, high: float) -> float:
        middle, half = (low + high) / 2, (high - low) / 2
        return middle + rng.uniform(-half, half) * spread

    return CarParameters(
        speed_gain=between(0.91, 0.95),
        speed_lag_s=max(0.05, between(0.16, 0.45)),
        steering_gain=between(0.59, 0.71),
        steering_lag_s=max(0.005, between(0.01, 0.04)),
        steering_trim_rad=math.radians(between(-0.6, 0.6)),
        delay_s=max(0.0, between(0.04, 0.06)),
    )


def _value(pulse_ns: int, channel: ChannelCalibration) -> float:
    """The command of a pulse, -1..1: the inverse of the calibration, limited to its ends."""
    offset = pulse_ns - channel.mid_ns
    reach = channel.max_ns - channel.mid_ns if offset > 0 else channel.mid_ns - channel.min_ns
    return max(-1.0, min(1.0, channel.polarity * offset / reach))


class SimulatedCar:
    """The moving car; `command` sets its pulses, `step` advances it."""

    __slots__ = (
        "_due",
        "_parameters",
        "_steering",
        "_steering_command",
        "_throttle_command",
        "speed_mps",
        "x",
        "y",
        "yaw",
    )

    def __init__(self, parameters: CarParameters, pose: Pose) -> None:
        self._parameters = parameters
        self.place(pose)

    def place(self, pose: Pose) -> None:
        """Place the car, standing still with straight wheels and zero throttle."""
        self.x, self.y, self.yaw = pose
        self.speed_mps = 0.0
        self._steering = self._parameters.steering_trim_rad
        self._steering_command = 0.0
        self._throttle_command = 0.0
        self._due: deque[tuple[int, float, float]] = deque()

    @property
    def pose(self) -> CarPose:
        """The car's present pose and motion."""
        return CarPose(self.x, self.y, self.yaw, self.speed_mps, self._steering)

    def command(self, at_ns: int, pulses: Pulses | None, calibration: Calibration = STOCK_CALIBRATION) -> None:
        """Set the pulses from `at_ns` on; None: no pulse, so the ESC goes to neutral and the servo stays."""
        last = self._due[-1][1] if self._due else self._steering_command
        steering = last if pulses is None else _value(pulses.steering_ns, calibration.steering)
        throttle = 0.0 if pulses is None else _value(pulses.throttle_ns, calibration.motor)
        self._due.append((at_ns + round(self._parameters.delay_s * 1e9), steering, throttle))

    def step(self, at_ns: int, dt_s: float) -> None:
        """Move on by `dt_s` seconds from `at_ns`."""
        while self._due and self._due[0][0] <= at_ns:
            _, self._steering_command, self._throttle_command = self._due.popleft()
        p = self._parameters
        target = self._steering_command * MAX_STEERING_RAD * p.steering_gain + p.steering_trim_rad
        self._steering += (target - self._steering) * (1.0 - math.exp(-dt_s / p.steering_lag_s))
        wanted_mps = self._throttle_command * TOP_SPEED_MPS * p.speed_gain
        lag = BRAKE_LAG_S if self._throttle_command == 0.0 else p.speed_lag_s
        self.speed_mps += (wanted_mps - self.speed_mps) * (1.0 - math.exp(-dt_s / lag))
        self._roll(dt_s)

    def _roll(self, dt_s: float) -> None:
        """Roll without slip: the rear axle follows the car's heading, the front one the wheels."""
        travel = self.speed_mps * dt_s
        turn = travel * math.tan(self._steering) / WHEELBASE_M
        rear_x = self.x + REAR_AXLE_M * math.cos(self.yaw) + travel * math.cos(self.yaw + turn / 2)
        rear_y = self.y + REAR_AXLE_M * math.sin(self.yaw) + travel * math.sin(self.yaw + turn / 2)
        self.yaw = math.remainder(self.yaw + turn, math.tau)
        self.x = rear_x - REAR_AXLE_M * math.cos(self.yaw)
        self.y = rear_y - REAR_AXLE_M * math.sin(self.yaw)
