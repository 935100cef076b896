"""Taking a stock car over and giving it back: a fake systemctl on PATH, the fake kernel, and a car that drives.

The rule that matters is the metal's: the stock servo node leaves its last pulse when it ends, and only enabling and
disabling a unit whose file is in /etc works, masking does not.
"""

import contextlib
import os
import pathlib
import stat
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from shared.clock import ManualClock
from shared.errors import OperatorError, Refused
from tests.vehicle.hardware.fake_kernel import Kernel, KernelPca9685
from vehicle.bridge.mock_console.mock_car import MockCar
from vehicle.bridge.mock_console.mock_console import MockConsole
from vehicle.bridge.mock_console.outputs import CarOutputs
from vehicle.bridge.mock_console.server import MockConsoleServer
from vehicle.commands import hand_over
from vehicle.commands.hand_over import HandOver
from vehicle.core.pulses import STOCK_CALIBRATION, Pulses
from vehicle.hardware.interfaces import Motors
from vehicle.hardware.motors.sysfs import SysfsMotors
from vehicle.hardware.profiles import PROFILES

# Its state is a folder with the files `active`, `enabled`, `installed`; `deaf` keeps it running, `denied` refuses.
SYSTEMCTL = """#!{python} -IS
import pathlib, sys
folder, (verb, unit) = pathlib.Path({folder!r}), sys.argv[1:3]
with (folder / "log").open("a") as log:
    log.write(verb + " " + unit + "\\n")
there = lambda name: (folder / name).exists()
if not there("installed"):
    sys.exit("Unit " + unit + " could not be found.")
if verb == "cat":
    print("[Unit]")
elif verb == "is-active":
    print("active" if there("active") else "inactive")
    sys.exit(0 if there("active") else 3)
elif verb == "is-enabled":
    print("enabled" if there("enabled") else "disabled")
    sys.exit(0 if there("enabled") else 1)
elif there("denied"):
    sys.exit("Interactive authentication required.")
elif verb == "stop":
    there("deaf") or (folder / "active").unlink(missing_ok=True)
elif verb == "start":
    (folder / "active").touch()
elif verb == "enable":
    (folder / "enabled").touch()
elif verb == "disable":
    (folder / "enabled").unlink(missing_ok=True)
else:
    sys.exit("Failed to " + verb + " unit: File /etc/systemd/system/" + unit + " already exists.")
"""
FULL_FORWARD_NS, NEUTRAL_NS = 1_311_000, 1_446_000
OPTIONS = PROFILES["deepracer-2404"].defaults["motors"]["options"]


