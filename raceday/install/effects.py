"""What follows once from the steps that were done: the kernel, udev, systemd, the broker and the services are told.

Called by the command; only on a machine that runs. What a step calls for is owed from before the step is done until
it was applied: a run that fails in between leaves it to the next one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import get_args

from raceday.install.machine import Machine
from raceday.install.steps import Effect

Say = Callable[[str], None]
MODULES, UDEV, RELOAD = (
    "systemd-modules-load.service",
    ("udevadm", "control", "--reload"),
    ("systemctl", "daemon-reload"),
)
OWED = "/opt/raceday/owed-effects"
SUBSYSTEMS = ("gpio", "pwm", "i2c-dev", "hidraw", "media", "dma_heap", "video4linux", "tty")


@dataclass(frozen=True, slots=True)
class OwedEffects:
    """Effects of steps that were done or begun, and the services that are to start again."""

    effects: frozenset[Effect] = frozenset()
    services: tuple[str, ...] = ()

    def with_more(self, effects: Iterable[Effect], services: Iterable[str]) -> "OwedEffects":
        """These and further ones, each once."""
        return OwedEffects(self.effects | frozenset(effects), tuple(dict.fromkeys((*self.services, *services))))

    def text(self) -> str:
        """As it is kept: an effect or a service on each line."""
        return "".join(f"{line}\n" for line in (*sorted(self.effects), *self.services))


def owed_effects(machine: Machine) -> OwedEffects:
    """What an earlier run left to do."""
    lines = (machine.read(OWED) or b"").decode("utf-8", "replace").splitlines()
    effects = frozenset(each for each in get_args(Effect) if each in lines)
    return OwedEffects(effects, tuple(line for line in lines if line.endswith(".service")))


def owe(machine: Machine, owed: OwedEffects) -> None:
    """Writes down what is owed."""
    if owed.effects:
        machine.write(OWED, owed.text().encode(), 0o644)


def apply_effects(machine: Machine, owed: OwedEffects, say: Say) -> None:
    """Tells those who must know, the kernel first and our services last. Raises OperatorError."""
    wanted = owed.effects
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
    elif "access" in wanted:
        say("letting the broker read again who may do what")
        machine.attempt(["systemctl", "reload", "mosquitto.service"])  # the broker may be on another machine
    if "network" in wanted:
        say("telling NetworkManager of the Wi-Fi")
        machine.run(["systemctl", "reload-or-restart", "NetworkManager.service"], "telling NetworkManager")
        # Raspberry Pi OS blocks the radio until a country is set; a Debian server has no rfkill(8) to lift that.
        machine.attempt(["nmcli", "radio", "wifi", "on"])
        machine.run(["nmcli", "connection", "reload"], "telling NetworkManager of the connection")
    for service in owed.services:
        is_active = machine.attempt(["systemctl", "is-active", "--quiet", service]).returncode == 0
        if not is_active or wanted & {"services", "units"}:
            say(f"starting {service}")
            machine.run(["systemctl", "restart", service], f"starting {service} (journalctl -u {service} says why)")
