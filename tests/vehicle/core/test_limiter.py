"""The limiter: finite, capped, slewed; braking is never limited."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config import from_table
from shared.errors import ConfigError
from vehicle.core.actions import NEUTRAL, Action
from vehicle.core.limiter import DriveLimits, limit

LIMITS = DriveLimits(throttle_cap=0.5, reverse_cap=0.2, throttle_slew_per_s=2.0, steering_slew_per_s=10.0)
TICK_NS = 16_666_667

ANY = st.floats(allow_nan=True, allow_infinity=True)
ACTIONS = st.builds(Action, ANY, ANY)
APPLIED = st.builds(Action, st.floats(-1, 1), st.floats(-1, 1))
LIMITED = st.builds(DriveLimits, st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 100), st.floats(0.5, 100))


@pytest.mark.parametrize(
    ("wanted", "last", "dt_ns", "allowed"),
    [
        (Action(0.0, 1.0), Action(0.0, 0.5), 100_000_000, Action(0.0, 0.5)),  # the cap
        (Action(0.0, 1.0), Action(0.0, 0.0), 100_000_000, Action(0.0, 0.2)),  # the slew
        (Action(0.0, 0.0), Action(0.0, 0.5), 0, Action(0.0, 0.0)),  # braking at once
        (Action(0.0, -1.0), Action(0.0, 0.5), 50_000_000, Action(0.0, -0.1)),  # reverse from neutral
        (Action(1.0, 0.0), Action(-1.0, 0.0), 50_000_000, Action(-0.5, 0.0)),
        (Action(9.0, 0.0), Action(0.9, 0.0), 50_000_000, Action(1.0, 0.0)),
        (Action(1.0, 1.0), Action(0.0, 0.0), 60_000_000_000, Action(1.0, 0.2)),  # a pause is one slow tick
    ],
)
def test_table(wanted: Action, last: Action, dt_ns: int, allowed: Action) -> None:
    out = limit(wanted, last, dt_ns, LIMITS)
    assert out.steering == pytest.approx(allowed.steering)
    assert out.throttle == pytest.approx(allowed.throttle)


@pytest.mark.parametrize(
    ("name", "default", "low", "high"),
    [
        ("throttle_cap", 1.0, 0.0, 1.0),
        ("reverse_cap", 0.0, 0.0, 1.0),
        ("throttle_slew_per_s", 4.0, 0.1, 100.0),
        ("steering_slew_per_s", 15.0, 0.5, 100.0),
    ],
)
def test_the_shipped_limits_and_what_may_be_set(name: str, default: float, low: float, high: float) -> None:
    assert getattr(from_table({}, DriveLimits, "limits"), name) == default
    for allowed in (low, high):
        assert getattr(from_table({name: allowed}, DriveLimits, "limits"), name) == allowed
    for refused in (math.nextafter(low, -math.inf), math.nextafter(high, math.inf)):
        with pytest.raises(ConfigError, match=name):
            from_table({name: refused}, DriveLimits, "limits")


@pytest.mark.parametrize(
    ("wanted", "last", "dt_ns", "allowed"),
    [
        (Action(0.0, 0.5), NEUTRAL, -1, NEUTRAL),  # time that runs backwards gives no room
        (Action(0.5, 0.0), NEUTRAL, -(10**9), NEUTRAL),
        (Action(0.0, 0.5), NEUTRAL, 0, NEUTRAL),
        (Action(0.0, 0.5), NEUTRAL, 99_999_999, Action(0.0, 0.199999998)),  # just below the longest tick
        (Action(0.0, 0.5), NEUTRAL, 100_000_001, Action(0.0, 0.2)),
        (Action(0.0, -1.0), NEUTRAL, 100_000_000, Action(0.0, -0.2)),
        (Action(0.0, 0.4), Action(0.0, 0.3), 10_000_000, Action(0.0, 0.32)),
        (Action(0.0, -0.2), Action(0.0, -0.1), 10_000_000, Action(0.0, -0.12)),
        (Action(0.0, 0.4), Action(0.0, -0.1), 10_000_000, Action(0.0, 0.02)),  # from reverse, through neutral
        (Action(-1.0, 0.0), Action(-0.95, 0.0), 100_000_000, Action(-1.0, 0.0)),
        (Action(-9.0, 0.0), Action(-0.95, 0.0), 100_000_000, Action(-1.0, 0.0)),
        (Action(0.2, 0.0), Action(0.1, 0.0), 5_000_000, Action(0.15, 0.0)),
        (Action(-0.2, 0.0), Action(-0.1, 0.0), 5_000_000, Action(-0.15, 0.0)),
    ],
)
def test_the_borders(wanted: Action, last: Action, dt_ns: int, allowed: Action) -> None:
    out = limit(wanted, last, dt_ns, LIMITS)
    assert (out.steering, out.throttle) == (
        pytest.approx(allowed.steering, abs=1e-12),
        pytest.approx(allowed.throttle, abs=1e-12),
    )


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_an_action_that_is_not_finite_is_neutral(broken: float) -> None:
    assert limit(Action(broken, 0.5), Action(0.3, 0.5), TICK_NS, LIMITS) == NEUTRAL
    assert limit(Action(0.5, broken), Action(0.3, 0.5), TICK_NS, LIMITS) == NEUTRAL


@given(ACTIONS, APPLIED, st.integers(-(10**12), 10**12), LIMITED)
def test_always_finite_and_within_the_caps(wanted: Action, last: Action, dt_ns: int, limits: DriveLimits) -> None:
    out = limit(wanted, last, dt_ns, limits)
    assert -1.0 <= out.steering <= 1.0
    assert -limits.reverse_cap <= out.throttle <= limits.throttle_cap


@given(ACTIONS, APPLIED, st.integers(0, 50_000_000), LIMITED)
def test_growth_is_slewed(wanted: Action, last: Action, dt_ns: int, limits: DriveLimits) -> None:
    out = limit(wanted, last, dt_ns, limits)
    room = limits.throttle_slew_per_s * dt_ns / 1e9 + 1e-9
    assert out.throttle <= max(last.throttle, 0.0) + room
    assert out.throttle >= min(last.throttle, 0.0) - room
    if out != NEUTRAL:
        assert abs(out.steering - last.steering) <= limits.steering_slew_per_s * dt_ns / 1e9 + 1e-9


@given(APPLIED, st.integers(0, 10**9), LIMITED)
def test_a_request_for_neutral_throttle_is_always_granted_at_once(
    last: Action, dt_ns: int, limits: DriveLimits
) -> None:
    assert limit(Action(last.steering, 0.0), last, dt_ns, limits).throttle == 0.0


def test_limits_do_not_change_once_they_are_set() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        LIMITS.throttle_cap = 1.0  # type: ignore[misc]
    assert not hasattr(LIMITS, "__dict__")
