"""The motor drivers on fake hardware that refuses and rounds: an oscilloscope would see what was requested."""

import errno
from collections.abc import Callable
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import drivers
from shared.clock import ManualClock
from shared.errors import ConfigError, HardwareMissing
from tests.vehicle.hardware.fake_hardware import Chip, PigpioPin
from tests.vehicle.hardware.fake_kernel import Kernel, KernelPwmChip, kernel_error
from vehicle.core.actions import Action
from vehicle.core.pulses import PERIOD_NS, STOCK_CALIBRATION, PulseResolution, Pulses, require_fine_enough, to_pulses
from vehicle.hardware.interfaces import Motors
from vehicle.hardware.motors.gpio import LIBRARIES, GpioMotors
from vehicle.hardware.motors.pca9685 import PRESCALE, Pca9685Motors
from vehicle.hardware.motors.sysfs import SysfsMotors

SHARES = st.floats(-1, 1)
GPIO = {"steering_pin": 12, "motor_pin": 13}


def sysfs(kernel: Kernel, **options: Any) -> SysfsMotors:
    return SysfsMotors(options, ManualClock(), kernel)


def pins() -> MockFactory:
    return MockFactory(pin_class=PigpioPin)


def test_the_drivers_are_found_by_name() -> None:
    classes = [drivers.find("raceday.motors", name) for name in ("sysfs", "pca9685", "gpio")]
    assert classes == [SysfsMotors, Pca9685Motors, GpioMotors]


# PCA9685


@settings(deadline=None)
@given(SHARES, SHARES, st.sampled_from([50.0, 60.0, 100.0]), st.sampled_from([25_000_000, 26_431_000]))
def test_pca9685_gives_the_asked_width_to_within_half_a_count(
    steering: float, throttle: float, rate_hz: float, oscillator_hz: int
) -> None:
    chip = Chip(oscillator_hz=oscillator_hz)
    motors = Pca9685Motors({"rate_hz": rate_hz, "oscillator_hz": oscillator_hz}, ManualClock(), chip)
    requested = to_pulses(Action(steering, throttle), STOCK_CALIBRATION, motors.resolution)
    motors.apply(requested)
    half = motors.resolution.step_ns / 2 + 1
    assert abs(chip.pulse_ns(1) - requested.steering_ns) <= half
    assert abs(chip.pulse_ns(0) - requested.throttle_ns) <= half


def test_pca9685_is_fine_enough_at_50_hz() -> None:
    chip = Chip()
    motors = Pca9685Motors({}, ManualClock(), chip)
    assert (chip.registers[PRESCALE], motors.resolution) == (121, PulseResolution(4_880))
    require_fine_enough(STOCK_CALIBRATION, motors.resolution)
    assert (chip.pulse_ns(1), chip.pulse_ns(0)) == (0, 0)  # building it moves nothing


def test_pca9685_set_up_before_is_not_interrupted_and_another_rate_is_silenced_first() -> None:
    chip = Chip()
    Pca9685Motors({}, ManualClock(), chip).apply(Pulses(1_450_000, 1_311_000))
    slept = chip.slept
    again = Pca9685Motors({}, ManualClock(), chip)
    assert (chip.slept, round(chip.pulse_ns(0), -4)) == (slept, 1_310_000)
    again.neutral()
    assert chip.pulse_ns(0) == 0
    again.apply(Pulses(1_450_000, 1_311_000))
    Pca9685Motors({"rate_hz": 60.0}, ManualClock(), chip)
    assert (chip.slept, chip.pulse_ns(0)) == (slept + 1, 0)


def test_pca9685_whose_wire_fell_off_is_said_at_the_next_pulse_even_an_equal_one() -> None:
    chip = Chip()
    motors = Pca9685Motors({}, ManualClock(), chip)
    motors.apply(Pulses(1_450_000, 1_446_000))
    chip.gone = True
    acts: tuple[Callable[[], None], ...] = (lambda: motors.apply(Pulses(1_450_000, 1_446_000)), motors.neutral)
    for act in acts:
        with pytest.raises(HardwareMissing, match="0x40 on /dev/i2c-1 does not answer"):
            act()
    motors.close()
    assert chip.closed


def test_pca9685_that_the_kernel_drives_is_said_with_the_driver_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found at the kernel's own chip: I2C_SLAVE on an address that a driver is bound to is EBUSY."""
    chip = Chip()

    def busy(_address: int, _register: int) -> int:
        raise kernel_error(errno.EBUSY)

    monkeypatch.setattr(chip, "read_byte_data", busy)
    with pytest.raises(
        HardwareMissing, match=r'set `driver = "sysfs"` with `chip = "i2c-1"`, or remove its `dtoverlay'
    ):
        Pca9685Motors({}, ManualClock(), chip)


