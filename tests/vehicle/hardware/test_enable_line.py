"""The line that cuts a car's outputs: when it is on, and what comes out when it is switched on."""

import errno
from collections.abc import Callable
from typing import Any

import pytest

from shared.clock import ManualClock
from shared.errors import HardwareMissing
from shared.protocol.messages import CarMode
from tests.vehicle.hardware.fake_hardware import Chip
from tests.vehicle.hardware.fake_kernel import GPIO, Kernel, KernelPca9685, kernel_error
from vehicle.core.actions import NEUTRAL, Action
from vehicle.core.pulses import NO_PULSES, STOCK_CALIBRATION, Pulses, neutral_pulses
from vehicle.guard.actuators import Actuators
from vehicle.hardware.interfaces import Motors
from vehicle.hardware.motors.enable_line import EnableLine
from vehicle.hardware.motors.mock import MockMotors
from vehicle.hardware.motors.pca9685 import Pca9685Motors
from vehicle.hardware.motors.sysfs import SysfsMotors

ON, CUT = 0, 1
FORWARD = Action(0.0, 1.0)
UBUNTU_2404 = {512: 78}


def stock_car(**kernel: Any) -> Kernel:
    return Kernel(KernelPca9685(), gpio=UBUNTU_2404, **kernel)


def sysfs(kernel: Kernel, enable_gpio: int = 514) -> SysfsMotors:
    return SysfsMotors({"enable_gpio": enable_gpio, "motor_channel": 0}, ManualClock(), kernel)


def board(kernel: Kernel) -> Pca9685Motors:
    return Pca9685Motors({"enable_gpio": 514, "motor_channel": 0}, ManualClock(), Chip(), kernel)


@pytest.mark.parametrize("open_motors", [sysfs, board])
def test_opening_cuts_before_anything_else_and_without_another_level_between(
    open_motors: Callable[[Kernel], Motors],
) -> None:
    kernel = stock_car()
    motors = open_motors(kernel)
    assert (kernel.lines[514].direction, kernel.lines[514].levels[1:], motors.is_cut) == ("out", [CUT], True)
    motors.enable()
    open_motors(kernel)  # another process, such as the fail-safe: it is exported and on already
    assert kernel.lines[514].levels[1:] == [CUT, ON, CUT]


def test_a_chip_that_does_not_answer_is_cut_all_the_same() -> None:
    kernel = stock_car()
    kernel.chips.clear()
    with pytest.raises(HardwareMissing, match="no chip"):
        sysfs(kernel)
    assert kernel.lines[514].levels[-1] == CUT
    gone = Chip()
    gone.gone = True
    kernel = stock_car()
    with pytest.raises(HardwareMissing, match="does not answer"):
        Pca9685Motors({"enable_gpio": 514}, ManualClock(), gone, kernel)
    assert kernel.lines[514].levels[-1] == CUT


@pytest.mark.parametrize(
    ("kernel", "number", "words"),
    [
        # 436 is the number on 20.04; on 24.04 the kernel counts from 512.
        (stock_car(), 436, r"there is no GPIO 436 here, but 512 to 589 \(INT33FF:00\)\. The first number differs"),
        (Kernel(gpio={}), 514, "but no chip at all"),
        (stock_car(held=(514,)), 514, "the kernel or another program holds it"),
        (Kernel(), 514, "without CONFIG_GPIO_SYSFS"),
    ],
)
def test_a_line_that_cannot_be_is_a_sentence(kernel: Kernel, number: int, words: str) -> None:
    with pytest.raises(HardwareMissing, match=words):
        sysfs(kernel, number)


def test_udev_is_waited_for_and_who_may_not_write_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = stock_car(late=2)
    EnableLine(514, kernel)
    assert kernel.lines[514].levels[-1] == CUT
    monkeypatch.setattr("vehicle.hardware.motors.udev_wait.IDLE_S", 0.02)
    with pytest.raises(HardwareMissing, match="the udev rule"):
        EnableLine(515, stock_car(late=1_000_000))
    monkeypatch.setattr(kernel, "write", lambda *_: (_ for _ in ()).throw(kernel_error(errno.EACCES)))
    with pytest.raises(HardwareMissing, match=r"direction refused high \(Permission denied\)"):
        EnableLine(514, kernel)


