"""Where a car with given parameters is one second after each window's beginning: the world's own motion, compiled."""

import math
from typing import Any

import numpy as np

from shared.traces.field_files import FRONT_AHEAD_M
from simulator.batch.compiled import compiled
from simulator.fidelity.simtrace import Floats
from simulator.fidelity.windows import HORIZON_S, Windows
from simulator.world.car import CarParameters, motion_constants
from simulator.world.cars.motion import (
    MAX_STEERING_RAD,
    STEERING_GAIN,
    STEERING_SHARE,
    STEERING_TRIM_RAD,
    SUB_STEPS_PER_S,
    TOP_SPEED_MPS,
    advance,
)

SUB_STEPS = round(HORIZON_S * SUB_STEPS_PER_S)
LINES_OF_STEERING = 12  # so many lines back the wheels begin, to be where the commands have turned them

_advance = compiled(advance)


def predicted(windows: Windows, car: CarParameters) -> tuple[Floats, Floats]:
    """Return x and y of the front of a car like `car`, one second after each window began."""
    constants = np.array(motion_constants(car, 1.0 / SUB_STEPS_PER_S))
    places = _drive_all(
        constants,
        car.steering_delay_s,
        car.throttle_delay_s,
        (windows.at_s, windows.given_s, windows.steering_rad, windows.commanded_mps),
        (windows.x_m, windows.y_m, windows.yaw_rad),
        (windows.line, windows.first, windows.last),
        (*windows.body_velocity(), windows.turning()),
    )
    return places[:, 0], places[:, 1]


def prediction_errors_m(windows: Windows, car: CarParameters) -> Floats:
    """How far a car like `car` is from where the recorded one came to, a value a window."""
    return windows.errors_m(*predicted(windows, car))


@compiled
def _drive_all(
    constants: Any, steering_delay_s: Any, throttle_delay_s: Any, drive: Any, pose: Any, places: Any, motion: Any
) -> Any:
    at_s, given_s, steering_rad, commanded_mps = drive
    x_m, y_m, yaw_rad = pose
    line, first, last = places
    ahead_mps, left_mps, turning = motion
    came_to = np.empty((len(line), 2))
    for window in range(len(line)):
        here = line[window]
        began_s = at_s[here]
        steers = max(first[window], here - LINES_OF_STEERING)
        drives = steers
        turned = -round((began_s - at_s[steers]) * SUB_STEPS_PER_S)  # from here on, the wheels follow the commands
        moved = -round((began_s - at_s[here - 1]) * SUB_STEPS_PER_S)  # the middle of the difference that is its motion
        wheels = steering_rad[steers] * constants[STEERING_GAIN] + constants[STEERING_TRIM_RAD]
        x, y, yaw, speed, sideways, turn_rate = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for step in range(turned, SUB_STEPS):
            now_s = began_s + step / SUB_STEPS_PER_S
            while steers < last[window] and given_s[steers + 1] + steering_delay_s <= now_s:
                steers += 1
            while drives < last[window] and given_s[drives + 1] + throttle_delay_s <= now_s:
                drives += 1
            if step < moved:
                target = steering_rad[steers] * constants[STEERING_GAIN] + constants[STEERING_TRIM_RAD]
                wheels += (target - wheels) * constants[STEERING_SHARE]
                continue
            if step == moved:
                speed, turn_rate = ahead_mps[window], turning[window]
                sideways = left_mps[window] - FRONT_AHEAD_M * turn_rate
            if step == 0:
                yaw = yaw_rad[here]
                x, y = x_m[here] - FRONT_AHEAD_M * math.cos(yaw), y_m[here] - FRONT_AHEAD_M * math.sin(yaw)
            steering, throttle = steering_rad[steers] / MAX_STEERING_RAD, commanded_mps[drives] / TOP_SPEED_MPS
            x, y, yaw, speed, sideways, turn_rate, wheels = _advance(
                x, y, yaw, speed, sideways, turn_rate, wheels, steering, throttle, constants
            )
        came_to[window, 0] = x + FRONT_AHEAD_M * math.cos(yaw)
        came_to[window, 1] = y + FRONT_AHEAD_M * math.sin(yaw)
    return came_to
