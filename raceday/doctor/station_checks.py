"""The gates of a station: is each device there, may the service open it, and what says the station that runs?

Nothing is opened. The station tells systemd which gates are ready, so no token is needed and no request is made.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from raceday.doctor.installed import InstalledRole, options_of
from raceday.doctor.machine_reader import MachineReader, text
from raceday.doctor.permissions import READ, WRITE, ServiceUser, blocked_by
from raceday.install.machine_files.named_devices import PIN_LIBRARIES
from shared.findings import Finding
from station.views.trackside.gates_line import read_gates_line

PORT_KEY = {"pico": "port", "decoder": "url"}
LGPIO_ON_PI_OS = "Run `sudo apt install python3-lgpio` and give the environment the system's packages."
LGPIO_ELSEWHERE = 'Use `factory = "native"`, a gate with a port ("pico"), or Python 3.11 or 3.12.'
_CONTROLLER = re.compile(r"gpiochip\d+")


def device_findings(reader: MachineReader, role: InstalledRole, user: ServiceUser | None) -> list[Finding]:
    """Every gate, the stop button and the start lights."""
    found: list[Finding] = []
    for part in role.parts("gate"):
        what, driver = f"gate {part.get('name', '?')}", str(part.get("driver", ""))
        if driver in PORT_KEY:
            found += port_findings(reader, what, str(options_of(part).get(PORT_KEY[driver], "")), user)
        elif driver == "gpio":
            found += gpio_findings(reader, what, options_of(part), user)
        elif driver == "drem":
            found.append(Finding(what, None, "A timer that speaks over the network: the station's /gates says more."))
        elif driver == "mock":
            cure = "Name a gate in the config, then run `sudo raceday install station`."
            found.append(Finding(what, None, "It is a mock: nothing is timed.", cure))
    for key in ("stop_button", "start_lights"):
        for part in role.parts(key):
            if part.get("driver") == "gpio":
                found += gpio_findings(reader, key.replace("_", " "), options_of(part), user)
    return found


def reported_findings(role: InstalledRole, state: Mapping[str, str], *, is_running: bool) -> Iterator[Finding]:
    """What the station that runs says of its gates; `state` is its unit's, from systemd."""
    if not is_running:
        yield Finding("gates", None, "The station does not run, so nothing is known of how they work.")
        return
    reported = read_gates_line(state.get("StatusText", ""))
    for part in role.parts("gate"):
        name = str(part.get("name", "?"))
        what, gate = f"gate {name} at work", reported.get(name)
        if gate is None:
            cure = (
                "Look at the station's /gates; after a change of the config: `sudo systemctl restart raceday-station`."
            )
            yield Finding(what, None, "The station has told nothing of it.", cure)
        elif gate.state == "ready":
            yield Finding(what, True, "The station says that it is ready.")
        elif gate.state == "not tested":
            yield Finding(what, None, "The station runs it.", gate.sentence)
        else:
            cure = "Mend it: the station's /gates shows each beam as it is."
            yield Finding(what, False, f"The station says: {gate.sentence or 'it is not ready.'}", cure)


def port_findings(reader: MachineReader, what: str, port: str, user: ServiceUser | None) -> Iterator[Finding]:
    """A serial port, by its path or a URL."""
    scheme, is_url, rest = port.partition("://")
    path = rest if is_url and rest.startswith("/dev/") else port
    path = path.partition("?")[0]
    if not path.startswith("/dev/"):
        seen = f"It is at {port}: whether it answers, the station's /gates says."
        yield Finding(what, None, seen) if is_url else Finding(what, False, f"{port!r} is no port.", "Name its port.")
        return
    if reader.status(path) is None:
        yield Finding(what, False, f"{path} is not there.", _ports_there(reader))
        return
    yield _openable(reader, what, path, user, "dialout")
    stable_names = _stable_names(reader, is_hid=scheme == "cp2110")
    if path not in stable_names and "/by-" not in path:
        for stable in stable_names:
            if reader.target(stable) == reader.target(path):
                seen = f"{path} may be another device after the next plugging."
                yield Finding(what, None, seen, f"Write {f'{scheme}://' if is_url else ''}{stable} instead.")


def gpio_findings(
    reader: MachineReader, what: str, options: Mapping[str, Any], user: ServiceUser | None
) -> Iterator[Finding]:
    """The chip of the pins, and the library that reads them."""
    factory = str(options.get("factory", "lgpio"))
    if factory == "lgpio":
        yield from lgpio_findings(reader, what)
    if not PIN_LIBRARIES.get(factory):
        return
    number = options.get("chip", -1)
    chips = [name for name in reader.names("/dev") if _CONTROLLER.fullmatch(name)]
    chip = f"gpiochip{number}" if isinstance(number, int) and number >= 0 else next(iter(chips), "")
    if chip not in chips:
        there = ", ".join(chips) or "none"
        cure = "Use a gate with a port (a Pico), or a machine with pins."
        yield Finding(what, False, f"There is no GPIO chip {chip or 'at all'} here (there: {there}).", cure)
        return
    yield _openable(reader, what, f"/dev/{chip}", user, "gpio")


def lgpio_findings(reader: MachineReader, what: str) -> Iterator[Finding]:
    """The library whose distribution on the package index is an empty stub for Python 3.13."""
    works = reader.attribute("lgpio", "gpiochip_open")
    if works:
        return
    seen = "The Python package lgpio is missing." if works is None else "The Python package lgpio is an empty stub."
    is_pi_os = "raspberrypi" in (text(reader, "/etc/apt/sources.list.d/raspi.list") or "") or (
        reader.status("/etc/rpi-issue") is not None
    )
    yield Finding(what, False, seen, LGPIO_ON_PI_OS if is_pi_os else LGPIO_ELSEWHERE)


def _openable(reader: MachineReader, what: str, path: str, user: ServiceUser | None, group: str) -> Finding:
    if user is None:
        return Finding(what, None, f"{path} is there; without the service's user nothing can be said of its rights.")
    blocked = blocked_by(reader, path, user, READ | WRITE)
    if not blocked:
        return Finding(what, True, f"{path} is there, and {user.name} may open it.")
    cure = f"Run `sudo raceday install station`, or give the user the group: `sudo usermod -aG {group} {user.name}`."
    return Finding(what, False, f"{user.name} may not open {path} ({blocked} keeps it out).", cure)


def _stable_names(reader: MachineReader, *, is_hid: bool) -> list[str]:
    """Names of ports that stay however devices are plugged: udev's of serial ports, our rule's of HID bridges."""
    if is_hid:
        return [f"/dev/{name}" for name in reader.names("/dev") if name.startswith("cp2110-")]
    return [f"/dev/serial/by-id/{name}" for name in reader.names("/dev/serial/by-id")]


def _ports_there(reader: MachineReader) -> str:
    there = _stable_names(reader, is_hid=False)
    return f"Plug it in, or write one that is there: {', '.join(there)}." if there else "Plug it in."
