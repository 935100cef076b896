"""Scenario units: each shipped unit started for real with each driver that the machine can have, and how exposed it is.

The config of a role is changed as its user would change it, `raceday install ROLE` brings the drop-ins up to date, and
the unit has to work without a restart. Exposure: as `systemd-analyze security` rates the unit with its drop-ins.
"""

import pathlib
import re
import shutil
import subprocess
import time

from tools.metal.guest import certificates
from tools.metal.guest.checks import check, last_line, run
from tools.metal.guest.installed_station import InstalledStation, exposure, journal_tail, unit_property
from tools.metal.guest.kernel_files import load
from tools.metal.guest.simulated_gpio import ENABLE_LINE, car_lines
from tools.metal.guest.simulated_pwm import SimulatedPca9685
from tools.metal.guest.unit_trials import OPENSTINT_PORT, UnitTrial, secret_of_the_leaderboard, trials

ETC = pathlib.Path("/etc/raceday")
CONFIGS = {"station": "station.toml", "car": "vehicle.toml", "leaderboard": "leaderboard.toml"}
# What a service says that was kept from what it needs.
SHUT_OUT = re.compile("may not|[Pp]ermission|not permitted|denied|SIGSYS|status=31")
# As an OpenStint decoder does, with a status each second: by the product's own pyzmq.
PUBLISHER = """
import sys, time
import zmq
socket = zmq.Context().socket(zmq.PUB)
socket.bind(f"tcp://127.0.0.1:{sys.argv[1]}")
while True:
    socket.send_string(f"S {time.monotonic_ns() // 1_000_000} -40.00 5 0 0")
    time.sleep(1.0)
"""


def main() -> None:
    for unit in ("raceday-vehicle", "raceday-leaderboard"):
        run(["systemctl", "stop", unit])  # an emulated machine has not the time for all of them at once
    station = InstalledStation()
    station.up()
    load("vivid")
    gpio, enable_line = car_lines()
    pwm = SimulatedPca9685()
    if not certificates.station_takes_certificates() or not certificates.car_gets_certificate():
        return
    certificates.done("raceday", "install", "car", "--certs", str(certificates.CARRIED_CAR), limit_s=2400)
    certificates.done("raceday", "install", "leaderboard", limit_s=2400)
    secret_of_the_leaderboard()
    shutil.chown("/etc/raceday/leaderboard.secret", "raceday", "raceday")
    kept = {path: path.read_text() for path in ETC.glob("*.toml")}
    words = ["/opt/raceday/current/bin/python", "-c", PUBLISHER, str(OPENSTINT_PORT)]
    publisher = subprocess.Popen(words, start_new_session=True)
    for trial in trials(pwm.bus, enable_line):
        pwm.power_on()
        if trial.on_the_chip:
            pwm.bind()
        try_unit(trial, station)
        if trial.on_the_chip:
            seen = f"PRE_SCALE {pwm.prescale()}, line {gpio.level(ENABLE_LINE)}"
            check("the car has set the chip's divider, and its line cuts", seen == "PRE_SCALE 121, line 1", seen)
        if trial.role == "car":
            run(["systemctl", "stop", trial.unit])
        if trial.on_the_chip:
            pwm.unbind()
        if trial.role == "station":
            path = ETC / CONFIGS["station"]
            path.write_text(kept[path])
    publisher.kill()
    certificates.done("raceday", "install", "station")
    check("the station is as it was", station.up() is not None, journal_tail("raceday-station", 1))


def try_unit(trial: UnitTrial, station: InstalledStation) -> None:
    """Starts one unit with one config, and looks at it once it shows that it works, or does not in time."""
    name = f"{trial.unit}, {trial.devices}"
    run(["systemctl", "stop", trial.unit])
    run(["systemctl", "reset-failed", trial.unit])
    began = time.strftime("%Y-%m-%d %H:%M:%S")
    if trial.config:
        path = ETC / CONFIGS[trial.role]
        path.write_text(with_tables(path.read_text(), trial.config, trial.tables))
        done = run(["raceday", "install", trial.role], 900)
        if not check(f"{name}: installed again", done.returncode == 0, last_line(done)):
            return
    run(["systemctl", "start", trial.unit])
    if trial.role == "station":
        station.up()
    seen = trial.works(station)
    said = subprocess.run(
        ["journalctl", "-u", trial.unit, "--since", began, "--no-pager", "-o", "cat"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    state, restarts = unit_property(trial.unit, "ActiveState"), unit_property(trial.unit, "NRestarts")
    shut_out = [line for line in said.split("\n") if SHUT_OUT.search(line)]
    is_good = (state, restarts) == ("active", "0") and not shut_out and seen is not None
    why = "" if is_good else f"; {shut_out[:2] or journal_tail(trial.unit, 2)}"
    check(f"{name}: works", is_good, f"{state}, NRestarts={restarts}: {seen}{why}")
    level = exposure(trial.unit)
    check(f"{name}: exposure", level <= trial.limit, f"{level} (at most {trial.limit})")


def with_tables(config: str, new: str, tables: tuple[str, ...]) -> str:
    """The config with these tables (and what is below them) replaced by `new`."""
    parts = re.split(r"^(?=\[)", config, flags=re.MULTILINE)
    heads = tuple(f"[{each}" for each in tables) + tuple(f"[[{each}" for each in tables)
    kept = [part for part in parts if not part.startswith(("[stop_button", "[start_lights", *heads))]
    return kept[0] + new + "".join(kept[1:])


if __name__ == "__main__":
    main()
