"""Scenario removal: the station goes by its own command, other roles with the package; data, configs and keys stay."""

import pathlib
import subprocess

from tools.metal.guest.checks import check, last_line, run
from tools.metal.guest.installed_station import InstalledStation, unit_property

KEPT = ("/var/lib/raceday/station.db", "/etc/raceday/station.toml")
MADE = ("/etc/systemd/system", "/etc/udev/rules.d", "/etc/modules-load.d", "/etc/mosquitto/conf.d")
OWN_HARDWARE = "pretend-to-be-a-pi.conf"  # the machine's disguise, which no installation made


def left_behind(role: str) -> list[str]:
    """Files of the system that an installation made for a role, or for a station's broker."""
    found = [path for folder in MADE for path in pathlib.Path(folder).rglob("*raceday*")]
    inside = [file for path in found for file in ([path] if not path.is_dir() else path.iterdir())]
    return [str(file) for file in inside if role in str(file) and file.name != OWN_HARDWARE]


def answers() -> bool:
    """Does anything still serve the station's page?"""
    return bool(InstalledStation().page("/"))


def main() -> None:
    done = run(["raceday", "install", "station", "--uninstall"], 300)
    check("raceday install station --uninstall", done.returncode == 0, last_line(done))
    states = {unit: unit_property(unit, "LoadState") for unit in ("raceday-station", "raceday-sync")}
    check("its services are gone", set(states.values()) == {"not-found"}, states)
    check("nothing serves its page", not answers(), "no answer")
    left = left_behind("station") + left_behind("mosquitto")
    check("none of its files is left in /etc", not left, left or "nothing")
    broker = unit_property("mosquitto", "ActiveState")
    check("Debian's broker runs without them", broker == "active", broker)
    done = run(["apt-get", "purge", "-qy", "raceday"], 600, DEBIAN_FRONTEND="noninteractive")
    check("apt purge raceday", done.returncode == 0, last_line(done))
    check("the program is gone", not pathlib.Path("/opt/raceday").exists(), "/opt/raceday")
    left = left_behind("")
    check("no role left a file in /etc", not left, left or "nothing")
    lost = [name for name in KEPT if not pathlib.Path(name).exists()]
    check("journal and config are still there", not lost, lost or ", ".join(KEPT))
    failed = subprocess.run(
        ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "raceday*"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    check("no unit of ours has failed", not failed, failed or "none")


if __name__ == "__main__":
    main()
