"""What a car's guard, or the bridge of a stock car, tells systemd of the car, and how others read it. Pure.

One line, such as "driving, online" or "disarmed, offline: The car's console does not answer: timed out." Read by
`raceday install` and the doctor.
"""

import re
from dataclasses import dataclass

_LINE = re.compile(r"(?P<mode>[a-z]+), (?P<contact>online|offline)(?:: (?P<reason>.+))?")
_ARMED = ("ready", "driving")  # shared/protocol/messages.py, CarMode: the car drives, or may at any moment


@dataclass(frozen=True, slots=True)
class CarUnitStatus:
    """A car's mode, whether it takes part, and why it is as it is ("" if there is nothing to say)."""

    mode: str
    is_online: bool
    reason: str = ""

    @property
    def is_armed(self) -> bool:
        """Does the car drive, or may it at any moment?"""
        return self.mode in _ARMED

    def line(self) -> str:
        """As systemd is told."""
        contact = "online" if self.is_online else "offline"
        return f"{self.mode}, {contact}: {self.reason}" if self.reason else f"{self.mode}, {contact}"


def read_status(line: str) -> CarUnitStatus | None:
    """The status that was told; None for anything else."""
    match = _LINE.fullmatch(line.strip())
    return None if match is None else CarUnitStatus(match["mode"], match["contact"] == "online", match["reason"] or "")
