"""Scenario units: each shipped unit started for real with each driver that the machine can have, and how exposed it is.

The config of a role is changed as its user would change it, `raceday install ROLE` brings the drop-ins up to date, and
the unit has to run without a restart. Exposure: as `systemd-analyze security` rates the unit with its drop-ins.
"""

import pathlib
import re
import subprocess
import time
from dataclasses import dataclass

from tools.metal.guest import hardware
from tools.metal.guest.checks import check, run, until
from tools.metal.guest.installed_station import exposure, journal_tail, unit_property
from tools.metal.guest.kernel_files import load
from tools.metal.guest.simulated_pico import BY_ID
from tools.metal.guest.simulated_pwm import SimulatedPca9685

MAX_EXPOSURE = 1.5
MAX_EXPOSURE_ON_A_PI = 1.7  # of the car: it writes the kernel's PWM and locks its memory
RUNS_S = 15.0  # a unit that dies at its devices does so at once
UP_S = 300.0
ETC = pathlib.Path("/etc/raceday")


@dataclass(frozen=True, slots=True)
class Try:
    """One unit with one kind of device: what its config says in place of which tables, and what its log must say."""

    unit: str
    role: str
    devices: str
    config: str = ""
    tables: tuple[str, ...] = ()
    limit: float = MAX_EXPOSURE
    refused: str = "may not|Permission|not permitted|denied|SIGSYS|status=31"


def gate(driver: str, options: str) -> str:
    """A start gate of this driver, as in station.toml."""
    head = f'[[gate]]\nname = "start"\ndriver = "{driver}"\nsensors = ["beam"]\nkind = "start_finish"\n'
    return f"{head}[gate.options]\n{options}\n"


GPIO = gate("gpio", f"pins = [{hardware.GATE_LINE}]")
PICO = gate("pico", f'port = "{BY_ID}"')
DECODER = gate("decoder", 'protocol = "zround"\nurl = "/dev/ttyACM0"')
BUTTON = '[stop_button]\ndriver = "gpio"\n[stop_button.options]\npin = 26\n'
LIGHTS = '[start_lights]\ndriver = "gpio"\n[start_lights.options]\npins = [5, 6, 13, 19, 16]\n'


def tries(pwm_bus: int) -> tuple[Try, ...]:
    """All that are made; the simulated PWM chip is on this I2C bus."""
    camera = '[camera]\ndriver = "v4l2"\n[camera.options]\ndevice = "/dev/video0"\n'
    kernel_pwm = f'[motors]\ndriver = "sysfs"\n[motors.options]\nchip = "i2c-{pwm_bus}"\n'
    kernel_pwm += "motor_channel = 0\nsteering_channel = 1\n"
    servo_board = f'[motors]\ndriver = "pca9685"\n[motors.options]\nbus = {pwm_bus}\n'
    servo_board += "motor_channel = 0\nsteering_channel = 1\n"
    mock = '[camera]\ndriver = "mock"\n[motors]\ndriver = "mock"\n'
    station, car, tables = "raceday-station", "raceday-vehicle", ("camera", "motors")
    return (
        Try(station, "station", "GPIO gate", GPIO, ("gate",)),
        Try(station, "station", "Pico on USB", PICO, ("gate",)),
        Try(station, "station", "decoder on a serial port", DECODER, ("gate",)),
        Try(station, "station", "GPIO gate, stop button, start lights", GPIO + BUTTON + LIGHTS, ("gate",)),
        Try("raceday-sync", "station", "no device"),
        Try(car, "car", "no device", mock, tables, MAX_EXPOSURE_ON_A_PI),
        Try(car, "car", "camera and kernel PWM", camera + kernel_pwm, tables, MAX_EXPOSURE_ON_A_PI),
        Try(
            car, "car", "servo board on I2C", '[camera]\ndriver = "mock"\n' + servo_board, tables, MAX_EXPOSURE_ON_A_PI
        ),
        Try("raceday-leaderboard", "leaderboard", "no device"),
    )


def main() -> None:
    load("vivid")
    pwm = SimulatedPca9685()
    for role in ("car", "leaderboard"):
        done = run(["raceday", "install", role], 1500)
        check(f"raceday install {role} beside the station", done.returncode == 0, last_line(done))
    kept = {path: path.read_text() for path in ETC.glob("*.toml")}
    for each in tries(pwm.bus):
        pwm.power_on()
        if "kernel PWM" in each.devices:
            pwm.bind()
        try_unit(each)
        run(["systemctl", "stop", each.unit])
        if "kernel PWM" in each.devices:
            pwm.unbind()
    for path, text in kept.items():
        path.write_text(text)
    run(["raceday", "install", "station", "--force"], 600)
    run(["systemctl", "start", "raceday-station"])


def try_unit(each: Try) -> None:
    """Starts one unit with one config, and looks at it once it has run for a while."""
    name = f"{each.unit}, {each.devices}"
    if each.config:
        path = ETC / {"station": "station.toml", "car": "vehicle.toml"}[each.role]
        path.write_text(with_tables(path.read_text(), each.config, each.tables))
        done = run(["raceday", "install", each.role, "--force"], 600)
        if not check(f"{name}: installed again", done.returncode == 0, last_line(done)):
            return
    run(["systemctl", "reset-failed", each.unit])
    began = time.strftime("%Y-%m-%d %H:%M:%S")
    run(["systemctl", "restart", each.unit], UP_S)
    until(lambda: unit_property(each.unit, "ActiveState") == "active" or None, UP_S)
    time.sleep(RUNS_S)
    said = subprocess.run(
        ["journalctl", "-u", each.unit, "--since", began, "--no-pager", "-o", "cat"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    state, restarts = unit_property(each.unit, "ActiveState"), unit_property(each.unit, "NRestarts")
    refused = [line for line in said.split("\n") if re.search(each.refused, line)]
    is_good = (state, restarts) == ("active", "0") and not refused
    check(f"{name}: runs", is_good, f"{state}, NRestarts={restarts}; {refused[:2] or journal_tail(each.unit, 2)}")
    level = exposure(each.unit)
    check(f"{name}: exposure", level <= each.limit, f"{level} (at most {each.limit})")


def with_tables(config: str, new: str, tables: tuple[str, ...]) -> str:
    """The config with these tables (and what is below them) replaced by `new`."""
    parts = re.split(r"^(?=\[)", config, flags=re.MULTILINE)
    heads = tuple(f"[{each}" for each in tables) + tuple(f"[[{each}" for each in tables)
    kept = [part for part in parts if not part.startswith(("[stop_button", "[start_lights", *heads))]
    return kept[0] + new + "".join(kept[1:])


def last_line(done: "subprocess.CompletedProcess[str]") -> str:
    return (done.stdout + done.stderr).strip().split("\n")[-1]


if __name__ == "__main__":
    main()
