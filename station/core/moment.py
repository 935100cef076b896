"""A moment of the station's clock, and the few types that inputs and facts share: the bases of commands and facts."""

from dataclasses import dataclass, field
from typing import Any, Literal

CarOrder = Literal["arm", "start", "stop", "estop", "reset"]
Mode = Literal["race", "test"]
NoteKind = Literal["missed_numbers", "clock_jump", "restart", "wrap", "dropped_bytes", "layout"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of the station's clock: monotonic ns with the boot they belong to, and UTC ns for display."""

    boot: str
    at_ns: int
    utc_ns: int


class Fact:
    """What the core concludes from an input; the base class of everything in facts.py."""

    __slots__ = ()


def later(default: Any, *, meant: Any = None) -> Any:
    """A field that older journals lack: it is stored only if it differs from what they meant.

    They meant its default, or `meant` if that is given: a record without the field is then read as `meant`.
    """
    return field(default=default, metadata={"later": True} | ({} if meant is None else {"meant": meant}))


def clock_of(boot: str) -> str:
    """The boot whose clock made the stamps of `boot`: "STATION/DEVICE" is a device that uses the station's clock."""
    return boot.partition("/")[0]


NEVER = Moment("", 0, 0)  # the moment of a command until the service stamps it


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command of an official: the `author`, on the `device`. The service stamps `moment` when it receives it.

    `undoes`: the number of the journal's record whose command this one undoes, set by the service; 0: it undoes none.
    """

    author: str
    reason: str = ""
    moment: Moment = field(default=NEVER)
    device: str = later("")
    undoes: int = later(0)
