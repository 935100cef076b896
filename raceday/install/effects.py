"""What follows once from the steps that were done: the kernel, udev, systemd, the broker and the services are told.

Called by the command and by an upgrade; only on a machine that runs.
"""

from collections.abc import Callable, Iterable

from raceday.install.machine import Machine
from raceday.install.steps import Effect

Say = Callable[[str], None]
MODULES, UDEV, RELOAD = (
    "systemd-modules-load.service",
    ("udevadm", "control", "--reload"),
    ("systemctl", "daemon-reload"),
)
SUBSYSTEMS = ("gpio", "pwm", "i2c-dev", "hidraw", "media", "dma_heap", "video4linux", "tty")


def apply_effects(machine: Machine, effects: Iterable[Effect], services: tuple[str, ...], say: Say) -> None:
    """Tells those who must know, the kernel first and our services last. Raises OperatorError."""
    wanted = frozenset(effects)
    if "modules" in wanted:
        say("loading the kernel's modules")
        machine.attempt(["systemctl", "restart", MODULES])  # one that is missing is in its log, and no reason to stop
    if "udev" in wanted:
        say("telling udev of the rules")
        machine.run(UDEV, "telling udev of the rules")
        machine.run(
            ["udevadm", "trigger", *(f"--subsystem-match={each}" for each in SUBSYSTEMS)], "applying udev's rules"
        )
        machine.run(["udevadm", "settle", "--timeout=30"], "waiting for udev")
    if wanted & {"units", "modules"}:
        machine.run(RELOAD, "telling systemd of the units")
    if "broker" in wanted:
        say("starting the broker again")
        machine.run(["systemctl", "enable", "mosquitto.service"], "enabling the broker")
        machine.run(
            ["systemctl", "restart", "mosquitto.service"], "starting the broker (journalctl -u mosquitto says why)"
        )
    if "network" in wanted:
        say("telling NetworkManager of the Wi-Fi")
        machine.run(["systemctl", "reload-or-restart", "NetworkManager.service"], "telling NetworkManager")
        machine.attempt(["rfkill", "unblock", "wifi"])  # Raspberry Pi OS blocks it until a country is set
        machine.run(["nmcli", "connection", "reload"], "telling NetworkManager of the connection")
    for service in services:
        is_active = machine.attempt(["systemctl", "is-active", "--quiet", service]).returncode == 0
        if not is_active or wanted & {"services", "units"}:
            say(f"starting {service}")
            machine.run(["systemctl", "restart", service], f"starting {service} (journalctl -u {service} says why)")