class StockCar:
    """A stock car whose own software drives at full throttle, with its line on."""

    def __init__(self, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.options: dict[str, Any] = OPTIONS
        self.console_port = 1  # where nobody listens
        self.record = folder / "was-enabled"
        program = folder / "bin" / "systemctl"
        program.parent.mkdir()
        program.write_text(SYSTEMCTL.format(python=sys.executable, folder=str(folder)))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        for name in ("installed", "active", "enabled"):
            (folder / name).touch()
        self.chip = KernelPca9685(prescale=0x79)
        self.kernel = Kernel(self.chip, gpio={512: 80})
        for number, width_ns in ((0, FULL_FORWARD_NS), (1, 1_450_000)):
            self.chip.export(number)
            self.chip.write(number, "period", 20_000_000)
            self.chip.write(number, "duty_cycle", width_ns)
        self.kernel.write(pathlib.Path("/sys/class/gpio/export"), "514")
        self.kernel.write(pathlib.Path("/sys/class/gpio/gpio514/direction"), "low")

    def hand_over(self, service: str = "deepracer-core") -> HandOver:
        return HandOver(service, self.motors, STOCK_CALIBRATION, self.record, self.folder / "sys", self.console_port)

    def motors(self) -> Motors:
        return SysfsMotors(self.options, ManualClock(), self.kernel)

    @property
    def is_cut(self) -> bool:
        return self.kernel.lines[514].levels[-1] == 1

    @property
    def throttle_ns(self) -> int:
        return self.chip.exported[0].duty_cycle

    @property
    def log(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()


@pytest.fixture
def car(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> StockCar:
    return StockCar(tmp_path, monkeypatch)


def test_a_car_that_drives_stands_before_its_software_ends(car: StockCar) -> None:
    said = car.hand_over().take_over()
    assert "deepracer-core is stopped, and stays so" in said
    assert (car.has("active"), car.has("enabled")) == (False, False)
    assert car.is_cut
    assert car.throttle_ns >= NEUTRAL_NS
    assert car.chip.pulse_ns(0) == pytest.approx(NEUTRAL_NS, abs=5_000)
    assert "mask deepracer-core.service" not in car.log


def test_the_line_is_cut_before_the_service_is_told_anything(car: StockCar, monkeypatch: pytest.MonkeyPatch) -> None:
    (car.folder / "denied").touch()
    with pytest.raises(OperatorError, match=r"`systemctl disable deepracer-core` failed .*with sudo"):
        car.hand_over().take_over()
    assert car.is_cut
    assert car.chip.pulse_ns(0) == pytest.approx(NEUTRAL_NS, abs=5_000)


def test_what_the_stock_software_wrote_while_it_ended_is_undone(car: StockCar, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its nodes run until they are killed: the last message may come after our neutral."""
    outlasted = 0

    def motors() -> Motors:
        nonlocal outlasted
        if not car.has("active"):
            outlasted += 1
            car.chip.write(0, "duty_cycle", FULL_FORWARD_NS)
            car.kernel.write(pathlib.Path("/sys/class/gpio/gpio514/direction"), "low")
        return car.motors()

    HandOver("deepracer-core", motors, STOCK_CALIBRATION, car.record, car.folder, car.console_port).take_over()
    assert outlasted == 1
    assert car.is_cut
    assert car.chip.pulse_ns(0) == pytest.approx(NEUTRAL_NS, abs=5_000)


def test_given_back_it_starts_from_neutral_and_with_the_machine_as_before(car: StockCar) -> None:
    car.hand_over().take_over()
    motors = car.motors()
    motors.apply(Pulses(1_700_000, FULL_FORWARD_NS))  # our agent drove, and was killed
    motors.enable()
    said = car.hand_over().give_back()
    assert "deepracer-core drives this car again" in said
    assert (car.has("active"), car.has("enabled")) == (True, True)
    assert car.is_cut, "its own start lets the pulses out"
    assert car.chip.pulse_ns(0) == pytest.approx(NEUTRAL_NS, abs=5_000)
    assert car.chip.exported[0].enable, "the stock software never enables a channel"
    assert not car.record.exists()


def test_a_service_that_was_not_enabled_is_not_enabled_by_giving_it_back(car: StockCar) -> None:
    (car.folder / "enabled").unlink()
    car.hand_over().take_over()
    car.hand_over().give_back()
    assert (car.has("active"), car.has("enabled")) == (True, False)


def test_both_may_be_said_twice(car: StockCar) -> None:
    car.hand_over().take_over()
    assert "does not run" in car.hand_over().take_over()
    assert car.record.exists(), "it is still known that it was enabled"
    car.hand_over().give_back()
    car.chip.write(0, "duty_cycle", FULL_FORWARD_NS)  # it drives again
    car.hand_over().give_back()
    assert car.throttle_ns == FULL_FORWARD_NS, "a car that its own software drives is left alone"
    assert car.has("enabled")


def test_one_that_does_not_end_is_said(car: StockCar) -> None:
    (car.folder / "deaf").touch()
    with pytest.raises(OperatorError, match="still runs after it was stopped"):
        car.hand_over().take_over()
    assert car.is_cut


class DrivingConsole:
    """The console of a stock car that drives by its model, on loopback."""

    def __init__(self) -> None:
        self.car = MockCar(CarOutputs(), state="auto", loaded="Sample_single_cam")
        self.server = MockConsoleServer(MockConsole(self.car, "stock"))
        self.server.start()

    @property
    def drives(self) -> bool:
        return self.car.active["auto"]


@pytest.fixture(scope="module")
def served_console() -> Iterator[DrivingConsole]:
    made = DrivingConsole()
    yield made
    made.server.close()


@pytest.fixture
def console(served_console: DrivingConsole, car: StockCar) -> DrivingConsole:
    with served_console.server.lock:
        served_console.car.set_state("auto")
        served_console.car.set_active(is_active=True)
    car.console_port = served_console.server.direct_port
    return served_console


@pytest.mark.parametrize("fails", [None, KeyboardInterrupt(), OperatorError("gives no answer (timed out).")])
def test_a_car_without_an_enable_line_stops_by_its_console_before_its_software_is_told_to_end(
    car: StockCar, console: DrivingConsole, monkeypatch: pytest.MonkeyPatch, fails: BaseException | None
) -> None:
    """Its servo node would undo neutral with the next message, and may take 90 s to end."""
    drove: list[bool] = []
    real = hand_over._systemctl

    def systemctl(verb: str, service: str) -> "subprocess.CompletedProcess[str]":
        if verb in ("disable", "stop"):
            drove.append(console.drives)
            car.chip.write(0, "duty_cycle", FULL_FORWARD_NS)  # one last message
            if fails is not None and verb == "stop":
                raise fails
        return real(verb, service)

    monkeypatch.setattr(hand_over, "_systemctl", systemctl)
    car.options = {"chip": "i2c-0", "motor_channel": 0, "steering_channel": 1}
    assert console.drives
    with contextlib.nullcontext() if fails is None else pytest.raises(type(fails)):
        car.hand_over().take_over()
    assert drove == [False, False]
    assert car.chip.pulse_ns(0) == pytest.approx(NEUTRAL_NS, abs=5_000)


def test_a_console_that_is_not_there_is_said_and_the_car_is_taken_over(
    car: StockCar, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is stopped" in car.hand_over().take_over()
    assert "the car's console did not stop it (" in "".join(capsys.readouterr())


def test_a_car_on_a_leash_is_not_taken_over(car: StockCar) -> None:
    group = car.folder / "sys" / "fs" / "cgroup" / "system.slice" / "raceday-leash.service"
    group.mkdir(parents=True)
    (group / "cgroup.events").write_text("populated 1\n")
    with pytest.raises(Refused, match=r"The leash of a bridge .* is running"):
        car.hand_over().take_over()
    assert car.has("active")


def test_processes_that_outlive_their_service_are_found(car: StockCar) -> None:
    group = car.folder / "sys" / "fs" / "cgroup" / "system.slice" / "deepracer-core.service"
    group.mkdir(parents=True)
    (group / "cgroup.events").write_text("populated 1\n")
    with pytest.raises(OperatorError, match="still runs"):
        car.hand_over().take_over()


def test_the_processor_keeps_the_speed_that_the_stock_service_takes_away(car: StockCar) -> None:
    """Its ExecStopPost sets `powersave` (deepracer-custom-car `deepracer-core.service`)."""
    governor = car.folder / "sys" / "devices" / "system" / "cpu" / "cpu0" / "cpufreq" / "scaling_governor"
    governor.parent.mkdir(parents=True)
    governor.write_text("performance\n")
    program = car.folder / "bin" / "systemctl"
    slow = f'elif verb == "stop":\n    pathlib.Path({str(governor)!r}).write_text("powersave\\n")\n    '
    program.write_text(program.read_text().replace('elif verb == "stop":\n    ', slow))
    car.hand_over().take_over()
    assert governor.read_text() == "performance\n"


def test_a_machine_without_the_software_or_without_systemd(car: StockCar, monkeypatch: pytest.MonkeyPatch) -> None:
    (car.folder / "installed").unlink()
    assert "is not installed on this machine" in car.hand_over().take_over()
    with pytest.raises(Refused, match="nothing to give the car back to"):
        car.hand_over().give_back()
    with pytest.raises(Refused, match=r"`stock_software\.service` names none"):
        car.hand_over("")
    monkeypatch.setenv("PATH", str(car.folder))
    with pytest.raises(OperatorError, match="there is no `systemctl` here"):
        car.hand_over().take_over()
