"""The state of all worlds in one table, and the compiled motion of one car with its delayed pulses.

The motion itself is `world/cars/motion.py`, compiled: there is one physics only.
"""

from typing import Any

import numpy as np

from simulator.batch.compiled import compiled, compiled_part
from simulator.world.cars.motion import CONSTANTS, advance
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
        ("steering_delay_ns", np.int64),
        ("throttle_delay_ns", np.int64),
        ("throttle_cap", np.float64),
        ("reverse_cap", np.float64),
        ("throttle_slew_per_s", np.float64),
        ("steering_slew_per_s", np.float64),
        ("trim_rad", np.float64),
        ("car", np.float64, (CONSTANTS,)),
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
        ("pulses_given", np.int64),
        ("steering_taken", np.int64),
        ("throttle_taken", np.int64),
        ("steering_command", np.float64),
        ("throttle_command", np.float64),
        ("x", np.float64),
        ("y", np.float64),
        ("yaw", np.float64),
        ("speed_mps", np.float64),
        ("sideways_mps", np.float64),
        ("turning_radps", np.float64),
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


@compiled_part
def command_car(world: Any, pulses: Any, at_ns: Any) -> Any:
    """Give the car the pulses of the limiter's last action; servo and motor follow, each after its delay."""
    pulse = pulses[world.pulses_given % PULSES_WAITING]
    world.pulses_given += 1
    pulse.at_ns = at_ns
    pulse.steering = through_pulse(world.last_steering, _STEERING)
    pulse.throttle = through_pulse(world.last_throttle, _MOTOR)


_advance = compiled_part(advance)


@compiled_part
def step_car(world: Any, pulses: Any, at_ns: Any, car: Any) -> Any:
    """Move the car on by one sub-step from `at_ns`; `car` holds its constants."""
    while world.steering_taken < world.pulses_given:
        pulse = pulses[world.steering_taken % PULSES_WAITING]
        if pulse.at_ns + world.steering_delay_ns > at_ns:
            break
        world.steering_command = pulse.steering
        world.steering_taken += 1
    while world.throttle_taken < world.pulses_given:
        pulse = pulses[world.throttle_taken % PULSES_WAITING]
        if pulse.at_ns + world.throttle_delay_ns > at_ns:
            break
        world.throttle_command = pulse.throttle
        world.throttle_taken += 1
    (
        world.x,
        world.y,
        world.yaw,
        world.speed_mps,
        world.sideways_mps,
        world.turning_radps,
        world.steering_rad,
    ) = _advance(
        world.x,
        world.y,
        world.yaw,
        world.speed_mps,
        world.sideways_mps,
        world.turning_radps,
        world.steering_rad,
        world.steering_command,
        world.throttle_command,
        car,
    )
