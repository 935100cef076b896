"""The calibration from the phone: every pulse ends by itself, whatever is said, and only an unarmed car is moved."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import ManualClock
from shared.errors import BadInput
from tests.vehicle.core.test_controller import MS, Bench, driving
from vehicle.core.calibration_session import IDLE_TIMEOUT_NS, PULSE_NS, CalibrationSession
from vehicle.core.calibration_steps import STEPS, CalibrationSteps
from vehicle.core.messages import CalibrationAction, CalibrationCommand, CalibrationStatus
from vehicle.core.pulses import STOCK_CALIBRATION, Calibration, ChannelCalibration, Pulses
from vehicle.guard.actuators import Actuators
from vehicle.guard.calibration import CalibrationControl
from vehicle.guard.failsafe_link import FailsafeLink
from vehicle.hardware.motors.mock import MockMotors

__all__ = ["driving"]  # a fixture of the controller's tests
REST = Pulses(1_450_000, 1_446_000)
FOUND = Calibration(
    ChannelCalibration(1_200_000, 1_500_000, 1_700_000, 1), ChannelCalibration(1_311_000, 1_446_000, 1_603_500, -1)
)
ACTIONS: list[CalibrationAction] = [
    action for action in get_args(CalibrationAction) if action not in ("begin", "cancel", "saved")
]
WORDS = st.builds(CalibrationCommand, st.sampled_from(ACTIONS), st.integers(-5, 3_000))


def through(fitting: CalibrationSession, *words: CalibrationCommand) -> CalibrationStatus:
    """The words, one after the other."""
    for word in words:
        fitting.on_command(word, 0)
    return fitting.status()


RIGHT_WHEEL = (CalibrationCommand("show"), CalibrationCommand("yes"))  # the first step: the front wheels moved


def keeps(count: int) -> list[CalibrationCommand]:
    return [CalibrationCommand("keep")] * count


def test_all_steps_in_their_order() -> None:
    fitting = CalibrationSession(STOCK_CALIBRATION, 1_000, 0)
    assert (fitting.status().step, fitting.status().is_question) == (0, True)
    fitting.on_command(CalibrationCommand("show"), 0)
    assert fitting.pulses(0) == Pulses(1_490_000, 1_446_000)
    tuning = through(fitting, CalibrationCommand("yes"))
    assert (tuning.step, tuning.width_us) == (1, 1450)
    tuning = through(fitting, CalibrationCommand("try", 1500), CalibrationCommand("keep"))
    assert (tuning.step, tuning.width_us, tuning.question) == (2, 1200, STEPS[2].question)
    tuning = through(fitting, *keeps(5))
    assert (tuning.step, tuning.is_question) == (7, True)
    fitting.on_command(CalibrationCommand("show"), 0)
    assert fitting.pulses(0) == Pulses(1_600_000, 1_446_000)
    tuning = through(fitting, CalibrationCommand("yes"), CalibrationCommand("no"))
    assert (tuning.step, tuning.steps, tuning.question, tuning.found) == (9, 9, "", FOUND)
    assert through(fitting, CalibrationCommand("back")).is_question


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, st.integers(0, 3 * PULSE_NS)), max_size=40))
def test_no_pulse_outlives_its_second_whatever_is_said(said: list[tuple[CalibrationCommand, int]]) -> None:
    fitting, now_ns = CalibrationSession(STOCK_CALIBRATION, 1_000, 0), 0
    for word, wait_ns in said:
        fitting.on_command(word, now_ns)
        at_once = fitting.pulses(now_ns)
        for width_ns in (at_once.steering_ns, at_once.throttle_ns):
            assert 500_000 <= width_ns <= 2_500_000
        found = fitting.status().found
        assert found is not None
        rest = Pulses(found.steering.mid_ns // 1000 * 1000, found.motor.mid_ns // 1000 * 1000)
        assert rest.steering_ns == at_once.steering_ns or rest.throttle_ns == at_once.throttle_ns  # never both at once
        if word.action not in ("try", "show"):
            assert at_once == rest
        assert fitting.pulses(now_ns + PULSE_NS) == rest
        assert not fitting.status().is_pulsing
        now_ns += PULSE_NS + wait_ns


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([CalibrationCommand("try", 499)], "499 us is not a pulse width"),
        ([CalibrationCommand("try", 2501)], "2501 us is not a pulse width"),
        ([CalibrationCommand("yes")], "another step"),
        ([CalibrationCommand("show")], "another step"),
        ([*keeps(6), CalibrationCommand("try", 1500)], "another step"),
        ([*keeps(6), CalibrationCommand("keep")], "another step"),
        (
            [CalibrationCommand("keep"), CalibrationCommand("try", 1500), CalibrationCommand("keep")],
            "does not fit",
        ),  # the shortest above the middle
    ],
)
def test_what_does_not_fit_is_a_sentence_and_moves_nothing(words: list[CalibrationCommand], said: str) -> None:
    fitting = CalibrationSession(STOCK_CALIBRATION, 1_000, 0)
    assert said in through(fitting, *RIGHT_WHEEL, *words).message
    assert fitting.pulses(0) == REST


def test_nothing_but_the_smallest_steering_pulse_before_the_right_wheel_has_moved() -> None:
    fitting = CalibrationSession(STOCK_CALIBRATION, 1_000, 0)
    assert "test pulse first" in through(fitting, CalibrationCommand("yes")).message
    for word in (CalibrationCommand("try", 1600), CalibrationCommand("keep")):
        assert "another step" in through(fitting, word).message
        assert fitting.pulses(0) == REST
    tuning = through(fitting, CalibrationCommand("show"), CalibrationCommand("no"))
    assert (tuning.step, "Swap the two channels" in tuning.message) == (0, True)
    assert fitting.pulses(0) == REST


def test_a_calibration_that_the_driver_is_too_coarse_for_is_not_done() -> None:
    fitting = CalibrationSession(STOCK_CALIBRATION, 100_000, 0)
    tuning = through(fitting, *RIGHT_WHEEL, *keeps(6), CalibrationCommand("yes"), CalibrationCommand("yes"))
    assert (tuning.step, "finer driver" in tuning.message) == (8, True)


def test_the_mind_forgets_nothing_when_it_goes_back() -> None:
    mind = CalibrationSteps(STOCK_CALIBRATION, 1_000)
    mind.back()
    assert mind.index == 0
    mind.demo_pulses()
    mind.answer(yes=True)
    mind.trial_pulses(1_480)
    mind.accept_width()
    mind.back()
    assert mind.width_us == 1_480
    mind.accept_width()
    assert mind.calibration.steering.mid_ns == 1_480_000
    mind.trial_pulses(1_300)
    mind.accept_width()
    assert mind.calibration.motor == STOCK_CALIBRATION.motor  # to the nanosecond: 1603.5 us


class FakeFailsafe(FailsafeLink):
    """Counts its notifications; never started."""

    def __init__(self) -> None:
        super().__init__("")
        self.notified = 0

    def notify_recalibrated(self) -> None:
        self.notified += 1


class Shop:
    """A calibration over a real controller, on mock motors."""

    def __init__(self, bench: Bench, calibration: Calibration | None = STOCK_CALIBRATION) -> None:
        self.bench, self.controller = bench, bench.controller
        self.motors = MockMotors({}, ManualClock())
        self.actuators = Actuators(self.motors, calibration)
        self.failsafe = FakeFailsafe()
        self.file: Calibration | BadInput | None = FOUND
        self.said: list[CalibrationStatus] = []
        self.control = CalibrationControl(self.controller, self.actuators, self.failsafe, self.reload)
        self.control.publish = self.said.append

    def reload(self) -> Calibration | None:
        if isinstance(self.file, BadInput):
            raise self.file
        return self.file

    def command(self, *words: CalibrationCommand) -> None:
        for word in words:
            self.control.on_command(word, self.bench.now_ns)
            self.control.tick(self.bench.now_ns)


def test_an_armed_or_tripped_car_is_not_calibrated(driving: Bench) -> None:
    shop = Shop(driving)
    shop.command(CalibrationCommand("begin"))
    assert (shop.said[-1].is_open, shop.said[-1].message) == (False, "The car is driving: stop it first.")
    driving.controller.estop("Emergency stop at the car.")
    shop.command(CalibrationCommand("begin"), CalibrationCommand("try", 1500))
    assert not shop.said[-1].is_open
    assert "reset it first" in shop.said[-2].message
    assert shop.motors.pulses is None
    assert shop.control.tick(driving.now_ns) is None


@pytest.mark.parametrize("device", ["motors", "button"])
def test_a_car_without_motors_or_button_is_not_calibrated(device: Any) -> None:
    shop = Shop(Bench())
    shop.controller.set_absent(device, "it does not answer.")
    shop.command(CalibrationCommand("begin"), CalibrationCommand("try", 1500))
    assert (shop.said[0].is_open, shop.said[0].message) == (
        False,
        "The car cannot be calibrated now. It does not answer.",
    )
    assert (shop.motors.pulses, shop.control.tick(shop.bench.now_ns), shop.controller.calibrated) == (None, None, True)


def test_a_car_in_calibration_cannot_be_armed_and_can_afterwards(driving: Bench) -> None:
    shop = Shop(driving)
    driving.order("stop")
    driving.run(50)
    shop.command(CalibrationCommand("begin"), *RIGHT_WHEEL, CalibrationCommand("try", 1500))
    assert shop.motors.pulses == Pulses(1_500_000, 1_446_000)
    driving.order("arm")
    driving.run(200)
    assert driving.controller.mode == "stopped"
    shop.command(CalibrationCommand("saved"))
    assert shop.said[-1].message == "The calibration is saved, and the car uses it."
    assert (shop.actuators.calibration, shop.failsafe.notified) == (FOUND, 1)
    assert shop.motors.pulses == Pulses(1_500_000, 1_446_000)  # neutral, as it is now
    driving.order("arm")
    driving.run(100)
    assert driving.controller.mode == "ready"


@pytest.mark.parametrize("end", ["cancel", "silence", "estop", "gone"])
def test_whatever_ends_it_the_wheels_are_neutral_and_nothing_changed(end: str) -> None:
    bench = Bench()
    shop = Shop(bench)
    shop.command(CalibrationCommand("begin"), *RIGHT_WHEEL, CalibrationCommand("try", 1600))
    assert shop.motors.pulses != REST
    if end == "cancel":
        shop.command(CalibrationCommand("cancel"))
    elif end == "silence":
        assert shop.control.tick(bench.now_ns + IDLE_TIMEOUT_NS) is not None
        assert shop.motors.pulses == REST
        assert shop.control.tick(bench.now_ns + IDLE_TIMEOUT_NS + MS) is None
    elif end == "estop":
        bench.controller.estop("Emergency stop at the car.")
        assert shop.control.tick(bench.now_ns) is None
        assert "Emergency stop at the car." in shop.said[-1].message
    else:
        shop.control.end("The console is gone.")
    assert shop.motors.pulses == REST
    assert not shop.said[-1].is_open
    assert (shop.actuators.calibration, shop.failsafe.notified, bench.controller.calibrated) == (
        STOCK_CALIBRATION,
        0,
        True,
    )


def test_a_car_without_calibration_stays_without_when_it_is_called_off() -> None:
    bench = Bench()
    shop = Shop(bench, None)
    bench.controller.calibrated = False
    shop.command(
        CalibrationCommand("begin"), *RIGHT_WHEEL, CalibrationCommand("try", 1500), CalibrationCommand("cancel")
    )
    assert (shop.actuators.calibration, bench.controller.calibrated) == (None, False)
    assert shop.motors.pulses == REST  # the driver's own neutral


@pytest.mark.parametrize("file", [BadInput("the calibration cannot be read."), STOCK_CALIBRATION])
def test_a_file_that_cannot_be_read_changes_nothing(file: Any) -> None:
    shop = Shop(Bench())
    shop.file = file
    shop.command(CalibrationCommand("begin"), CalibrationCommand("saved"))
    assert shop.actuators.calibration == STOCK_CALIBRATION
    assert shop.failsafe.notified == (0 if isinstance(file, BadInput) else 1)
    assert not shop.said[-1].is_open
