"""What a car's agent and sync say of themselves, as they told systemd, and whether pages answer. For examination.py.

The station's gates are in station_checks.py, a stock car's bridge is in bridge_checks.py.
"""

from collections.abc import Mapping

from raceday.doctor.installed import InstalledRole
from raceday.doctor.machine_reader import MachineReader
from raceday.install.running import PageAddress
from shared.findings import Finding
from shared.process.car_unit_status import read_status
from station.sync.operator.results_line import read_results_line

PAGES = {
    "station": ("web", 8080),
    "leaderboard": ("server", 8090),
}  # role -> its table of the config, and the usual port


def car_status(state: Mapping[str, str], *, is_running: bool) -> Finding:
    """How the car is; `state` is its unit's, from systemd, which keeps the last line of a unit that has ended."""
    status = read_status(state.get("StatusText", "")) if is_running else None
    if not is_running:
        return Finding("car at work", None, "Its agent does not run, so nothing is known of how it is.")
    if status is None:
        return Finding(
            "car at work",
            None,
            "Its agent has told nothing of it yet.",
            "`journalctl -u raceday-vehicle -n 20` says more.",
        )
    if not status.reason:
        return Finding("car at work", True, f"Its agent says that it is {status.mode}.")
    cure = "Mend that, then reset the car from race control or its phone page."
    return Finding("car at work", None, f"Its agent says that it is {status.mode}: {status.reason}", cure)


def sync_status(state: Mapping[str, str], *, is_running: bool) -> Finding:
    """How posting goes; `state` is that of sync's unit, from systemd."""
    log = "`journalctl -u raceday-sync -n 20` says more."
    if not is_running:
        return Finding("results", None, "Sync does not run, so results wait on this machine.")
    results = read_results_line(state.get("StatusText", ""))
    if results is None:
        return Finding("results", None, "Sync has told nothing of them yet.", log)
    counts = f"{results.posted} posted, {results.waiting} waiting, {results.rejected} rejected"
    cure = "" if results.is_good else "`sudo -u raceday raceday sync status` says more of each."
    return Finding("results", results.is_good, f"Sync says: {counts}. {results.sentence}", cure)


def page_finding(reader: MachineReader, role: InstalledRole) -> Finding:
    """Does somebody answer where the pages of a station or a leaderboard are? Asked of one whose service runs."""
    table, usual = PAGES[role.role]
    host, port = role.part(table).get("host", "127.0.0.1"), role.part(table).get("port", usual)
    address = PageAddress(str(host), port if isinstance(port, int) else usual)
    what = f"page http://{address.own}:{address.port}"
    if why := reader.connects(address.own, address.port):
        cure = f"A service that has just started needs a while; else `journalctl -u {role.unit} -n 20` says more."
        return Finding(what, False, f"The service runs, and its page is not reached: {why}.", cure)
    return Finding(what, True, "It is reached.")
