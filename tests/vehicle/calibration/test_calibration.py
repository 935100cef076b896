"""The calibration: its file, the stock car's file, and the wizard that never leaves a wheel turning."""

import errno
import json
import os
import pathlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import ManualClock
from shared.config import load
from shared.errors import BadInput, ConfigError, Refused, StorageError
from tests.vehicle.sample_parts import config_text
from vehicle.calibration.file import CalibrationChoice, read_calibration, write_calibration
from vehicle.calibration.terminal_wizard import PULSE_S, TerminalWizard, parse_width_us
from vehicle.commands import vehicle
from vehicle.config import VehicleConfig
from vehicle.core.actions import Action
from vehicle.core.pulses import STOCK_CALIBRATION, Calibration, ChannelCalibration, Pulses
from vehicle.guard.actuators import Actuators
from vehicle.guard.stop_socket import StopSocket
from vehicle.hardware.motors.mock import MockMotors

REST = Pulses(1_450_000, 1_446_000)
STOCK_FILE = {
    "Calibration": {
        "Servo": {"min": 1_200_000, "mid": 1_450_000, "max": 1_700_000, "polarity": 1},
        "Motor": {"min": 1_311_000, "mid": 1_446_000, "max": 1_603_500, "polarity": -1},
        "version": "1.0",
    }
}
WIDTHS = st.lists(st.integers(500_000, 2_500_000), min_size=3, max_size=3, unique=True).map(sorted)
CHANNELS = st.builds(lambda w, p: ChannelCalibration(w[0], w[1], w[2], p), WIDTHS, st.sampled_from([-1, 1]))


@settings(deadline=None)  # it waits for the disk
@given(CHANNELS, CHANNELS)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, steering: ChannelCalibration, motor: ChannelCalibration
) -> None:
    path = tmp_path_factory.mktemp("written") / "calibration.json"
    write_calibration(path, Calibration(steering, motor))
    assert read_calibration(path) == Calibration(steering, motor)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_stock_cars_file_is_read(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(STOCK_FILE))
    assert read_calibration(path) == STOCK_CALIBRATION


def without_version(tmp_path: pathlib.Path) -> pathlib.Path:
    """As an early car wrote it."""
    path = tmp_path / "calibration.json"
    inner = {name: channel for name, channel in STOCK_FILE["Calibration"].items() if name != "version"}
    path.write_text(json.dumps({"Calibration": inner}))
    return path


@pytest.mark.parametrize(
    ("bios", "is_taken"),
    [
        # aws-deepracer-servo-pkg, bios_version.cpp: what is no version counts as 0.0.8, which is not early.
        ("0.0.7\n", True),
        ("0.0.8\n", False),
        ("0.0.10\n", False),
        ("0.1.0\n", False),
        ("1.0.0\n", False),
        ("F12\n", False),
        ("0.0\n", False),
        ("\xff", False),
        ("", False),
        (None, False),
    ],
)
def test_an_early_cars_file_counts_only_on_an_early_car(
    tmp_path: pathlib.Path, bios: str | None, is_taken: bool
) -> None:
    version = tmp_path / "bios_version"
    if bios is not None:
        version.write_text(bios, encoding="latin-1")
    if is_taken:
        assert read_calibration(without_version(tmp_path), version) == STOCK_CALIBRATION
        return
    with pytest.raises(BadInput, match=r"calibration.json: the stock calibration has no `version`.*Calibrate the car"):
        read_calibration(without_version(tmp_path), version)


FLOATS = json.dumps(json.loads(json.dumps(STOCK_FILE), parse_int=float))


