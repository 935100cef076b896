"""Scenario upgrade: to a newer version and back, with the races of before and between in the journal each time.

By both of the ways that docs/install.md names: with the newer package as an argument, and after `apt install` of it.
"""

import pathlib

from tools.metal.guest import race
from tools.metal.guest.checks import check, last_line, run
from tools.metal.guest.installed_station import InstalledStation

NEWER = pathlib.Path("/metal/newer")
JOURNAL = "/var/lib/raceday/station.db"
UPGRADE_S = 2400.0


def version_in_use() -> str:
    """The first line of `raceday --version`: "raceday VERSION in FOLDER"."""
    return run(["raceday", "--version"]).stdout.partition("\n")[0]


def change(what: str, *words: str) -> bool:
    """Changes the release that is in use; False if the command failed."""
    done = run(["raceday", "install", *words], UPGRADE_S)
    return check(what, done.returncode == 0, last_line(done))


def holds(station: InstalledStation, what: str, version: str, racers: tuple[str, ...]) -> None:
    """The station that runs now: its version, its journal verified, its earlier races."""
    said = version_in_use()
    check(f"{what}: the version in use", version in said.split(), said)
    up_s = station.up()
    if not check(f"{what}: the station runs", up_s is not None, "the page answers"):
        return
    page = station.runs_page()
    missing = [racer for racer in racers if racer not in page]
    check(f"{what}: earlier races are there", not missing, f"/runs names {', '.join(racers)}; missing: {missing}")
    verified = run(["runuser", "-u", "raceday", "--", "raceday", "journal", "verify", JOURNAL])
    check(f"{what}: the journal is what was written", verified.returncode == 0, last_line(verified))


def main() -> None:
    station = InstalledStation()
    station.up()
    deb = next(NEWER.glob("*.deb"))
    version, newer = version_in_use().split()[1], deb.name.split("_")[1]
    race.race_one_more(station, "Cleo")
    if not change("raceday install upgrade FILE", "upgrade", str(deb)):
        return
    holds(station, "after the upgrade", newer, ("Ann", "Cleo"))
    race.race_one_more(station, "Dora")
    change("raceday install rollback", "rollback")
    holds(station, "after the roll-back", version, ("Ann", "Cleo", "Dora"))
    done = run(["apt-get", "install", "-qy", str(deb)], UPGRADE_S, DEBIAN_FRONTEND="noninteractive")
    check(f"apt install ./{deb.name}", done.returncode == 0, last_line(done))
    said = version_in_use()
    check("apt alone changes nothing that runs", version in said.split(), said)
    change("raceday install upgrade, without a file", "upgrade")
    holds(station, "after the second upgrade", newer, ("Ann", "Cleo", "Dora"))


if __name__ == "__main__":
    main()
