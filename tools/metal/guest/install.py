"""Scenario install: a stranger's two commands on a fresh machine, then a gate on GPIO, a Pico and a lap on the page."""

import pathlib
import shutil
import subprocess
import time
import zipfile

from tools.metal.guest import hardware, race
from tools.metal.guest.checks import check, run
from tools.metal.guest.installed_station import InstalledStation, journal_tail, unit_property
from tools.metal.guest.simulated_pico import BY_ID

FILES = pathlib.Path("/metal/files")
WHEELS = pathlib.Path("/usr/share/raceday/wheels")
INSTALL_S = 2000.0


def use_packages_of_the_folder() -> None:
    """The machine has no network: Debian's packages that the product asks for lie in a folder, as a repository."""
    sources = pathlib.Path("/etc/apt/sources.list.d")
    shutil.rmtree(sources)
    sources.mkdir()
    pathlib.Path("/etc/apt/sources.list").unlink(missing_ok=True)
    (sources / "folder.list").write_text(f"deb [trusted=yes] file:{FILES}/packages ./\n")
    run(["apt-get", "update", "-q"])


def flash_the_pico() -> None:
    """The firmware as docs/set-up-a-track.md has it: both files of the installed product are copied to the board."""
    hardware.FIRMWARE.mkdir(parents=True)
    wheel = next(WHEELS.glob("raceday-*.whl"))
    with zipfile.ZipFile(wheel) as product:
        for name in ("main.py", "gatewire.py"):
            (hardware.FIRMWARE / name).write_bytes(product.read(f"station/gates/pico/firmware/{name}"))


def step(what: str, command: list[str]) -> bool:
    """Runs one of the stranger's commands and says how long it took."""
    began_s = time.monotonic()
    done = run(command, INSTALL_S, DEBIAN_FRONTEND="noninteractive")
    lines = [line for line in f"{done.stdout}\n{done.stderr}".split("\n") if line.strip()]
    seen = f"{time.monotonic() - began_s:.0f} s"
    return check(what, done.returncode == 0, seen if done.returncode == 0 else f"{seen}: {' / '.join(lines[-4:])}")


def main() -> None:
    use_packages_of_the_folder()
    deb = next(FILES.glob("*.deb"))
    if not step(f"apt install ./{deb.name}", ["apt-get", "install", "-qy", str(deb)]):
        return
    flash_the_pico()
    hardware.keep()
    began_s = time.monotonic()
    gates = ["--gate", f"gpio:{hardware.GATE_LINE}", "--gate", f"pico:{BY_ID}"]
    if not step("raceday install station with both gates", ["raceday", "install", "station", *gates]):
        return
    station = InstalledStation()
    up_s = station.up()
    check("the station runs as a service", up_s is not None, journal_tail("raceday-station"))
    if up_s is None:
        return
    check("from the second command to the page", True, f"{time.monotonic() - began_s:.0f} s")
    race.both_gates_are_fit_and_a_pass_is_a_lap(station, "Ann")
    restarts = unit_property("raceday-station", "NRestarts")
    check("the station was not restarted", restarts == "0", f"NRestarts={restarts}")
    again = subprocess.run(
        ["raceday", "install", "station", "--dry-run"], capture_output=True, text=True, check=False
    ).stdout
    check("installing again would change nothing", "nothing: all of it is done" in again, again.strip()[-300:])


if __name__ == "__main__":
    main()
