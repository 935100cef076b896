"""Scenario bridge: a stock car's bridge as a service beside the station, with certificates, leash and the mock console.

It is installed as docs/stock-car.md has it; the station arms, starts and stops the car; the bridge is killed while the
car drives; the console hangs; the bridge is removed again.
"""

import os
import pathlib
import signal
import time
from typing import Any

from tools.metal.guest import certificates
from tools.metal.guest.checks import check, last_line, run, until
from tools.metal.guest.doctor import check_finding, doctor_finds
from tools.metal.guest.installed_station import InstalledStation, exposure, journal_tail, unit_property
from tools.metal.guest.simulated_stock_car import CONSOLE_PORT, PASSWORD, SimulatedStockCar
from tools.metal.guest.unit_trials import MAX_EXPOSURE

CAR = "stock-1"
UNIT = f"raceday-bridge@{CAR}"
INSTALL = ("raceday", "install", "bridge", CAR)
KIT = pathlib.Path(f"/etc/raceday/leash-{CAR}")
SEEN_S = 240.0  # an emulated machine starts a Python program for many seconds
SILENCE_S = 0.6  # what docs/stock-car.md promises with a leash
MADE = ("/etc/systemd/system", "/etc/raceday", "/var/lib")
NO_GATE = "this race is about a car's orders, not about its laps"


def install() -> bool:
    """Step 2 of the page: the certificate, then the bridge, which takes the console's password from a file."""
    certificates.done("raceday", "certs", "car", CAR)
    certificates.done("systemctl", "reload", "mosquitto")
    password = certificates.WORK / "console.password"
    password.write_text(f"{PASSWORD}\n")
    console = ("--console", f"127.0.0.1:{CONSOLE_PORT}", "--leash", "--password-file", str(password))
    if not certificates.done(*INSTALL, *console, "--certs", f"{CAR}.raceday-certs"):
        return False
    again = run([*INSTALL, "--dry-run"]).stdout.strip()
    check("installing again would change nothing", "nothing: all of it is done" in again, again[-200:])
    return True


def status() -> str:
    """What the bridge has told systemd of its car."""
    return unit_property(UNIT, "StatusText")


def told(what: str, words: str) -> None:
    """Waits until the unit's status begins so, and checks it."""
    seen = until(lambda: status() if status().startswith(words) else None, SEEN_S)
    check(what, seen is not None, f"{status()!r}; {unit_property(UNIT, 'ActiveState')}: {journal_tail(UNIT, 2)}")


def car(station: InstalledStation) -> dict[str, Any]:
    """The car as the station knows it; {} if it was never heard."""
    return next((each for each in station.state()["cars"] if each["name"] == CAR), {})


def mode_is(station: InstalledStation, mode: str) -> bool:
    """Waits until the station says that the car is in this mode."""
    return until(lambda: car(station).get("mode") == mode or None, SEEN_S) is not None


def drives(station: InstalledStation, stock: SimulatedStockCar, racer: str) -> bool:
    """Opens a run, arms the car and starts it; a run whose car does not move is abandoned."""
    station.give("open_run", racer=racer, car=CAR, throttle_percent=40, override_reason=NO_GATE)
    is_ready = mode_is(station, "ready")
    check(f"{racer}: the car is armed", is_ready, f"{car(station).get('mode')}; unit: {status()}")
    if is_ready:
        station.give("start")
        began_s = time.monotonic()
        moves = until(lambda: stock.is_moving() or None, SEEN_S, 0.1)
        seen = f"after {time.monotonic() - began_s:.1f} s; unit: {status()}; {car(station)}"
        if check(f"{racer}: the start reaches the console, and the car moves", moves is not None, seen[:400]):
            return True
    station.give("abandon")
    return False


def stopped_by_the_station(station: InstalledStation, stock: SimulatedStockCar) -> None:
    """An official stops it."""
    after_s = stock.stands_after(lambda: station.give("order", car=CAR, action="stop"), SEEN_S)
    seen = "it did not move before, or does not stand" if after_s is None else f"it stands {after_s:.2f} s after it"
    check("a stop reaches it", after_s is not None, seen)
    check("the station knows", mode_is(station, "stopped"), f"{car(station).get('mode')}: {car(station).get('reason')}")
    station.give("abandon")


