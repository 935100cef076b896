"""Certificates as docs/certificates.md has them: the station's, a car's, and their loss. Called by wifi and units."""

import pathlib

from tools.metal.guest.checks import check, last_line, run

WORK = pathlib.Path("/root/certificates")
CAR = "car-1"
STATION_KEY = pathlib.Path("/etc/raceday/tls/station-1.key")
CARRIED_CAR = WORK / f"{CAR}.raceday-certs"


def done(*command: str, limit_s: float = 900.0) -> bool:
    """Runs one of the documented commands in the folder of the carried files, and checks that it succeeds."""
    WORK.mkdir(exist_ok=True)
    ended = run(("env", "-C", str(WORK), *command), limit_s)
    return check(" ".join(command), ended.returncode == 0, last_line(ended))


def station_takes_certificates(*words: str, host: str = "") -> bool:
    """Authority, broker and station get theirs, unless they have them; `words`: what else is installed.

    `host`: a further address of the broker.
    """
    had_one = STATION_KEY.exists()
    if not done("raceday", "certs", "init", *(("--host", host) if host else ())):
        return False
    if had_one:
        return done("systemctl", "reload", "mosquitto") and done("raceday", "install", "station", *words)
    return done("raceday", "certs", "machine", "station-1") and done(
        "raceday", "install", "station", "--certs", "station-1.raceday-certs", *words
    )


def car_gets_certificate() -> bool:
    """The car's file is made, anew if there was one, and the broker learns of it."""
    again = ("--renew",) if CARRIED_CAR.exists() else ()
    CARRIED_CAR.unlink(missing_ok=True)
    return done("raceday", "certs", "car", CAR, *again) and done("systemctl", "reload", "mosquitto")


def revoke_car() -> bool:
    """A car is lost."""
    return done("raceday", "certs", "revoke", CAR) and done("systemctl", "reload", "mosquitto")
