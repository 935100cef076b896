"""The lights on the kernel's PWM chip and GPIO lines, beside the motors on the same chip."""

import pytest

from shared import drivers
from shared.clock import ManualClock
from shared.errors import ConfigError, HardwareMissing
from tests.vehicle.hardware.fake_kernel import Kernel, KernelPca9685, KernelPwmChip
from vehicle.core.light_patterns import DARK, WHITE, LightColour
from vehicle.core.pulses import Pulses
from vehicle.hardware.lights.mock import MockLights
from vehicle.hardware.lights.pwm import PwmLights, PwmLightsOptions
from vehicle.hardware.motors.sysfs import SysfsMotors
from vehicle.hardware.profiles import PROFILES

ORANGE = LightColour(255, 128, 0)
GPIO_OF_2404 = {512: 80}
NEUTRAL = Pulses(1_450_000, 1_446_000)
STOCK = PROFILES["deepracer-2404"].defaults
FULL_NS, HALF_NS = 10_000_000, 5_019_607


def stock_kernel() -> tuple[Kernel, KernelPca9685]:
    chip = KernelPca9685()
    return Kernel(chip, gpio=GPIO_OF_2404), chip


def lights_on(kernel: Kernel) -> PwmLights:
    return PwmLights(STOCK["lights"]["options"], ManualClock(), kernel)


def motors_on(kernel: Kernel) -> SysfsMotors:
    return SysfsMotors(STOCK["motors"]["options"], ManualClock(), kernel)


def test_the_drivers_are_found_by_name() -> None:
    found = {name: drivers.find("raceday.car_lights", name) for name in drivers.names("raceday.car_lights")}
    assert found == {"pwm": PwmLights, "mock": MockLights}


def test_a_colour_is_three_widths_and_the_side_lights_are_on_or_off() -> None:
    kernel, chip = stock_kernel()
    lights = lights_on(kernel)
    lights.show(ORANGE)
    assert [chip.exported[n].duty_cycle for n in (2, 3, 4)] == [FULL_NS, HALF_NS, 0]
    # led_gpio.sh: 526, 525, 515 are red, green and blue of the Wi-Fi light.
    assert [kernel.lines[n].levels[-1] for n in (526, 525, 515, 528, 535, 536)] == [1, 1, 0, 1, 1, 0]
    lights.close()
    assert [chip.pulse_ns(n) for n in (2, 3, 4)] == [0, 0, 0]
    assert all(chip.exported[n].enable for n in (2, 3, 4)), "the stock software sets widths, and enables nothing"
    assert all(line.levels[-1] == 0 for line in kernel.lines.values())


@pytest.mark.parametrize("first", ["motors", "lights"])
def test_motors_and_lights_share_the_chip_in_any_order(first: str) -> None:
    kernel, chip = stock_kernel()
    if first == "motors":
        motors, lights = motors_on(kernel), lights_on(kernel)
    else:
        lights, motors = lights_on(kernel), motors_on(kernel)
    lights.show(WHITE)
    motors.apply(NEUTRAL)
    assert {state.period for state in chip.exported.values()} == {20_000_000}
    assert chip.exported[0].duty_cycle == NEUTRAL.throttle_ns
    assert chip.exported[2].duty_cycle == FULL_NS


def test_lights_change_no_pulse_of_the_motors() -> None:
    kernel, chip = stock_kernel()
    motors = motors_on(kernel)
    motors.apply(NEUTRAL)
    before = [chip.history[n][-1] for n in (0, 1)]
    marks = [len(chip.history[n]) for n in (0, 1)]
    lights = lights_on(kernel)
    for colour in (ORANGE, WHITE, DARK):
        lights.show(colour)
    lights.close()
    for channel, mark in zip((0, 1), marks, strict=True):
        assert set(chip.history[channel][mark:]) == {before[channel]}


def test_lights_whose_channels_udev_hands_over_late_are_opened_at_a_later_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine's udev took longer than one try waits, and each try freed what the one before had exported."""
    chip = KernelPca9685(prescale=121)
    chip.export(0)  # the motors'
    kernel = Kernel(chip, late=1_000_000)
    monkeypatch.setattr("vehicle.hardware.motors.pwm_channels._EXPORT_TIMEOUT_S", 0.0)
    for _ in PwmLightsOptions().channels:
        with pytest.raises(HardwareMissing, match="the udev rule"):
            PwmLights({}, ManualClock(), kernel)
        kernel.hand_over()
    lights = PwmLights({}, ManualClock(), kernel)
    lights.show(WHITE)
    assert {chip.exported[n].period for n in (2, 3, 4)} == {20_000_000}


def test_motors_at_another_rate_are_a_sentence_and_stay_as_they_are() -> None:
    kernel, chip = stock_kernel()
    chip.export(0)
    chip.write(0, "period", 10_000_000)
    chip.write(0, "duty_cycle", 1_500_000)
    with pytest.raises(HardwareMissing, match=r"others run at another rate \(0 at 10000000 ns\)"):
        lights_on(kernel)
    assert chip.exported[0].period == 10_000_000


def test_a_chip_with_too_few_channels_and_a_kernel_without_gpio_are_sentences() -> None:
    with pytest.raises(HardwareMissing, match="no channel 2"):
        PwmLights({}, ManualClock(), Kernel(KernelPwmChip()))
    with pytest.raises(HardwareMissing, match="`side_gpios = 526` cannot be driven"):
        PwmLights({"side_gpios": [526, 525, 515]}, ManualClock(), Kernel(KernelPca9685()))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"channels": [2, 3]}, "`channels` must be three channels"),
        ({"channels": [2, 3, 3]}, "`channels` must be three channels"),
        ({"side_gpios": [526, 525]}, "three numbers for each light"),
        ({"channels": ["2", 3, 4]}, "must be a whole number"),
    ],
)
def test_wrong_options_are_a_sentence(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        PwmLights(options, ManualClock(), Kernel(KernelPca9685()))
