"""Runs the scenarios of one boot, one after the other, and switches the machine off. Started by metal.service.

Each script is a process of its own with a time limit; its output goes to NAME.log beside the results, the machine's
journal to journal.txt, and what Debian's broker logs, which is not in the journal, to mosquitto.log.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from tools.metal.guest.checks import record

SHARE = pathlib.Path("/metal")
CAR_UNIT = pathlib.Path("/etc/systemd/system/raceday-vehicle.service")
CAR_S = 2400.0
BROKER_LOG = pathlib.Path("/var/log/mosquitto/mosquitto.log")
FOLLOW = ("journalctl", "--no-pager", "--boot", "--follow", "--lines=all", "--output=short-monotonic")
PYTHONS = {"debian": sys.executable, "raceday": "/opt/raceday/current/bin/python"}


def run_scenario(scenario: dict[str, object], log: pathlib.Path) -> None:
    """Runs one script; records its exit code (None: it was ended at its limit) and the last line that it printed."""
    began_s = time.monotonic()
    limit_s = float(str(scenario["limit_s"]))
    command = [PYTHONS[str(scenario["python"])], "-u", str(SHARE / "tools/metal/guest" / str(scenario["script"]))]
    environment = {**os.environ, "METAL_SCENARIO": str(scenario["name"]), "PYTHONPATH": str(SHARE)}
    exit_code: int | None = None
    with log.open("w", encoding="utf-8") as output:
        try:
            exit_code = subprocess.run(
                command, stdout=output, stderr=subprocess.STDOUT, env=environment, timeout=limit_s, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            output.write("ended at its time limit\n")
        except OSError as error:
            output.write(f"{command[0]} cannot be started: {error.strerror}\n")
            exit_code = 127
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    record(
        scenario=scenario["name"],
        exit_code=exit_code,
        took_s=round(time.monotonic() - began_s, 1),
        limit_s=limit_s,
        last_line=next((line for line in reversed(lines) if line.strip()), "")[:400],
    )


def main() -> None:
    plan = json.loads((SHARE / "plan.json").read_text(encoding="utf-8"))
    # The clock of the boot, CLOCK_MONOTONIC: how long this machine took until its services were up.
    record(scenario="boot", up_s=round(time.monotonic(), 1))
    with (SHARE / "journal.txt").open("w", encoding="utf-8") as journal:
        # As it is written: a machine that hangs has said until when it did not.
        follows = subprocess.Popen(FOLLOW, stdout=journal)
        for scenario in plan["scenarios"]:
            if scenario["needs_car"] and not CAR_UNIT.exists():
                subprocess.run(["raceday", "install", "car"], check=False, timeout=CAR_S)
            run_scenario(scenario, SHARE / f"{scenario['name']}.log")
        follows.terminate()
        follows.wait()
    if BROKER_LOG.exists():
        shutil.copyfile(BROKER_LOG, SHARE / BROKER_LOG.name)
    os.sync()


if __name__ == "__main__":
    main()
