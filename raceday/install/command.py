"""`raceday install station | car | leaderboard`: makes this machine one of them, or brings it up to date; needs root.

`raceday install bridge NAME` adds the bridge of a stock car to a station. `raceday install upgrade [FILE]` and
`raceday install rollback` change the release that is in use.
"""

import argparse
import contextlib
import os
import pathlib
import secrets
import sys
import tempfile
from importlib.metadata import entry_points

from raceday.install.bridges.bridge_plan import bridge_plan
from raceday.install.bridges.bridge_request import add_bridge_arguments, bridge_name, bridge_request
from raceday.install.certificates import carried_name, carries_pages
from raceday.install.config_check import ServiceConfig, config_fault, config_of_bridge, config_of_role
from raceday.install.effects import OWED, OwedEffects, apply_effects, owe, owed_effects
from raceday.install.facts import UNIT_OF, MachineFacts, bridge_unit, car_units, enabled_bridges, gathered, refusal
from raceday.install.last_words import bridge_words, last_words
from raceday.install.machine import Machine
from raceday.install.machine_files.access_point import KEYFILE
from raceday.install.plan import SYNC, InstallPlan, install_plan
from raceday.install.releases.program_wheel import DEB_WHEELS, ProgramWheel, program_wheel
from raceday.install.releases.release import CURRENT, MakeRelease, release_for, remove_old_releases, running_release
from raceday.install.releases.upgrade import roll_back, upgrade
from raceday.install.request import AccessPoint, InstallRequest, access_point, check_request, parsed_gate
from raceday.install.running import refuse_during_a_run, refuse_while_driven
from raceday.install.shipped_files import ROLES, Role
from raceday.install.steps import Effect, EnableService, MakeLink, Step
from raceday.install.uninstall import uninstall, uninstall_bridge
from shared.errors import OperatorError
from shared.process.signals import outlives_terminal

FELT = frozenset({"services", "units", "broker", "network"})  # effects that a run on the track would feel
UNLIKE_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that look alike


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises OperatorError for what a person must do."""
    chosen = _parser().parse_args(arguments)
    machine = Machine(chosen.root)
    os.umask(0o022)  # what is made is readable by the service; keys have modes of their own
    if not getattr(chosen, "dry_run", False) and os.geteuid() != 0:
        raise OperatorError(f"this changes the system: run it as root (sudo raceday install {' '.join(arguments)}).")
    if getattr(chosen, "purge", False) and not chosen.uninstall:
        raise OperatorError("--purge goes with --uninstall: it removes data and keys too.")
    if getattr(chosen, "dry_run", False) and chosen.uninstall:
        raise OperatorError("--dry-run tells of an installation, and not of --uninstall: leave one of them out.")
    if getattr(chosen, "dry_run", False):
        return _bridge(machine, chosen) if chosen.action == "bridge" else _role(machine, chosen, is_alone=True)
    with machine.installing() as is_alone, outlives_terminal():
        if chosen.action == "bridge":
            return _bridge(machine, chosen)
        if chosen.action == "upgrade":
            return upgrade(machine, chosen.file, _say, force=chosen.force)
        if chosen.action == "rollback":
            return roll_back(machine, _say, force=chosen.force)
        return _role(machine, chosen, is_alone=is_alone)


def _role(machine: Machine, chosen: argparse.Namespace, *, is_alone: bool) -> int:
    """Installs or uninstalls a role. `is_alone`: not below an upgrade, which removes old releases itself."""
    facts = gathered(machine)
    if reason := refusal(facts):
        raise OperatorError(reason)
    request = asked(chosen, machine)
    with tempfile.TemporaryDirectory(prefix="raceday-install-") as work:
        roles = tuple(role for role in ROLES if role in {*facts.roles, request.role})
        wheels = chosen.wheels or (DEB_WHEELS if DEB_WHEELS.is_dir() else None)
        program = _program(wheels, machine, pathlib.Path(work))
        release = MakeRelease(program, roles, facts.python, facts.python_version, wheels)
        plan = install_plan(request, facts, release_for(release, machine))
        if chosen.uninstall:
            if request.role == "station":
                refuse_during_a_run(machine, force=chosen.force)
            if request.role == "car":
                refuse_while_driven(machine, [UNIT_OF["car"]], force=chosen.force)
            return uninstall(machine, plan, facts, request.role, _say, purge=chosen.purge, yes=chosen.yes)
        pending = [step for step in plan.steps if not step.is_done(machine)]
        owed, config = owed_effects(machine).effects, config_of_role(request.role)
        if chosen.dry_run:
            return _print_plan(plan, pending, owed, facts, config_fault(config, machine))
        services = _services(machine, plan, pending, facts)
        carry_out(machine, config, pending, services, force=chosen.force)
        if is_alone:
            remove_old_releases(machine)
    for line in last_words(machine, request, plan, bool(pending or owed)):
        print(line)
    return 0


def _bridge(machine: Machine, chosen: argparse.Namespace) -> int:
    """Installs or uninstalls the bridge of a stock car; it runs in the release of the station."""
    name = bridge_name(chosen.name)
    if chosen.uninstall:
        refuse_while_driven(machine, [bridge_unit(name)], force=chosen.force)
        return uninstall_bridge(machine, name, _say, purge=chosen.purge, yes=chosen.yes)
    facts, config = gathered(machine), config_of_bridge(name)
    plan = bridge_plan(bridge_request(chosen, machine), facts)
    pending = [step for step in plan.steps if not step.is_done(machine)]
    owed = owed_effects(machine).effects
    if chosen.dry_run:
        return _print_plan(plan, pending, owed, facts, config_fault(config, machine))
    carry_out(machine, config, pending, plan.services, force=chosen.force)
    for line in bridge_words(machine, name, plan, bool(pending or owed)):
        print(line)
    return 0


def _program(wheels: pathlib.Path | None, machine: Machine, work: pathlib.Path) -> ProgramWheel:
    """The release that runs this command; on a machine without one what lies in the folder of wheels.

    A newer version is the business of `raceday install upgrade`, which checks it first.
    """
    return program_wheel(None if running_release(machine) else wheels, work)


def _services(machine: Machine, plan: InstallPlan, pending: list[Step], facts: MachineFacts) -> tuple[str, ...]:
    """What starts again: with another release the services of this machine's other roles as well."""
    changes_release = any(
        isinstance(step, MakeRelease) or (isinstance(step, MakeLink) and step.path == CURRENT) for step in pending
    )
    if not changes_release:
        return plan.services
    bridges = map(bridge_unit, enabled_bridges(machine))
    others = (*(UNIT_OF[role] for role in facts.roles), SYNC, *bridges)
    enabled = [service for service in others if EnableService(service).is_done(machine)]
    return tuple(dict.fromkeys((*plan.services, *enabled)))


