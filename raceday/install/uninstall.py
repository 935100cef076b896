"""`raceday install ROLE --uninstall`: removes what an installation made; data, configs and keys only with --purge."""

import shutil
import sys

from raceday.install.certificates import remove_keys
from raceday.install.effects import Say
from raceday.install.facts import MachineFacts
from raceday.install.machine import Machine
from raceday.install.plan import DATA, InstallPlan
from raceday.install.releases.release import CURRENT, OPT, PREVIOUS, MakeRelease
from raceday.install.shipped_files import CONFIG_NAMES, Role
from raceday.install.steps import MakeFolder, MakeLink, Step
from shared.errors import OperatorError


def uninstall(
    machine: Machine, plan: InstallPlan, facts: MachineFacts, role: Role, say: Say, *, purge: bool, yes: bool
) -> int:
    """Undoes the steps from the last to the first. What another role here needs stays. Raises OperatorError."""
    others = [each for each in facts.roles if each != role]
    if purge and not yes:
        _ask(f"--purge removes {DATA[role]} with all data{'' if others else ', and /etc/raceday with all keys'}")
    for step in reversed(plan.steps):
        if (others and _is_shared(step)) or (purge and isinstance(step, MakeFolder)):
            continue
        if line := step.undo(machine):
            say(line)
    if machine.is_running:
        machine.run(["systemctl", "daemon-reload"], "telling systemd of the units")
        if role == "station" and facts.has_broker:
            machine.attempt(["systemctl", "try-restart", "mosquitto.service"])
    if purge:
        _purge(machine, role, keeps_keys=bool(others))
    else:
        print(f"Data stay in {DATA[role]}, configs and keys in /etc/raceday; --purge removes them too.")
    return 0


def _is_shared(step: Step) -> bool:
    """Is it there for all roles of a machine?"""
    if isinstance(step, MakeLink):
        return step.path in {CURRENT, PREVIOUS, f"{OPT}/bin", "/usr/local/bin/raceday"}
    return isinstance(step, MakeRelease) or (isinstance(step, MakeFolder) and step.path in {OPT, "/etc/raceday"})


def _purge(machine: Machine, role: Role, *, keeps_keys: bool) -> None:
    shutil.rmtree(machine.path(DATA[role]), ignore_errors=True)
    machine.remove(f"/etc/raceday/{CONFIG_NAMES[role]}")
    if not keeps_keys:
        remove_keys(machine)
        shutil.rmtree(machine.path(OPT), ignore_errors=True)


def _ask(what: str) -> None:
    """Raises OperatorError unless a person at the terminal types yes."""
    if not sys.stdin.isatty():
        raise OperatorError(f"{what}. Nothing was done: add --yes to go on.")
    if input(f"{what}. This cannot be undone. Go on? Type yes: ").strip().lower() != "yes":
        raise OperatorError("nothing was done.")
