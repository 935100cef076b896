"""The plan: what a machine needs to become a station, a car or a leaderboard, as steps in their order.

A pure function of what was asked and what is known of the machine; called by the command, which tells or does them.
"""

import posixpath
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raceday.install.certificates import PlaceCertificates
from raceday.install.facts import LOCAL_COMMAND, STOCK_CORE, UNIT_OF, MachineFacts
from raceday.install.machine_files import access_point, broker_files
from raceday.install.machine_files import config_files as configs
from raceday.install.machine_files.drop_ins import DROP_IN, drop_in
from raceday.install.machine_files.named_devices import NamedDevices, car_devices, station_devices
from raceday.install.machine_files.udev_rules import modules_to_load, udev_rules
from raceday.install.releases.release import CURRENT, OPT, LinkSystemLgpio, MakeRelease
from raceday.install.request import InstallRequest
from raceday.install.role_steps import CopyDemoModel, MakeSecrets, TakeOver
from raceday.install.shipped_files import CONFIG_NAMES, Role, config_text, unit_text
from raceday.install.steps import (
    UNITS,
    DisableService,
    Effect,
    EnableService,
    MakeFolder,
    MakeLink,
    MakeUser,
    RemoveFile,
    ReplaceLines,
    Step,
    WriteConfig,
    WriteFile,
)
from shared.errors import OperatorError
from vehicle.hardware.profiles import with_profile

USER = "raceday"
SYNC = "raceday-sync.service"
DATA: dict[Role, str] = {
    "station": configs.STATION_DATA,
    "car": configs.CAR_DATA,
    "leaderboard": configs.BOARD_DATA,
}
_NAME_KEY: dict[Role, str] = {"station": "name", "car": "device"}
_PAGES_TABLE: dict[Role, str] = {"station": "web", "car": "console", "leaderboard": "server"}
USUAL_NAME: dict[Role, str] = {"station": "station-1", "car": "car-1", "leaderboard": ""}


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """The steps, in order, and what a person should know of them. `services` start once the steps are done."""

    steps: tuple[Step, ...]
    services: tuple[str, ...]
    notes: tuple[str, ...] = ()


def install_plan(request: InstallRequest, facts: MachineFacts, release: MakeRelease) -> InstallPlan:
    """All steps for the role, also those that are done already."""
    role = request.role
    certificates = facts.certificates | ({f"{request.certs}.pem", f"{request.certs}.key"} if request.certs else set())
    name = machine_name(request, _read(facts.configs.get(role, "")))
    has_certs = f"{name}.key" in certificates
    config = facts.configs.get(role) or _new_config(request, name, has_certs)
    table = _read(config)
    devices = named_devices(role, table, facts.links)
    services = _services(role, table)
    steps: list[Step] = [
        MakeUser(USER, DATA["station"]),
        MakeFolder("/etc/raceday", 0o755),
        MakeFolder(OPT, 0o755),
        release,
        MakeLink(CURRENT, release.folder.removeprefix(f"{OPT}/"), effects=frozenset({"services"})),
        MakeLink(f"{OPT}/bin", "current/bin"),
        MakeFolder(DATA[role], 0o700, USER),
    ]
    if role != "leaderboard":
        steps.append(LinkSystemLgpio(release.folder))
    if not facts.has_debian_command and not facts.has_foreign_command:
        steps.append(MakeLink(LOCAL_COMMAND, f"{OPT}/bin/raceday"))
    if request.certs_file is not None:
        steps.append(PlaceCertificates(str(request.certs_file.resolve())))
    steps.append(WriteConfig(f"/etc/raceday/{CONFIG_NAMES[role]}", config))
    pages = configs.pages_change(request.certs, table) if request.certs_for_pages else None
    if pages is not None and pages[0] in config:
        steps.append(ReplaceLines(f"/etc/raceday/{CONFIG_NAMES[role]}", *pages, "its pages are protected"))
    mqtt = configs.mqtt_change(role, name, table, request.broker, has_certs)
    if mqtt is not None and mqtt[0] in config:
        steps.append(ReplaceLines(f"/etc/raceday/{CONFIG_NAMES[role]}", *mqtt, "how the broker is reached"))
    steps += _units(role, services, devices, facts)
    steps += _of_the_role(request, facts, name, has_certs)
    steps += _wifi(request, facts)
    steps += _take_over(role, facts, table)
    steps += [EnableService(service) for service in services]
    if role == "station" and SYNC not in services:
        steps.append(DisableService(SYNC))
    notes = _notes(request, facts, devices, name, has_certs, table)
    if mqtt is not None and mqtt[0] not in config:
        notes += (_mqtt_by_hand(role, mqtt[1]),)
    if pages is not None and pages[0] not in config:
        notes += (_pages_by_hand(role, pages[1]),)
    return InstallPlan(tuple(steps), services, notes)


