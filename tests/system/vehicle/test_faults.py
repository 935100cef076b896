"""Whatever breaks, the wheels are neutral within its stated limit and 150 ms, and nothing re-arms by itself.

One trial of each fault here; `./dev bench faults` runs twenty and more.
"""

import pytest

from raceday.broker import mosquitto_path
from tests.system.vehicle.car_faults import FAULTS, MARGIN_MS, FaultTrial, in_memory, in_turn, trials

pytestmark = [pytest.mark.slow, pytest.mark.broker]
ALONE = [fault for fault in FAULTS if fault.alone]


@pytest.fixture(autouse=True)
def mosquitto() -> None:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")


@pytest.mark.parametrize("fault", ALONE, ids=lambda fault: fault.name.replace(" ", "-"))
def test_the_wheels_stop(fault: FaultTrial) -> None:
    with in_memory() as folder:
        [outcome] = trials(fault, folder, 1)
    assert outcome.beyond_ms <= MARGIN_MS, outcome


@pytest.mark.timeout(400)
def test_the_wheels_stop_and_a_person_can_drive_on_after_each_fault_that_passes() -> None:
    with in_memory() as folder:
        outcomes = list(in_turn(folder))
    assert len(outcomes) == len(FAULTS) - len(ALONE)
    assert [outcome for outcome in outcomes if outcome.beyond_ms > MARGIN_MS] == []
