"""The calibration from the phone: every pulse ends by itself, whatever is sent, and only an unarmed car is moved."""

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
from vehicle.core.pulses import (
    MICROSECONDS,
    STOCK_CALIBRATION,
    Calibration,
    ChannelCalibration,
    PulseResolution,
    Pulses,
)
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
COMMANDS = st.builds(CalibrationCommand, st.sampled_from(ACTIONS), st.integers(-5, 3_000))


def send_all(session: CalibrationSession, *commands: CalibrationCommand) -> CalibrationStatus:
    """Send the commands, one after the other; returns the last status."""
    for command in commands:
        session.on_command(command, 0)
    return session.status()


RIGHT_WHEEL = (CalibrationCommand("show"), CalibrationCommand("yes"))  # the first step: the front wheels moved


def accept_widths(count: int) -> list[CalibrationCommand]:
    return [CalibrationCommand("keep")] * count


def test_all_steps_in_their_order() -> None:
    session = CalibrationSession(STOCK_CALIBRATION, MICROSECONDS, 0)
    assert (session.status().step, session.status().is_question) == (0, True)
    session.on_command(CalibrationCommand("show"), 0)
    assert session.pulses(0) == Pulses(1_490_000, 1_446_000)
    status = send_all(session, CalibrationCommand("yes"))
    assert (status.step, status.width_us) == (1, 1450)
    status = send_all(session, CalibrationCommand("try", 1500), CalibrationCommand("keep"))
    assert (status.step, status.width_us, status.question) == (2, 1200, STEPS[2].question)
    status = send_all(session, *accept_widths(5))
    assert (status.step, status.is_question) == (7, True)
    session.on_command(CalibrationCommand("show"), 0)
    assert session.pulses(0) == Pulses(1_600_000, 1_446_000)
    status = send_all(session, CalibrationCommand("yes"), CalibrationCommand("no"))
    assert (status.step, status.steps, status.question, status.found) == (9, 9, "", FOUND)
    assert send_all(session, CalibrationCommand("back")).is_question


