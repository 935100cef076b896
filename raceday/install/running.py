"""What runs on this machine now: its address, whether it answers, whether a run is on the track or a car is driven.

Called by the command and by an upgrade. A service is asked over HTTP as anybody may ask it.
"""

import http.client
import json
import time
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from raceday.install.facts import UNIT_OF, bridge_of_unit, car_units
from raceday.install.machine import Machine
from raceday.install.shipped_files import CONFIG_NAMES, Role
from raceday.install.steps import UNITS
from shared.errors import OperatorError
from shared.process.car_unit_status import CarUnitStatus, read_status

ANSWER_S = 2.0
POLL_S = 0.5
STARTS_S = 30.0  # a station with a long journal, until its page answers
ON_TRACK = ("armed", "running")  # the phases in which a car drives, or may at any moment
_TABLE: dict[Role, str] = {"station": "web", "leaderboard": "server", "car": "console"}
_PORT: dict[Role, int] = {"station": 8080, "leaderboard": 8090, "car": 8008}


@dataclass(frozen=True, slots=True)
class PageAddress:
    """Where a role serves its pages. `host` may be all addresses ("0.0.0.0")."""

    host: str
    port: int

    @property
    def own(self) -> str:
        """The address by which this machine itself reaches it."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104

    @property
    def is_open(self) -> bool:
        """Can other machines reach it?"""
        return self.host in {"0.0.0.0", "::"} or not self.host.startswith(("127.", "::1", "localhost"))  # noqa: S104


def page_address(role: Role, machine: Machine) -> PageAddress:
    """By the role's config on this machine; the usual one where the config does not say."""
    try:
        config = tomllib.loads((machine.read(f"/etc/raceday/{CONFIG_NAMES[role]}") or b"").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        config = {}
    table = config.get(_TABLE[role])
    table = table if isinstance(table, Mapping) else {}
    host, port = table.get("host", "0.0.0.0" if role == "car" else "127.0.0.1"), table.get("port")  # noqa: S104
    return PageAddress(str(host), port if isinstance(port, int) else _PORT[role])


def answers(address: PageAddress, within_s: float = ANSWER_S) -> bool:
    """Does a web server answer there, whatever it says?"""
    return _asked(address, "/", within_s) is not None


def runs_on_track(address: PageAddress) -> int | None:
    """How many runs a station has on the track; None if no station answers there.

    Without one on the track the station tells of the last run, which has ended.
    """
    body = _asked(address, "/api/v1/now")
    try:
        now: Any = json.loads(body or b"")
    except ValueError:
        return None
    runs = now.get("runs") if isinstance(now, dict) else None
    if not isinstance(runs, list):
        return None
    return sum(isinstance(run, dict) and run.get("phase") in ON_TRACK for run in runs)


def refuse_during_a_run(machine: Machine, *, force: bool, patience_s: float = STARTS_S) -> None:
    """Raises OperatorError if this machine's station has a run on the track, or runs and does not say.

    Its car and the bridges of its stock cars are asked too, since they may be another station's. A station that starts
    is silent at first, and one that ends again and again is not active in between: for `patience_s` it is asked again.
    """
    refuse_while_driven(machine, car_units(machine), force=force)
    if force or not machine.is_running or not machine.path(f"{UNITS}/{UNIT_OF['station']}").exists():
        return
    address, until_s = page_address("station", machine), time.monotonic() + patience_s
    count, is_active = runs_on_track(address), True
    while count is None and is_active:
        is_active = machine.attempt(["systemctl", "is-active", "--quiet", UNIT_OF["station"]]).returncode == 0
        if time.monotonic() >= until_s:
            break
        if is_active:
            time.sleep(POLL_S)
            count = runs_on_track(address)
    if count:
        raise OperatorError(
            "a run is on the track, and the station would start again: wait until it is over, or add --force."
        )
    if count is None and is_active:
        raise OperatorError(
            "the station runs and does not answer, so nobody knows whether a run is on the track: look at it "
            "(journalctl -u raceday-station), then wait, or add --force."
        )


def refuse_while_driven(machine: Machine, units: Iterable[str], *, force: bool) -> None:
    """Raises OperatorError if the car of one of these units, our own or a bridge's, is armed, or nobody knows.

    A unit that runs and says nothing may have just started: it is asked again for as long as a station is.
    """
    if force or not machine.is_running:
        return
    for unit in units:
        is_active, status = _status_of(machine, unit)
        whose = bridge_of_unit(unit)
        car, program = (whose, "bridge") if whose else ("this car", "agent")
        if status is None:
            if is_active:
                raise OperatorError(
                    f"the {program} of {car} runs and does not say how the car is: look at it (journalctl -u {unit}), "
                    "then wait, or add --force."
                )
        elif status.is_armed and status.is_online:
            raise OperatorError(
                f"{car} is {status.mode}, and its {program} would stop it: wait until the run is over, or add --force."
            )
        elif status.is_armed:
            raise OperatorError(
                f"{car} was {status.mode} and is offline, so nobody knows whether it drives: look at the car. If it "
                "stands or is switched off, add --force."
            )


def _status_of(machine: Machine, unit: str) -> tuple[bool, CarUnitStatus | None]:
    """Is the unit active, and what has it told systemd of its car? None of one that has ended or says nothing."""
    words, until_s = ["systemctl", "show", "--property=ActiveState,StatusText", unit], time.monotonic() + STARTS_S
    while True:
        shown = dict(line.split("=", 1) for line in machine.attempt(words).stdout.splitlines() if "=" in line)
        state = shown.get("ActiveState")
        if state in ("inactive", "failed"):  # systemd keeps the last line of a unit that has ended
            return False, None
        status = read_status(shown.get("StatusText", ""))
        if status is not None or state != "active" or time.monotonic() >= until_s:
            return state == "active", status
        time.sleep(POLL_S)


def _asked(address: PageAddress, path: str, within_s: float = ANSWER_S) -> bytes | None:
    connection = http.client.HTTPConnection(address.own, address.port, timeout=within_s)
    try:
        connection.request("GET", path, headers={"host": f"localhost:{address.port}"})
        return connection.getresponse().read(1_000_000)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
