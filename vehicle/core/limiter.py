"""Limits an action before it becomes pulses: finite, within the caps, and with limited slew rates.

It is independent of the policy. Changes of throttle towards neutral are not limited: braking is never slewed.
"""

import math
from dataclasses import dataclass

from shared.config import setting
from shared.units import NS_PER_S
from vehicle.core.actions import NEUTRAL, Action

# After a pause the slew starts again from where it was, as if one slow tick had passed.
_MAX_TICK_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class DriveLimits:
    """What no policy may exceed; shares of the calibrated range, and shares per second."""

    throttle_cap: float = setting(1.0, min=0.0, max=1.0, what="the most forward throttle, a share of full")
    reverse_cap: float = setting(0.0, min=0.0, max=1.0, what="the most backward throttle, a share of full")
    throttle_slew_per_s: float = setting(4.0, min=0.1, max=100.0, what="how fast throttle may grow")
    steering_slew_per_s: float = setting(15.0, min=0.5, max=100.0, what="how fast steering may turn")


def limit(wanted: Action, last: Action, dt_ns: int, limits: DriveLimits) -> Action:
    """The part of `wanted` that is allowed `dt_ns` after `last` was applied. Neutral if a value is not finite."""
    if not (math.isfinite(wanted.steering) and math.isfinite(wanted.throttle)):
        return NEUTRAL
    tick_s = min(max(dt_ns, 0), _MAX_TICK_NS) / NS_PER_S
    return Action(_steering(wanted, last, tick_s, limits), _throttle(wanted, last, tick_s, limits))


def _steering(wanted: Action, last: Action, tick_s: float, limits: DriveLimits) -> float:
    step = limits.steering_slew_per_s * tick_s
    return min(1.0, max(-1.0, _clamp(wanted.steering, last.steering - step, last.steering + step)))


def _throttle(wanted: Action, last: Action, tick_s: float, limits: DriveLimits) -> float:
    capped = _clamp(wanted.throttle, -limits.reverse_cap, limits.throttle_cap)
    step = limits.throttle_slew_per_s * tick_s
    # From one direction to the other the car passes through neutral: only the change away from it is slewed.
    return _clamp(capped, min(last.throttle, 0.0) - step, max(last.throttle, 0.0) + step)


def _clamp(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))
