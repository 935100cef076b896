"""One frame interval of one world, compiled: drive chain, limiter, car, gates and road check on their own grids.

It follows `driving/drive_chain.py` and `world/world.py` line by line, so that a car drives the same in both.
"""

import math
from typing import Any

import numpy as np

from simulator.batch.car import COMMANDS_WAITING, command_car, step_car
from simulator.batch.chance import unit_from
from simulator.batch.compiled import compiled, compiled_part
from simulator.batch.road import heading_at, locate, on_road
from simulator.batch.track_objects import first_contact
from simulator.world.car import FRONT_AXLE_M, FRONT_M, HALF_TREAD_M, REAR_AXLE_M, REAR_M

STEPS_PER_S = 240
STEPS_PER_FRAME = 16
ROAD_CHECK_STEPS = 4
TICK_NS = 20_000_000
TICK_S = 0.02
NS_PER_S = 1_000_000_000
NOT_HIT = -1
MAX_EVENTS = 64  # of one world in one frame interval: 16 sub-steps and 4 checks cannot make as many

CROSSING, LEFT_TRACK, BACK_ON_TRACK, CRASHED = 0, 1, 2, 3

EVENT = np.dtype(
    [("world", np.int64), ("kind", np.int64), ("gate", np.int64), ("direction", np.int64), ("at_ns", np.int64)]
)
GATE = np.dtype(
    [
        ("x", np.float64),
        ("y", np.float64),
        ("along_x", np.float64),
        ("along_y", np.float64),
        ("half_m", np.float64),
        ("broken", np.bool_),
    ]
)


@compiled
def drive_worlds(
    members: Any,
    worlds: Any,
    rows: Any,
    gates: Any,
    objects: Any,
    commands: Any,
    waiting: Any,
    pulses: Any,
    events: Any,
    counts: Any,
) -> Any:
    """Drive each world of `members` (indices) through one frame interval, with its row of `commands` (N, 2)."""
    for place in range(len(members)):
        n = members[place]
        world = worlds[n]
        if not _is_lost(world):
            _queue(world, waiting[n], commands[n, 0], commands[n, 1])
        _drive_frame(world, rows, gates, objects[n], waiting[n], pulses[n], events[n], counts[n : n + 1])


@compiled_part
def _is_lost(world: Any) -> Any:
    """True if the frame just shown never reached the policy: drawn from the world's seed and the frame's number."""
    if world.lost_frame_share <= 0.0:
        return False
    return unit_from(world.seed, world.steps) < world.lost_frame_share


@compiled_part
def _at_ns(steps: Any) -> Any:
    return steps * NS_PER_S // STEPS_PER_S


@compiled_part
def _queue(world: Any, waiting: Any, steering: Any, throttle: Any) -> Any:
    """A command takes effect `latency_ns` after the frame that it was computed from."""
    place = (world.commands_first + world.commands_count) % COMMANDS_WAITING
    world.commands_count += 1
    waiting[place].at_ns = _at_ns(world.steps) + world.latency_ns
    waiting[place].steering, waiting[place].throttle = steering, throttle


@compiled_part
def _drive_frame(
    world: Any, rows: Any, gates: Any, objects: Any, waiting: Any, pulses: Any, events: Any, count: Any
) -> Any:
    world.hit = NOT_HIT
    last = world.steps + STEPS_PER_FRAME
    until_ns = _at_ns(last)
    while world.tick_ns < until_ns:
        while _at_ns(world.steps + 1) <= world.tick_ns:
            _sub_step(world, rows, gates, objects, pulses, events, count)
        _tick(world, waiting)
        command_car(world, pulses, _at_ns(world.steps))
        world.tick_ns += TICK_NS
    while world.steps < last:
        _sub_step(world, rows, gates, objects, pulses, events, count)
    _look_round(world, rows)


@compiled_part
def _tick(world: Any, waiting: Any) -> Any:
    """Take the commands that are due, and limit the newest one (`vehicle/core/limiter.py`)."""
    while world.commands_count > 0 and waiting[world.commands_first].at_ns <= world.tick_ns:
        world.set_steering = waiting[world.commands_first].steering
        world.set_throttle = waiting[world.commands_first].throttle
        world.commands_first = (world.commands_first + 1) % COMMANDS_WAITING
        world.commands_count -= 1
    if not (math.isfinite(world.set_steering) and math.isfinite(world.set_throttle)):
        world.last_steering = world.last_throttle = 0.0
        return
    step = world.steering_slew_per_s * TICK_S
    steering = _clamp(world.set_steering, world.last_steering - step, world.last_steering + step)
    world.last_steering = min(1.0, max(-1.0, steering))
    capped = _clamp(world.set_throttle, -world.reverse_cap, world.throttle_cap)
    step = world.throttle_slew_per_s * TICK_S
    world.last_throttle = _clamp(capped, min(world.last_throttle, 0.0) - step, max(world.last_throttle, 0.0) + step)


@compiled_part
def _clamp(value: Any, low: Any, high: Any) -> Any:
    return min(high, max(low, value))