def machine_name(request: InstallRequest, config: Mapping[str, Any]) -> str:
    """The machine's name: what was asked for, the config's own, the usual one.

    Raises OperatorError if the config that is there says another name than what was asked for.
    """
    if request.role == "leaderboard":
        return ""
    key, file = _NAME_KEY[request.role], f"/etc/raceday/{CONFIG_NAMES[request.role]}"
    own, asked = config.get(key, USUAL_NAME[request.role] if config else ""), request.name or request.certs
    if own and asked and asked != own:
        what = f"--name says {asked}" if request.name else f"the certificates are those of {asked}"
        raise OperatorError(
            f"{what}, and this machine is {str(own)[:64]} by `{key}` in {file}: keep to that name, or change it there "
            "first."
        )
    return asked or (own if isinstance(own, str) and own else USUAL_NAME[request.role])


def named_devices(role: Role, table: Mapping[str, Any], links: Mapping[str, str]) -> NamedDevices:
    """What the config of a role names; the doctor asks too."""
    if role == "station":
        return station_devices(table, links)
    return car_devices(with_profile(table)) if role == "car" else NamedDevices(())


def device_drop_in(role: Role, devices: NamedDevices, facts: MachineFacts) -> str:
    """The text that the role's drop-in must have on this machine, "" if there must be none; the doctor asks too."""
    core = STOCK_CORE if role == "car" and facts.has_stock_core else ""
    return drop_in(f"/etc/raceday/{CONFIG_NAMES[role]}", devices.kinds, facts.groups, core)


def _new_config(request: InstallRequest, name: str, has_certs: bool) -> str:
    shipped = config_text(CONFIG_NAMES[request.role])
    if request.role == "station":
        return configs.station_config(shipped, request, name, has_certs)
    if request.role == "car":
        return configs.car_config(shipped, request, name, has_certs)
    return configs.leaderboard_config(shipped, request)


def _read(config: str) -> dict[str, Any]:
    """The config as a table; one that is not TOML names no device, and the config check says what is wrong."""
    try:
        return tomllib.loads(config)
    except tomllib.TOMLDecodeError:
        return {}


def _services(role: Role, table: Mapping[str, Any]) -> tuple[str, ...]:
    """What starts with the machine: sync only where there is a leaderboard to post to."""
    sync = table.get("sync")
    posts = role == "station" and isinstance(sync, Mapping) and bool(sync.get("leaderboard_url"))
    return (UNIT_OF[role], SYNC) if posts else (UNIT_OF[role],)


def _pages_by_hand(role: Role, lines: str) -> str:
    """What to write where the config is older than protected pages, or edited."""
    table = _PAGES_TABLE[role]
    return f"For https write into [{table}] of /etc/raceday/{CONFIG_NAMES[role]}, and restart the service:\n{lines}"


def _mqtt_by_hand(role: Role, lines: str) -> str:
    return (
        f"[mqtt] in /etc/raceday/{CONFIG_NAMES[role]} was edited, so it stays as it is: what you asked for holds once "
        f"it says {', '.join(lines.splitlines())}."
    )


def _units(role: Role, services: tuple[str, ...], devices: NamedDevices, facts: MachineFacts) -> list[Step]:
    unit: frozenset[Effect] = frozenset({"units", "services"})
    names = dict.fromkeys((*services, *((SYNC,) if role == "station" else ())))
    steps: list[Step] = [WriteFile(f"{UNITS}/{name}", unit_text(name), effects=unit) for name in names]
    text = device_drop_in(role, devices, facts)
    steps.append(_file_or_none(f"{UNITS}/{UNIT_OF[role]}.d/{DROP_IN}", text, unit))
    rules = udev_rules(devices.kinds, facts.groups)
    steps.append(_file_or_none(f"/etc/udev/rules.d/99-raceday-{role}.rules", rules, frozenset({"udev", "services"})))
    loaded = modules_to_load(devices.kinds, facts.modules)
    steps.append(_file_or_none(f"/etc/modules-load.d/raceday-{role}.conf", loaded, frozenset({"modules", "services"})))
    return steps


def _file_or_none(path: str, text: str, effects: frozenset[Effect]) -> Step:
    return WriteFile(path, text, effects=effects) if text else RemoveFile(path, effects)


def _of_the_role(request: InstallRequest, facts: MachineFacts, name: str, has_certs: bool) -> list[Step]:
    if request.role == "leaderboard":
        return [MakeSecrets(f"/etc/raceday/{CONFIG_NAMES['leaderboard']}", f"{configs.BOARD_DATA}/secrets")]
    if request.role == "car":
        models = f"{configs.CAR_DATA}/models"
        link = MakeLink(f"{models}/selected", "demo", keep=True)
        return [MakeFolder(models, 0o700, USER), CopyDemoModel(f"{models}/demo"), link]
    if not facts.has_broker:
        return []
    broker: frozenset[Effect] = frozenset({"broker"})
    # Not before the station itself has a certificate: it would be shut out.
    has_certs = {"ca.pem", "broker.pem", "broker.key"} <= facts.certificates and has_certs
    conf = broker_files.broker_conf(config_text("mosquitto.conf"), has_certs)
    steps: list[Step] = [WriteFile(broker_files.BROKER_CONF, conf, effects=broker)]
    if has_certs:
        # `raceday certs` keeps it up to date from then on: it knows who has a certificate.
        steps += [
            WriteConfig("/etc/raceday/acl", broker_files.acl_of(config_text("acl"), name), "mosquitto", broker),
            WriteFile(broker_files.BROKER_DROP_IN, broker_files.DROP_IN, effects=broker | {"units"}),
        ]
    return steps