def carry_out(
    machine: Machine, config: ServiceConfig, pending: list[Step], services: tuple[str, ...], *, force: bool = False
) -> None:
    """Does the steps, then what follows, and what an earlier run still owes.

    Raises OperatorError before anything is done during a run, and before a service starts during one that began
    meanwhile, or with a config that is wrong: what follows is owed then, and the next run does it.
    """
    owed = owed_effects(machine).with_more((each for step in pending for each in step.effects), services)
    _refuse_what_is_felt(machine, owed, force=force)
    if machine.is_running:
        owe(machine, owed)
    for step in pending:
        _say(step.description())
        step.do(machine)
    if fault := config_fault(config, machine):
        raise OperatorError(f"{fault} Mend it and run this again: {services[0]} was not started.")
    if not machine.is_running:
        return
    _refuse_what_is_felt(machine, owed, force=force)
    starting = tuple(each for each in owed.services if EnableService(each).is_done(machine))
    apply_effects(machine, OwedEffects(owed.effects, starting), _say)
    machine.remove(OWED)


def _refuse_what_is_felt(machine: Machine, owed: OwedEffects, *, force: bool) -> None:
    """Raises OperatorError if a run, or a car whose agent or bridge starts again, would feel what is owed."""
    if not owed.effects & FELT:
        return
    if UNIT_OF["station"] in owed.services:
        refuse_during_a_run(machine, force=force)
    refuse_while_driven(machine, [unit for unit in car_units(machine) if unit in owed.services], force=force)


def asked(chosen: argparse.Namespace, machine: Machine) -> InstallRequest:
    """The arguments as a checked request. Raises OperatorError."""
    role: Role = chosen.action
    protocols = frozenset(each.name for each in entry_points(group="raceday.decoders"))
    certs: pathlib.Path | None = getattr(chosen, "certs", None)
    request = InstallRequest(
        role,
        name=getattr(chosen, "name", "") or "",
        gates=tuple(parsed_gate(text, protocols) for text in getattr(chosen, "gate", [])),
        profile=getattr(chosen, "profile", "") or "",
        broker=getattr(chosen, "broker", "") or "",
        certs_file=certs,
        certs=carried_name(certs) if certs is not None else "",
        certs_for_pages=certs is not None and carries_pages(certs),
        database=getattr(chosen, "database", "") or "",
        host=getattr(chosen, "host", "") or "",
        access_point=_access_point(chosen, machine),
    )
    check_request(request)
    return request


def _access_point(chosen: argparse.Namespace, machine: Machine) -> AccessPoint | None:
    """The access point that was asked for, with the passphrase that it has already, or a new one."""
    if not getattr(chosen, "access_point", None):
        return None
    require_wifi_packages(machine)
    there = (machine.read(KEYFILE) or b"").decode("utf-8", "replace")
    known = next((line.removeprefix("psk=") for line in there.splitlines() if line.startswith("psk=")), "")
    passphrase = known or "".join(secrets.choice(UNLIKE_LETTERS) for _ in range(16))
    return access_point(chosen.access_point, chosen.country or "", passphrase)


