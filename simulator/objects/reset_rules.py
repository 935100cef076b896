"""When a car is taken back: reversed, immobilised, off the track or crashed, as deepracer-simapp judges each step.

Sources: `reset/rules/*.py` and `agent_ctrl/rollout_agent_ctrl.py`. A step is a camera frame (15 a second). The
functions are plain arithmetic that numba compiles as it stands; a batch keeps their counters in arrays.
"""

import math

STEPS_TO_RESET = 15
STILL_M = 0.0003  # a car that moves less than this in a step stands
NOT_CRASHED = -1


def count_reversed(count: int, progress_m: float, last_progress_m: float, running: bool) -> int:
    """How many steps in a row the car went backwards along the track; STEPS_TO_RESET is reversed."""
    return count + 1 if running and progress_m < last_progress_m else 0


def count_still(count: int, x: float, y: float, last_x: float, last_y: float, running: bool) -> int:
    """How many steps in a row the car stood; STEPS_TO_RESET is immobilised."""
    return count + 1 if running and math.hypot(x - last_x, y - last_y) <= STILL_M else 0


def is_behind(s_m: float, other_s_m: float, length_m: float) -> bool:
    """True if the place `s_m` is behind `other_s_m` on the lap, going the shorter way round.

    A crash is the fault of the car behind: that one is put back, and a bot that ran into a car pauses. The field
    compares shares of a lap, so that a bot just before the line counts as ahead of the car that it hits just after.
    """
    ahead_m = other_s_m - s_m
    ahead_m -= math.floor(ahead_m / length_m + 0.5) * length_m
    return ahead_m >= 0.0
