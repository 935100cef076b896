"""Whatever breaks, the wheels are neutral within its stated limit and 150 ms, and nothing re-arms by itself.

A fault that can be undone is tried twice on one car, so that the car has to drive again after the first; one that
takes the car or the broker with it needs a new scene for each trial, and is tried once. `./dev bench faults` runs
twenty trials and more of each.
"""

import pytest

from raceday.broker import mosquitto_path
from tests.system.vehicle.car_faults import FAULTS, MARGIN_MS, FaultTrial, in_memory, trials

pytestmark = [pytest.mark.slow, pytest.mark.broker]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_the_wheels_stop(fault: FaultTrial) -> None:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    with in_memory() as folder:
        for outcome in trials(fault, folder, 1 if fault.alone else 2):
            assert outcome.beyond_ms <= MARGIN_MS, outcome
