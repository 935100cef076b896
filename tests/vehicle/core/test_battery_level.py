"""The stock gauge's bytes as per cent, and a charge that neither a full throttle nor one bad reading changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.core.battery_level import LEVELS, READINGS, BatteryCharge, level_of, percent_of


@pytest.mark.parametrize(
    ("reading", "level", "percent"),
    # Both sides of each step of battery_node.cpp's `levelMap`.
    [
        *((0xFF, 11, 100), (0xEC, 11, 100), (0xEB, 10, 100), (0xE0, 10, 100), (0xDF, 9, 90), (0xD9, 9, 90)),
        *((0xD3, 8, 80), (0xD2, 7, 70), (0xCF, 7, 70), (0xCB, 6, 60), (0xC8, 5, 50), (0xC5, 4, 40), (0xC3, 3, 30)),
        *((0xC0, 2, 20), (0xBF, 1, 10), (0xB4, 1, 10), (0xB3, 0, 0), (0x8C, 0, 0), (0x8B, None, None), (0, None, None)),
    ],
)
def test_a_byte_of_the_gauge(reading: int, level: int | None, percent: int | None) -> None:
    assert (level_of(reading), percent_of(reading)) == (level, percent)


@given(st.integers(0, 255), st.integers(0, 255))
def test_a_higher_byte_is_never_a_lower_charge(one: int, other: int) -> None:
    low, high = (-1 if percent_of(byte) is None else percent_of(byte) for byte in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert low <= high
    assert [least for least, _ in LEVELS] == sorted((least for least, _ in LEVELS), reverse=True)


@pytest.mark.parametrize(
    ("readings", "percent", "is_low"),
    [
        ([], None, False),
        ([80], 80, False),
        ([80, 80, 80, 10, 10, 80, 80], 80, False),  # a full throttle of ten seconds
        ([80, None, 80], 80, False),
        ([80, None, None], None, False),  # it fell silent
        ([30, 30, 10, 10, 10, 10, 10], 10, True),
        ([20, 20, 20], 20, False),
        ([None] * READINGS + [90] * 4, 90, False),  # the last ones count
    ],
)
def test_the_charge_is_the_middle_of_the_last_readings(
    readings: list[int | None], percent: int | None, is_low: bool
) -> None:
    charge = BatteryCharge()
    for reading in readings:
        charge.add(reading)
    assert (charge.percent, charge.is_low) == (percent, is_low)
