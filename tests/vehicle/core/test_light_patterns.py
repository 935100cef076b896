"""What the lights show: each mode by its rhythm alone, the car by its colour, and nothing that flashes too fast."""

from itertools import combinations, pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol.messages import CarMode
from vehicle.core.light_patterns import (
    DARK,
    LOW_BATTERY,
    LOW_BATTERY_PATTERN,
    PATTERNS,
    WHITE,
    LightColour,
    colour_of,
    light_at,
)

MS = 1_000_000
OWN = LightColour(70, 200, 245)
MODES: tuple[CarMode, ...] = get_args(CarMode)


def shown(mode: CarMode, *, is_battery_low: bool = False, seconds: int = 6) -> list[LightColour]:
    """Every 10 ms."""
    times = range(0, seconds * 1000, 10)
    return [light_at(mode, OWN, is_battery_low=is_battery_low, at_ns=at_ms * MS) for at_ms in times]


def test_every_mode_has_a_pattern_and_no_two_share_a_rhythm() -> None:
    assert set(PATTERNS) == set(MODES)
    lit = {mode: tuple(colour != DARK for colour in shown(mode)) for mode in MODES}
    for one, other in combinations(MODES, 2):
        differing = sum(a != b for a, b in zip(lit[one], lit[other], strict=True))
        assert differing > len(lit[one]) // 20, f"{one} and {other} look alike without colours"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("is_battery_low", [False, True])
def test_nothing_flashes_more_than_three_times_in_any_second(mode: CarMode, is_battery_low: bool) -> None:
    """WCAG 2.2, 2.3.1: what flashes faster may cause seizures."""
    colours = shown(mode, is_battery_low=is_battery_low, seconds=12)
    begins = [at for at, (before, now) in enumerate(pairwise(colours)) if before == DARK != now]
    assert all(later - first >= 100 for first, later in zip(begins, begins[3:], strict=False))


@pytest.mark.parametrize(
    ("mode", "colours"),
    [
        ("disarmed", {DARK, OWN}),
        ("driving", {OWN}),  # the car is known by its colour while it drives
        ("tripped", {DARK, LightColour(255, 0, 0)}),
    ],
)
def test_the_cars_own_colour_and_the_modes(mode: CarMode, colours: set[LightColour]) -> None:
    assert set(shown(mode)) == colours


def test_a_low_battery_shows_in_every_mode_but_over_a_trip() -> None:
    for mode in MODES:
        colours = shown(mode, is_battery_low=True)
        assert (LOW_BATTERY in colours) == (mode != "tripped")
        assert len(set(colours) - {LOW_BATTERY, DARK}) == 1, "the mode is seen beside it"
    assert LOW_BATTERY not in shown("driving")


@given(st.integers(0, 10**18))
def test_at_any_time_the_light_has_a_colour(at_ns: int) -> None:
    for mode in MODES:
        assert light_at(mode, OWN, is_battery_low=True, at_ns=at_ns) in {
            DARK,
            OWN,
            LOW_BATTERY,
            PATTERNS[mode].colour,
        }
    assert LOW_BATTERY_PATTERN.is_on(0)


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#46c8f5", LightColour(0x46, 0xC8, 0xF5)),
        ("#FFFFFF", WHITE),
        *((text, None) for text in ("", "46c8f5", "#46c8f", "#46c8f5 ", "#46c8g5", "#46c8f5\n", "#٤٦c8f5")),
    ],
)
def test_a_colour_is_written_as_on_the_web(text: str, colour: LightColour | None) -> None:
    assert colour_of(text) == colour
    if colour is not None:
        assert str(colour) == text.lower()
