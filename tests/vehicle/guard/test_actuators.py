"""Neutral is tried more than once, by calibration first, then as the driver knows it, and never given up quietly."""

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
    wheels = Actuators(motors, STOCK_CALIBRATION)
    wheels.apply_action(Action(1.0, 1.0))
    assert motors.pulses == Pulses(1_700_000, 1_311_000)
    motors.refusals = refusals
    wheels.set_neutral()
    assert motors.pulses == REST
    wheels.close()


def test_neutral_that_cannot_be_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    motors = Stubborn({}, ManualClock())
    motors.refusals = 50

    def refuse() -> None:
        raise HardwareMissing("the device is gone.")

    monkeypatch.setattr(motors, "neutral", refuse)
    with pytest.raises(HardwareMissing, match="gone"):
        Actuators(motors, STOCK_CALIBRATION).set_neutral()


def test_wheels_without_motors_send_nothing_until_they_are_there() -> None:
    wheels = Actuators(None, STOCK_CALIBRATION)
    assert (wheels.apply_action(NEUTRAL), wheels.is_attached) == (None, False)
    with pytest.raises(AssertionError, match="cannot be armed"):
        wheels.apply_action(Action(0.0, 0.1))
    wheels.set_neutral()
    wheels.close()
    motors = MockMotors({}, ManualClock())
    wheels.attach(motors)
    assert (wheels.apply_action(NEUTRAL), motors.pulses, wheels.is_attached) == (REST, REST, True)
    wheels.close()
    wheels.close()
    assert not wheels.is_attached