def require_wifi_packages(machine: Machine) -> None:
    """Raises OperatorError if Debian's packages for an access point are not all here."""
    if not machine.path("/etc/NetworkManager").is_dir():
        raise OperatorError("an access point needs NetworkManager here: apt install network-manager dnsmasq-base.")
    if not machine.path("/usr/sbin/dnsmasq").exists():
        raise OperatorError("an access point needs dnsmasq, which gives out its addresses: apt install dnsmasq-base.")
    # A link; below a root folder its target is not where it says. Without the rules the kernel takes those of no
    # country (net/wireless/reg.c, world_regdom), by which nobody may begin to send at 5 GHz.
    rules = machine.path("/lib/firmware/regulatory.db")
    if not rules.is_symlink() and not rules.exists():
        raise OperatorError(
            "an access point at 5 GHz needs the countries' rules for radios: apt install wireless-regdb, and start "
            "this machine again."
        )


def _print_plan(
    plan: InstallPlan, pending: list[Step], owed: frozenset[Effect], facts: MachineFacts, fault: str
) -> int:
    """The answer of --dry-run; `fault` is what is wrong with the config that is there. Returns the exit code."""
    print(f"On {facts.system}, Python {'.'.join(map(str, facts.python_version))}, {facts.processor}:")
    for step in pending:
        print(f"  {step.description()}")
    if owed:
        print(f"  apply what an earlier run left: {', '.join(sorted(owed))}")
    print("  nothing: all of it is done." if not pending and not owed else f"  start {', '.join(plan.services)}")
    for note in (*plan.notes, *filter(None, [fault])):
        print(f"Note: {note}")
    return 0


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads it any more: the terminal is gone
        print(f"  {line} ...", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raceday install", description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("/"), help=argparse.SUPPRESS)
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="station|car|leaderboard|bridge|upgrade|rollback"
    )
    station = _role_parser(actions, "station", "timing, officiating, pages, broker")
    station.add_argument(
        "--gate", action="append", default=[], metavar="KIND:WHERE",
        help="gpio:17 or gpio:17,27 (pins), pico:/dev/serial/by-id/…, or PROTOCOL:PORT of a decoder; the first is the "
        "start and finish line, further ones are splits",
    )  # fmt: skip
    car = _role_parser(actions, "car", "guard, pilot, comms, phone page")
    car.add_argument("--profile", metavar="NAME", help="the kind of car, which sets its drivers (docs/bring-a-car.md)")
    car.add_argument("--broker", metavar="HOST", help="the station's name or address; default: the config's, or here")
    for each in (station, car):
        each.add_argument("--name", metavar="NAME", help="this machine's name, and its certificate's")
        each.add_argument(
            "--certs", type=pathlib.Path, metavar="FILE", help="the file that `raceday certs` made for it"
        )
        each.add_argument("--access-point", metavar="SSID", help="also make a Wi-Fi of this name, on 5 GHz")
        each.add_argument("--country", metavar="CC", help="of the access point: where the race is (DE, US)")
    board = _role_parser(actions, "leaderboard", "takes results, ranks them, shows them")
    board.add_argument("--database", metavar="URL", help="a PostgreSQL database instead of a file")
    board.add_argument("--host", metavar="ADDRESS", help="serve at this address; default: this machine alone")
    board.add_argument("--certs", type=pathlib.Path, metavar="FILE", help="the file that `raceday certs` made for it")
    bridge = actions.add_parser("bridge", help="beside a station: the bridge of a stock car (docs/stock-car.md)")
    add_bridge_arguments(bridge)
    _common_options(bridge)
    up = actions.add_parser("upgrade", help="a newer version beside the one in use, checked, then in its place")
    up.add_argument("file", type=pathlib.Path, nargs="?", metavar="FILE", help="a .deb, a wheel, or a folder of wheels")
    back = actions.add_parser("rollback", help="the release before this one again")
    for each in (up, back):
        each.add_argument("--force", action="store_true", help="also while a run is on the track")
    return parser


def _role_parser(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", role: Role, what: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(role, help=what)
    _common_options(parser)
    parser.add_argument(
        "--wheels", type=pathlib.Path, metavar="FOLDER", help="take all packages from here, not from the net"
    )
    return parser


def _common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
    parser.add_argument("--uninstall", action="store_true", help="remove what an installation made; data and keys stay")
    parser.add_argument("--purge", action="store_true", help="with --uninstall: data and keys too, after a question")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--force", action="store_true", help="also while a run is on the track")
    # After the role as well as before it; the default must not overwrite what was given before.
    parser.add_argument(
        "--root",
        type=pathlib.Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="install below this folder (an image)",
    )
