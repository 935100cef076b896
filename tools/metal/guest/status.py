"""Scenario status: what station, sync and car tell systemd of themselves is so, changes, and is quoted by the doctor.

`systemctl show -p StatusText` is asked of the units that run. The bridge's is looked at by the scenario bridge; the
leaderboard tells nothing: its page answers or does not.
"""

import os
import re
import signal

from tools.metal.guest import hardware, race
from tools.metal.guest.checks import check, run, until
from tools.metal.guest.doctor import check_finding, doctor_finds
from tools.metal.guest.installed_station import InstalledStation, journal_tail, unit_property
from tools.metal.guest.simulated_gpio import SimulatedGpio
from tools.metal.guest.simulated_pico import SimulatedPico
from tools.metal.guest.unit_runs import CONFIGS, ETC, with_tables
from tools.metal.guest.unit_trials import LEADERBOARD, SLOW_CAMERA, SYNC, WORKS_S
from tools.metal.guest.units import give_secret_to_the_station

STATION, SYNC_UNIT, CAR, BOARD = "raceday-station", "raceday-sync", "raceday-vehicle", "raceday-leaderboard"
SEEN_S = 120.0
INSTALL_S = 2400.0
# As sync tells it: counts, whether the leaderboard lacks the race, and a sentence.
RESULTS = re.compile(r"results: (\d+ posted, \d+ waiting, \d+ rejected)(?: \([^)]+\))?: (.+)", re.ASCII)
TRIES = re.compile(r"\((\d+) (?:try|tries) so far\)", re.ASCII)


def told(unit: str, what: str, *words: str, limit_s: float = SEEN_S) -> str:
    """Waits until the unit's status holds all these words, and checks it; the status."""

    def now() -> str | None:
        line = unit_property(unit, "StatusText")
        return line if all(each in line for each in words) else None

    line = until(now, limit_s)
    check(what, line is not None, line or f"{unit_property(unit, 'StatusText')!r}; {journal_tail(unit, 2)}")
    return line or ""


def is_quoted(before: str, after: str, seen: str) -> bool:
    """Does the doctor quote what sync told before or after it looked, or the same with a number of tries between?"""
    quotes = [quote for quote in map(_quote, (before, after)) if quote]
    if any(quote in seen for quote in quotes):
        return True
    first, last, now = (TRIES.search(text) for text in (before, after, seen))
    if (
        len(quotes) < 2
        or first is None
        or last is None
        or now is None
        or not int(first[1]) <= int(now[1]) <= int(last[1])
    ):
        return False
    return any(TRIES.sub("", quote) in TRIES.sub("", seen) for quote in quotes)


def _quote(line: str) -> str:
    """Counts and sentence as the doctor quotes them; "" of a line that is none of results."""
    found = RESULTS.fullmatch(line.strip())
    return "" if found is None else f"{found[1]}. {found[2]}"


def gates(station: InstalledStation) -> None:
    """A gate that is tried, one that is pulled and plugged, and a station that is killed.

    Both are to be tested again first: a pass that an earlier scenario has made counts, also after a restart.
    """
    run(["systemctl", "restart", STATION])
    check("the station is up", station.up() is not None, journal_tail(STATION, 1))
    gpio, pico = SimulatedGpio(), SimulatedPico()
    split = station.state()["gates"][1]["name"]
    station.fit(split)
    for name in ("start", split):
        station.give("try_gate", gate=name)
    told(STATION, "station: its gates are not tested yet", "gates: start not tested", f"{split} not tested")
    race.try_gates(station, [lambda: gpio.pulse(hardware.GATE_LINE), lambda: pico.pulse(hardware.PICO_PIN)])
    told(STATION, "station: after a pass both are ready", "start ready", f"{split} ready")
    pico.unplug()
    told(STATION, "station: a pulled gate is not ready, and why", "start ready", f"{split} not ready: ")
    found = doctor_finds("station")
    said = unit_property(STATION, "StatusText").partition("not ready: ")[2]
    check_finding("doctor quotes it", found, f"gate {split} at work", False, said)
    check_finding("and the other gate", found, "gate start at work", True, "ready")
    pico.plug(hardware.FIRMWARE)
    told(STATION, "station: plugged again", f"{split} ready")
    os.kill(int(unit_property(STATION, "MainPID")), signal.SIGKILL)
    until(lambda: unit_property(STATION, "NRestarts") == "1" or None, SEEN_S)
    what = "station killed: the new one tells of its gates, and what was tested stays so"
    told(STATION, what, "gates: start ready", f"{split} ready", limit_s=WORKS_S)
    run(["systemctl", "stop", STATION])
    check_finding("stopped: doctor does not quote what it last said", doctor_finds("station"), "gates", None, "not run")


