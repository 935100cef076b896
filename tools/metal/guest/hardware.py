"""The track's hardware, there from the machine's start: a Pi's GPIO chip and a Pico on USB. Started by its own unit.

The unit is put into the machine by the scenario that installs; it comes before every service of the product.
"""

import pathlib
import subprocess

from tools.metal.guest.simulated_gpio import DISGUISE, SimulatedGpio, pretend_to_be_a_pi
from tools.metal.guest.simulated_pico import SimulatedPico

UNIT = pathlib.Path("/etc/systemd/system/track-hardware.service")
UNIT_TEXT = """[Unit]
Description=The track's simulated hardware
Before=raceday-station.service raceday-vehicle.service mosquitto.service NetworkManager.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=/bin/mkdir -p /metal
ExecStartPre=/bin/sh -c 'mountpoint -q /metal || mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 metal /metal'
Environment=PYTHONPATH=/metal
ExecStart=/usr/bin/python3 -m tools.metal.guest.hardware
[Install]
WantedBy=multi-user.target
"""
# The firmware is the installed product's; a board that is there before it was flashed from the same package.
FIRMWARE = pathlib.Path("/var/lib/track-hardware")
GATE_LINE, PICO_PIN = 17, 2


def keep() -> None:
    """Makes the hardware a part of this machine, from now on and after each reboot."""
    UNIT.write_text(UNIT_TEXT)
    for name in ("station", "vehicle"):
        drop_in = pathlib.Path(f"/etc/systemd/system/raceday-{name}.service.d/pretend-to-be-a-pi.conf")
        drop_in.parent.mkdir(parents=True, exist_ok=True)
        drop_in.write_text(f"[Service]\nBindReadOnlyPaths={DISGUISE}:/proc/cpuinfo\n")
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "enable", "--now", UNIT.name], check=True)


def main() -> None:
    pretend_to_be_a_pi()
    SimulatedGpio().pull(GATE_LINE, high=True)
    SimulatedPico().plug(FIRMWARE)


if __name__ == "__main__":
    main()
