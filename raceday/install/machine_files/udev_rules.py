"""udev's rules and the kernel's modules for the devices of a role. Pure; called by the plan."""

from collections.abc import Iterable

from raceday.install.machine_files.device_kinds import DeviceKind, group_of


def udev_rules(kinds: Iterable[DeviceKind], groups: frozenset[str]) -> str:
    """The text of /etc/udev/rules.d/99-raceday-ROLE.rules: who may use these devices. "" if no rule is needed.

    A distribution's own rules for the same devices (99-com.rules of Raspberry Pi OS) name the same groups.
    """
    rules = [rule.replace("@GROUP@", group_of(kind, groups)) for kind in kinds for rule in kind.rules]
    lines = list(dict.fromkeys(f'ACTION!="remove", {rule}' for rule in rules))
    return "\n".join(["# Made by `raceday install`: devices that its services use.", *lines, ""]) if lines else ""


def modules_to_load(kinds: Iterable[DeviceKind], available: frozenset[str]) -> str:
    """The text of /etc/modules-load.d/raceday-ROLE.conf, "" if there is none to load. `available`: as modules here.

    systemd opens a class of devices only if the kernel knows it when the service starts: one that is plugged in for
    the first time later would stay closed.
    """
    names = dict.fromkeys(name for kind in kinds for name in kind.modules if name.replace("-", "_") in available)
    return "\n".join(["# Made by `raceday install`: loaded at each start.", *names, ""]) if names else ""
