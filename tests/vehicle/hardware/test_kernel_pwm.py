"""Kernel PWM on a fake kernel with the real one's rules: which chip, which order, which widths come out."""

import pathlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import ManualClock
from shared.errors import ConfigError, HardwareMissing
from tests.vehicle.hardware.fake_kernel import (
    CHIP,
    ON_A_PI,
    Kernel,
    KernelPca9685,
    KernelPwmChip,
    PwmState,
    WaveformPca9685,
)
from vehicle.core.actions import Action
from vehicle.core.pulses import (
    MICROSECONDS,
    PERIOD_NS,
    STOCK_CALIBRATION,
    Pulses,
    forward_positions,
    neutral_pulses,
    to_pulses,
)
from vehicle.hardware.motors.attributes import AttributeFiles
from vehicle.hardware.motors.pca9685_registers import kernel_registers
from vehicle.hardware.motors.pwm_chip import PCA9685_RESOLUTION
from vehicle.hardware.motors.sysfs import SysfsMotors

SHARES = st.floats(-1, 1)
REST = Pulses(1_450_000, 1_446_000)


def sysfs(kernel: Kernel, **options: Any) -> SysfsMotors:
    return SysfsMotors({"steering_channel": 1, "motor_channel": 0} | options, ManualClock(), kernel)


def run_stock_car(chip: KernelPwmChip) -> None:
    """What the community's 24.04 image does at boot: deepracer-custom-car install_scripts/aws-24.04/rc.local."""
    for number in range(5):
        chip.export(number)
        for name, value in (("period", PERIOD_NS), ("duty_cycle", 0), ("enable", 1)):
            chip.write(number, name, value)


# The widths


@settings(deadline=None)
@given(SHARES, SHARES)
def test_a_chip_with_a_fine_clock_makes_exactly_what_was_asked(steering: float, throttle: float) -> None:
    kernel = Kernel()
    motors = sysfs(kernel)
    asked = to_pulses(Action(steering, throttle), STOCK_CALIBRATION, motors.resolution)
    motors.apply(asked)
    assert Pulses(kernel.chip.pulse_ns(1), kernel.chip.pulse_ns(0)) == asked
    assert kernel.chip.exported[1].period == PERIOD_NS


@settings(deadline=None)
@given(SHARES, SHARES, st.sampled_from([KernelPca9685, WaveformPca9685]))
def test_a_pca9685_makes_the_steps_that_are_recorded(
    steering: float, throttle: float, kind: type[KernelPca9685]
) -> None:
    """Each recorded width is one count of the chip's, and not the one beside it; 0.06 % is the divider's rounding.

    Whether the kernel rounds a count up (until 6.17) or down (since 6.18): a width that is recorded is on a step.
    """
    chip = kind()
    motors = sysfs(Kernel(chip))
    recorded = to_pulses(Action(steering, throttle), STOCK_CALIBRATION, motors.resolution)
    motors.apply(recorded)
    for number, width_ns in ((1, recorded.steering_ns), (0, recorded.throttle_ns)):
        assert chip.counts[number] == motors.resolution.steps(width_ns)
        assert abs(chip.pulse_ns(number) - width_ns) < 0.0007 * width_ns


@settings(deadline=None)
@given(st.integers(1, 4095))
def test_every_step_of_a_pca9685_is_made_as_itself(steps: int) -> None:
    width_ns = PCA9685_RESOLUTION.width_ns(steps)
    assert PCA9685_RESOLUTION.steps(width_ns) == steps
    assert kernel_registers(width_ns) == (0, 0, steps & 0xFF, steps >> 8)


