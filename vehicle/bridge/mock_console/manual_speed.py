"""How the console turns a joystick into a speed: three steps, then a curve. Pure; called by mock_console.py.

Follows `vehicle_control.py` of aws-deepracer-webserver-pkg, whose documentation gives the vectors of the tests.
"""

import math

SCALES = (1.0, 0.8)  # the speed at the whole and at half of the stick
BOUNDS = (1.0, 5.0)  # how far the stick is stretched at the highest and at no speed


def category(value: float) -> float:
    """The step that a stick's position counts as: 0.3, 0.5 or 0.8 of either sign, or 0."""
    size = abs(value)
    step = 0.8 if size >= 0.8 else 0.5 if size >= 0.5 else 0.3 if size > 0 else 0.0
    return math.copysign(step, value) if step else 0.0


def manual_speed(step: float, max_speed: float) -> float:
    """The speed for a step of the stick, -1 to 1, at the highest speed that was chosen, 0 to 1."""
    if not step or not max_speed:
        return 0.0
    stretch = BOUNDS[0] + (1 - max_speed) * (BOUNDS[1] - BOUNDS[0])
    square = (2 * SCALES[0] - 4 * SCALES[1]) / stretch**2
    linear = (4 * SCALES[1] - SCALES[0]) / stretch
    return math.copysign(square * step**2 + linear * abs(step), step)
