"""The plan of a stock car's bridge: config, password, folder, leash kit, certificates and the instance of the unit.

A pure function of what was asked and what is known of the machine, as plan.py is for the roles; called by the command.
"""

import importlib.resources
import tomllib
from collections.abc import Mapping
from typing import Any

from raceday.install.bridges import bridge_files as files
from raceday.install.bridges.bridge_request import CONSOLE_PORT, BridgeRequest
from raceday.install.bridges.write_secret import WriteSecret
from raceday.install.certificates import PlaceCertificates
from raceday.install.facts import BRIDGE_UNIT, MachineFacts, bridge_config_path, bridge_unit
from raceday.install.machine_files.config_files import BRIDGE_DATA, PLAIN_CAR_MQTT, Change, changed, quoted
from raceday.install.plan import USER, USUAL_NAME, InstallPlan
from raceday.install.shipped_files import config_text, unit_text
from raceday.install.steps import UNITS, EnableService, MakeFolder, ReplaceLines, Step, WriteConfig, WriteFile
from shared.errors import OperatorError
from vehicle.bridge.leash_kit import FILES


def bridge_plan(request: BridgeRequest, facts: MachineFacts) -> InstallPlan:
    """All steps for the bridge, also those that are done already. Raises OperatorError for what is missing first."""
    name, station = request.name, _table(facts.configs.get("station", ""))
    _check(request, facts, station)
    broker = files.broker_of(station)
    path, there = bridge_config_path(name), facts.bridges.get(name, "")
    config = there or files.bridge_config(
        config_text("bridge.toml"), name, request.console, request.port or CONSOLE_PORT, request.model, broker
    )
    table = _table(config)
    steps: list[Step] = [MakeFolder(BRIDGE_DATA, 0o700, USER), MakeFolder(files.data_folder(name), 0o700, USER)]
    if request.certs_file is not None:
        steps.append(PlaceCertificates(str(request.certs_file.resolve()), frozenset({"services", "access"})))
    if _part(table, "console").get("password_file") == files.password_path(name):
        steps.append(WriteSecret(files.password_path(name), request.password, f"the password of {name}'s console"))
    is_leashed = request.is_leashed or _part(table, "leash").get("key_file") == files.leash_key_path(name)
    steps += _leash_kit(request) if is_leashed else []
    changes, notes = _changes(request, config, table, broker)
    if there:
        steps += [ReplaceLines(path, old, new, "as it was asked for") for old, new in changes]
    else:
        steps.append(WriteConfig(path, changed(config, changes)))
    steps.append(WriteFile(f"{UNITS}/{BRIDGE_UNIT}", unit_text(BRIDGE_UNIT), effects=frozenset({"units", "services"})))
    steps.append(EnableService(bridge_unit(name)))
    notes += _notes(request, table, broker, is_leashed=is_leashed)
    return InstallPlan(tuple(steps), (bridge_unit(name),), tuple(notes))


def _check(request: BridgeRequest, facts: MachineFacts, station: Mapping[str, Any]) -> None:
    """Raises OperatorError for what must be there before a bridge."""
    name = request.name
    if "station" not in facts.roles:
        raise OperatorError("a bridge runs beside a station, and none is installed here: sudo raceday install station")
    if name == station.get("name", USUAL_NAME["station"]):
        raise OperatorError(f"{name} is the name of this machine's station: the car needs one of its own.")
    if not request.console and name not in facts.bridges:
        raise OperatorError(f"where is {name}'s console? Add --console with the car's name or address in the network.")
    has_certificate = request.certs_file is not None or {f"{name}.pem", f"{name}.key"} <= facts.certificates
    if files.broker_of(station).wants_certificates and not has_certificate:
        raise OperatorError(
            f"the broker wants a certificate of {name}: sudo raceday certs car {name}; then add --certs "
            f"{name}.raceday-certs to this command."
        )


def _leash_kit(request: BridgeRequest) -> list[Step]:
    """What is carried to the car; a key that is there stays, since the car has it."""
    folder, source = files.leash_folder(request.name), importlib.resources.files("vehicle.bridge.leash")
    kit: list[Step] = [MakeFolder(folder, 0o755)]
    kit += [WriteFile(f"{folder}/{file}", (source / file).read_text("utf-8")) for file in FILES]
    kit.append(WriteSecret(files.leash_key_path(request.name), request.leash_key, f"the key of {request.name}'s leash"))
    return kit


def _changes(
    request: BridgeRequest, config: str, table: Mapping[str, Any], broker: files.BrokerAddress
) -> tuple[list[Change], list[str]]:
    """What was asked for and the config does not say yet: lines to replace, and notes where they were edited."""
    console, leash = _part(table, "console"), _part(table, "leash")
    wanted: list[tuple[str, Change]] = []
    host, model = str(console.get("host", "")), str(console.get("model", ""))
    port = there if isinstance(there := console.get("port"), int) else CONSOLE_PORT
    asked = (request.console, request.port or port)  # one that was named before stays
    if request.console and asked != (host, port):
        wanted.append(("[console]", (files.console_lines(host, port), files.console_lines(*asked))))
    if request.model and request.model != model:
        wanted.append(("[console]", (f"model = {quoted(model)}\n", f"model = {quoted(request.model)}\n")))
    if request.is_leashed and leash.get("key_file", "") != files.leash_key_path(request.name):
        wanted.append(("[leash]", files.leash_change(request.name)))
    now = files.broker_of(table)
    if (now.host, now.port) != (broker.host, broker.port) or (broker.wants_certificates and not now.wants_certificates):
        wanted.append(("[mqtt]", (PLAIN_CAR_MQTT, files.broker_lines(request.name, broker))))
    edited = [
        f"{part} in {bridge_config_path(request.name)} was edited, so it stays as it is: write there "
        f"{', '.join(new.splitlines())}."
        for part, (old, new) in wanted
        if old not in config
    ]
    return [change for _, change in wanted if change[0] in config], edited


def _notes(
    request: BridgeRequest, table: Mapping[str, Any], broker: files.BrokerAddress, *, is_leashed: bool
) -> list[str]:
    notes = []
    console = _part(table, "console")
    if not request.model and console.get("model") == files.SHIPPED_MODEL:
        notes.append(
            f"No --model was named, so {request.name} drives {files.SHIPPED_MODEL}, which cars are sold with. What it "
            f"has: sudo -u {USER} raceday bridge models --config {bridge_config_path(request.name)}"
        )
    if request.password and console.get("password_file") != files.password_path(request.name):
        notes.append(
            f"The config names another file for the password ({console.get('password_file')}): write it there."
        )
    if request.certs_file is not None and not broker.wants_certificates:
        notes.append(
            "This machine's station reaches its broker without certificates, and so does the bridge: once the station "
            "has some, run this again."
        )
    if not is_leashed:
        notes.append(
            "Without a leash a stop is best effort: nothing stops the car when this machine or the network is gone "
            "(docs/stock-car.md; add --leash)."
        )
    return notes


def _table(config: str) -> dict[str, Any]:
    """The config as a table; of one that is not TOML the config check says what is wrong."""
    try:
        return tomllib.loads(config)
    except tomllib.TOMLDecodeError:
        return {}


def _part(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = table.get(key)
    return part if isinstance(part, Mapping) else {}
