"""The line that systemd is told of a car is read back as it was meant, and nothing else is taken for one."""

import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.process.car_unit_status import CarUnitStatus, read_status
from shared.protocol.messages import CarMode
from vehicle.core.modes import ARMED

MODES = typing.get_args(CarMode)


@given(st.sampled_from(MODES), st.booleans(), st.text(st.characters(categories=("L", "N", "P", "Zs"))).map(str.strip))
def test_each_status_is_read_back(mode: str, is_online: bool, reason: str) -> None:
    status = CarUnitStatus(mode, is_online, reason)
    assert read_status(status.line()) == status


@pytest.mark.parametrize("mode", MODES)
def test_a_car_is_armed_in_the_modes_that_are(mode: CarMode) -> None:
    assert CarUnitStatus(mode, is_online=True).is_armed == (mode in ARMED)


@pytest.mark.parametrize("line", ["", "\n", "Reached target", "driving", "driving, perhaps", "Driving, online"])
def test_what_no_car_told_is_no_status(line: str) -> None:
    assert read_status(line) is None