@compiled_part
def _sub_step(world: Any, rows: Any, gates: Any, objects: Any, pulses: Any, events: Any, count: Any) -> Any:
    before_ns = _at_ns(world.steps)
    x, y, yaw = world.x, world.y, world.yaw
    step_car(world, pulses, before_ns, world.car)
    world.steps += 1
    for gate in range(world.gate_count):
        _move_beam(world, gates[world.gate_first + gate], gate, (x, y, yaw), before_ns, events, count)
    if world.steps % ROAD_CHECK_STEPS == 0:
        _check_road(world, rows, events, count)
        for number in range(world.object_count):
            fault = first_contact(world, objects[number])
            if fault != 0:
                world.hit = number if world.hit == NOT_HIT else world.hit
                _report(events, count, CRASHED, number, fault, _at_ns(world.steps))


@compiled_part
def _ahead(gate: Any, x: Any, y: Any, yaw: Any, end_m: Any) -> Any:
    """(metres beyond the line, metres beside its middle) of the car's end."""
    end_x, end_y = x + end_m * math.cos(yaw), y + end_m * math.sin(yaw)
    ahead = (end_x - gate.x) * gate.along_x + (end_y - gate.y) * gate.along_y
    beside = (end_y - gate.y) * gate.along_x - (end_x - gate.x) * gate.along_y
    return ahead, beside


@compiled_part
def _move_beam(world: Any, gate: Any, index: Any, before: Any, before_ns: Any, events: Any, count: Any) -> Any:
    """`world/beams.py`: the crossing at the instant in which an end of the car broke the beam."""
    near_m = (gate.x - world.x) ** 2 + (gate.y - world.y) ** 2
    if near_m > (gate.half_m + 0.5) ** 2 and not gate.broken:
        return
    front_m, front_beside = _ahead(gate, world.x, world.y, world.yaw, FRONT_M)
    rear_m, rear_beside = _ahead(gate, world.x, world.y, world.yaw, REAR_M)
    blocked = False
    if (front_m < 0.0) != (rear_m < 0.0):
        share = front_m / (front_m - rear_m)
        blocked = abs((1.0 - share) * front_beside + share * rear_beside) <= gate.half_m
    if blocked == gate.broken:
        return
    gate.broken = blocked
    if not blocked:
        return
    x, y, yaw = before
    after_ns = _at_ns(world.steps)
    for end_m, after in ((FRONT_M, front_m), (REAR_M, rear_m)):
        was, _ = _ahead(gate, x, y, yaw, end_m)
        if (was < 0.0) != (after < 0.0):
            at_ns = before_ns + round(was / (was - after) * (after_ns - before_ns))
            _report(events, count, CROSSING, index, 1 if was < 0.0 else -1, at_ns)
            return


@compiled_part
def _report(events: Any, count: Any, kind: Any, gate: Any, direction: Any, at_ns: Any) -> Any:
    event = events[count[0]]
    event.kind, event.gate, event.direction, event.at_ns = kind, gate, direction, at_ns
    count[0] += 1


@compiled_part
def _wheel(world: Any, rows: Any, number: Any) -> Any:
    """True if wheel 0..3 is on the road around the car's own place."""
    along = FRONT_AXLE_M if number < 2 else REAR_AXLE_M
    across = HALF_TREAD_M if number % 2 == 0 else -HALF_TREAD_M
    c, s = math.cos(world.yaw), math.sin(world.yaw)
    x, y = world.x + along * c - across * s, world.y + along * s + across * c
    return on_road(rows, world.road_first, world.road_count, world.road_window, x, y, world.segment)


@compiled_part
def _check_road(world: Any, rows: Any, events: Any, count: Any) -> Any:
    """Off-track when none of the four wheels is inside the road (deepracer-simapp's rule)."""
    before_m = world.s_m
    world.segment, world.s_m, world.lateral_m = locate(
        rows, world.road_first, world.road_count, world.x, world.y, world.segment
    )
    moved_m = world.s_m - before_m
    world.progress_m += moved_m - world.road_length_m * round(moved_m / world.road_length_m)
    on = abs(world.lateral_m) < rows[world.road_first + world.segment].half_width_m - 0.02
    for number in range(4):
        on = on or _wheel(world, rows, number)
    if on == world.off_track:
        world.off_track = not on
        _report(events, count, BACK_ON_TRACK if on else LEFT_TRACK, 0, 0, _at_ns(world.steps))


@compiled_part
def _look_round(world: Any, rows: Any) -> Any:
    """What environments ask for at each frame: the wheels on the road, and the heading against the road's."""
    world.wheels_on_road = 0
    for number in range(4):
        world.wheels_on_road += 1 if _wheel(world, rows, number) else 0
    error = world.yaw - heading_at(rows, world.road_first, world.road_count, world.segment)
    world.heading_error_rad = error - math.tau * round(error / math.tau)


@compiled
def look_round_worlds(members: Any, worlds: Any, rows: Any) -> Any:
    """Find each world's place on its road anew, after the car was put down."""
    for place in range(len(members)):
        world = worlds[members[place]]
        world.segment, world.s_m, world.lateral_m = locate(
            rows, world.road_first, world.road_count, world.x, world.y, np.int64(-1)
        )
        _look_round(world, rows)
