"""The bridge of a stock car: password file, console and its certificate, login, leash. Called by examination.py.

A stock console knows one login at a time, so a bridge that runs is asked for its own state, which it tells systemd. The
login is tried only if somebody asked for the bridges by name: one that runs elsewhere (a spare station's, or one that
was started by hand) loses its own, perhaps under a car that drives.
"""

import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from raceday.doctor.installed import InstalledRole
from raceday.doctor.machine_reader import MachineReader, text
from raceday.doctor.permissions import READ, ServiceUser, blocked_by
from raceday.doctor.service_checks import unit_state
from shared.config import parse
from shared.errors import ConfigError, OperatorError, RetryLater
from shared.findings import Finding
from shared.process.car_unit_status import read_status
from vehicle.bridge.config import BridgeConfig
from vehicle.bridge.probe import LeashReport, fingerprint_of, leash_report


@dataclass(frozen=True, slots=True)
class BridgeProbes:
    """The ways to ask a stock car; a test gives others. `models`: None leaves the login to whoever has it."""

    fingerprint: Callable[[str, int], str] = fingerprint_of
    models: Callable[[BridgeConfig], tuple[str, ...]] | None = None
    leash: Callable[[BridgeConfig], LeashReport] = leash_report


def bridge_findings(
    reader: MachineReader, role: InstalledRole, user: ServiceUser | None, *, is_running: bool, probes: BridgeProbes
) -> list[Finding]:
    """What is seen of the bridge beside its unit and its broker; nothing of a config that the program refuses."""
    try:
        config = parse(text(reader, role.config) or "", BridgeConfig, role.config, pathlib.Path(role.config).parent)
    except ConfigError:
        return []  # the check of the config says it
    found = [*_secret(reader, "password file", str(config.console.password_file), user, role.cure)]
    found.append(_console(reader, role.config, config, probes))
    if is_running:
        found.append(_reported(reader, role))
    elif all(each.is_good for each in found):
        found += _login(config, probes.models)
    if config.leash.key_file:
        found += _secret(reader, "leash's key", config.leash.key_file, user, role.cure)
        found.append(_leash(config, probes))
    return found


def _secret(reader: MachineReader, what: str, path: str, user: ServiceUser | None, cure: str) -> Iterator[Finding]:
    """A file that the bridge reads only if nobody else may."""
    status = reader.status(path)
    if status is None:
        yield Finding(what, False, f"{path} is not there.", cure)
    elif status.mode & 0o077:
        yield Finding(what, False, f"{path} can be read by others.", f"Run `sudo chmod 600 {path}`.")
    elif user is not None and (blocked := blocked_by(reader, path, user, READ)):
        chown = f"Run `sudo chown {user.name}: {path}`."
        yield Finding(what, False, f"{user.name} may not read {path} ({blocked} keeps it out).", chown)
    else:
        yield Finding(what, True, f"{path} is there, for {user.name if user else 'its owner'} alone.")


def _console(reader: MachineReader, path: str, config: BridgeConfig, probes: BridgeProbes) -> Finding:
    """Is the console reached, and is its certificate the one that was kept?"""
    host, port, kept_in = config.console.host, config.console.port, str(config.console.certificate_file)
    what = f"console {host}:{port}"
    try:
        shown = probes.fingerprint(host, port)
    except UnicodeError:  # of its encoding for DNS
        cure = f"Write the car's name or address into `console.host` in {path}."
        return Finding(what, False, f"{host!r} is no name of a machine.", cure)
    except OSError as error:
        cure = "Is the car on, in the same network, and still at this address? Its console opens in a browser."
        return Finding(what, False, f"It is not reached: {error.strerror or error}.", cure)
    kept = text(reader, kept_in)
    if kept is None:
        return Finding(what, None, "It is reached; its certificate is kept at the bridge's first login.")
    if kept.strip() != shown:
        cure = f"If the car was set up anew, remove {kept_in}; if not, somebody else answers in its place."
        return Finding(what, False, "It shows another certificate than the one that was kept.", cure)
    return Finding(what, True, "It is reached, and shows the certificate that was kept.")


def _reported(reader: MachineReader, role: InstalledRole) -> Finding:
    """What the bridge that runs says of its car."""
    status = read_status(unit_state(reader, role.unit).get("StatusText", ""))
    log = f"`journalctl -u {role.unit} -n 20` says more."
    if status is None:
        return Finding("login", None, "The bridge runs, and has told nothing of its car yet.", log)
    if not status.is_online:
        return Finding("login", False, f"The bridge does not have its car: {status.reason or 'no answer yet.'}", log)
    reason = f" {status.reason}" if status.reason else ""
    return Finding("login", True, f"The bridge has its car, which is {status.mode}.{reason}")


def _login(config: BridgeConfig, models_on: Callable[[BridgeConfig], tuple[str, ...]] | None) -> Iterator[Finding]:
    """Tried, since no bridge of this machine has it, if that is asked for."""
    if models_on is None:
        cure = "`sudo raceday doctor bridge` tries it, which ends the login of whoever else has this car."
        yield Finding("login", None, "It is not tried: the bridge of another machine may have it.", cure)
        return
    try:
        models = models_on(config)
    except RetryLater as error:
        cure = f"Write the password that its own page takes into {config.console.password_file}."
        yield Finding("login", False, f"It does not work: {str(error).rstrip('.')}.", cure)
        return
    yield Finding("login", True, "The console takes the password. Whoever was logged in before is so no more.")
    if config.console.model not in models:
        there = ", ".join(models) or "none"
        cure = f"Load it on the console's own page, or set `console.model` to one that is there ({there})."
        yield Finding("model", False, f"{config.console.model} is not on the car.", cure)


def _leash(config: BridgeConfig, probes: BridgeProbes) -> Finding:
    try:
        report = probes.leash(config)
    except (OSError, OperatorError, UnicodeError) as error:
        cure = "Is it fitted, does its firewall let UDP through, and has it this key? docs/stock-car.md, Fit the leash."
        why = (error.strerror if isinstance(error, OSError) else "") or str(error)
        return Finding("leash", False, f"It does not answer: {why.rstrip('.')}.", cure)
    if report.fault:
        cure = "`journalctl -u raceday-leash` on the car says more."
        return Finding("leash", False, f"It cannot stop this car: {report.fault}.", cure)
    if not report.has_line:
        return Finding("leash", None, "It answers; the car has no enable line, so it promises best effort.")
    return Finding("leash", True, "It answers, and can cut the motor.")
