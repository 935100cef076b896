"""Pulse widths: the stock figures, rounding, monotonicity, and drivers that are too coarse."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigError, HardwareMissing
from vehicle.core.actions import Action
from vehicle.core.pulses import (
    STOCK_CALIBRATION,
    Calibration,
    ChannelCalibration,
    PulseResolution,
    Pulses,
    neutral_pulses,
    require_fine_enough,
    to_pulses,
)


@pytest.mark.parametrize(
    ("steering", "throttle", "expected"),
    [
        (0.0, 0.0, Pulses(1_450_000, 1_446_000)),
        (1.0, 1.0, Pulses(1_700_000, 1_311_000)),  # polarity -1: forward is the short pulse
        (-1.0, -1.0, Pulses(1_200_000, 1_603_000)),  # 1603.5 us, rounded down to stay within the end
        (0.5, 0.2, Pulses(1_575_000, 1_419_000)),
    ],
)
def test_the_stock_calibration(steering: float, throttle: float, expected: Pulses) -> None:
    assert to_pulses(Action(steering, throttle), STOCK_CALIBRATION) == expected


def test_neutral_is_the_middle() -> None:
    assert neutral_pulses(STOCK_CALIBRATION, PulseResolution(1)) == Pulses(1_450_000, 1_446_000)


@st.composite
def channels(draw: st.DrawFn) -> ChannelCalibration:
    low, mid, high = sorted(draw(st.lists(st.integers(500_000, 2_500_000), min_size=3, max_size=3, unique=True)))
    return ChannelCalibration(low, mid, high, polarity=draw(st.sampled_from([-1, 1])))


VALUES = st.floats(-1, 1)


@given(channels(), VALUES, VALUES, st.integers(1, 5_000))
def test_more_is_never_less_and_stays_within_the_ends(
    channel: ChannelCalibration, one: float, other: float, resolution_ns: int
) -> None:
    calibration = Calibration(channel, channel)
    if (channel.max_ns // resolution_ns) < -(-channel.min_ns // resolution_ns):
        return  # no step of this driver lies within the calibration; `require_fine_enough` refuses it
    low, high = sorted((one, other))
    below = to_pulses(Action(low, low), calibration, PulseResolution(resolution_ns)).steering_ns
    above = to_pulses(Action(high, high), calibration, PulseResolution(resolution_ns)).steering_ns
    assert (above - below) * channel.polarity >= 0
    for width_ns in (below, above):
        assert channel.min_ns <= width_ns <= channel.max_ns
        assert width_ns % resolution_ns == 0


@pytest.mark.parametrize(
    ("resolution", "width_ns", "steps"),
    [
        (PulseResolution(1_000), 1_446_400, 1446),
        (PulseResolution(1_000), 1_446_600, 1447),
        (PulseResolution(20_000_000 / 4096, rounds_up=True), 1_446_000, 297),  # 296.14 of the kernel's counts
        (PulseResolution(20_000_000 / 4096, rounds_up=True), 1_450_195, 297),  # 296.99996: what 297 are recorded as
        (PulseResolution(20_000_000 / 4096, rounds_up=True), 1_450_196, 298),
        (PulseResolution(4_880), 1_446_000, 296),
        (PulseResolution(4_615.79), 1_446_000, 313),
    ],
)
def test_a_width_becomes_the_steps_that_the_device_makes(
    resolution: PulseResolution, width_ns: int, steps: int
) -> None:
    assert resolution.steps(width_ns) == steps


@given(st.sampled_from([1_000, 4_880, 20_000_000 / 4096, 122e9 / 26_431_000]), st.booleans(), st.integers(1, 4_095))
def test_what_is_recorded_is_made_of_the_same_steps_again(step_ns: float, rounds_up: bool, steps: int) -> None:
    if rounds_up and step_ns == 122e9 / 26_431_000:
        return  # no chip rounds up with a step that is no binary fraction
    resolution = PulseResolution(step_ns, rounds_up)
    assert resolution.steps(resolution.width_ns(steps)) == steps


@given(channels(), VALUES, st.integers(1, 2_000))
def test_rounding_is_to_the_nearest_step(channel: ChannelCalibration, value: float, resolution_ns: int) -> None:
    if (channel.max_ns // resolution_ns) < -(-channel.min_ns // resolution_ns):
        return
    exact = to_pulses(Action(value, 0.0), Calibration(channel, channel), PulseResolution(1)).steering_ns
    rounded = to_pulses(Action(value, 0.0), Calibration(channel, channel), PulseResolution(resolution_ns)).steering_ns
    assert abs(rounded - exact) <= resolution_ns


@pytest.mark.parametrize("value", [1.000001, -2.0, math.nan, math.inf])
def test_what_the_limiter_did_not_pass_is_a_bug_not_a_pulse(value: float) -> None:
    with pytest.raises(AssertionError):
        to_pulses(Action(value, 0.0), STOCK_CALIBRATION)


@pytest.mark.parametrize(("resolution_ns", "fits"), [(1_000, True), (4_883, True), (6_751, False), (200_000, False)])
def test_a_driver_too_coarse_is_refused(resolution_ns: int, fits: bool) -> None:
    if fits:
        require_fine_enough(STOCK_CALIBRATION, PulseResolution(resolution_ns))
        return
    with pytest.raises(HardwareMissing, match="use a finer driver"):
        require_fine_enough(STOCK_CALIBRATION, PulseResolution(resolution_ns))


@pytest.mark.parametrize(
    ("widths", "polarity"),
    [((1_500_000, 1_400_000, 1_700_000), 1), ((1_200_000, 1_450_000, 1_450_000), 1), ((1, 2, 3), 1), ((0, 0, 0), 1)],
)
def test_a_calibration_that_does_not_rise_is_refused(widths: tuple[int, int, int], polarity: int) -> None:
    with pytest.raises(ConfigError, match="must rise"):
        ChannelCalibration(*widths, polarity)


def test_a_polarity_is_one_or_minus_one() -> None:
    with pytest.raises(ConfigError, match="polarity"):
        ChannelCalibration(1_200_000, 1_450_000, 1_700_000, 0)
