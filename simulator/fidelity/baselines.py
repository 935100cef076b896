"""Simple predictions beside which a car's is held: the velocity stays, or velocity and turn rate stay."""

import numpy as np

from simulator.fidelity.simtrace import Floats
from simulator.fidelity.windows import HORIZON_S, Windows

STRAIGHT_BELOW_RADPS = 1e-6


def constant_velocity(windows: Windows) -> Floats:
    """Errors in metres, one a window, if the car went on with its velocity."""
    x_mps, y_mps = windows.velocity()
    x_m, y_m = windows.x_m[windows.line], windows.y_m[windows.line]
    return windows.errors_m(x_m + x_mps * HORIZON_S, y_m + y_mps * HORIZON_S)


def constant_turn(windows: Windows) -> Floats:
    """Errors in metres, one a window, if the car went on with its speed and its turn rate (CTRV): along an arc."""
    ahead_mps, left_mps = windows.body_velocity()
    yaw = windows.yaw_rad[windows.line]
    x_mps, y_mps = ahead_mps * np.cos(yaw) - left_mps * np.sin(yaw), ahead_mps * np.sin(yaw) + left_mps * np.cos(yaw)
    turn = windows.turning() * HORIZON_S
    turn = np.where(np.abs(turn) < STRAIGHT_BELOW_RADPS, STRAIGHT_BELOW_RADPS, turn)
    along, across = np.sin(turn) / turn * HORIZON_S, (1.0 - np.cos(turn)) / turn * HORIZON_S
    x_m, y_m = windows.x_m[windows.line], windows.y_m[windows.line]
    return windows.errors_m(x_m + along * x_mps - across * y_mps, y_m + across * x_mps + along * y_mps)
