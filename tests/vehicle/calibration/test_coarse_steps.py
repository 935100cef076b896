"""Calibrating a car whose chip moves in steps of 4.88 us: nothing claims a width between two, and each key moves."""

import json
import pathlib

import pytest

from shared.clock import ManualClock
from tests.vehicle.hardware.fake_kernel import Kernel, KernelPca9685
from tests.vehicle.sample_parts import config_text
from vehicle.calibration.file import read_calibration
from vehicle.calibration.terminal_wizard import TerminalWizard, parse_width_us
from vehicle.commands import vehicle
from vehicle.core.actions import Action
from vehicle.core.calibration_session import CalibrationSession
from vehicle.core.calibration_steps import CalibrationSteps
from vehicle.core.messages import CalibrationCommand
from vehicle.core.pulses import MICROSECONDS, STOCK_CALIBRATION, to_pulses
from vehicle.guard.actuators import Actuators
from vehicle.hardware.motors.pwm_chip import PCA9685_RESOLUTION
from vehicle.hardware.motors.sysfs import SysfsMotors

COUNT_NS = 4_880


@pytest.mark.parametrize(
    ("answer", "width_us", "step_us", "expected"),
    [
        ("+1", 1_450, 5, 1_455),
        ("-1", 1_450, 5, 1_445),
        ("+10", 1_450, 5, 1_460),
        ("+1", 1_450, 1, 1_451),
        ("+0", 1_450, 5, 1_450),
        ("1451", 1_450, 5, 1_451),
    ],
)
def test_a_change_is_at_least_one_step(answer: str, width_us: int, step_us: int, expected: int) -> None:
    assert parse_width_us(answer, width_us, step_us) == expected


def test_each_single_step_from_end_to_end_is_one_count_of_the_chip() -> None:
    steps = CalibrationSteps(STOCK_CALIBRATION, PCA9685_RESOLUTION)
    steps.demo_pulses()
    steps.answer(yes=True)
    widths = [steps.trial_pulses(1_200).steering_ns]
    while steps.width_us < 1_700:
        widths.append(steps.trial_pulses(steps.width_us + steps.step_us).steering_ns)
    counts = [PCA9685_RESOLUTION.steps(width_ns) for width_ns in widths]
    assert counts == list(range(counts[0], counts[0] + len(counts)))
    assert len(counts) == 104


def test_the_phone_sees_the_width_that_the_motors_make_and_how_many_there_are() -> None:
    session = CalibrationSession(STOCK_CALIBRATION, PCA9685_RESOLUTION, 0)
    for command in (CalibrationCommand("show"), CalibrationCommand("yes"), CalibrationCommand("try", 1_448)):
        session.on_command(command, 0)
    assert (session.status().width_us, session.status().step_us) == (1_450, 5)
    for action in ("keep", "keep", "keep", "keep", "keep", "keep", "yes", "no"):
        session.on_command(CalibrationCommand(action), 0)
    status = session.status()
    assert status.message == "The motors move in steps of 4.88 us: 29 positions from standstill to full forward."
    assert status.found is not None
    assert PCA9685_RESOLUTION.steps(status.found.steering.mid_ns) == 297  # what was tried is what is driven with
    assert status.found.motor == STOCK_CALIBRATION.motor  # what was not tried is left to the nanosecond


def test_the_terminal_wizard_lets_out_neutral_first_and_cuts_at_the_end() -> None:
    chip = KernelPca9685()
    kernel = Kernel(chip, gpio={512: 78})
    motors = SysfsMotors({"enable_gpio": 514, "motor_channel": 0}, ManualClock(), kernel)
    answers = iter(["wheels off", "y", "+1", "", *[""] * 5, "y", "n", "y"])
    let_out: list[tuple[int, int]] = []  # the counts of both channels at each write while the line is on
    write = kernel.write

    def write_and_look(path: pathlib.Path, value: str) -> None:
        write(path, value)
        if kernel.lines[514].levels[-1] == 0:
            let_out.append((chip.counts[1], chip.counts[0]))

    kernel.write = write_and_look  # type: ignore[method-assign]
    shown: list[str] = []
    on_the_wire: list[tuple[int, int]] = []

    def ask(text: str) -> str:
        shown.append(text)
        on_the_wire.append((kernel.lines[514].levels[-1], chip.counts[0]))
        return next(answers)

    calibration = TerminalWizard(motors, STOCK_CALIBRATION, ask, lambda _: None).run()
    assert let_out[0] == (297, 297)
    assert on_the_wire[0] == (1, 0)  # cut until the wheels are off the ground
    assert set(on_the_wire[1:]) == {(0, 297)}  # neutral whenever it asks
    assert kernel.lines[514].levels[-1] == 1
    assert sum("1450 us (the motors move in steps of 4.88 us)" in text for text in shown) == 2  # both middles
    assert any("1455 us" in text for text in shown)
    assert PCA9685_RESOLUTION.steps(calibration.steering.mid_ns) == 298


def test_a_damaged_file_is_said_and_can_be_calibrated_anew(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file's own sentence says "calibrate the car again": so that must work."""
    config, file = tmp_path / "vehicle.toml", tmp_path / "calibration.json"
    file.write_text(json.dumps({"Calibration": {"Servo": 1}}))
    config.write_text(config_text(tmp_path, 1883).replace("stock = true", f'file = "{file}"'))
    answers = iter(["wheels off", "y", *[""] * 6, "y", "n", "y"])
    monkeypatch.setattr("builtins.input", lambda _text: next(answers))
    monkeypatch.setattr("vehicle.calibration.terminal_wizard.PULSE_S", 0.0)
    assert vehicle.main(["calibrate", "--config", str(config)]) == 0
    assert read_calibration(file) == STOCK_CALIBRATION
    said = capsys.readouterr()
    assert "begins with the stock figures" in said.err
    assert "136 positions from standstill to full forward" in said.out


def test_recorded_pulses_are_those_of_the_chip() -> None:
    """A ramp of the throttle: the black box gets 29 widths, one for each count, where it had 136 before."""
    chip = KernelPca9685()
    motors = SysfsMotors({"motor_channel": 0}, ManualClock(), Kernel(chip))
    actuators = Actuators(motors, STOCK_CALIBRATION)
    recorded: dict[int, int] = {}
    asked: set[int] = set()
    for permille in range(1001):
        action = Action(0.0, permille / 1000)
        pulses = actuators.apply_action(action, "driving")
        assert pulses is not None
        recorded.setdefault(pulses.throttle_ns, chip.counts[0])
        assert recorded[pulses.throttle_ns] == chip.counts[0]
        asked.add(to_pulses(action, STOCK_CALIBRATION, MICROSECONDS).throttle_ns)
    assert (len(recorded), len(set(recorded.values())), len(asked)) == (29, 29, 136)
    assert all(abs(width_ns - count * COUNT_NS) < 1_000 for width_ns, count in recorded.items())
