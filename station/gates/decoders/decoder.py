"""What a decoder is: bytes of one protocol in, facts with the device's own time out.

A decoder is pure. It knows no port, no thread and no clock but the device's; `gate.py` gives it the bytes and takes its
facts. Found by name under the entry-point group `raceday.decoders`, and constructed without arguments.

Rules for every protocol file: `feed` takes any split of the stream and any rubbish, never raises, never loops and holds
no more than one longest frame; what it drops is counted. Frames, not bytes, are facts: one frame gives one fact (or
one of each sensor that changed), and a Gap stands before the fact that showed it.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

GapKind = Literal["missed_numbers", "clock_jump", "restart", "wrap"]

NEW_EPOCH: frozenset[GapKind] = frozenset({"clock_jump", "restart"})  # times across these may not be subtracted


@dataclass(frozen=True, slots=True)
class Passing:
    """A transponder seen by a loop. `device_time_ns` is on the device's clock, unwrapped.

    `number` as the device counts; `label` is what stands on the case where the device sends this beside the id.
    `strength` and `hits` in the device's own units; `counters` are figures whose meaning is disputed (timing.md 2.3).
    `repeat`: the device said this one before (same id, time and number): no second crossing.
    """

    transponder: str
    device_time_ns: int
    number: int | None = None
    decoder: str = ""
    loop: str = ""
    label: str = ""
    strength: int | None = None
    hits: int | None = None
    counters: tuple[int, ...] = ()
    flags: int = 0
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class DeviceEdge:
    """One level change that the device stamped. `impulse`: it never tells when the beam is free again.

    `device_time_ns` is None where the device sends no time: then whoever hears it stamps it, and says so.
    """

    sensor: str
    broken: bool
    device_time_ns: int | None
    number: int | None = None
    decoder: str = ""
    flags: int = 0
    impulse: bool = True


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What the device says of itself; None where it does not say."""

    decoder: str = ""
    noise: int | None = None
    loop: int | None = None
    voltage_mv: int | None = None
    temperature_c: int | None = None
    gps: int | None = None
    number: int | None = None
    device_time_ns: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceMessage:
    """A whole and correct frame that is neither of the above: a version, an answer, a result, a kind new to us."""

    kind: str
    text: str = ""
    decoder: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """The stream is not continuous: numbers were skipped, or the device's clock did what clocks do not.

    A wrap is only noticed: times go on. After a `NEW_EPOCH` kind the times begin anew. `missing` counts numbers.
    """

    kind: GapKind
    sentence: str
    missing: int = 0


Decoded = Passing | DeviceEdge | StatusReport | DeviceMessage | Gap


@dataclass(slots=True)
class Counts:
    """What a decoder has taken and dropped since it was made. `frames` are the good ones, of whatever kind.

    `bad_crc`: a whole frame whose check is wrong. `bad_length`: its length is wrong or no end came in time.
    `bad_fields`: whole, but a field is not what it must be. `resynced_bytes`: all bytes that lay in no good frame
    (noise, echoes, and the bytes of bad frames); line ends alone between two frames are not counted.
    """

    frames: int = 0
    bad_crc: int = 0
    bad_length: int = 0
    bad_fields: int = 0
    resynced_bytes: int = 0
    gaps: int = 0
    passings: int = 0
    status: int = 0

    def good(self, facts: list[Decoded]) -> list[Decoded]:
        """Count one good frame with its facts, which are given back."""
        self.frames += 1
        for fact in facts:
            self.gaps += isinstance(fact, Gap)
            self.passings += isinstance(fact, Passing)
            self.status += isinstance(fact, StatusReport)
        return facts

    def bad(self, why: Literal["bad_crc", "bad_length", "bad_fields"], length: int) -> list[Decoded]:
        """Count one bad frame of so many bytes; no facts."""
        setattr(self, why, getattr(self, why) + 1)
        self.resynced_bytes += length
        return []


def may_be_silent(decoder: "Decoder") -> bool:
    """Some devices report their status only from their first word on: such a decoder has a `quiet` that says so."""
    return bool(getattr(decoder, "quiet", False))


class Decoder(Protocol):
    """One device that speaks one protocol."""

    name: str
    counts: Counts

    def feed(self, data: bytes) -> list[Decoded]:
        """The facts that these bytes complete, in the order of the stream. Never raises."""

    def hello(self) -> bytes:
        """Called at each connect: forgets a half frame, keeps clock and numbers. What to send at once (or b"")."""

    def poll(self, now_ns: int) -> bytes:
        """What to send now: answers that the device waits for, requests that are due; mostly b"".

        Called after each feed and each 0.05 s or so, with the station's monotonic time.
        """
