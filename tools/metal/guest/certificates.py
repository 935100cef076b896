"""Certificates as docs/certificates.md has them: the station's, a car's, and their loss. Called by wifi and units."""

import pathlib

from tools.metal.guest.checks import check, last_line, run

WORK = pathlib.Path("/root/certificates")
CAR = "car-1"
CARRIED_CAR = WORK / f"{CAR}.raceday-certs"


def done(*command: str, limit_s: float = 900.0) -> bool:
    """Runs one of the documented commands in the folder of the carried files, and checks that it succeeds."""
    WORK.mkdir(exist_ok=True)
    ended = run(("env", "-C", str(WORK), *command), limit_s)
    return check(" ".join(command), ended.returncode == 0, last_line(ended))


def make_certificates(*hosts: str) -> bool:
    """Authority, broker, station and car get theirs; `hosts`: further names of the broker."""
    further = [word for host in hosts for word in ("--host", host)]
    return (
        done("raceday", "certs", "init", *further)
        and done("raceday", "certs", "machine", "station-1")
        and done("raceday", "certs", "car", CAR)
    )


def install_station(*words: str) -> bool:
    """The station takes its certificates, and the broker opens to the cars."""
    return done("raceday", "install", "station", "--certs", "station-1.raceday-certs", *words)


def revoke_car() -> bool:
    """A car is lost."""
    return done("raceday", "certs", "revoke", CAR) and done("systemctl", "reload", "mosquitto")