def killed_while_it_drives(station: InstalledStation, stock: SimulatedStockCar) -> None:
    """kill -9 under a car that drives: the leash cuts it, systemd starts the bridge again."""
    if not drives(station, stock, "Stock Two"):
        return
    pid = int(unit_property(UNIT, "MainPID"))
    after_s = stock.stands_after(lambda: os.kill(pid, signal.SIGKILL), SEEN_S)
    seen = "it did not move before, or does not stand" if after_s is None else f"{after_s * 1000:.0f} ms"
    is_cut = after_s is not None and after_s <= SILENCE_S
    check("bridge killed: the leash cuts the car within 600 ms", is_cut, seen)
    again = until(lambda: unit_property(UNIT, "MainPID") not in ("0", str(pid)) or None, SEEN_S)
    seen = f"NRestarts={unit_property(UNIT, 'NRestarts')}, process {pid}, then {unit_property(UNIT, 'MainPID')}"
    check("systemd starts it again", again is not None and unit_property(UNIT, "NRestarts") == "1", seen)
    until(lambda: ", online" in status() or None, SEEN_S)
    time.sleep(3.0)  # a car that would drive on by itself has begun to by then
    check("the car does not drive on by itself", not stock.is_moving(), f"{status()}; {car(station)}"[:400])
    station.give("abandon")
    told("and the new one has its car again", "disarmed, online")


def console_hangs(stock: SimulatedStockCar) -> None:
    """The car's computer stands still for a while."""
    stock.hang()
    seen = until(lambda: status() if ", offline: " in status() else None, SEEN_S)
    check("console hung: the unit's status says so", seen is not None, status())
    found = doctor_finds("bridge")
    check_finding("console hung: so does the doctor", found, "login", False, "The bridge does not have its car")
    check_finding("console hung: it is not reached", found, f"console 127.0.0.1:{CONSOLE_PORT}", False, "not reached")
    stock.wake()
    told("the console answers again: the bridge has its car", "disarmed, online")


def doctor_tries_the_login() -> None:
    """Where no bridge runs, and only if the bridges are asked for by name."""
    run(["systemctl", "stop", UNIT])
    found = doctor_finds()
    check_finding("bridge stopped: doctor leaves the login alone", found, "login", None, "not tried")
    found = doctor_finds("bridge")
    check_finding("bridge stopped: doctor bridge tries it", found, "login", True, "takes the password")
    check_finding("bridge stopped: doctor says so", found, f"{UNIT}.service", False, "does not run")
    run(["systemctl", "start", UNIT])
    told("started again", "disarmed, online")


def uninstalled() -> None:
    """--uninstall, then --purge: nothing of it is left."""
    done = run([*INSTALL, "--uninstall"])
    check("raceday install bridge --uninstall", done.returncode == 0, last_line(done))
    states = (unit_property(UNIT, "LoadState"), unit_property(UNIT, "ActiveState"))
    check("its unit is gone", states == ("not-found", "inactive"), states)
    done = run([*INSTALL, "--uninstall", "--purge", "--yes"])
    check("--purge", done.returncode == 0, last_line(done))
    left = [str(path) for folder in MADE for path in pathlib.Path(folder).rglob("*") if names_it(path)]
    check("nothing of it is left", not left, left or "nothing")


def names_it(path: pathlib.Path) -> bool:
    """Is it a file of this bridge? The authority remembers whom it gave a certificate."""
    return (CAR in path.name or path.name.startswith("raceday-bridge")) and "/etc/raceday/ca/" not in str(path)


def cleared_away(station: InstalledStation, stock: SimulatedStockCar) -> None:
    """Whatever became of it: no run is open, no bridge is left, and this machine is no car."""
    try:
        station.give("abandon")
    except (RuntimeError, OSError) as error:
        print(f"no run is abandoned at the end: {error}", flush=True)
    run(["systemctl", "stop", UNIT])
    stock.remove()
    if unit_property(UNIT, "LoadState") == "loaded":
        run([*INSTALL, "--uninstall", "--purge", "--yes"])


def tried(station: InstalledStation, stock: SimulatedStockCar) -> None:
    """All of it, in order."""
    if not certificates.station_takes_certificates() or not stock.start() or not install():
        return
    station.up()
    stock.fit_leash(KIT)
    told("the unit says that it has its car", "disarmed, online")
    level = exposure(UNIT)
    check("exposure", level <= MAX_EXPOSURE, f"{level} (at most {MAX_EXPOSURE})")
    heard = until(lambda: car(station) if car(station).get("online") else None, SEEN_S)
    check("the station hears the car, and what it promises", (heard or {}).get("promise") == "leash", str(heard)[:300])
    found = doctor_finds()
    check_finding("doctor quotes the bridge", found, "login", True, "The bridge has its car, which is disarmed")
    check_finding("doctor finds the leash", found, "leash", True, "can cut the motor")
    if drives(station, stock, "Stock One"):
        stopped_by_the_station(station, stock)
    killed_while_it_drives(station, stock)
    console_hangs(stock)
    doctor_tries_the_login()
    uninstalled()


def main() -> None:
    for unit in ("raceday-vehicle", "raceday-leaderboard", "raceday-sync"):
        run(["systemctl", "stop", unit])
    station, stock = InstalledStation(), SimulatedStockCar()
    station.up()
    try:
        tried(station, stock)
    finally:
        cleared_away(station, stock)


if __name__ == "__main__":
    main()
