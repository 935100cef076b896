"""Scenario units: the units of station, sync and leaderboard, started for real with each driver of this machine.

The leaderboard is installed beside the station, which posts to it what was timed before.
"""

import pathlib
import shutil
import subprocess

from tools.metal.guest import certificates
from tools.metal.guest.checks import check, run
from tools.metal.guest.installed_station import InstalledStation, journal_tail
from tools.metal.guest.unit_runs import CONFIGS, ETC, try_unit
from tools.metal.guest.unit_trials import OPENSTINT_PORT, SECRET_FILE, station_trials

INSTALL_S = 2400.0
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
    station = InstalledStation()
    station.up()
    if not certificates.done("raceday", "install", "leaderboard", limit_s=INSTALL_S):
        return
    give_secret_to_the_station()
    config = ETC / CONFIGS["station"]
    kept = config.read_text()
    words = ["/opt/raceday/current/bin/python", "-c", PUBLISHER, str(OPENSTINT_PORT)]
    publisher = subprocess.Popen(words, start_new_session=True)
    for trial in station_trials():
        try_unit(trial, station)
        config.write_text(kept)
    publisher.kill()
    run(["systemctl", "stop", "raceday-leaderboard"])
    certificates.done("raceday", "install", "station")
    check("the station is as it was", station.up() is not None, journal_tail("raceday-station", 1))


def give_secret_to_the_station() -> None:
    """The leaderboard's secret, as `raceday install leaderboard` says at its end."""
    made = pathlib.Path("/var/lib/raceday-leaderboard/secrets/webhook.secret").read_text(encoding="ascii")
    given = pathlib.Path(SECRET_FILE)
    given.touch(mode=0o600)
    given.write_text(made, encoding="ascii")
    shutil.chown(given, "raceday", "raceday")


if __name__ == "__main__":
    main()
