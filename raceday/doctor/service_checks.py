"""The services of a role: its user, its unit and how it runs, and whether the unit's drop-in fits the config."""

from collections.abc import Iterator, Mapping

from raceday.doctor.installed import InstalledRole
from raceday.doctor.machine_reader import MachineReader, text
from raceday.doctor.permissions import READ, ServiceUser, blocked_by, service_user
from raceday.install.facts import STOCK_CORE, MachineFacts
from raceday.install.machine_files.drop_ins import DROP_IN
from raceday.install.plan import SYNC, device_drop_in, named_devices
from raceday.install.steps import UNITS
from shared.findings import Finding

USER = "raceday"
MANY_RESTARTS = 3
_ASKED = "LoadState,UnitFileState,ActiveState,SubState,NRestarts,SupplementaryGroups,StatusText"


def unit_state(reader: MachineReader, unit: str) -> Mapping[str, str]:
    """What systemd says of a unit; {} without systemd."""
    printed = reader.run(["systemctl", "show", unit, "-p", _ASKED])
    return dict(line.split("=", 1) for line in (printed or "").splitlines() if "=" in line)


def is_running(reader: MachineReader, unit: str) -> bool:
    """Does the unit run, or is it being started?"""
    return unit_state(reader, unit).get("ActiveState") in ("active", "activating", "reloading")


def user_of(reader: MachineReader, role: InstalledRole) -> ServiceUser | None:
    """Whom the role's service runs as, with the groups of its unit."""
    groups = unit_state(reader, role.unit).get("SupplementaryGroups", "").split()
    return service_user(reader, USER, tuple(groups))


def service_findings(reader: MachineReader, role: InstalledRole) -> list[Finding]:
    """User, config, units and drop-in of a role."""
    units = (role.unit, SYNC) if role.posts else (role.unit,)
    found = [*_user(reader, role), *_drop_in(reader, role)]
    return [*found, *(finding for unit in units for finding in unit_findings(reader, unit, role))]


def unit_findings(reader: MachineReader, unit: str, role: InstalledRole) -> Iterator[Finding]:
    """Is the unit there, does it start with the machine, does it run, and stay running?"""
    state, install = unit_state(reader, unit), role.cure
    if not state:
        yield Finding(unit, None, "systemd does not run here, so no service does.")
        return
    if state.get("LoadState") != "loaded":
        yield Finding(unit, False, "There is no such unit.", install)
        return
    if state.get("UnitFileState") not in ("enabled", "enabled-runtime"):
        yield Finding(unit, False, "It does not start with the machine.", f"Run `sudo systemctl enable {unit}`.")
    active, restarts, log = state.get("ActiveState"), int(state.get("NRestarts") or 0), f"`journalctl -u {unit} -n 20`"
    if active == "failed" or state.get("SubState") == "auto-restart":
        yield Finding(unit, False, f"It ends as soon as it starts ({restarts} times).", f"{log} says why.")
    elif active != "active":
        yield Finding(unit, False, f"It does not run ({active}).", f"Run `sudo systemctl start {unit}`.")
    elif restarts >= MANY_RESTARTS:
        yield Finding(unit, None, f"It runs, and was restarted {restarts} times.", f"{log} says why.")
    else:
        yield Finding(unit, True, "It runs.")


def _user(reader: MachineReader, role: InstalledRole) -> Iterator[Finding]:
    user = user_of(reader, role)
    if user is None:
        yield Finding(f"user {USER}", False, "There is no such user.", role.cure)
        return
    if blocked := blocked_by(reader, role.config, user, READ):
        yield Finding(
            role.config, False, f"The service may not read it: {blocked} keeps it out.", _opened(blocked, role)
        )


def _drop_in(reader: MachineReader, role: InstalledRole) -> Iterator[Finding]:
    """What `raceday install` would write for this config, beside what is there."""
    if role.fault or role.bridge or not reader.status(f"{UNITS}/{role.unit}"):
        return
    groups = frozenset(line.partition(":")[0] for line in (text(reader, "/etc/group") or "").splitlines())
    has_core = any(reader.status(f"{folder}/{STOCK_CORE}") is not None for folder in (UNITS, "/lib/systemd/system"))
    links = {path: reader.target(path) for path in _paths(role)}
    facts = MachineFacts(groups=groups, has_stock_core=has_core)
    devices = named_devices(role.role, role.table, links)
    path = f"{UNITS}/{role.unit}.d/{DROP_IN}"
    wanted, there = device_drop_in(role.role, devices, facts), text(reader, path) or ""
    names = ", ".join(kind.name for kind in devices.kinds) or "none"
    if wanted == there:
        yield Finding("devices of the unit", True, f"It opens what the config names: {names}.")
    else:
        seen = f"{path} does not fit the config, which names: {names}."
        yield Finding("devices of the unit", False, seen, role.cure)


def _paths(role: InstalledRole) -> set[str]:
    """Ports that the config names, which may be links."""
    ports = set()
    for part in role.parts("gate"):
        options = part.get("options")
        if isinstance(options, Mapping):
            ports |= {str(options.get(key, "")).partition("?")[0] for key in ("port", "url")}
    return {port for port in ports if port.startswith("/dev/")}


def _opened(path: str, role: InstalledRole) -> str:
    """A config may hold a database's password: the service reads it by its group, and nobody else does."""
    if path == role.config:
        return f"Run `sudo chgrp {USER} {path}; sudo chmod 640 {path}`."
    return f"Run `sudo chmod o+x {path}`."
