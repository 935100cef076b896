"""The car: servo, motor controller and a body that rolls or slides, driven by PWM pulses like the real one.

The stock calibration (source: aws-deepracer-servo-pkg) is inverted here, as servo and ESC do physically. The default
gains and lags are fitted to recorded DeepRacer evaluations: the car steers about 0.65 of the commanded angle, runs at
about 0.93 of the commanded speed, and responds some 50 ms late. The arithmetic of a step is in `cars/motion.py`.
"""

import math
from collections import deque
from dataclasses import dataclass

from simulator.world.cars.motion import (
    DT_S,
    MAX_STEERING_RAD,
    SUB_STEPS_PER_S,
    TOP_SPEED_MPS,
    WHEELBASE_M,
    Motion,
    advance,
)
from simulator.world.geometry import Pose
from vehicle.core.pulses import STOCK_CALIBRATION, Calibration, ChannelCalibration, Pulses

__all__ = [
    "BRAKE_LAG_S",
    "FRONT_AXLE_M",
    "FRONT_M",
    "HALF_TREAD_M",
    "MAX_STEERING_RAD",
    "REAR_AXLE_M",
    "REAR_M",
    "TOP_SPEED_MPS",
    "WHEELBASE_M",
    "CarParameters",
    "CarPose",
    "DelayedCommand",
    "SimulatedCar",
    "motion_constants",
]

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
    """The physical parameters of one car; those of a kind of car, with their spread, are in `cars/profiles.py`."""

    speed_gain: float = 0.93  # of the commanded speed
    speed_lag_s: float = 0.30  # while it gets faster
    slowing_lag_s: float = 0.30
    braking_lag_s: float = BRAKE_LAG_S  # at zero throttle
    acceleration_mps2: float = math.inf  # it gets faster by no more than this
    deceleration_mps2: float = math.inf
    throttle_delay_s: float = 0.05
    steering_gain: float = 0.65  # of the commanded angle
    steering_lag_s: float = 0.02
    steering_trim_rad: float = 0.0
    steering_delay_s: float = 0.05
    understeer_s2pm2: float = 0.0  # the turn falls by 1 + this x speed squared; for cars that roll
    reference_m: float = -REAR_AXLE_M  # how far the pose, and the centre of mass, lie ahead of the rear axle
    grip_mps2: float = 0.0  # what the tyres hold sideways; 0: they roll and never slide
    slip_mps: float = 0.3  # sliding sideways at which tyres push with half of their grip
    gyration_m: float = 0.11  # radius of gyration about the vertical axis
    scrub_m: float = 0.0  # how far beside the middle wheels of one speed scrub in a turn; 0: each turns as it rolls


def motion_constants(p: CarParameters, dt_s: float) -> tuple[float, ...]:
    """The constants of `cars.motion.advance` for sub-steps of `dt_s`, in the order of its places."""
    return (
        dt_s,
        p.speed_gain,
        1.0 - math.exp(-dt_s / p.speed_lag_s),
        1.0 - math.exp(-dt_s / p.slowing_lag_s),
        1.0 - math.exp(-dt_s / p.braking_lag_s),
        p.acceleration_mps2 * dt_s,
        p.deceleration_mps2 * dt_s,
        p.steering_gain,
        1.0 - math.exp(-dt_s / p.steering_lag_s),
        p.steering_trim_rad,
        p.understeer_s2pm2,
        p.reference_m,
        p.grip_mps2,
        p.slip_mps,
        p.gyration_m,
        p.scrub_m,
    )


def _value(pulse_ns: int, channel: ChannelCalibration) -> float:
    """The command of a pulse, -1..1: the inverse of the calibration, limited to its ends."""
    offset = pulse_ns - channel.mid_ns
    reach = channel.max_ns - channel.mid_ns if offset > 0 else channel.mid_ns - channel.min_ns
    return max(-1.0, min(1.0, channel.polarity * offset / reach))


class SimulatedCar:
    """The moving car; `command` sets its pulses, `step` advances it."""

    __slots__ = ("_constants", "_motion", "_parameters", "_steering", "_throttle")

    def __init__(self, parameters: CarParameters, pose: Pose) -> None:
        self._parameters = parameters
        self._constants = motion_constants(parameters, 1.0 / SUB_STEPS_PER_S)
        self.place(pose)

    def place(self, pose: Pose) -> None:
        """Place the car, standing still with straight wheels and zero throttle."""
        x, y, yaw = pose
        self._motion: Motion = (x, y, yaw, 0.0, 0.0, 0.0, self._parameters.steering_trim_rad)
        self._steering = DelayedCommand(self._parameters.steering_delay_s)
        self._throttle = DelayedCommand(self._parameters.throttle_delay_s)

    @property
    def pose(self) -> CarPose:
        """The car's present pose and motion."""
        x, y, yaw, speed, _, _, steering = self._motion
        return CarPose(x, y, yaw, speed, steering)

    @property
    def speed_mps(self) -> float:
        """Speed along the car's axis."""
        return self._motion[3]

    @property
    def yaw(self) -> float:
        """Heading in radians, between -pi and pi once the car has moved."""
        return self._motion[2]

    def command(self, at_ns: int, pulses: Pulses | None, calibration: Calibration = STOCK_CALIBRATION) -> None:
        """Set the pulses from `at_ns` on; None: no pulse, so the ESC goes to neutral and the servo stays."""
        if pulses is not None:
            self._steering.give(at_ns, _value(pulses.steering_ns, calibration.steering))
        self._throttle.give(at_ns, 0.0 if pulses is None else _value(pulses.throttle_ns, calibration.motor))

    def step(self, at_ns: int, dt_s: float) -> None:
        """Move on by `dt_s` seconds from `at_ns`."""
        if dt_s != self._constants[DT_S]:
            self._constants = motion_constants(self._parameters, dt_s)
        steering, throttle = self._steering.at(at_ns), self._throttle.at(at_ns)
        self._motion = advance(*self._motion, steering, throttle, self._constants)


class DelayedCommand:
    """A command that takes effect some time after it was given; 0 at first."""

    __slots__ = ("_delay_ns", "_due", "_value")

    def __init__(self, delay_s: float) -> None:
        self._delay_ns = round(delay_s * 1e9)
        self._due: deque[tuple[int, float]] = deque()
        self._value = 0.0

    def give(self, at_ns: int, value: float) -> None:
        """Give a command at `at_ns`, no earlier than the last one."""
        self._due.append((at_ns + self._delay_ns, value))

    def at(self, at_ns: int) -> float:
        """Return the command in effect at `at_ns`; ask in order of time."""
        while self._due and self._due[0][0] <= at_ns:
            _, self._value = self._due.popleft()
        return self._value
