"""Which checks a machine gets, in the order of the table. Called by the command."""

import importlib
from urllib.parse import urlsplit

from raceday.doctor.bridge_checks import BridgeProbes, bridge_findings
from raceday.doctor.broker_checks import BrokerProbes, broker_findings
from raceday.doctor.config_check import config_finding
from raceday.doctor.installed import EXTRAS, InstalledRole
from raceday.doctor.machine_reader import MachineReader
from raceday.doctor.permissions import ServiceUser
from raceday.doctor.service_checks import is_running, service_findings, unit_state, user_of
from raceday.doctor.station_checks import device_findings, reported_findings
from raceday.doctor.status_checks import PAGES, car_status, page_finding, sync_status
from raceday.doctor.system_checks import disk_findings, system_findings
from raceday.extras import missing_sentence
from raceday.install.plan import DATA, SYNC
from shared.findings import Finding

PORTS = {"http": 80, "https": 443}


def examined(
    reader: MachineReader,
    roles: list[InstalledRole],
    probes: BrokerProbes | None = None,
    bridge_probes: BridgeProbes | None = None,
) -> dict[str, list[Finding]]:
    """Findings by what they are about: "machine", then each role and bridge."""
    extras = tuple(EXTRAS[role.role] for role in roles if not role.bridge)
    found = {"machine": system_findings(reader, extras)}
    if not reader.platform.is_root:
        cure = "Run the doctor with sudo."
        found["machine"].append(Finding("rights", None, "Without root some of what follows cannot be seen.", cure))
    for role in roles:
        found[role.about] = _of_role(reader, role, probes or BrokerProbes(), bridge_probes or BridgeProbes())
    return found


def _of_role(
    reader: MachineReader, role: InstalledRole, probes: BrokerProbes, bridge_probes: BridgeProbes
) -> list[Finding]:
    user, running = user_of(reader, role), is_running(reader, role.unit)
    found = [config_finding(reader, role), *service_findings(reader, role)]
    if not role.bridge:
        found += disk_findings(reader, _data_folder(role))
    if running and role.role in PAGES:
        found.append(page_finding(reader, role))
    if role.role == "station":
        found += device_findings(reader, role, user)
        found += reported_findings(role, unit_state(reader, role.unit), is_running=running)
    if role.bridge:
        found += bridge_findings(reader, role, user, is_running=running, probes=bridge_probes)
    elif role.role == "car":
        found += _car_findings(reader, role, user)
        found.append(car_status(unit_state(reader, role.unit), is_running=running))
    if role.role != "leaderboard" and not role.fault:
        found += broker_findings(reader, role, user, is_running=running, probes=probes)
    if role.posts:
        found.append(_leaderboard(reader, str(role.part("sync")["leaderboard_url"])))
        found.append(sync_status(unit_state(reader, SYNC), is_running=is_running(reader, SYNC)))
    return found


def _data_folder(role: InstalledRole) -> str:
    """Where the role's data is: the config's folder if it names one by its whole path."""
    named = str(role.table.get("data_dir", "")) if role.role == "station" else ""
    return named if named.startswith("/") else DATA[role.role]


def _car_findings(reader: MachineReader, role: InstalledRole, user: ServiceUser | None) -> list[Finding]:
    """Through an import by name: a station's machine has no packages for cars."""
    module = "raceday.doctor.car_checks"
    try:
        found: list[Finding] = importlib.import_module(module).car_findings(reader, role, user)
    except ImportError as error:
        sentence = missing_sentence("vehicle", (), error)
        if sentence is None:
            raise
        return [Finding("devices", None, f"They were not looked at: the program {sentence}")]
    return found


def _leaderboard(reader: MachineReader, url: str) -> Finding:
    """Is there a server? Whether it takes results, the Sync tile says."""
    what = f"leaderboard {url}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        host, port = "", 0
    if not host or not port:
        return Finding(what, False, "It is no address.", "Write https://NAME in [sync] `leaderboard_url`.")
    if why := reader.connects(host, port):
        cure = "Results wait meanwhile and none is lost; check the network and the address."
        return Finding(what, False, f"It is not reached: {why}.", cure)
    return Finding(what, True, "It is reached.")