@pytest.mark.parametrize(
    ("action", "stock_ns", "counts"),
    [
        # What the stock software asks for, and ceil(4096 * ns / 20 ms): its car and ours stand and drive the same.
        (Action(0.0, 0.0), (1_450_000, 1_446_000), (297, 297)),
        (Action(0.0, 1.0), (1_450_000, 1_311_000), (297, 269)),
        (Action(0.0, 0.5), (1_450_000, 1_378_500), (297, 283)),
        (Action(-1.0, 0.0), (1_200_000, 1_446_000), (246, 297)),
        # One step short of the stock car, which goes up to 5 us beyond the longest pulse of its own calibration.
        (Action(1.0, 0.0), (1_700_000, 1_446_000), (348, 297)),
        (Action(0.0, -1.0), (1_450_000, 1_603_500), (297, 328)),
    ],
)
def test_a_calibration_means_what_the_stock_software_makes_of_it(
    action: Action, stock_ns: tuple[int, int], counts: tuple[int, int]
) -> None:
    chip = KernelPca9685()
    motors = sysfs(Kernel(chip))
    motors.apply(to_pulses(action, STOCK_CALIBRATION, motors.resolution))
    assert (chip.counts[1], chip.counts[0]) == counts
    for asked_ns, made in zip(stock_ns, counts, strict=True):
        low, high = kernel_registers(asked_ns)[2:]
        beyond_its_end = asked_ns in (1_700_000, 1_603_500)
        assert (low | high << 8) - made == int(beyond_its_end)


def test_a_pca9685_has_29_positions_forward_where_a_fine_clock_has_136() -> None:
    assert forward_positions(STOCK_CALIBRATION, sysfs(Kernel(KernelPca9685())).resolution) == 29
    assert forward_positions(STOCK_CALIBRATION, MICROSECONDS) == 136


@pytest.mark.parametrize(
    ("chip", "stated_ns", "step_ns"),
    [
        (KernelPca9685(), None, 4_882.8125),
        (KernelPca9685(), 1_000, 4_882.8125),  # whatever an old config says: it is no finer
        (KernelPca9685(), 6_000, 6_000),
        (KernelPwmChip(), None, 1_000),
        (KernelPwmChip(), 100, 100),
    ],
)
def test_the_resolution_is_the_chips(chip: KernelPwmChip, stated_ns: int | None, step_ns: float) -> None:
    options = {} if stated_ns is None else {"resolution_ns": stated_ns}
    assert sysfs(Kernel(chip), **options).resolution.step_ns == step_ns


# The order


@pytest.mark.parametrize(
    "chip",
    [KernelPca9685(), KernelPca9685(prescale=121), WaveformPca9685(), WaveformPca9685(prescale=121), KernelPwmChip()],
)
def test_from_power_on_nothing_pulses_before_the_first_neutral(chip: KernelPwmChip) -> None:
    motors = sysfs(Kernel(chip))
    assert set(chip.history.get(0, [0])) == {0}  # opening them moves nothing
    motors.apply(neutral_pulses(STOCK_CALIBRATION, motors.resolution))
    assert len(set(chip.history[0])) == 2  # no pulse, then neutral
    assert chip.pulse_ns(0) > 0


def test_the_stock_cars_channels_are_left_as_they_are() -> None:
    chip = KernelPca9685()
    run_stock_car(chip)
    chip.write(0, "duty_cycle", 1_446_000)  # its servo node, at rest
    chip.write(2, "duty_cycle", 10_000_000)  # its tail light
    chip.history.clear()
    motors = sysfs(Kernel(chip))
    assert chip.history == {}  # nothing was written
    motors.apply(neutral_pulses(STOCK_CALIBRATION, motors.resolution))
    assert len(set(chip.history[0])) == 1  # the pulse at rest went on without a gap
    assert chip.pulse_ns(2) == chip.history[2][0] > 0


def test_our_own_crash_is_taken_over_without_a_gap() -> None:
    chip = KernelPca9685()
    sysfs(Kernel(chip)).apply(to_pulses(Action(0.0, 0.5), STOCK_CALIBRATION, PCA9685_RESOLUTION))
    driving_ns = chip.pulse_ns(0)
    chip.history.clear()
    motors = sysfs(Kernel(chip))
    motors.apply(neutral_pulses(STOCK_CALIBRATION, motors.resolution))
    assert chip.history[0][0] in (driving_ns, chip.pulse_ns(0))
    assert set(chip.history[0]) <= {driving_ns, chip.pulse_ns(0)}