def _take_over(role: Role, facts: MachineFacts, table: Mapping[str, Any]) -> list[Step]:
    """Of a stock car whose config names its own software: before ours is started."""
    service = stock_service(table) if role == "car" and facts.has_stock_core else ""
    outbox = table.get("outbox")
    path = outbox.get("path") if isinstance(outbox, Mapping) else None
    file = path if isinstance(path, str) else "laps.db"
    config = f"/etc/raceday/{CONFIG_NAMES['car']}"
    return [TakeOver(service, config, posixpath.join("/etc/raceday", file))] if service else []


def stock_service(table: Mapping[str, Any]) -> str:
    """The stock car's own software, by a car's config with its profile; "" for none."""
    stock = with_profile(dict(table)).get("stock_software")
    service = stock.get("service") if isinstance(stock, Mapping) else None
    return service if isinstance(service, str) else ""


def _is_plain(table: Mapping[str, Any]) -> bool:
    """Does a config reach the broker without certificates?"""
    mqtt = table.get("mqtt")
    return isinstance(mqtt, Mapping) and "cert" not in mqtt


def _wifi(request: InstallRequest, facts: MachineFacts) -> list[Step]:
    network: frozenset[Effect] = frozenset({"network"})
    steps: list[Step] = []
    if facts.has_network_manager and (request.role == "car" or request.access_point is not None):
        steps.append(WriteFile(access_point.POWER_SAVING, access_point.power_saving_off(), effects=network))
    if request.access_point is not None:
        wanted = request.access_point
        steps.append(WriteFile(access_point.COUNTRY, access_point.country_option(wanted)))
        keyfile = access_point.access_point_keyfile(wanted)
        steps.append(WriteFile(access_point.KEYFILE, keyfile, 0o600, effects=network))
    return steps


def _notes(
    request: InstallRequest,
    facts: MachineFacts,
    devices: NamedDevices,
    name: str,
    has_certs: bool,
    table: Mapping[str, Any],
) -> tuple[str, ...]:
    notes = [
        f"The driver {driver!r} is of another package: nothing is known of its devices. Open them by a drop-in of your "
        f"own in {UNITS}/{UNIT_OF[request.role]}.d/."
        for driver in devices.strange
    ]
    if facts.has_foreign_command:
        notes.append(f"{LOCAL_COMMAND} is not ours, and stays: this program is {OPT}/bin/raceday.")
    if request.role == "station":
        notes += _notes_of_a_station(request, facts, name, has_certs)
    if request.role == "car" and "car" not in facts.configs and not request.profile:
        notes.append(
            "No --profile was named: camera and motors are mocks until /etc/raceday/vehicle.toml names others."
        )
    if request.role == "car" and facts.has_stock_core and not stock_service(table):
        notes.append(
            "This is a stock car, and no profile says so: its own software stays, and must not run beside ours. Name "
            "the profile in /etc/raceday/vehicle.toml and run this again, which takes the car over."
        )
    if request.access_point is not None:
        notes.append("The Wi-Fi's country holds from the next start of this machine on.")
    if request.role == "car" and not has_certs:
        notes.append(
            "This car has no certificates: `raceday certs car NAME` at the station makes the file for --certs."
        )
    return tuple(notes)


def _notes_of_a_station(request: InstallRequest, facts: MachineFacts, name: str, has_certs: bool) -> list[str]:
    notes = []
    if not facts.has_broker:
        notes.append("No broker is here, so no car can be reached: apt install mosquitto, then run this again.")
    elif not has_certs or "broker.key" not in facts.certificates:
        first = "" if "broker.key" in facts.certificates else "sudo raceday certs init; "
        notes.append(
            "The broker listens to this machine alone, since there are no certificates. For cars: "
            f"{first}sudo raceday certs machine {name}; sudo raceday install station --certs {name}.raceday-certs"
        )
    else:
        notes += [
            f"The broker wants certificates, and the bridge of {car} shows none: sudo raceday certs car {car}; sudo "
            f"raceday install bridge {car} --certs {car}.raceday-certs"
            for car, config in facts.bridges.items()
            if _is_plain(_read(config))
        ]
    if "station" not in facts.configs and not request.gates:
        notes.append(
            "No gate was named: the station has a mock gate. Name yours in /etc/raceday/station.toml, and run this "
            "again."
        )
    elif request.gates and "station" in facts.configs:
        notes.append("/etc/raceday/station.toml is there already and stays: put the gates into it.")
    return notes
