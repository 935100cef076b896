"""Whatever breaks, the wheels are neutral within its stated limit and 150 ms, and nothing re-arms by itself.

Two trials of each here; `./dev bench faults` does twenty and more.
"""

import pathlib

import pytest

from raceday.broker import mosquitto_path
from tests.vehicle.faults import FAULTS, MARGIN_MS, FaultTrial, trials

pytestmark = [pytest.mark.slow, pytest.mark.broker]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_the_wheels_stop(tmp_path: pathlib.Path, fault: FaultTrial) -> None:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    for outcome in trials(fault, tmp_path, 2):
        assert outcome.beyond_ms <= MARGIN_MS, outcome
