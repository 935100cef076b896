"""What is tried in the virtual machine: one row for each scenario, and the boots that they share.

Pure; called by __main__.py. The scripts lie in guest/ and run as root in the machine, in the order of this table.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.errors import BadInput
from tools.metal.suites import SUITES, Suite

INSTALL = "install"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing to try. `boot` 1 is the fresh machine, 2 the installed one after a reboot.

    `python`: "debian" runs the script with the machine's own Python, "raceday" with that of the installed product.
    """

    name: str
    proves: str
    script: str
    boot: Literal[1, 2]
    python: Literal["debian", "raceday"]
    limit_s: int
    needs_newer: bool = False  # a package of a newer version lies in /metal/newer
    needs_car: bool = False  # the machine is made a car too, if it is none yet


SCENARIOS = (
    Scenario(INSTALL, "two commands make a fresh machine a station with two gates", "install.py", 1, "debian", 3000),
    Scenario("reboot", "after a reboot all of it is there again", "reboot.py", 2, "debian", 900),
    Scenario(
        "serial", "a Pico's cable is pulled and plugged while the station runs", "serial_cable.py", 2, "debian", 900
    ),
    Scenario("gpio", "1,000 edges and short pulses on a chip of the kernel", "gpio_edges.py", 2, "raceday", 600),
    Scenario(
        "pwm", "registers of the stock car's PWM chip, and its enable line", "pwm_registers.py", 2, "raceday", 900
    ),
    Scenario("upgrade", "upgrade and roll-back keep the journal", "upgrade.py", 2, "debian", 3600, needs_newer=True),
    Scenario("units", "units of station, sync and leaderboard, with each driver", "units.py", 2, "debian", 6000),
    Scenario("car", "the car's unit with each driver", "car_unit.py", 2, "debian", 3600, needs_car=True),
    Scenario(
        "camera", "frames of the kernel's test cameras, and their loss", "camera.py", 2, "raceday", 600, needs_car=True
    ),
    Scenario(
        "wifi", "a car joins the access point and the race, by certificate", "access_point.py", 2, "debian", 1500,
        needs_car=True,
    ),
    Scenario("bridge", "a stock car's bridge as a service, with its leash", "bridge.py", 2, "debian", 3600),
    Scenario(
        "status", "what each service tells systemd, and the doctor quotes", "status.py", 2, "debian", 6000,
        needs_car=True,
    ),
    Scenario(
        "take-over", "a stock car is taken over and given back", "take_over.py", 2, "debian", 2400, needs_car=True
    ),
    Scenario("easylap", "an EasyLAP on USB, which is no serial port, times a lap", "easylap.py", 2, "debian", 1500),
    Scenario("removal", "what was installed is removed, and data stay", "removal.py", 2, "debian", 900),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Boot:
    """One start of one machine, with the scenarios that run in it, in order."""

    suite: Suite
    number: Literal[1, 2]
    scenarios: tuple[Scenario, ...]

    @property
    def limit_s(self) -> int:
        """How long the whole boot may take: its scenarios, and coming up and going down in an emulated machine."""
        return 600 + sum(each.limit_s for each in self.scenarios)


def chosen(names: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios of these names in the order of the table, all for none. Raises BadInput for a wrong name."""
    known = [each.name for each in SCENARIOS]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
            raise BadInput(f"no scenario is called {name}: {hint}")
    return tuple(each for each in SCENARIOS if not names or each.name in names)


def suites_of(names: Sequence[str]) -> tuple[Suite, ...]:
    """The suites of these names, all of them for none. Raises BadInput for a wrong name."""
    known = {each.name: each for each in SUITES}
    for name in names:
        if name not in known:
            raise BadInput(f"no Debian is called {name}: there are {', '.join(known)}.")
    return tuple(each for each in SUITES if not names or each.name in names)


def boots(suites: Iterable[Suite], scenarios: Sequence[Scenario], installed: Iterable[Suite] = ()) -> list[Boot]:
    """The boots that try these scenarios on these suites.

    Whatever runs in the second boot needs the first one's installation, unless the suite is among `installed`: its
    disk was kept from an earlier run with the same package.
    """
    install = next(each for each in SCENARIOS if each.name == INSTALL)
    kept = {each.name for each in installed}
    plan: list[Boot] = []
    for suite in suites:
        first = tuple(each for each in scenarios if each.boot == 1)
        second = tuple(each for each in scenarios if each.boot == 2)
        if second and not first and suite.name not in kept:
            first = (install,)
        plan += [Boot(suite, 1, first)] if first else []
        plan += [Boot(suite, 2, second)] if second else []
    return plan