@pytest.mark.parametrize("kind", [KernelPwmChip, KernelPca9685, WaveformPca9685])
@pytest.mark.parametrize("left", [PwmState(30_000_000, 25_000_000, 1), PwmState(10_000_000, 0, 1)])
def test_channels_of_another_rate_are_silenced_and_opened_again(kind: type[KernelPwmChip], left: PwmState) -> None:
    chip = kind()
    for number in (0, 1):
        chip.export(number)
    for number in (1, 0):  # the chip as another program left it, with both channels at its rate
        chip.exported[number] = left
    if isinstance(chip, KernelPca9685):
        chip.prescale, chip.counts[0] = left.period // 163_840 - 1, 4096 * left.duty_cycle // left.period
    motors = sysfs(Kernel(chip))
    motors.apply(neutral_pulses(STOCK_CALIBRATION, motors.resolution))
    assert [chip.exported[number].period for number in (0, 1)] == [PERIOD_NS, PERIOD_NS]
    at_rest_ns = chip.pulse_ns(0)
    assert set(chip.history[0]) <= {0, at_rest_ns}  # between the other rate and neutral there was no pulse at all
    assert abs(at_rest_ns - 1_446_000) < 5_000


@pytest.mark.parametrize("kind", [KernelPca9685, WaveformPca9685])
def test_others_of_another_rate_are_named_with_their_cure(kind: type[KernelPca9685]) -> None:
    """The newer kernel would take the period and go on at 100 Hz: a neutral of 0.7 ms."""
    chip = kind()
    for number in (2, 3):
        chip.export(number)
        if number == 2:
            chip.write(number, "period", 10_000_000)
    with pytest.raises(HardwareMissing) as refused:
        sysfs(Kernel(chip))
    assert "others run at another rate (2 at 10000000 ns, 3 at 9994240 ns)" in str(refused.value)
    assert "echo 2 > /sys/class/pwm/pwmchip0/unexport; echo 3 > " in str(refused.value)
    with pytest.raises(HardwareMissing, match="one that the kernel itself uses"):
        sysfs(Kernel(KernelPca9685(taken=(7,))))


def test_a_clock_that_was_taken_while_the_pulses_were_off_is_said_when_they_come_back() -> None:
    """A channel that is switched off does not hold the divider: another program may have set it since."""
    chip = KernelPca9685()
    motors = sysfs(Kernel(chip))
    motors.neutral()
    chip.export(5)
    chip.write(5, "period", 10_000_000)
    with pytest.raises(HardwareMissing, match=r"enable refused 1: the chip has one clock .*\(5 at 10000000 ns\)"):
        motors.apply(REST)


def test_they_go_on_pulsing_when_closed_and_end_by_neutral() -> None:
    for chip in (KernelPwmChip(), KernelPca9685(), WaveformPca9685()):
        motors = sysfs(Kernel(chip))
        motors.apply(Pulses(1_450_000, 1_311_000))
        motors.close()
        assert abs(chip.pulse_ns(0) - 1_311_000) < 5_000
        motors.neutral()
        assert (chip.pulse_ns(1), chip.pulse_ns(0)) == (0, 0)
        motors.apply(REST)
        assert abs(chip.pulse_ns(0) - 1_446_000) < 5_000


def test_neutral_without_a_calibration_is_the_first_thing_that_is_asked() -> None:
    for chip in (KernelPwmChip(), KernelPca9685(), WaveformPca9685()):
        sysfs(Kernel(chip)).neutral()
        assert (chip.pulse_ns(1), chip.pulse_ns(0)) == (0, 0)


# Which chip


PI_5 = (KernelPwmChip(device="/sys/devices/platform/axi/1000120000.pcie/1f0009c000.pwm"), KernelPca9685(ON_A_PI))


