"""The drop-in beside a unit: it opens exactly the devices that the config names. Pure; called by the plan.

Nothing of the config's text gets into it, only rows of device_kinds.py: no name in a config can write a line here.
"""

from collections.abc import Iterable

from raceday.install.machine_files.device_kinds import DeviceKind

DROP_IN = "devices.conf"


def drop_in(config: str, kinds: Iterable[DeviceKind], groups: frozenset[str], stock_core: str = "") -> str:
    """The text of `raceday-….service.d/devices.conf`; "" if the config at the path `config` names no device.

    `groups`: those that exist here, since a unit with a group that is missing does not start. `stock_core`: the stock
    car's service that may not run at the same time.
    """
    kinds = tuple(kinds)
    if not kinds and not stock_core:
        return ""
    lines = [
        f"# Made by `raceday install` from {config}: the devices that it names. Run it again when they have changed;",
        "# a drop-in of your own beside this file, with a name after it, may add to it.",
    ]
    if stock_core:
        lines += ["[Unit]", f"Conflicts={stock_core}", f"After={stock_core}", ""]
    lines.append("[Service]")
    lines += [f"# {', '.join(kind.name for kind in kinds)}"]
    members = _once(group for kind in kinds for group in kind.groups if group in groups)
    if members:
        lines.append(f"SupplementaryGroups={' '.join(members)}")
    if any(kind.classes or kind.writable for kind in kinds):
        lines += ["PrivateDevices=no", "DevicePolicy=closed"]
    lines += [f"DeviceAllow={each} rw" for each in _once(each for kind in kinds for each in kind.classes)]
    lines += [f"ReadWritePaths=-{each}" for each in _once(each for kind in kinds for each in kind.writable)]
    # systemd.exec(5): a refused call with an error number returns that number; 0 is success.
    if calls := _once(f"{call}:0" for kind in kinds for call in kind.unneeded_calls):
        lines.append(f"SystemCallFilter=~{' '.join(calls)}")
    if families := _once(family for kind in kinds for family in kind.families):
        lines.append(f"RestrictAddressFamilies={' '.join(families)}")
    return "\n".join(lines) + "\n"


def _once(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
