"""Scenario reboot: the machine was switched off after its installation; all of it is there again, and a race runs.

Nothing is started here: services, gates and journal must come up by themselves.
"""

from tools.metal.guest import race
from tools.metal.guest.checks import check
from tools.metal.guest.installed_station import InstalledStation, journal_tail, unit_property

UNITS = ("raceday-station", "mosquitto")


def main() -> None:
    station = InstalledStation()
    up_s = station.up()
    if not check("the station is up by itself", up_s is not None, journal_tail("raceday-station")):
        return
    check("the lap from before the reboot is on the page", "Ann" in station.runs_page(), "/runs names Ann")
    race.both_gates_are_fit_and_a_pass_is_a_lap(station, "Ben")
    for unit in UNITS:
        state, restarts = unit_property(unit, "ActiveState"), unit_property(unit, "NRestarts")
        check(f"{unit} runs, never restarted", (state, restarts) == ("active", "0"), f"{state}, NRestarts={restarts}")


if __name__ == "__main__":
    main()
