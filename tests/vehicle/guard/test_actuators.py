"""Neutral is tried more than once, first by the calibration, then by the driver's own, and never fails silently."""

import pytest

from shared.clock import ManualClock
from shared.errors import HardwareMissing
from vehicle.core.actions import NEUTRAL, Action
from vehicle.core.pulses import STOCK_CALIBRATION, Pulses
from vehicle.guard.actuators import Actuators
from vehicle.hardware.motors.mock import MockMotors

REST = Pulses(1_450_000, 1_446_000)


class Stubborn(MockMotors):
    """A driver that refuses the first `refusals` pulses."""

    refusals = 0

    def apply(self, pulses: Pulses) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise HardwareMissing("the bus is busy.")
        super().apply(pulses)


@pytest.mark.parametrize("refusals", [0, 1, 2, 3, 50])
def test_neutral_comes_through(refusals: int) -> None:
    motors = Stubborn({}, ManualClock())
    actuators = Actuators(motors, STOCK_CALIBRATION)
    actuators.apply_action(Action(1.0, 1.0), "driving")
    assert motors.pulses == Pulses(1_700_000, 1_311_000)
    motors.refusals = refusals
    actuators.set_neutral()
    assert motors.pulses == REST
    actuators.close()


def test_neutral_that_cannot_be_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    motors = Stubborn({}, ManualClock())
    motors.refusals = 50

    def refuse() -> None:
        raise HardwareMissing("the device is gone.")

    monkeypatch.setattr(motors, "neutral", refuse)
    with pytest.raises(HardwareMissing, match="gone"):
        Actuators(motors, STOCK_CALIBRATION).set_neutral()


def test_wheels_without_motors_send_nothing_until_they_are_there() -> None:
    actuators = Actuators(None, STOCK_CALIBRATION)
    assert (actuators.apply_action(NEUTRAL, "disarmed"), actuators.is_attached) == (None, False)
    with pytest.raises(AssertionError, match="cannot be armed"):
        actuators.apply_action(Action(0.0, 0.1), "driving")
    actuators.set_neutral()
    actuators.close()
    motors = MockMotors({}, ManualClock())
    actuators.attach(motors)
    assert (actuators.apply_action(NEUTRAL, "disarmed"), motors.pulses, actuators.is_attached) == (REST, REST, True)
    actuators.close()
    actuators.close()
    assert not actuators.is_attached
