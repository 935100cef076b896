"""Fit a car's parameters to windows: least squares with little weight for what is far off, by Levenberg and Marquardt.

Errors of 8 cm count in proportion to their square, larger ones in proportion to themselves (soft L1), so that a wheel
on the grass or a wrong time stamp does not decide. Derivatives are differences; a delay's is taken over two sub-steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.fidelity.prediction import predicted
from simulator.fidelity.simtrace import Floats
from simulator.fidelity.windows import Windows
from simulator.world.car import CarParameters

MAX_WINDOWS = 2_000
MAX_ROUNDS = 30
SCALE_M = 0.08
ENOUGH = 1e-5  # a round that gains a smaller share than this is the last
DELAY_STEP_S = 1 / 120
STEP = 1e-4
WEAKEST_DAMPING, FIRST_DAMPING = 1e-6, 1e-2
TRIES = 8


@dataclass(frozen=True, slots=True)
class Fitted:
    """One fitted quantity, the parameters that it sets, and between what it is looked for."""

    fields: tuple[str, ...]
    low: float
    high: float

    @property
    def step(self) -> float:
        """By how much it is changed to see what that does."""
        return DELAY_STEP_S if self.fields[0].endswith("delay_s") else STEP


_SPEED_GAIN = Fitted(("speed_gain",), 0.3, 1.6)
_STEERING_GAIN = Fitted(("steering_gain",), 0.2, 2.0)
_STEERING_LAG = Fitted(("steering_lag_s",), 0.004, 0.5)
_LAGS = (Fitted(("speed_lag_s",), 0.005, 1.5), Fitted(("slowing_lag_s", "braking_lag_s"), 0.005, 1.5))
_DELAYS = (Fitted(("throttle_delay_s",), 0.0, 0.3), Fitted(("steering_delay_s",), 0.0, 0.3))

BICYCLE = (
    _SPEED_GAIN,
    Fitted(("speed_lag_s", "slowing_lag_s", "braking_lag_s"), 0.005, 1.5),
    _STEERING_GAIN,
    _STEERING_LAG,
    Fitted(("throttle_delay_s", "steering_delay_s"), 0.0, 0.3),
)
ROLLING = (
    _SPEED_GAIN,
    *_LAGS,
    _STEERING_GAIN,
    _STEERING_LAG,
    *_DELAYS,
    Fitted(("understeer_s2pm2",), 0.0, 2.0),
    Fitted(("reference_m",), -0.05, 0.3),
)
# A scrub of 1 cm is as good as none; from 0 on, a small change of it would show nothing.
SLIDING = (
    _SPEED_GAIN,
    *_LAGS,
    Fitted(("acceleration_mps2",), 0.5, 40.0),
    _STEERING_GAIN,
    _STEERING_LAG,
    *_DELAYS,
    Fitted(("grip_mps2",), 0.5, 30.0),
    Fitted(("slip_mps",), 0.05, 5.0),
    Fitted(("gyration_m",), 0.06, 0.4),
    Fitted(("scrub_m",), 0.01, 0.15),
)

_ROLLS = CarParameters(
    1.0, 0.12, 0.12, 0.12, throttle_delay_s=0.1, steering_gain=0.7, steering_lag_s=0.1, steering_delay_s=0.1
)
_SLIDES = replace(
    _ROLLS,
    acceleration_mps2=5.0,
    deceleration_mps2=15.0,
    steering_lag_s=0.05,
    grip_mps2=4.9,
    slip_mps=0.3,
    scrub_m=0.05,
)


@dataclass(frozen=True, slots=True)
class CarFit:
    """A fitted car and what the fit came to: the mean cost of the windows that were looked at."""

    car: CarParameters
    cost: float


def fit_bicycle(windows: Windows) -> CarFit:
    """Fit the kinematic bicycle: gains of speed and steering, a lag of each, and one delay."""
    return fit(windows, BICYCLE, _ROLLS)


def fit_car(windows: Windows, starts: Sequence[CarParameters] = ()) -> CarFit:
    """Fit a car that rolls and one that slides, from what is usual and from each of `starts`; return the better one."""
    begun = [_ROLLS, _SLIDES, *starts]
    return min((fit(windows, SLIDING if car.grip_mps2 else ROLLING, car) for car in begun), key=lambda each: each.cost)


def fit(windows: Windows, fitted: Sequence[Fitted], start: CarParameters) -> CarFit:
    """Change what is `fitted` of `start` until the windows are met best."""
    some = windows.at_most(MAX_WINDOWS)
    low, high = np.array([each.low for each in fitted]), np.array([each.high for each in fitted])
    values = np.clip([getattr(start, each.fields[0]) for each in fitted], low, high)
    misses = _misses(some, _car(start, fitted, values))
    cost, damping = _cost(misses), FIRST_DAMPING
    for _ in range(MAX_ROUNDS):
        slopes = np.stack(
            [_slope(some, start, fitted, values, misses, number) for number in range(len(fitted))], axis=-1
        )
        weights = np.tile(1.0 / np.sqrt(1.0 + _distances(misses) ** 2 / SCALE_M**2), 2)
        curvature, pull = slopes.T @ (slopes * weights[:, None]), slopes.T @ (weights * misses)
        held = ((values <= low) & (pull > 0.0)) | ((values >= high) & (pull < 0.0))  # at its end, and pulled beyond
        free = np.flatnonzero(~held)
        for _ in range(TRIES):
            damped = curvature + np.diag(damping * (np.diag(curvature) + 1e-9))
            tried = values.copy()
            tried[free] -= np.linalg.solve(damped[np.ix_(free, free)], pull[free])
            tried = np.clip(tried, low, high)
            tried_misses = _misses(some, _car(start, fitted, tried))
            tried_cost = _cost(tried_misses)
            if tried_cost < cost:
                break
            damping *= 4.0
        else:
            break
        gained = cost - tried_cost
        values, misses, cost, damping = tried, tried_misses, tried_cost, max(damping / 3.0, WEAKEST_DAMPING)
        if gained < ENOUGH * cost:
            break
    return CarFit(_car(start, fitted, values), cost)


def _car(start: CarParameters, fitted: Sequence[Fitted], values: Floats) -> CarParameters:
    fields = {name: float(value) for each, value in zip(fitted, values, strict=True) for name in each.fields}
    return replace(start, **fields)


def _slope(
    windows: Windows, start: CarParameters, fitted: Sequence[Fitted], values: Floats, misses: Floats, number: int
) -> Floats:
    """By how much each miss changes with quantity `number`."""
    moved = values.copy()
    step = fitted[number].step
    moved[number] += step
    return (_misses(windows, _car(start, fitted, moved)) - misses) / step


def _misses(windows: Windows, car: CarParameters) -> Floats:
    """All misses along x, then all along y."""
    x_m, y_m = predicted(windows, car)
    return np.concatenate([x_m - windows.came_to[:, 0], y_m - windows.came_to[:, 1]])


def _distances(misses: Floats) -> Floats:
    along_x, along_y = np.split(misses, 2)
    return np.hypot(along_x, along_y)


def _cost(misses: Floats) -> float:
    return float(np.mean(np.sqrt(1.0 + _distances(misses) ** 2 / SCALE_M**2) - 1.0))
