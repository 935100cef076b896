"""The commands' mistakes: one sentence, exit code 2, and no wheel has moved."""

import dataclasses
import pathlib
import subprocess
import sys

import pytest

from shared.clock import build_clock
from shared.config import load
from shared.errors import ConfigError, HardwareMissing, OperatorError, Refused
from tests.vehicle.sample_parts import config_text, pulses, write_model
from vehicle.build import _open_motors, _reopen_motors
from vehicle.commands import vehicle
from vehicle.config import MotorsChoice, VehicleConfig
from vehicle.core.pulses import STOCK_CALIBRATION
from vehicle.guard.stop_socket import StopSocket, ask_to_stop


def config(folder: pathlib.Path, change: tuple[str, str] = ("", "")) -> str:
    write_model(folder / "model")
    path = folder / "vehicle.toml"
    path.write_text(config_text(folder, 1883).replace(*change))
    return str(path)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (('driver = "mock"', 'driver = "moc"'), ConfigError, "there is no driver 'moc' in raceday.motors"),
        (("record =", "resolution_ns = 200000, record ="), HardwareMissing, "use a finer driver"),
        (("record =", "recrod ="), ConfigError, "did you mean `record`"),
        (("throttle_percent = 50", "throttle_percent = 500"), ConfigError, "throttle_percent"),
    ],
)
def test_what_the_guard_itself_refuses(
    tmp_path: pathlib.Path, change: tuple[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        vehicle.main(["--config", config(tmp_path, change)])


def test_neutral_from_outside(tmp_path: pathlib.Path) -> None:
    assert vehicle.main(["neutral", "--config", config(tmp_path)]) == 0
    assert '"throttle_ns": 1446000' in (tmp_path / "pulses.jsonl").read_text()


def test_neutral_from_outside_needs_no_calibration_that_can_be_read(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "damaged.json").write_text("{")
    path = config(tmp_path, ("stock = true", f'file = "{tmp_path}/damaged.json"'))
    assert vehicle.main(["neutral", "--config", path]) == 0
    assert pulses(tmp_path) == [(1_450_000, 1_446_000)]
    assert "the calibration cannot be read" in capsys.readouterr().err


def test_neutral_from_outside_cuts_the_outputs(tmp_path: pathlib.Path) -> None:
    path = config(tmp_path, ("record =", "enable_line = true, record ="))
    assert vehicle.main(["neutral", "--config", path]) == 0
    last = (tmp_path / "pulses.jsonl").read_text().splitlines()[-1]
    assert '"throttle_ns": 1446000, "is_cut": true' in last


def test_stop_without_a_guard(tmp_path: pathlib.Path) -> None:
    with pytest.raises(Refused, match="no guard answers"):
        vehicle.main(["stop", "--config", config(tmp_path)])


def test_the_local_socket_survives_a_kill_but_not_a_second_guard(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "run" / "car.sock"
    killed = StopSocket(path)
    killed._socket.close()  # as a kill leaves it: the file is there, nobody listens
    local = StopSocket(path)
    with pytest.raises(OperatorError, match="another guard already listens"):
        StopSocket(path)
    assert local.requests() == []
    local.close()
    local.close()
    assert not path.exists()
    with pytest.raises(Refused):
        ask_to_stop(path)


def test_a_file_in_the_way_of_the_socket_is_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "car.sock"
    path.write_text("a letter")
    with pytest.raises(OperatorError, match=r"car\.sock"):
        StopSocket(path)
    assert path.read_text() == "a letter"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("/model", "/nothing"), "there is no such model"),
        (("/laps.db", "/model/model.onnx"), "the outbox of laps cannot be used"),
        (('driver = "mock"\n[motors]', 'driver = "films"\n[motors]'), "there is no driver 'films'"),
    ],
)
def test_what_a_child_refuses_ends_the_car_with_its_sentence(
    tmp_path: pathlib.Path, change: tuple[str, str], words: str
) -> None:
    path = config(tmp_path, change)
    words_of_command = [sys.executable, "-m", "raceday", "vehicle", "--config", path]
    done = subprocess.run(words_of_command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    moved = {line.split('"throttle_ns": ')[1] for line in (tmp_path / "pulses.jsonl").read_text().splitlines()}
    assert moved <= {"1446000}"}


def test_late_motors_come_at_neutral_or_not_at_all(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = tmp_path / "absent"
    absent.touch()
    settings = load(
        pathlib.Path(config(tmp_path, ("options = { record", f'options = {{ absent = "{absent}", record'))),
        VehicleConfig,
    )
    clock = build_clock(settings.clock)
    none, why = _open_motors(settings, clock, STOCK_CALIBRATION)
    assert (none, "do not answer" in why) == (None, True)
    with pytest.raises(HardwareMissing, match="do not answer"):
        _reopen_motors(settings, clock, STOCK_CALIBRATION)
    absent.unlink()
    _reopen_motors(settings, clock, STOCK_CALIBRATION).close()
    assert pulses(tmp_path) == [(1_450_000, 1_446_000)]
    assert "steps of 1.00 us: 136 positions from standstill to full forward" in capsys.readouterr().err
    coarse = dataclasses.replace(settings, motors=MotorsChoice("mock", {"resolution_ns": 200_000}))
    for open_motors in (_reopen_motors, _open_motors):
        with pytest.raises(HardwareMissing, match="use a finer driver"):
            open_motors(coarse, clock, STOCK_CALIBRATION)


@pytest.mark.parametrize("driver", ["pca9685", "sysfs"])
def test_real_motors_that_are_not_there_are_absent_with_their_sentence(tmp_path: pathlib.Path, driver: str) -> None:
    options = {"bus": 63} if driver == "pca9685" else {"chip": str(tmp_path / "pwmchip0")}
    settings = load(pathlib.Path(config(tmp_path)), VehicleConfig)
    settings = dataclasses.replace(settings, motors=MotorsChoice(driver, options))
    motors, why = _open_motors(settings, build_clock(settings.clock), STOCK_CALIBRATION)
    assert motors is None
    assert ("/dev/i2c-63 cannot be opened" if driver == "pca9685" else "npwm cannot be read") in why