@pytest.mark.parametrize(
    ("chips", "wanted", "number"),
    [
        ((KernelPwmChip(), KernelPca9685()), "i2c-0", 1),
        ((KernelPwmChip(), KernelPca9685()), "0000:00:17.0", 1),
        ((KernelPca9685(), KernelPwmChip()), "0000:00:17.0", 0),  # the number changed since the last boot
        (PI_5, "i2c-1", 1),
        (PI_5, "1-0040", 1),
        (PI_5, "pwmchip1", 1),
        (PI_5, "/sys/class/pwm/pwmchip1", 1),
        ((KernelPca9685(),), "", 0),
    ],
)
def test_the_chip_is_found_by_its_device(chips: tuple[KernelPwmChip, ...], wanted: str, number: int) -> None:
    for chip in chips:
        chip.exported.clear()
    sysfs(Kernel(*chips), chip=wanted)
    assert [bool(chip.exported) for chip in chips] == [place == number for place in range(len(chips))]


@pytest.mark.parametrize(
    ("chips", "wanted", "words"),
    [
        (PI_5, "", r"several chips have kernel PWM: name one.*pwmchip0 at .*1f0009c000.pwm.*; pwmchip1 at .*i2c-1"),
        (PI_5, "i2c-10", r'no chip matches `chip = "i2c-10"`.*There are: pwmchip0.*driver pca9685-pwm'),
        (PI_5, "i2c", "no chip matches"),  # the beginning of a part is none
        ((KernelPca9685(), KernelPca9685()), "i2c-0", r"several chips match.*pwmchip0.*pwmchip1"),
        (PI_5, "/sys/class/pwm/pwmchip9", r"pwmchip9/npwm cannot be read.*name the chip by its device"),
        ((KernelPwmChip(channels=1),), "", "there is no channel 1"),
        ((KernelPwmChip(taken=(1,)),), "", "in use by the kernel itself"),
    ],
)
def test_what_is_missing_is_said_with_what_is_there(chips: tuple[KernelPwmChip, ...], wanted: str, words: str) -> None:
    with pytest.raises(HardwareMissing, match=words):
        sysfs(Kernel(*chips), chip=wanted)


def test_the_channel_that_is_all_of_a_pca9685s_at_once_is_none_for_motors() -> None:
    with pytest.raises(HardwareMissing, match="16 channels, numbered from 0; there is no channel 16"):
        sysfs(Kernel(KernelPca9685()), steering_channel=16)


def test_udev_is_waited_for_and_who_may_not_write_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(late=3)
    sysfs(kernel).apply(REST)
    assert kernel.chip.pulse_ns(0) == 1_446_000
    monkeypatch.setattr("vehicle.hardware.motors.udev_wait.IDLE_S", 0.02)
    with pytest.raises(HardwareMissing, match="the udev rule"):
        sysfs(Kernel(late=1_000_000))


@pytest.mark.parametrize("key", ["enable_file", "enable_value"])
def test_an_old_config_is_told_what_took_its_place(key: str) -> None:
    with pytest.raises(ConfigError, match=r"`enable_gpio = N` instead"):
        sysfs(Kernel(), **{key: "/sys/class/gpio/gpio436/value"})


# This machine


def test_attributes_are_written_whole_and_never_made(tmp_path: pathlib.Path) -> None:
    path, files = tmp_path / "duty_cycle", AttributeFiles()
    with pytest.raises(FileNotFoundError):
        files.write(path, "1")
    path.write_text("1446000\n")
    assert (files.exists(path), files.writable(path), files.read(path)) == (True, True, "1446000")
    files.write(path, "9")
    assert path.read_text() == "9"
    (tmp_path / "link").symlink_to(path)
    assert (files.names(tmp_path), files.resolve(tmp_path / "link")) == (["duty_cycle", "link"], path.resolve())


def test_this_machine_without_a_chip_is_one_sentence(tmp_path: pathlib.Path) -> None:
    with pytest.raises(HardwareMissing, match=r"npwm cannot be read"):
        SysfsMotors({"chip": str(tmp_path)}, ManualClock())
    with pytest.raises(HardwareMissing, match=r"no chip"):
        SysfsMotors({"chip": "no such device"}, ManualClock())


def test_the_first_chip_is_its_folder() -> None:
    kernel = Kernel()
    sysfs(kernel, chip=str(CHIP))
    assert list(kernel.chip.exported) == [0, 1]
