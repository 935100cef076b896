"""A short race at the installed station by hand of a stranger: the gates are tried, a run is opened, the car laps.

Called by the scenarios install and reboot. `pass_gate` breaks the start gate's beam once.
"""

import time
from collections.abc import Callable
from typing import Any

from tools.metal.guest.checks import until
from tools.metal.guest.installed_station import InstalledStation

LAP_S = 6.0  # longer than the shortest lap that the default track allows
SEEN_S = 30.0


def try_gates(station: InstalledStation, passes: list[Callable[[], object]]) -> None:
    """One proper pass through each gate in test mode, as the day's check asks."""
    station.give("set_mode", mode="test")
    for pass_gate in passes:
        pass_gate()
        time.sleep(2.0)  # a gate's lockout
    station.give("set_mode", mode="race")


def race_one_lap(station: InstalledStation, pass_start: Callable[[], object], racer: str) -> list[dict[str, Any]]:
    """A run timed by the gate, its car started by hand; the laps that the station then has."""
    station.give("open_run", racer=racer, car="car-1")
    station.give("start", by_hand=True, reason="a stranger's first try")
    pass_start()
    time.sleep(LAP_S)
    pass_start()
    laps = until(lambda: _laps(station) or None, SEEN_S)
    station.give("finish")
    return laps or []


def _laps(station: InstalledStation) -> list[dict[str, Any]]:
    runs = station.state()["runs"]
    return [lap for each in runs for lap in each["laps"]]