def posting() -> None:
    """Sync before a leaderboard that is not there, and then is."""
    give_secret_to_the_station()
    config = ETC / CONFIGS["station"]
    kept = config.read_text()
    config.write_text(with_tables(kept, SYNC, ("sync",)))
    run(["raceday", "install", "station"], 900)
    told(SYNC_UNIT, "sync: a leaderboard that is not there", "results: ", "posted, ", limit_s=WORKS_S)
    before = unit_property(SYNC_UNIT, "StatusText")
    found = doctor_finds("station")
    after = unit_property(SYNC_UNIT, "StatusText")  # it tries again meanwhile
    address = f"leaderboard http://{LEADERBOARD[0]}:{LEADERBOARD[1]}"
    check_finding("doctor finds no leaderboard", found, address, False, "not reached")
    results = found.get("results")
    is_so = results is not None and is_quoted(before, after, results.seen)
    check("doctor quotes sync", is_so, f"{before} / {after}: {results}")
    run(["systemctl", "start", BOARD])
    board = InstalledStation(LEADERBOARD)
    page = f"page http://{LEADERBOARD[0]}:{LEADERBOARD[1]}"
    check("the leaderboard's page answers", board.up(WORKS_S) is not None, unit_property(BOARD, "ActiveState"))
    check_finding("doctor: it answers", doctor_finds("leaderboard"), page, True, "reached")
    run([*["runuser", "-u", "raceday", "--", "raceday", "sync", "send", "--rejected", "--config"], str(config)])
    told(SYNC_UNIT, "sync: the leaderboard is there", " 0 waiting, 0 rejected", limit_s=WORKS_S)
    run(["systemctl", "stop", SYNC_UNIT, BOARD, STATION])
    config.write_text(kept)


def car() -> None:
    """The car's agent, alone on the machine: an emulated one has not the time for more."""
    config = ETC / CONFIGS["car"]
    kept = config.read_text()
    config.write_text(with_tables(kept, SLOW_CAMERA, ("camera",)))
    run(["systemctl", "restart", CAR])
    line = told(CAR, "car: it is disarmed", "disarmed, online", limit_s=WORKS_S)
    reason = line.partition("online: ")[2]  # such as a calibration that is missing
    check_finding(
        "doctor quotes it", doctor_finds("car"), "car at work", None if reason else True, reason or "disarmed"
    )
    run(["raceday", "vehicle", "stop", "--config", str(ETC / CONFIGS["car"])])
    line = told(CAR, "car: stopped at its own terminal", "tripped, online: ")
    check_finding("doctor quotes why", doctor_finds("car"), "car at work", None, line.partition("online: ")[2])
    restarts = unit_property(CAR, "NRestarts")
    check("the car was not restarted", restarts == "0", f"NRestarts={restarts}")
    run(["systemctl", "stop", CAR])
    config.write_text(kept)


def stop_all_but_the_station() -> None:
    """An emulated machine has not the time for more."""
    for unit in (CAR, BOARD, SYNC_UNIT):
        run(["systemctl", "stop", unit])


def main() -> None:
    stop_all_but_the_station()
    if unit_property(BOARD, "LoadState") != "loaded":
        run(["raceday", "install", "leaderboard"], INSTALL_S)
        stop_all_but_the_station()  # an installation starts what is enabled of every role
    gates(InstalledStation())
    posting()
    car()
    run(["raceday", "install", "station"], 900)
    check("the station is as it was", InstalledStation().up() is not None, journal_tail(STATION, 1))


if __name__ == "__main__":
    main()