@pytest.mark.parametrize("text", [FLOATS, json.dumps(STOCK_FILE).replace("000,", "e3,").replace("1603500", "16035E2")])
def test_the_stock_cars_figures_may_be_written_with_a_point(tmp_path: pathlib.Path, text: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    assert "1450000," not in text
    assert read_calibration(path) == STOCK_CALIBRATION


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (json.dumps(STOCK_FILE).replace("1450000", "1450000.5"), "mid_ns"),
        (json.dumps(STOCK_FILE).replace("1450000", "1e999"), "mid_ns"),
        (json.dumps(STOCK_FILE).replace("1450000", "NaN"), "mid_ns"),
        (json.dumps(STOCK_FILE).replace("1450000", "true"), "mid_ns"),
        ("", "cannot be read"),
        ("[" * 100_000, "cannot be read|not a calibration"),
        ("[1]", "one JSON object"),
        ("{}", "has version None"),
        ('{"version": 2}', "has version 2"),
        ('{"version": true}', "has version True"),
        ('{"version": 1}', "missing"),
        ('{"version": 1, "steering": {"min_ns": 3, "mid_ns": 2, "max_ns": 1}, "motor": {}}', "must rise"),
        ('{"version": 1, "wheels": 4}', "unknown key `wheels`"),
        ('{"Calibration": 3}', "must hold"),
        ('{"Calibration": {"Servo": {"min": 1}}}', "has no mid, max, polarity"),
        (json.dumps(STOCK_FILE).replace("-1", "7"), "must be 1 or -1"),
        (json.dumps(STOCK_FILE).replace('"Motor"', '"Engine"'), "has no `Motor`"),
        (" " * 70_000, "one JSON object"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: pathlib.Path, text: str, words: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=words) as refused:
        read_calibration(path)
    assert str(refused.value).count("\n") == 0
    assert str(path) in str(refused.value)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_calibration_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "calibration.json"
    path.write_bytes(content)
    with pytest.raises(BadInput):
        read_calibration(path)


def test_a_disk_that_refuses_is_said_and_the_old_file_stays(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "calibration.json"
    write_calibration(path, STOCK_CALIBRATION)
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError, match="cannot be saved"):
        write_calibration(path, STOCK_CALIBRATION)
    assert read_calibration(path) == STOCK_CALIBRATION
    assert [each.name for each in tmp_path.iterdir()] == ["calibration.json"]


def test_which_calibration_counts(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "calibration.json"
    channel = ChannelCalibration(1_000_000, 1_500_000, 2_000_000)
    assert CalibrationChoice().load() is None
    assert CalibrationChoice(file=path).load() is None
    assert CalibrationChoice(stock=True).load() == STOCK_CALIBRATION
    assert CalibrationChoice(steering=channel, motor=channel).load() == Calibration(channel, channel)
    write_calibration(path, Calibration(channel, channel))
    assert CalibrationChoice(file=path).load() == Calibration(channel, channel)


def test_wheels_without_a_calibration_get_no_pulse() -> None:
    motors = MockMotors({}, ManualClock())
    wheels = Actuators(motors, None)
    wheels.apply_action(Action(0.0, 0.0), "disarmed")
    assert motors.pulses is None
    with pytest.raises(AssertionError):
        wheels.apply_action(Action(0.0, 0.1), "driving")


# The wizard


class ScriptedPerson:
    """Types the answers in order; remembers what the pins did while each question and each pause lasted."""

    def __init__(self, *answers: str) -> None:
        self.motors = MockMotors({}, ManualClock())
        self._answers: Iterator[str] = iter(answers)
        self.while_asking: list[Pulses | None] = []
        self.tested: list[Pulses] = []
        self.on_pause: Callable[[], None] = lambda: None

    def ask(self, _text: str) -> str:
        self.while_asking.append(self.motors.pulses)
        try:
            return next(self._answers)
        except StopIteration:
            raise Refused("the input has ended.") from None

    def pause(self, for_s: float) -> None:
        assert for_s == PULSE_S
        assert self.motors.pulses is not None
        self.tested.append(self.motors.pulses)
        self.on_pause()

    def wizard(self) -> TerminalWizard:
        return TerminalWizard(self.motors, STOCK_CALIBRATION, self.ask, self.pause)


def test_the_wizard_finds_a_calibration_and_every_pulse_ends_in_neutral() -> None:
    person = ScriptedPerson(
        "wheels off",
        "yes",  # the front wheels moved
        "1500", "+10", "",  # steering: middle
        "1250", "", "", "", "",  # its ends, the motor's middle and shortest
        "1600", "",  # the motor's longest
        "y", "n", "yes",
    )  # fmt: skip
    calibration = person.wizard().run()
    assert calibration == Calibration(
        ChannelCalibration(1_250_000, 1_510_000, 1_700_000, 1), ChannelCalibration(1_311_000, 1_446_000, 1_600_000, -1)
    )
    assert person.tested[:3] == [
        Pulses(1_490_000, 1_446_000),  # the smallest visible pulse, and the motor at rest
        Pulses(1_500_000, 1_446_000),
        Pulses(1_510_000, 1_446_000),
    ]
    assert person.tested[-1] == Pulses(1_510_000, 1_523_000)  # forward? half of the longer side
    at_rest = {REST, Pulses(1_510_000, 1_446_000), None}
    assert set(person.while_asking) <= at_rest
    assert person.motors.pulses == Pulses(1_510_000, 1_446_000)


@pytest.mark.parametrize("answers", [(), ("",), ("yes",), ("wheels on",)])
def test_nothing_moves_before_the_wheels_are_off(answers: tuple[str, ...]) -> None:
    person = ScriptedPerson(*answers)
    with pytest.raises(Refused):
        person.wizard().run()
    assert person.motors.pulses is None


def test_channels_the_wrong_way_round_end_the_wizard_before_any_throttle() -> None:
    person = ScriptedPerson("wheels off", "n")
    with pytest.raises(Refused, match="Swap the two channels"):
        person.wizard().run()
    assert person.tested == [Pulses(1_490_000, 1_446_000)]
    assert person.motors.pulses == REST


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, OSError])
def test_a_pulse_that_is_broken_off_ends_in_neutral(stop: type[BaseException]) -> None:
    person = ScriptedPerson("wheels off")

    def broken() -> None:
        raise stop

    person.on_pause = broken
    with pytest.raises(stop):
        person.wizard().run()
    assert person.tested == [Pulses(1_490_000, 1_446_000)]
    assert person.motors.pulses == REST


