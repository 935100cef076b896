"""What no command may hold, whoever gives it and whatever it is about: asked before a command is journaled.

The service asks it of each command (service/station.py). A stop is never refused: what it may not hold is taken out. It
is no part of the core's own rules: what an older journal holds is replayed as it was.
"""

import dataclasses
import unicodedata
from typing import Any, TypeVar

from shared.text import text
from station.core.commands import CarReset, Collision, OffTrack, OrderCar, StopAll
from station.core.moment import Command

Stop = TypeVar("Stop", StopAll, OrderCar)

MAX_AHEAD_NS = 1_000_000_000  # by which a browser's clock may be ahead of the station's
_LIMIT = 2**63
_FREE_TEXTS = ("author", "device", "reason", "override_reason")  # the core has rules of its own for names
_OF_A_STOP = ("author", "device", "reason")
_UNSHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # they command a terminal or a page, or break the line
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


def value_refusal(command: Command) -> str:
    """Why this command cannot be taken with these values; "" if it can."""
    for each in dataclasses.fields(command):
        value = getattr(command, each.name)
        if isinstance(value, str) and each.name in _FREE_TEXTS and any(_unshown(sign) for sign in value):
            return text("`{field}` holds a character that cannot be shown: leave it out.", field=each.name)
        if each.name == "throttle_percent" and value is not None and not 1 <= value <= 100:
            return text("`throttle_percent` must be 1 to 100.")
        if type(value) is int and not -_LIMIT <= value < _LIMIT:
            return text("`{field}` is a number that is too large.", field=each.name)
    at_ns = command.at_ns if isinstance(command, OffTrack | Collision | CarReset) else None
    if at_ns is not None and not 0 <= at_ns <= command.moment.at_ns + MAX_AHEAD_NS:
        return text("`at_ns` has not come yet by the station's clock: an incident lies in the past.")
    return ""


def stop_without_oddities(stop: Stop) -> Stop:
    """The stop with all that no command may hold taken out of it."""
    clean: dict[str, Any] = {
        name: "".join("?" if _unshown(sign) else sign for sign in getattr(stop, name)) for name in _OF_A_STOP
    }
    clean |= {"throttle_percent": None} if isinstance(stop, OrderCar) else {}
    return dataclasses.replace(stop, **clean)


def _unshown(sign: str) -> bool:
    return unicodedata.category(sign) in _UNSHOWN or sign in _TURNING