def test_a_line_that_another_program_made_an_input_is_an_output_again() -> None:
    kernel = stock_car()
    line = EnableLine(514, kernel)
    kernel.write(GPIO / "gpio514" / "direction", "in")
    with pytest.raises(PermissionError):
        kernel.write(GPIO / "gpio514" / "value", "0")  # as the kernel has it: only an output takes a value
    line.enable()
    assert (kernel.lines[514].direction, kernel.lines[514].levels[-1]) == ("out", ON)


def test_without_a_line_nothing_is_cut() -> None:
    line = EnableLine(None, Kernel())
    line.cut()
    assert not line.is_cut


# The guard's rules, on the stock car's chip and line


class Wire:
    """What the motor's controller sees at the end of the wire, at each write of the guard's."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._write = kernel, kernel.write
        self.seen: list[int] = []
        kernel.write = self._on_write  # type: ignore[method-assign]

    def _on_write(self, path: Any, value: str) -> None:
        self._write(path, value)
        line = self._kernel.lines.get(514)
        is_on = line is not None and line.direction == "out" and line.levels[-1] == ON
        self.seen.append(self._kernel.chip.pulse_ns(0) if is_on else 0)


def armed_car() -> tuple[Actuators, Kernel, Wire]:
    kernel = stock_car()
    wire = Wire(kernel)
    actuators = Actuators(sysfs(kernel), STOCK_CALIBRATION)
    actuators.set_neutral()
    return actuators, kernel, wire


REST_NS, FULL_NS = 297 * 4880, 269 * 4880


def test_only_an_armed_car_is_on_and_neutral_is_the_first_that_comes_out() -> None:
    actuators, _, wire = armed_car()
    for mode in ("disarmed", "stopped"):
        assert actuators.apply_action(NEUTRAL, mode) == NO_PULSES  # what is recorded
    assert set(wire.seen) == {0}
    # Armed and started within one tick: the controller must see neutral before it sees a throttle.
    first = actuators.apply_action(FORWARD, "driving")
    assert first == neutral_pulses(STOCK_CALIBRATION, actuators.resolution)
    assert set(wire.seen) == {0, REST_NS}
    assert actuators.apply_action(FORWARD, "driving") == Pulses(1_450_195, 1_313_476)
    assert wire.seen[-1] == FULL_NS


def test_a_trip_cuts_and_only_arming_ends_it() -> None:
    actuators, kernel, wire = armed_car()
    for _ in range(2):
        actuators.apply_action(FORWARD, "driving")
    wire.seen.clear()
    assert actuators.apply_action(NEUTRAL, "tripped") == NO_PULSES
    assert set(wire.seen) <= {FULL_NS, REST_NS, 0}
    assert wire.seen[-1] == 0
    wire.seen.clear()
    for mode in ("tripped", "disarmed", "disarmed"):
        actuators.apply_action(NEUTRAL, mode)
    assert set(wire.seen) == {0}
    assert actuators.apply_action(NEUTRAL, "ready") == neutral_pulses(STOCK_CALIBRATION, actuators.resolution)
    assert wire.seen[-1] == REST_NS
    kernel.write(GPIO / "gpio514" / "value", str(CUT))  # somebody else's word does not stay
    actuators.apply_action(NEUTRAL, "ready")
    assert wire.seen[-1] == REST_NS


def test_what_another_process_cut_is_known_and_comes_back_at_neutral() -> None:
    """The fail-safe cuts while the guard hangs: what is recorded, and what comes out first, does not go by memory."""
    actuators, kernel, wire = armed_car()
    for _ in range(2):
        actuators.apply_action(FORWARD, "driving")
    assert actuators.apply_action(NEUTRAL, "stopped") != NO_PULSES
    EnableLine(514, kernel)  # another process opens the motors
    assert actuators.apply_action(NEUTRAL, "stopped") == NO_PULSES
    wire.seen.clear()
    actuators.apply_action(FORWARD, "driving")
    assert set(wire.seen) == {0, REST_NS}


def test_a_line_that_cannot_be_read_may_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = stock_car()
    line = EnableLine(514, kernel)
    line.enable()
    assert not line.is_cut
    monkeypatch.setattr(kernel, "read", lambda _: (_ for _ in ()).throw(kernel_error(errno.EIO)))
    assert line.is_cut


def test_an_ordinary_stop_stays_at_neutral() -> None:
    actuators, _, wire = armed_car()
    for _ in range(2):
        actuators.apply_action(FORWARD, "driving")
    assert actuators.apply_action(NEUTRAL, "stopped") == neutral_pulses(STOCK_CALIBRATION, actuators.resolution)
    assert wire.seen[-1] == REST_NS


@pytest.mark.parametrize("calibration", [STOCK_CALIBRATION, None])
def test_neutral_from_outside_cuts_also_when_the_pulses_are_refused(
    calibration: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = stock_car()
    motors = sysfs(kernel)
    motors.enable()

    def refuse(*_: Any, **__: Any) -> None:
        raise HardwareMissing("the bus is gone.")

    monkeypatch.setattr("vehicle.hardware.motors.pwm_channels.PwmChannels.set_width", refuse)
    monkeypatch.setattr("vehicle.hardware.motors.pwm_channels.PwmChannels.set_enabled", refuse)
    with pytest.raises(HardwareMissing, match="the bus is gone"):
        Actuators(motors, calibration).set_neutral()
    assert kernel.lines[514].levels[-1] == CUT


def test_a_car_without_calibration_that_trips_is_cut() -> None:
    kernel = stock_car()
    motors = sysfs(kernel)
    motors.enable()
    assert Actuators(motors, None).apply_action(NEUTRAL, "tripped") is None
    assert kernel.lines[514].levels[-1] == CUT


@pytest.mark.parametrize(("has_line", "recorded"), [(True, NO_PULSES), (False, Pulses(1_450_000, 1_446_000))])
def test_the_mock_has_a_line_if_it_is_told_so(has_line: bool, recorded: Pulses) -> None:
    motors = MockMotors({"enable_line": has_line}, ManualClock())
    actuators = Actuators(motors, STOCK_CALIBRATION)
    modes: tuple[CarMode, ...] = ("disarmed", "ready", "driving", "tripped")
    outputs = [actuators.apply_action(NEUTRAL, mode) for mode in modes]
    rest = Pulses(1_450_000, 1_446_000)
    assert outputs == [recorded, rest, rest, recorded]
    assert [change.is_cut for change in motors.changes] == ([True, True, False, True] if has_line else [False])


@pytest.mark.parametrize("trip", ["tripped", "from outside"])
def test_the_line_is_cut_before_a_bus_that_hangs(trip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An I2C write may take a second until it fails: by then a car at full throttle is through the wall."""
    actuators, kernel, _ = armed_car()
    for _ in range(2):
        actuators.apply_action(FORWARD, "driving")
    lines: list[int] = []

    def hang(*_: Any, **__: Any) -> None:
        lines.append(kernel.lines[514].levels[-1])
        raise HardwareMissing("the bus is gone.")

    monkeypatch.setattr("vehicle.hardware.motors.pwm_channels.PwmChannels.set_width", hang)
    monkeypatch.setattr("vehicle.hardware.motors.pwm_channels.PwmChannels.set_enabled", hang)
    with pytest.raises(HardwareMissing, match="the bus is gone"):
        _ = actuators.apply_action(NEUTRAL, "tripped") if trip == "tripped" else actuators.set_neutral()
    assert lines
    assert set(lines) == {CUT}


@pytest.mark.parametrize("trip", ["tripped", "from outside"])
def test_a_line_that_refuses_keeps_neutral_from_nobody(trip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    actuators, _, wire = armed_car()
    for _ in range(2):
        actuators.apply_action(FORWARD, "driving")

    def refuse(_: Any) -> None:
        raise HardwareMissing("the line is gone.")

    monkeypatch.setattr(EnableLine, "cut", refuse)
    with pytest.raises(HardwareMissing, match="the line is gone"):
        _ = actuators.apply_action(NEUTRAL, "tripped") if trip == "tripped" else actuators.set_neutral()
    assert wire.seen[-1] == REST_NS
