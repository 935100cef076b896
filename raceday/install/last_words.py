"""What a person reads at the end of an installation: where the pages are, how to get in, what to do next."""

import socket
import sys

from raceday.install.bridges.bridge_files import leash_folder, leash_key_path
from raceday.install.facts import bridge_config_path
from raceday.install.machine import Machine
from raceday.install.machine_files.access_point import ADDRESS, KEYFILE
from raceday.install.plan import InstallPlan
from raceday.install.request import AccessPoint, InstallRequest
from raceday.install.role_steps import TakeOver
from raceday.install.running import page_address
from raceday.install.shipped_files import CONFIG_NAMES


def last_words(machine: Machine, request: InstallRequest, plan: InstallPlan, has_changed: bool) -> list[str]:
    """Lines for the terminal."""
    lines = ["Nothing to do: all of it is done already." if not has_changed else "Done."]
    if not machine.is_running:
        lines.append(f"Services start with the machine: {', '.join(plan.services)}.")
        if any(isinstance(step, TakeOver) for step in plan.steps):
            lines.append("Nothing runs here, so the car was not taken over: once it runs, sudo raceday install car.")
    elif request.role == "station":
        lines += _station(machine)
    elif request.role == "car":
        lines += _car(machine)
    else:
        lines += _leaderboard(machine)
    if request.access_point is not None and has_changed:
        lines += access_point_words(request.access_point, is_seen=sys.stdout.isatty())
    return lines + [f"Note: {note}" for note in plan.notes]


def bridge_words(machine: Machine, name: str, plan: InstallPlan, has_changed: bool) -> list[str]:
    """Lines for the terminal, after a bridge was installed."""
    lines = ["Nothing to do: all of it is done already." if not has_changed else "Done."]
    if machine.is_running:
        lines.append(f"{name} is at {_url(machine, 'station')}/cars once its console answers, with what it promises.")
    else:
        lines.append(f"It starts with the machine: {', '.join(plan.services)}.")
    if machine.path(leash_key_path(name)).exists():
        lines.append(
            f"Leash: carry {leash_folder(name)} to the car and fit it there (docs/stock-car.md): it holds a key. Until "
            "it answers, the car is not armed."
        )
    lines += [
        f"Settings: {bridge_config_path(name)}. After a change: sudo systemctl restart {plan.services[0]}",
        "Is all well? sudo raceday doctor bridge",
    ]
    return lines + [f"Note: {note}" for note in plan.notes]


def access_point_words(wanted: AccessPoint, *, is_seen: bool) -> list[str]:
    """The passphrase is told to a person at a terminal, and to no log: that of a card's first start is on its FAT."""
    where = f"passphrase {wanted.passphrase} (also in {KEYFILE})" if is_seen else f"its passphrase is in {KEYFILE}"
    return [
        f"Wi-Fi {wanted.ssid}: {where}; this machine is {ADDRESS}.",
        "The Wi-Fi of a Raspberry Pi itself takes 7 to 10 devices at once: for more use a router of your own.",
    ]


def _url(machine: Machine, request_role: str) -> str:
    address = page_address(request_role, machine)  # type: ignore[arg-type]  # the callers pass roles
    host = _own_name(machine) if address.is_open else address.own
    return f"http://{host}:{address.port}"


def _own_name(machine: Machine) -> str:
    """How others reach this machine: by its name, where something answers to that (mDNS), else by its address."""
    if machine.path("/usr/sbin/avahi-daemon").exists():
        return f"{socket.gethostname()}.local"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(
                ("10.255.255.255", 1)
            )  # sends nothing: the kernel chooses the address that it would send from
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _station(machine: Machine) -> list[str]:
    url, config = _url(machine, "station"), f"/etc/raceday/{CONFIG_NAMES['station']}"
    return [
        f"The station serves at {url}; race control is {url}/operate.",
        f"To sign in first: open {url}/claim and enter the claim code, which is in `journalctl -u raceday-station`.",
        f"Settings: {config}. After a change of gates or devices: sudo raceday install station.",
        "The journal is in /var/lib/raceday: on a Raspberry Pi put it on a USB SSD rather than on the SD card, and "
        "back it up (`raceday backup FILE --data-dir /var/lib/raceday`).",
        "Is all well? sudo raceday doctor station",
    ]


def _car(machine: Machine) -> list[str]:
    return [
        f"The car's phone page is {_url(machine, 'car')}; its claim code is in `journalctl -u raceday-vehicle`.",
        f"Settings: /etc/raceday/{CONFIG_NAMES['car']}. After a change of camera or motors: sudo raceday install car.",
        "Wheels off the ground, then calibrate: sudo systemctl stop raceday-vehicle; "
        "sudo raceday vehicle calibrate --config /etc/raceday/vehicle.toml; sudo systemctl start raceday-vehicle.",
        "Is all well? sudo raceday doctor car",
    ]


def _leaderboard(machine: Machine) -> list[str]:
    return [
        f"The leaderboard serves at {_url(machine, 'leaderboard')}.",
        "Its claim code, which makes the first account an admin, is in `journalctl -u raceday-leaderboard`.",
        "Stations post with the secret in /var/lib/raceday-leaderboard/secrets/webhook.secret.",
        f"Settings: /etc/raceday/{CONFIG_NAMES['leaderboard']}. For the internet put a TLS proxy in front of it.",
        "Is all well? sudo raceday doctor leaderboard",
    ]
