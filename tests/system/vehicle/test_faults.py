"""Whatever breaks, the wheels are neutral within its stated limit and 150 ms, and nothing re-arms by itself.

Two trials of each fault here; `./dev bench faults` runs twenty and more.
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
        for outcome in trials(fault, folder, 2):
            assert outcome.beyond_ms <= MARGIN_MS, outcome
