"""A short race at the installed station as a stranger would hold it: the gates are tried, a run is opened, a car laps.

Called by the scenarios install, reboot, upgrade and serial. `pass_start` breaks the start gate's beam once.
"""

import time
from collections.abc import Callable
from typing import Any

from tools.metal.guest.checks import check, until
from tools.metal.guest.hardware import GATE_LINE, PICO_PIN
from tools.metal.guest.installed_station import InstalledStation
from tools.metal.guest.simulated_gpio import SimulatedGpio
from tools.metal.guest.simulated_pico import SimulatedPico

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
    laps = until(lambda: _laps(station, racer) or None, SEEN_S)
    station.give("finish")
    return laps or []


def _laps(station: InstalledStation, racer: str) -> list[dict[str, Any]]:
    runs = [each for each in station.state()["runs"] if each["racer"] == racer]
    return [lap for each in runs for lap in each["laps"]]


def both_gates_are_fit_and_a_pass_is_a_lap(station: InstalledStation, racer: str) -> None:
    """What the issue asks of an installed station, at its pages."""
    gpio, pico = SimulatedGpio(), SimulatedPico()
    names = [gate["name"] for gate in station.state()["gates"]]
    for name, driver in zip(names, ("GPIO", "Pico"), strict=True):
        gate = station.fit(name)
        check(f"the {driver} gate is fit", bool(gate.get("alive")), f"{name}: {gate.get('sentence')}")
    try_gates(station, [lambda: gpio.pulse(GATE_LINE), lambda: pico.pulse(PICO_PIN)])
    seen = {name: station.gate(name).get("edges") for name in names}
    check("both gates saw the pass", all((edges or 0) >= 2 for edges in seen.values()), f"edges: {seen}")
    laps = race_one_lap(station, lambda: gpio.pulse(GATE_LINE), racer)
    lap_s = [round(lap["lap_ns"] / 1e9, 3) for lap in laps]
    is_right = len(lap_s) == 1 and abs(lap_s[0] - LAP_S) < 1.0
    check("a simulated pass is a lap", is_right, f"{racer}: {lap_s} s")
    check("the lap is on the page", racer in station.runs_page(), f"/runs names {racer}")


def race_one_more(station: InstalledStation, racer: str) -> None:
    """Another racer's lap; gates are tried again, as after each start of the station."""
    gpio, pico = SimulatedGpio(), SimulatedPico()
    try_gates(station, [lambda: gpio.pulse(GATE_LINE), lambda: pico.pulse(PICO_PIN)])
    laps = race_one_lap(station, lambda: gpio.pulse(GATE_LINE), racer)
    check(f"a lap of {racer}", len(laps) == 1, f"{[round(lap['lap_ns'] / 1e9, 3) for lap in laps]} s")