@settings(deadline=None)
@given(st.lists(st.tuples(COMMANDS, st.integers(0, 3 * PULSE_NS)), max_size=40))
def test_no_pulse_outlives_its_second_whatever_is_commanded(commands: list[tuple[CalibrationCommand, int]]) -> None:
    session, now_ns = CalibrationSession(STOCK_CALIBRATION, MICROSECONDS, 0), 0
    for command, wait_ns in commands:
        session.on_command(command, now_ns)
        at_once = session.pulses(now_ns)
        for width_ns in (at_once.steering_ns, at_once.throttle_ns):
            assert 500_000 <= width_ns <= 2_500_000
        calibration = session.status().found
        assert calibration is not None
        rest = Pulses(calibration.steering.mid_ns // 1000 * 1000, calibration.motor.mid_ns // 1000 * 1000)
        assert rest.steering_ns == at_once.steering_ns or rest.throttle_ns == at_once.throttle_ns  # never both at once
        if command.action not in ("try", "show"):
            assert at_once == rest
        assert session.pulses(now_ns + PULSE_NS) == rest
        assert not session.status().is_pulsing
        now_ns += PULSE_NS + wait_ns


@pytest.mark.parametrize(
    ("commands", "sentence"),
    [
        ([CalibrationCommand("try", 499)], "499 us is not a pulse width"),
        ([CalibrationCommand("try", 2501)], "2501 us is not a pulse width"),
        ([CalibrationCommand("yes")], "another step"),
        ([CalibrationCommand("show")], "another step"),
        ([*accept_widths(6), CalibrationCommand("try", 1500)], "another step"),
        ([*accept_widths(6), CalibrationCommand("keep")], "another step"),
        (
            [CalibrationCommand("keep"), CalibrationCommand("try", 1500), CalibrationCommand("keep")],
            "does not fit",
        ),  # the shortest above the middle
    ],
)
def test_what_does_not_fit_is_a_sentence_and_moves_nothing(commands: list[CalibrationCommand], sentence: str) -> None:
    session = CalibrationSession(STOCK_CALIBRATION, MICROSECONDS, 0)
    assert sentence in send_all(session, *RIGHT_WHEEL, *commands).message
    assert session.pulses(0) == REST


def test_nothing_but_the_smallest_steering_pulse_before_the_right_wheel_has_moved() -> None:
    session = CalibrationSession(STOCK_CALIBRATION, MICROSECONDS, 0)
    assert "test pulse first" in send_all(session, CalibrationCommand("yes")).message
    for command in (CalibrationCommand("try", 1600), CalibrationCommand("keep")):
        assert "another step" in send_all(session, command).message
        assert session.pulses(0) == REST
    status = send_all(session, CalibrationCommand("show"), CalibrationCommand("no"))
    assert (status.step, "Swap the two channels" in status.message) == (0, True)
    assert session.pulses(0) == REST


def test_a_calibration_that_the_driver_is_too_coarse_for_is_not_done() -> None:
    session = CalibrationSession(STOCK_CALIBRATION, PulseResolution(100_000), 0)
    status = send_all(session, *RIGHT_WHEEL, *accept_widths(6), CalibrationCommand("yes"), CalibrationCommand("yes"))
    assert (status.step, "finer driver" in status.message) == (8, True)


def test_the_steps_forget_nothing_when_they_go_back() -> None:
    steps = CalibrationSteps(STOCK_CALIBRATION, MICROSECONDS)
    steps.back()
    assert steps.index == 0
    steps.demo_pulses()
    steps.answer(yes=True)
    steps.trial_pulses(1_480)
    steps.accept_width()
    steps.back()
    assert steps.width_us == 1_480
    steps.accept_width()
    assert steps.calibration.steering.mid_ns == 1_480_000
    steps.trial_pulses(1_300)
    steps.accept_width()
    assert steps.calibration.motor == STOCK_CALIBRATION.motor  # to the nanosecond: 1603.5 us


class FakeFailsafe(FailsafeLink):
    """Counts its notifications; never started."""

    def __init__(self) -> None:
        super().__init__("")
        self.notified = 0

    def notify_recalibrated(self) -> None:
        self.notified += 1


class CalibrationBench:
    """A calibration over a real controller, on mock motors."""

    def __init__(
        self, bench: Bench, calibration: Calibration | None = STOCK_CALIBRATION, *, enable_line: bool = False
    ) -> None:
        self.bench, self.controller = bench, bench.controller
        self.motors = MockMotors({"enable_line": enable_line}, ManualClock())
        self.actuators = Actuators(self.motors, calibration)
        self.failsafe = FakeFailsafe()
        self.file: Calibration | BadInput | None = FOUND
        self.published: list[CalibrationStatus] = []
        self.control = CalibrationControl(self.controller, self.actuators, self.failsafe, self.reload)
        self.control.publish = self.published.append

    def reload(self) -> Calibration | None:
        if isinstance(self.file, BadInput):
            raise self.file
        return self.file

    def command(self, *commands: CalibrationCommand) -> None:
        for command in commands:
            self.control.on_command(command, self.bench.now_ns)
            self.control.tick(self.bench.now_ns)


def test_an_armed_or_tripped_car_is_not_calibrated(driving: Bench) -> None:
    setup = CalibrationBench(driving)
    setup.command(CalibrationCommand("begin"))
    assert (setup.published[-1].is_open, setup.published[-1].message) == (False, "The car is driving: stop it first.")
    driving.controller.estop("Emergency stop at the car.")
    setup.command(CalibrationCommand("begin"), CalibrationCommand("try", 1500))
    assert not setup.published[-1].is_open
    assert "reset it first" in setup.published[-2].message
    assert setup.motors.pulses is None
    assert setup.control.tick(driving.now_ns) is None


def test_a_calibration_lets_neutral_out_first_and_cuts_at_its_end() -> None:
    setup = CalibrationBench(Bench(), enable_line=True)
    setup.command(CalibrationCommand("begin"), CalibrationCommand("show"), CalibrationCommand("yes"))
    setup.command(CalibrationCommand("cancel"))
    setup.motors.changes.clear()
    for command in (CalibrationCommand("begin"), CalibrationCommand("show")):  # both before the next tick
        setup.control.on_command(command, setup.bench.now_ns)
    setup.control.tick(setup.bench.now_ns)
    setup.command(CalibrationCommand("cancel"))
    changes = [(change.is_cut, change.pulses) for change in setup.motors.changes]
    assert changes[0] == (False, REST)
    shown = changes[-3][1]  # the line first: a bus that hangs delays no cut
    assert changes[-3:] == [(False, shown), (True, shown), (True, REST)], (
        "the line first: a bus that hangs delays no cut"
    )
    assert (False, Pulses(1_490_000, 1_446_000)) in changes


@pytest.mark.parametrize("device", ["motors", "button"])
def test_a_car_without_motors_or_button_is_not_calibrated(device: Any) -> None:
    setup = CalibrationBench(Bench())
    setup.controller.set_absent(device, "it does not answer.")
    setup.command(CalibrationCommand("begin"), CalibrationCommand("try", 1500))
    assert (setup.published[0].is_open, setup.published[0].message) == (
        False,
        "The car cannot be calibrated now. It does not answer.",
    )
    assert (setup.motors.pulses, setup.control.tick(setup.bench.now_ns), setup.controller.calibrated) == (
        None,
        None,
        True,
    )


def test_a_car_in_calibration_cannot_be_armed_and_can_afterwards(driving: Bench) -> None:
    setup = CalibrationBench(driving)
    driving.order("stop")
    driving.run(50)
    setup.command(CalibrationCommand("begin"), *RIGHT_WHEEL, CalibrationCommand("try", 1500))
    assert setup.motors.pulses == Pulses(1_500_000, 1_446_000)
    driving.order("arm")
    driving.run(200)
    assert driving.controller.mode == "stopped"
    setup.command(CalibrationCommand("saved"))
    assert setup.published[-1].message == "The calibration is saved, and the car uses it."
    assert (setup.actuators.calibration, setup.failsafe.notified) == (FOUND, 1)
    assert setup.motors.pulses == Pulses(1_500_000, 1_446_000)  # neutral, as it is now
    driving.order("arm")
    driving.run(100)
    assert driving.controller.mode == "ready"


@pytest.mark.parametrize("end", ["cancel", "silence", "estop", "gone"])
def test_whatever_ends_it_the_wheels_are_neutral_and_nothing_changed(end: str) -> None:
    bench = Bench()
    setup = CalibrationBench(bench)
    setup.command(CalibrationCommand("begin"), *RIGHT_WHEEL, CalibrationCommand("try", 1600))
    assert setup.motors.pulses != REST
    if end == "cancel":
        setup.command(CalibrationCommand("cancel"))
    elif end == "silence":
        assert setup.control.tick(bench.now_ns + IDLE_TIMEOUT_NS) is not None
        assert setup.motors.pulses == REST
        assert setup.control.tick(bench.now_ns + IDLE_TIMEOUT_NS + MS) is None
    elif end == "estop":
        bench.controller.estop("Emergency stop at the car.")
        assert setup.control.tick(bench.now_ns) is None
        assert "Emergency stop at the car." in setup.published[-1].message
    else:
        setup.control.end("The console is gone.")
    assert setup.motors.pulses == REST
    assert not setup.published[-1].is_open
    assert (setup.actuators.calibration, setup.failsafe.notified, bench.controller.calibrated) == (
        STOCK_CALIBRATION,
        0,
        True,
    )


def test_a_car_without_calibration_stays_without_when_it_is_called_off() -> None:
    bench = Bench()
    setup = CalibrationBench(bench, None)
    bench.controller.calibrated = False
    setup.command(
        CalibrationCommand("begin"), *RIGHT_WHEEL, CalibrationCommand("try", 1500), CalibrationCommand("cancel")
    )
    assert (setup.actuators.calibration, bench.controller.calibrated) == (None, False)
    assert setup.motors.pulses == REST  # the driver's own neutral


@pytest.mark.parametrize("file", [BadInput("the calibration cannot be read."), STOCK_CALIBRATION])
def test_a_file_that_cannot_be_read_changes_nothing(file: Any) -> None:
    setup = CalibrationBench(Bench())
    setup.file = file
    setup.command(CalibrationCommand("begin"), CalibrationCommand("saved"))
    assert setup.actuators.calibration == STOCK_CALIBRATION
    assert setup.failsafe.notified == (0 if isinstance(file, BadInput) else 1)
    assert not setup.published[-1].is_open