def test_an_end_on_the_wrong_side_and_nonsense_are_asked_again() -> None:
    person = ScriptedPerson("wheels off", "y", "middle", "", "9999", "", "", "1470", "", "", "1300", "", "")
    with pytest.raises(Refused, match="input has ended"):
        person.wizard().run()
    assert [pulses.steering_ns for pulses in person.tested[1:]] == [1_470_000, 1_300_000]


def test_no_is_no_and_a_wizard_does_not_ask_for_ever() -> None:
    with pytest.raises(Refused, match="not saved"):
        ScriptedPerson("wheels off", "y", *[""] * 6, "y", "y", "n").wizard().run()
    with pytest.raises(Refused, match="neither y nor n"):
        ScriptedPerson("wheels off", "y", *[""] * 6, *["perhaps"] * 60).wizard().run()
    with pytest.raises(Refused, match="50 tries"):
        ScriptedPerson("wheels off", "y", *["+1"] * 60).wizard().run()


@given(st.text(max_size=8), st.integers(500, 2_500))
def test_a_typed_width_is_a_servos_width_or_refused(answer: str, width_us: int) -> None:
    try:
        assert 500 <= parse_width_us(answer, width_us) <= 2_500
    except Refused as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017 (most texts are refused)


# The command


def car(folder: pathlib.Path, calibration: str) -> pathlib.Path:
    path = folder / "vehicle.toml"
    path.write_text(config_text(folder, 1883).replace("stock = true", calibration))
    return path


def test_the_command_saves_the_calibration(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = car(tmp_path, f'file = "{tmp_path}/calibration.json"')
    stock = tmp_path / "stock.json"
    stock.write_text(json.dumps(STOCK_FILE).replace("1700000", "1690000"))
    answers = iter(["wheels off", "y", *[""] * 6, "y", "n", "y"])
    monkeypatch.setattr("builtins.input", lambda _text: next(answers))
    monkeypatch.setattr("vehicle.calibration.terminal_wizard.PULSE_S", 0.0)
    assert load(config, VehicleConfig).calibration.load() is None
    assert vehicle.main(["calibrate", "--config", str(config), "--from", str(stock)]) == 0
    saved = load(config, VehicleConfig).calibration.load()
    assert saved is not None
    assert (saved.steering.max_ns, saved.motor) == (1_690_000, STOCK_CALIBRATION.motor)


def test_the_command_refuses_beside_a_guard_and_without_a_file(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"calibration\.file"):
        vehicle.main(["calibrate", "--config", str(car(tmp_path, "stock = true"))])
    config = car(tmp_path, f'file = "{tmp_path}/calibration.json"')
    guard = StopSocket(tmp_path / "car.sock")
    with pytest.raises(Exception, match="another guard already listens"):
        vehicle.main(["calibrate", "--config", str(config)])
    guard.close()

    def gone(_text: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", gone)
    with pytest.raises(Refused, match="input has ended"):
        vehicle.main(["calibrate", "--config", str(config)])
    assert not (tmp_path / "car.sock").exists()


def test_neutral_from_outside_without_a_calibration_is_the_drivers_own(tmp_path: pathlib.Path) -> None:
    assert vehicle.main(["neutral", "--config", str(car(tmp_path, ""))]) == 0
    assert "1446000" in (tmp_path / "pulses.jsonl").read_text()