def test_pca9685_that_is_none_and_a_bus_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Chip(address=0x41)
    with pytest.raises(HardwareMissing, match="does not answer"):
        Pca9685Motors({}, ManualClock(), other)
    assert other.closed
    with pytest.raises(HardwareMissing, match="/dev/i2c-63 cannot be opened"):
        Pca9685Motors({"bus": 63}, ManualClock())
    stubborn = Chip()
    monkeypatch.setattr(stubborn, "write_byte_data", lambda *_: None)
    stubborn.registers[0] = 0x20 | 0x10
    with pytest.raises(HardwareMissing, match="is it a PCA9685"):
        Pca9685Motors({}, ManualClock(), stubborn)


# Header pins


@settings(deadline=None)
@given(SHARES, SHARES)
def test_gpio_through_pigpio_gives_exactly_the_asked_width(steering: float, throttle: float) -> None:
    factory = pins()
    motors = GpioMotors(GPIO, ManualClock(), factory)
    requested = to_pulses(Action(steering, throttle), STOCK_CALIBRATION, motors.resolution)
    motors.apply(requested)
    measured = Pulses(round(factory.pin(12).state * PERIOD_NS), round(factory.pin(13).state * PERIOD_NS))
    motors.close()
    assert measured == requested


def test_gpio_neutral_is_no_pulse() -> None:
    factory = pins()
    motors = GpioMotors(GPIO, ManualClock(), factory)
    motors.apply(Pulses(1_450_000, 1_400_000))
    motors.neutral()
    assert (factory.pin(12).state, factory.pin(13).state) == (0, 0)
    motors.close()


@pytest.mark.parametrize(("library", "fits"), [("pigpio", True), ("rpigpio", False), ("lgpio", False)])
def test_a_pin_library_too_coarse_for_the_calibration_is_refused(library: str, fits: bool) -> None:
    if fits:
        require_fine_enough(STOCK_CALIBRATION, PulseResolution(LIBRARIES[library].resolution_ns))
        return
    with pytest.raises(HardwareMissing, match="use a finer driver"):
        require_fine_enough(STOCK_CALIBRATION, PulseResolution(LIBRARIES[library].resolution_ns))


def test_gpio_says_what_is_missing() -> None:
    with pytest.raises(HardwareMissing, match="PiGPIOFactory does not start"):
        GpioMotors(GPIO, ManualClock())
    factory = pins()
    first = GpioMotors(GPIO, ManualClock(), factory)
    with pytest.raises(HardwareMissing, match="GPIO13 cannot pulse"):
        GpioMotors(GPIO, ManualClock(), factory)
    first.close()


# All of them


def every_driver() -> list[Motors]:
    return [sysfs(Kernel()), Pca9685Motors({}, ManualClock(), Chip()), GpioMotors(GPIO, ManualClock(), pins())]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("wrong", [Pulses(0, 1_446_000), Pulses(1_450_000, 20_000_000), Pulses(1_450_000, -1)])
def test_what_is_no_pulse_is_refused(number: int, wrong: Pulses) -> None:
    motors = every_driver()[number]
    with pytest.raises(HardwareMissing, match="refuses a pulse"):
        motors.apply(wrong)
    motors.close()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (SysfsMotors, {"steering_channel": 0}),
        (SysfsMotors, {"motor_channel": 1}),
        (Pca9685Motors, {"steering_channel": 0}),
        (Pca9685Motors, {"motor_channel": 1}),
        (GpioMotors, {"steering_pin": 12, "motor_pin": 12}),
    ],
)
def test_one_channel_cannot_steer_and_drive(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"are the same|are both"):
        kind(options, ManualClock())


@pytest.mark.parametrize(
    "open_motors",
    [
        lambda options: sysfs(Kernel(KernelPwmChip(channels=5)), **options),
        lambda options: Pca9685Motors(options, ManualClock(), Chip()),
    ],
)
def test_a_file_that_names_no_channel_gets_the_defaults_logged(
    open_motors: Callable[[dict[str, Any]], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    open_motors({})
    assert "the motor is assumed to be on 0 and the steering on 1" in capsys.readouterr().err
    for named in ({"motor_channel": 0, "steering_channel": 1}, {"motor_channel": 2}, {"steering_channel": 4}):
        open_motors(named)
    assert capsys.readouterr().err == ""


def test_a_right_turn_of_the_stock_car_never_reaches_the_motors_controller() -> None:
    """Hardware right: the motor on channel 0. The steering's end, 1.2 ms, would be beyond full throttle there."""
    kernel, chip = Kernel(), Chip()
    for motors in (sysfs(kernel), Pca9685Motors({}, ManualClock(), chip)):
        motors.apply(to_pulses(Action(-1.0, 0.0), STOCK_CALIBRATION, motors.resolution))
    assert kernel.chip.pulse_ns(0) == 1_446_000
    assert abs(chip.pulse_ns(0) - 1_446_000) < 5_000
