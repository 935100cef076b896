"""`raceday doctor [station|car|leaderboard|bridge]`: a table of what is seen on this machine, each fault with its cure.

It moves nothing and disturbs no service that runs here; only `doctor bridge` tries the login of a stock car.
Exit code 0 if nothing is bad, else 1.
"""

import argparse
import dataclasses
import json
import pathlib

from rich.console import Console
from rich.table import Table
from rich.text import Text

from raceday.doctor.bridge_checks import BridgeProbes
from raceday.doctor.examination import examined
from raceday.doctor.installed import ETC, installed_bridges, installed_roles, read_role
from raceday.doctor.machine_reader import ThisMachine
from raceday.install.shipped_files import CONFIG_NAMES, ROLES
from shared.errors import OperatorError
from shared.findings import Finding, all_good
from vehicle.bridge.probe import models_of

MARKS = {True: "ok", False: "BAD", None: "?"}
STYLES = {True: "green", False: "bold red", None: "yellow"}


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises OperatorError if what is asked for is not installed here."""
    options = _parser().parse_args(arguments)
    reader = ThisMachine()
    if options.config and not options.role:
        raise OperatorError("--config needs the role before it: `raceday doctor station --config FILE`.")
    if options.role == "bridge":
        roles = installed_bridges(reader)
        if options.config or not roles:
            raise OperatorError("`raceday doctor bridge` looks at each bridge in /etc/raceday, and there is none here.")
    elif options.role:
        path = str(options.config or pathlib.Path(ETC) / CONFIG_NAMES[options.role])
        if reader.status(path) is None:
            raise OperatorError(
                f"{path}: there is no such config; `sudo raceday install {options.role}` makes it, or name yours by "
                "--config."
            )
        roles = [read_role(reader, options.role, path)]
    else:
        roles = [*installed_roles(reader), *installed_bridges(reader)]
    bridge_probes = BridgeProbes(models=models_of if options.role == "bridge" else None)
    findings = examined(reader, roles, bridge_probes=bridge_probes)
    if options.json:
        print(json.dumps(as_document(findings), indent=2))
    else:
        show(findings, Console(highlight=False))
        if not roles:
            print(f"No role is installed here: {ETC} holds no config. `sudo raceday install station` is the beginning.")
    return 0 if all_good(each for group in findings.values() for each in group) else 1


def as_document(findings: dict[str, list[Finding]]) -> dict[str, list[dict[str, object]]]:
    """For programs: the fields of a finding, by what it is about."""
    return {about: [dataclasses.asdict(each) for each in group] for about, group in findings.items()}


def show(findings: dict[str, list[Finding]], console: Console) -> None:
    """The table for people; a cure stands below what it cures."""
    for about, group in findings.items():
        table = Table(
            title=about, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False
        )
        table.add_column(no_wrap=True)
        table.add_column(max_width=30)
        table.add_column()
        for finding in group:
            seen = f"{finding.seen}\n→ {finding.cure}" if finding.cure else finding.seen
            mark = Text(MARKS[finding.is_good], STYLES[finding.is_good])
            table.add_row(mark, Text(finding.what), Text(seen))
        console.print(table)
        console.print()
    bad = sum(each.is_good is False for group in findings.values() for each in group)
    console.print(f"{bad} to mend." if bad else "Nothing to mend.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raceday doctor", description="Looks at this machine: each device seen, allowed, working; what to mend."
    )
    parser.add_argument(
        "role",
        nargs="?",
        choices=(*ROLES, "bridge"),
        help="only this one; else all whose config is in /etc/raceday. "
        "bridge: also tries the login of those that do not run, which ends any other login at the car",
    )
    parser.add_argument("--config", type=pathlib.Path, metavar="FILE", help=f"instead of the role's file in {ETC}")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser
