"""Scenario upgrade: to a newer version and back, with the races of before and between in the journal each time."""

import pathlib
import zipfile

from tools.metal.guest import race
from tools.metal.guest.checks import check, run
from tools.metal.guest.installed_station import InstalledStation

WHEELS = pathlib.Path("/usr/share/raceday/wheels")
NEWER = pathlib.Path("/root/newer")
JOURNAL = "/var/lib/raceday/station.db"
UPGRADE_S = 1500.0


def make_newer_version() -> str:
    """A folder of wheels in which the product has a higher version number, and is the same else; that version."""
    NEWER.mkdir(exist_ok=True)
    own = next(WHEELS.glob("raceday-*.whl"))
    version = own.name.split("-")[1]
    newer = f"{version}.1"
    for wheel in WHEELS.glob("*.whl"):
        link = NEWER / wheel.name
        if wheel != own and not link.exists():
            link.symlink_to(wheel)
    old_info, new_info = f"raceday-{version}.dist-info/", f"raceday-{newer}.dist-info/"
    with (
        zipfile.ZipFile(own) as source,
        zipfile.ZipFile(NEWER / f"raceday-{newer}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == f"{old_info}METADATA":
                data = data.replace(f"\nVersion: {version}\n".encode(), f"\nVersion: {newer}\n".encode())
            if entry.filename == f"{old_info}RECORD":
                # Hashes in RECORD are optional: without them it is right for what has changed.
                names = [line.split(",")[0].replace(old_info, new_info) for line in data.decode().split("\n") if line]
                data = "".join(f"{name},,\n" for name in names).encode()
            target.writestr(entry.filename.replace(old_info, new_info), data)
    return newer


def holds(station: InstalledStation, what: str, version: str, racers: tuple[str, ...]) -> None:
    """The station that runs now: its version, its journal verified, its earlier races, and a race of its own."""
    said = run(["raceday", "--version"]).stdout.strip()
    check(f"{what}: the version in use", version in said.split(), said)
    up_s = station.up()
    if not check(f"{what}: the station runs", up_s is not None, "the page answers"):
        return
    page = station.runs_page()
    check(
        f"{what}: earlier races are there", all(racer in page for racer in racers), f"/runs names {', '.join(racers)}"
    )
    verified = run(["runuser", "-u", "raceday", "--", "raceday", "journal", "verify", JOURNAL])
    lines = verified.stdout.strip().split("\n")
    check(f"{what}: the journal is what was written", verified.returncode == 0, lines[-1])


def main() -> None:
    station = InstalledStation()
    version = run(["raceday", "--version"]).stdout.split()[-1]
    newer = make_newer_version()
    race.race_one_more(station, "Cleo")
    done = run(["raceday", "install", "upgrade", str(NEWER)], UPGRADE_S)
    check("raceday install upgrade", done.returncode == 0, (done.stdout + done.stderr).strip().split("\n")[-1])
    holds(station, "after the upgrade", newer, ("Ann", "Cleo"))
    race.race_one_more(station, "Dora")
    done = run(["raceday", "install", "rollback"], UPGRADE_S)
    check("raceday install rollback", done.returncode == 0, (done.stdout + done.stderr).strip().split("\n")[-1])
    holds(station, "after the roll-back", version, ("Ann", "Cleo", "Dora"))


if __name__ == "__main__":
    main()
