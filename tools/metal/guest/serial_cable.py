"""Scenario serial: the Pico's cable is pulled and plugged while the station runs, which says so and recovers."""

import time

from tools.metal.guest import hardware, race
from tools.metal.guest.checks import check, until
from tools.metal.guest.installed_station import InstalledStation, unit_property
from tools.metal.guest.simulated_pico import BY_ID, SimulatedPico

PULLS = 5
NOTICED_S = 60.0
AWAY_S = 2.0


def main() -> None:
    station, pico = InstalledStation(), SimulatedPico()
    station.up()
    name = station.state()["gates"][1]["name"]
    check("the Pico gate is fit before", bool(station.fit(name).get("alive")), station.gate(name).get("sentence"))
    for number in range(1, PULLS + 1):
        pico.unplug()
        gone = until(lambda: not station.gate(name)["alive"] or None, NOTICED_S)
        check(f"pull {number}: the station says that it is gone", gone is not None, station.gate(name)["sentence"])
        time.sleep(AWAY_S)
        pico.plug(hardware.FIRMWARE)
        gate = station.fit(name)
        check(f"plug {number}: fit again", bool(gate["alive"]), gate["sentence"])
    before = station.gate(name)["edges"]
    pico.pulse(hardware.PICO_PIN)
    more = until(lambda: station.gate(name)["edges"] - before or None, NOTICED_S)
    check("an edge after the last plug arrives", more is not None, f"{more} edges on {BY_ID.name}")
    race.race_one_more(station, "Emil")
    restarts = unit_property("raceday-station", "NRestarts")
    check("the station was not restarted", restarts == "0", f"NRestarts={restarts}")


if __name__ == "__main__":
    main()
