"""The station's time, and the few types that inputs and facts share."""

from dataclasses import dataclass, field
from typing import Any, Literal

CarOrder = Literal["arm", "start", "stop", "estop", "reset"]
Mode = Literal["race", "test"]
NoteKind = Literal["missed_numbers", "clock_jump", "restart", "wrap", "dropped_bytes", "layout"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of the station's clock: monotonic ns with the boot they belong to, and UTC beside them (display)."""

    boot: str
    at_ns: int
    utc_ns: int


class Fact:
    """What the core says of one input; what it may be stands in facts.py."""

    __slots__ = ()


def later(default: Any, *, meant: Any = None) -> Any:
    """A field that came after journals were written: it is stored only where it differs from what they meant.

    They meant its default, or `meant` where that is given: then the field is read as `meant` where it is not stored.
    """
    return field(default=default, metadata={"later": True} | ({} if meant is None else {"meant": meant}))


def clock_of(boot: str) -> str:
    """Whose ns a boot counts. A gate with a count of its own on the station's clock is "STATION-BOOT/DEVICE-BOOT"."""
    return boot.partition("/")[0]


NEVER = Moment("", 0, 0)  # what a command carries before the service stamps it
