"""Other software on a car that writes to its motors: does it run? Two writers on one PWM chip are no car.

That is the maker's own (`deepracer-core`), and the leash of a bridge (`vehicle/bridge/leash`), which cuts the line
fifty times a second while its bridge is away.

A service that runs has processes in its control group (systemd's `system.slice/NAME.service`, cgroups(7)), which
anybody may read: no program is started, and no bus is asked. Called by the guard's motors and stop sources, by
`raceday vehicle take-over`, and by the findings.
"""

import pathlib
import re
import time
from collections.abc import Callable

from shared.errors import ConfigError
from shared.text import Sentence, text

LEASH_SERVICE = "raceday-leash"
TAKEN_OVER = "stock-software-was-enabled"  # a file beside the outbox: it is to be enabled again when it is given back
CGROUPS = pathlib.Path("/sys/fs/cgroup")
_SLICES = ("system.slice", "systemd/system.slice", "unified/system.slice")  # version 2; 1 and mixed
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.@-]{0,200}", re.ASCII)
_LOOK_PERIOD_S = 0.2


def checked_service(name: str) -> str:
    """A service's name without ".service"; "" for none. Raises ConfigError."""
    name = name.removesuffix(".service")
    if name and not _NAME.fullmatch(name):
        raise ConfigError(f"`stock_software.service` is {name!r}; it must be the name of a systemd service.")
    return name


def is_running(service: str, cgroups: pathlib.Path = CGROUPS) -> bool:
    """Whether the service has processes now; False for ""."""
    return bool(service) and any(_has_processes(cgroups / part / f"{service}.service") for part in _SLICES)


def running_writer(service: str, cgroups: pathlib.Path = CGROUPS) -> str:
    """Which service that writes to the motors runs now: the car's own (`service`, "" for none), or the leash; or ""."""
    return next((name for name in (service, LEASH_SERVICE) if is_running(name, cgroups)), "")


def in_the_way(service: str) -> Sentence:
    """Why this car does not drive while the service runs, and what to do."""
    if service == LEASH_SERVICE:
        return text(
            "The leash of a bridge ({service}) is running, and would cut the motors' line: "
            "`sudo systemctl disable --now raceday-leash` stops it.",
            service=service,
        )
    return text(
        "The car's own software ({service}) is running, and would write to the motors too: "
        "`sudo raceday vehicle take-over` stops it.",
        service=service,
    )


class StockSoftwareStop:
    """A stop source of the guard: the car's own software, or a leash, was started while ours drives."""

    def __init__(
        self, service: str, cgroups: pathlib.Path = CGROUPS, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._service, self._cgroups, self._monotonic_s = service, cgroups, monotonic_s
        self._looked_s = float("-inf")
        self._reason = ""

    def reason(self) -> str:
        """Why the car must stop now, as a sentence; '' while only our software runs."""
        now_s = self._monotonic_s()
        if now_s - self._looked_s >= _LOOK_PERIOD_S:
            self._looked_s = now_s
            writer = running_writer(self._service, self._cgroups)
            self._reason = in_the_way(writer) if writer else ""
        return self._reason

    def close(self) -> None:
        """Nothing is open."""


def _has_processes(group: pathlib.Path) -> bool:
    """`cgroup.events` counts the groups below too; version 1 has only the list of its own processes."""
    try:
        events = (group / "cgroup.events").read_text(encoding="ascii")
    except OSError:
        pass
    else:
        return "populated 1" in events.splitlines()
    try:
        return bool((group / "cgroup.procs").read_text(encoding="ascii").strip())
    except OSError:
        return False  # no such group: the service does not run
