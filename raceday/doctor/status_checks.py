"""What a car's agent and sync say of themselves, as they told systemd. Pure; called by examination.py.

The station's gates are in station_checks.py, a stock car's bridge is in bridge_checks.py.
"""

from collections.abc import Mapping

from shared.findings import Finding
from shared.process.car_unit_status import read_status
from station.sync.operator.results_line import read_results_line


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
