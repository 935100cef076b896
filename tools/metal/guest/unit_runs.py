"""Starts a unit with the devices of one trial, and looks at what comes of it. Called by the scenarios units and car.

The config of a role is changed as its user would change it, `raceday install ROLE` brings the drop-ins up to date, and
the unit has to work without a restart. Exposure: as `systemd-analyze security` rates the unit with its drop-ins.
"""

import pathlib
import re
import subprocess
import time

from tools.metal.guest.checks import check, last_line, run
from tools.metal.guest.installed_station import InstalledStation, exposure, journal_tail, unit_property
from tools.metal.guest.unit_trials import UnitTrial

ETC = pathlib.Path("/etc/raceday")
CONFIGS = {"station": "station.toml", "car": "vehicle.toml", "leaderboard": "leaderboard.toml"}
# What a service says that was kept from what it needs.
SHUT_OUT = re.compile("may not|[Pp]ermission|not permitted|denied|SIGSYS|status=31")


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
