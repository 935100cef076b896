"""Scenario easylap: an EasyLAP on USB, which is no serial port: udev's rule, the unit's drop-in, and a lap by it.

The Pico gives its place to it: the kernel simulates one USB port.
"""

import grp
import pathlib
import stat
import time

from tools.metal.guest import hardware, race
from tools.metal.guest.checks import check, last_line, run, until
from tools.metal.guest.doctor import check_finding, doctor_finds
from tools.metal.guest.installed_station import InstalledStation, exposure, journal_tail, unit_property
from tools.metal.guest.simulated_easylap import HID_ID, SERIAL, TRANSPONDER, SimulatedEasylap
from tools.metal.guest.simulated_pico import SimulatedPico
from tools.metal.guest.unit_runs import CONFIGS, ETC, with_tables
from tools.metal.guest.unit_trials import MAX_EXPOSURE, WORKS_S, gate

UNIT = "raceday-station"
SEEN_S = 90.0
STABLE = pathlib.Path(f"/dev/cp2110-{SERIAL}")


def installed_with(station: InstalledStation, text: str) -> bool:
    """The station's config is changed, and the unit brought up to date, as docs/install.md has it."""
    (ETC / CONFIGS["station"]).write_text(text)
    done = run(["raceday", "install", "station"], 900)
    return check("raceday install station", done.returncode == 0, last_line(done)) and station.up() is not None


def is_as_the_kernel_has_hid(properties: str) -> bool:
    """Do udev's properties of the device above a hidraw name the driver of any HID device, and the counter's numbers?

    `properties`: as `udevadm info -q property` prints them.
    """
    return {"DRIVER=hid-generic", HID_ID, f"HID_UNIQ={SERIAL}"} <= set(properties.splitlines())


def has_its_name(path: pathlib.Path) -> bool | None:
    """True once udev has made the name by the serial number, and it leads there."""
    return STABLE.resolve() == path or None


def is_for_the_service(path: pathlib.Path) -> str | None:
    """Owner, group and mode of the device, once udev's rule has given it to the service's group."""
    found = path.stat()
    seen = f"{grp.getgrgid(found.st_gid).gr_name} {stat.filemode(found.st_mode)}"
    return seen if seen == "dialout crw-rw----" else None


def laps(station: InstalledStation, counter: SimulatedEasylap) -> None:
    """A pass is a detection, and two of them a lap on the counter's own clock."""
    race.try_gates(station, [counter.pass_car])
    edges = station.gate("start").get("edges")
    check("a pass is a detection", bool(edges), f"{edges} edges; {station.gate('start').get('sentence')}")
    station.give("assign_transponder", transponder=str(TRANSPONDER), car="car-1")
    at_ms: list[int] = []
    lap_ms = [
        lap["lap_ns"] / 1e6 for lap in race.race_one_lap(station, lambda: at_ms.append(counter.pass_car()), "Gil")
    ]
    took_ms = at_ms[-1] - at_ms[0]
    is_right = len(lap_ms) == 1 and abs(lap_ms[0] - took_ms) <= 1.0
    check("two passes are a lap, to the counter's millisecond", is_right, f"{lap_ms} ms of {took_ms} ms")


def pulled_and_plugged(station: InstalledStation, counter: SimulatedEasylap) -> None:
    """The cable is pulled and plugged while the station runs."""
    counter.unplug()
    gone = until(lambda: not station.gate("start")["alive"] or None, SEEN_S)
    check("pulled: the station says that it is gone", gone is not None, station.gate("start")["sentence"])
    said = until(lambda: text if "not ready" in (text := unit_property(UNIT, "StatusText")) else None, SEEN_S)
    check("and the unit's status", said is not None, unit_property(UNIT, "StatusText"))
    time.sleep(2.0)
    path = counter.plug()
    owned = until(lambda: is_for_the_service(path), SEEN_S)
    named = until(lambda: has_its_name(path), SEEN_S)
    seen = f"{path}: {owned}, {STABLE} -> {STABLE.resolve()}"
    check("plugged: udev gives it group and name again", owned is not None and named is not None, seen)
    fit = station.fit("start", WORKS_S)
    check("and the gate is fit again", bool(fit.get("alive")), fit.get("sentence"))


def main() -> None:
    for unit in ("raceday-vehicle", "raceday-leaderboard", "raceday-sync"):
        run(["systemctl", "stop", unit])
    station, pico = InstalledStation(), SimulatedPico()
    station.up()
    pico.unplug()
    counter = SimulatedEasylap()
    path = counter.plug()
    known = run(["udevadm", "info", "-q", "property", "-p", f"/sys/class/hidraw/{path.name}/device"]).stdout
    check("the kernel has it as a HID device", is_as_the_kernel_has_hid(known), f"{path}: {known.splitlines()}"[:500])
    kept = (ETC / CONFIGS["station"]).read_text()
    wanted = with_tables(kept, gate("decoder", f'protocol = "robitronic"\nurl = "cp2110://{STABLE}"'), ("gate",))
    if not installed_with(station, wanted):
        return
    owned = until(lambda: is_for_the_service(path), SEEN_S)
    check("udev's rule gives it to the service's group", owned is not None, f"{owned}; {path.stat()}")
    named = until(lambda: has_its_name(path), SEEN_S)
    check("and a name by its serial number", named is not None, f"{STABLE} -> {STABLE.resolve()}")
    drop_in = (ETC.parent / "systemd/system/raceday-station.service.d/devices.conf").read_text()
    allowed = [line for line in drop_in.split("\n") if line.startswith(("DeviceAllow", "SupplementaryGroups"))]
    check(
        "the drop-in opens HID bridges alone",
        allowed == ["SupplementaryGroups=dialout", "DeviceAllow=char-hidraw rw"],
        allowed,
    )
    fit = station.fit("start", WORKS_S)
    seen = f"{fit.get('sentence')} The counter got {[each.hex() for each in counter.reports]}; {journal_tail(UNIT, 2)}"
    check("the station has started it, and hears its clock", bool(fit.get("alive")) and counter.has_begun, seen)
    level = exposure(UNIT)
    check("exposure", level <= MAX_EXPOSURE, f"{level} (at most {MAX_EXPOSURE})")
    check_finding("doctor", doctor_finds("station"), "gate start", True, str(STABLE))
    laps(station, counter)
    pulled_and_plugged(station, counter)
    restarts = unit_property(UNIT, "NRestarts")
    check("the station was not restarted", restarts == "0", f"NRestarts={restarts}")
    counter.unplug()
    pico.plug(hardware.FIRMWARE)
    installed_with(station, kept)


if __name__ == "__main__":
    main()
