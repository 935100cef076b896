"""The state of all worlds in one table, and the compiled motion of one car with its delayed pulses.

The physics are those of `world/car.py`, sub-step by sub-step.
"""

import math
from typing import Any

import numpy as np

from simulator.batch.compiled import compiled
from simulator.world.car import BRAKE_LAG_S, MAX_STEERING_RAD, REAR_AXLE_M, TOP_SPEED_MPS, WHEELBASE_M
from vehicle.core.pulses import STOCK_CALIBRATION, ChannelCalibration

PULSES_WAITING = 64  # 50 a second, so that a car's delay may be a second
COMMANDS_WAITING = 32  # 15 a second

# One world: where its road and gates lie, its car, what its drive chain holds, and where the car is.
WORLD = np.dtype(
    [
        ("road_first", np.int64),
        ("road_count", np.int64),
        ("road_window", np.int64),
        ("road_length_m", np.float64),
        ("gate_first", np.int64),
        ("gate_count", np.int64),
        ("latency_ns", np.int64),
        ("delay_ns", np.int64),
        ("throttle_cap", np.float64),
        ("reverse_cap", np.float64),
        ("throttle_slew_per_s", np.float64),
        ("steering_slew_per_s", np.float64),
        ("speed_gain", np.float64),
        ("speed_lag_s", np.float64),
        ("steering_gain", np.float64),
        ("steering_lag_s", np.float64),
        ("steering_trim_rad", np.float64),
        ("lost_frame_share", np.float64),
        ("seed", np.uint64),
        ("steps", np.int64),
        ("tick_ns", np.int64),
        ("set_steering", np.float64),
        ("set_throttle", np.float64),
        ("last_steering", np.float64),
        ("last_throttle", np.float64),
        ("commands_first", np.int64),
        ("commands_count", np.int64),
        ("pulses_first", np.int64),
        ("pulses_count", np.int64),
        ("steering_command", np.float64),
        ("throttle_command", np.float64),
        ("x", np.float64),
        ("y", np.float64),
        ("yaw", np.float64),
        ("speed_mps", np.float64),
        ("steering_rad", np.float64),
        ("segment", np.int64),
        ("s_m", np.float64),
        ("lateral_m", np.float64),
        ("progress_m", np.float64),
        ("off_track", np.bool_),
        ("wheels_on_road", np.int64),
        ("heading_error_rad", np.float64),
        ("object_count", np.int64),
        ("solid", np.bool_),
        ("hit", np.int64),
    ]
)

# What waits in a ring: from when on it holds, and the two values.
WAITING = np.dtype([("at_ns", np.int64), ("steering", np.float64), ("throttle", np.float64)])

RESOLUTION_NS = 1_000


def _channel(channel: ChannelCalibration) -> tuple[int, int, int, int]:
    return channel.min_ns, channel.mid_ns, channel.max_ns, channel.polarity


_STEERING, _MOTOR = _channel(STOCK_CALIBRATION.steering), _channel(STOCK_CALIBRATION.motor)


@compiled
def through_pulse(value: Any, channel: Any) -> Any:
    """The command that servo or ESC reads from the pulse of `value`, rounded to the driver's steps."""
    low_ns, mid_ns, high_ns, polarity = channel
    turned = value * polarity
    side_ns = high_ns - mid_ns if turned > 0 else mid_ns - low_ns
    steps = round((mid_ns + turned * side_ns) / RESOLUTION_NS)
    pulse_ns = min(high_ns // RESOLUTION_NS, max(-(-low_ns // RESOLUTION_NS), steps)) * RESOLUTION_NS
    offset = pulse_ns - mid_ns
    reach = high_ns - mid_ns if offset > 0 else mid_ns - low_ns
    return max(-1.0, min(1.0, polarity * offset / reach))


@compiled
def command_car(world: Any, pulses: Any, at_ns: Any) -> Any:
    """Queue the pulses of the limiter's last action; the car follows after its delay."""
    place = (world.pulses_first + world.pulses_count) % PULSES_WAITING
    world.pulses_count += 1
    pulses[place].at_ns = at_ns + world.delay_ns
    pulses[place].steering = through_pulse(world.last_steering, _STEERING)
    pulses[place].throttle = through_pulse(world.last_throttle, _MOTOR)


@compiled
def step_car(world: Any, pulses: Any, at_ns: Any, dt_s: Any) -> Any:
    """Move the car on by `dt_s` seconds from `at_ns`."""
    while world.pulses_count > 0 and pulses[world.pulses_first].at_ns <= at_ns:
        world.steering_command = pulses[world.pulses_first].steering
        world.throttle_command = pulses[world.pulses_first].throttle
        world.pulses_first = (world.pulses_first + 1) % PULSES_WAITING
        world.pulses_count -= 1
    target = world.steering_command * MAX_STEERING_RAD * world.steering_gain + world.steering_trim_rad
    world.steering_rad += (target - world.steering_rad) * (1.0 - math.exp(-dt_s / world.steering_lag_s))
    wanted_mps = world.throttle_command * TOP_SPEED_MPS * world.speed_gain
    lag_s = BRAKE_LAG_S if world.throttle_command == 0.0 else world.speed_lag_s
    world.speed_mps += (wanted_mps - world.speed_mps) * (1.0 - math.exp(-dt_s / lag_s))
    travel = world.speed_mps * dt_s
    turn = travel * math.tan(world.steering_rad) / WHEELBASE_M
    rear_x = world.x + REAR_AXLE_M * math.cos(world.yaw) + travel * math.cos(world.yaw + turn / 2)
    rear_y = world.y + REAR_AXLE_M * math.sin(world.yaw) + travel * math.sin(world.yaw + turn / 2)
    yaw = world.yaw + turn
    world.yaw = yaw - math.tau * round(yaw / math.tau)
    world.x = rear_x - REAR_AXLE_M * math.cos(world.yaw)
    world.y = rear_y - REAR_AXLE_M * math.sin(world.yaw)
