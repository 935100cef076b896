"""`raceday install … --uninstall`: removes what an installation made; data, configs and keys only with --purge."""

import functools
import sys
from collections.abc import Iterable

from raceday.install.bridges.bridge_removal import bridge_leftovers, purge_bridge
from raceday.install.certificates import remove_keys
from raceday.install.effects import OWED, Say
from raceday.install.facts import LOCAL_COMMAND, UNIT_OF, MachineFacts, configured_bridges, enabled_bridges
from raceday.install.machine import Machine
from raceday.install.machine_files.access_point import COUNTRY, KEYFILE, POWER_SAVING
from raceday.install.machine_files.broker_files import BROKER_CONF, BROKER_DROP_IN
from raceday.install.machine_files.drop_ins import DROP_IN
from raceday.install.plan import DATA, SYNC, InstallPlan
from raceday.install.releases.release import CURRENT, OPT, PREVIOUS, MakeRelease
from raceday.install.shipped_files import CONFIG_NAMES, Role
from raceday.install.steps import UNITS, EnableService, MakeFolder, MakeLink, Step, WriteFile
from shared.errors import OperatorError

WIFI = (KEYFILE, POWER_SAVING, COUNTRY)


def uninstall(
    machine: Machine, plan: InstallPlan, facts: MachineFacts, role: Role, say: Say, *, purge: bool, yes: bool
) -> int:
    """Undoes the steps from the last to the first. What another role here needs stays; returns the exit code.

    A step that cannot be undone is said with what to do, and the rest goes on. Raises OperatorError.
    """
    others = [each for each in facts.roles if each != role]
    if purge and not yes:
        _ask(f"--purge removes {DATA[role]} with all data{'' if others else ', and /etc/raceday with all keys'}")
    planned = [
        step
        for step in reversed(plan.steps)
        if not (others and _is_shared(step, others)) and not (purge and isinstance(step, MakeFolder))
    ]
    code = _undo(machine, (*leftovers(role, others, facts), *planned), say)
    if machine.is_running:
        _reload(machine, role, others, facts)
    if purge:
        code = _purge(machine, role, facts, say, keeps_keys=bool(others)) or code
    else:
        print(f"Data stay in {DATA[role]}, configs and keys in /etc/raceday; --purge removes them too.")
    return code


def uninstall_bridge(machine: Machine, name: str, say: Say, *, purge: bool, yes: bool) -> int:
    """Stops and disables one stock car's bridge. Raises OperatorError."""
    if name not in configured_bridges(machine):
        print(f"There is no bridge of {name} here: nothing was done.")
        return 0
    if purge and not yes:
        _ask(f"--purge removes config, password, leash key and certificate of {name} on this machine")
    code = _undo(machine, bridge_leftovers([name], is_last=not set(enabled_bridges(machine)) - {name}), say)
    if machine.is_running:
        machine.run(["systemctl", "daemon-reload"], "telling systemd of the units")
    if purge:
        purge_bridge(machine, name)
    else:
        print(f"Config, password and keys of {name} stay in /etc/raceday; --purge removes them too.")
    return code


def _undo(machine: Machine, steps: Iterable[Step], say: Say) -> int:
    """Undoes what can be undone; the exit code of what could not be, 0 if all could."""
    code = 0
    for step in steps:
        try:
            line = step.undo(machine)
        except OperatorError as error:
            code, line = error.exit_code, f"NOT DONE: {error}"
        if line:
            say(line)
    return code


def _reload(machine: Machine, role: Role, others: list[Role], facts: MachineFacts) -> None:
    """Lets those who read the files that are gone read again what is there."""
    machine.run(["systemctl", "daemon-reload"], "telling systemd of the units")
    machine.attempt(["udevadm", "control", "--reload"])
    if facts.has_network_manager and not _has_wifi(others):
        machine.attempt(["nmcli", "connection", "reload"])
        machine.attempt(["systemctl", "reload", "NetworkManager.service"])
    if role == "station" and facts.has_broker:
        machine.attempt(["systemctl", "try-restart", "mosquitto.service"])


def leftovers(role: Role, others: list[Role], facts: MachineFacts) -> list[Step]:
    """What earlier runs may have made, and the plan of now does not name: a fixed list of our paths."""
    units = (UNIT_OF[role], SYNC) if role == "station" else (UNIT_OF[role],)
    paths = [
        f"{UNITS}/{UNIT_OF[role]}.d/{DROP_IN}",
        *(f"{UNITS}/{unit}" for unit in units),
        f"/etc/udev/rules.d/99-raceday-{role}.rules",
        f"/etc/modules-load.d/raceday-{role}.conf",
        *([BROKER_CONF, BROKER_DROP_IN] if role == "station" else []),
        *([] if _has_wifi(others) else WIFI),
        *([] if others else [OWED]),
    ]
    bridges = bridge_leftovers(facts.bridges, is_last=True) if role == "station" else []
    steps: list[Step] = [*bridges, *map(EnableService, units), *(WriteFile(path, "") for path in paths)]
    if not others and not facts.has_foreign_command:
        steps.append(MakeLink(LOCAL_COMMAND, f"{OPT}/bin/raceday"))
    return steps


def _has_wifi(roles: Iterable[Role]) -> bool:
    """May one of these roles have made the access point, or need Wi-Fi that does not sleep?"""
    return any(role != "leaderboard" for role in roles)


def _is_shared(step: Step, others: list[Role]) -> bool:
    """Is it there for all roles of a machine, or for these others?"""
    if isinstance(step, WriteFile):
        return step.path in WIFI and _has_wifi(others)
    if isinstance(step, MakeLink):
        return step.path in {CURRENT, PREVIOUS, f"{OPT}/bin", LOCAL_COMMAND}
    return isinstance(step, MakeRelease) or (isinstance(step, MakeFolder) and step.path in {OPT, "/etc/raceday"})


def _purge(machine: Machine, role: Role, facts: MachineFacts, say: Say, *, keeps_keys: bool) -> int:
    """Removes data, config and keys; what stays is said. Returns the exit code, 0 if all is gone."""
    removals = [functools.partial(purge_bridge, machine, name) for name in facts.bridges if role == "station"]
    if machine.path(DATA[role]).is_symlink():
        say(f"{DATA[role]} is a link to {machine.path(DATA[role]).readlink()}: what is there stays, remove it yourself")
    removals.append(functools.partial(machine.remove, DATA[role]))
    removals.append(functools.partial(machine.remove, f"/etc/raceday/{CONFIG_NAMES[role]}"))
    if not keeps_keys:
        removals += [functools.partial(remove_keys, machine), functools.partial(machine.remove, OPT)]
    code = 0
    for removed in removals:
        try:
            removed()
        except OperatorError as error:
            code = error.exit_code
            say(f"NOT DONE: {error}")
    return code


def _ask(what: str) -> None:
    """Raises OperatorError unless a person at the terminal types yes."""
    if not sys.stdin.isatty():
        raise OperatorError(f"{what}. Nothing was done: add --yes to go on.")
    if input(f"{what}. This cannot be undone. Go on? Type yes: ").strip().lower() != "yes":
        raise OperatorError("nothing was done.")
