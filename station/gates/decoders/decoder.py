"""The interface of decoders: bytes of one protocol in, facts with the device's own time out.

A decoder is pure. It knows no port, no thread and no clock but the device's; `gate.py` feeds it the bytes and turns
its facts into edges. Found by name in the entry-point group `raceday.decoders`, and constructed without arguments.
Most derive from `LineDecoder` or `PacketDecoder` (framed_decoder.py). For example:

    >>> decoder = catalog.decoder("cano")
    >>> decoder.feed(b"23E35500075A06\r\n")
    [Passing(transponder='2351957', device_time_ns=120449500000, ...)]

Rules for every protocol file: `feed` accepts any split of the stream and any noise, never raises, always returns and
buffers no more than one frame of the maximum length; what it drops is counted. One good frame gives one fact, and the
Gaps that it showed come before that fact.
"""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

GapKind = Literal["missed_numbers", "clock_jump", "restart", "wrap"]

# What is beyond it is no time of any device, and would leave the 64 bits of those who read a journal: 292 years in ns.
LAST_NS: Final = (1 << 63) - 1
MAX_VALUE_BYTES: Final = 8  # of a binary field that is read as a number

NEW_EPOCH: frozenset[GapKind] = frozenset(
    {"clock_jump", "restart"}
)  # times before and after these must not be subtracted


@dataclass(frozen=True, slots=True)
class Passing:
    """A transponder that passed a loop. `device_time_ns` is on the device's clock, unwrapped.

    `number` as the device counts; `label` is the text on the transponder's case, where the device sends it with the id.
    `strength` and `hits` in the device's own units; `counters` are figures whose meaning is disputed (rc4.py).
    `repeat`: the device sent this one before (same id, time and number): not a second crossing.
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
    """One level change at an input of the device. `impulse`: it never reports when the beam is free again.

    `device_time_ns` is None where the device sends no time: then the station stamps it on receipt.
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
    """What the device reports about itself; None for what it does not report."""

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
    """A whole and correct frame that is none of the above: a version, an answer, a result, an unknown kind."""

    kind: str
    text: str = ""
    decoder: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """The stream is not continuous: numbers were skipped, or the device's clock jumped or wrapped.

    After a wrap the times continue. After a `NEW_EPOCH` kind they start again. `missing`: how many numbers.
    """

    kind: GapKind
    sentence: str
    missing: int = 0


Decoded = Passing | DeviceEdge | StatusReport | DeviceMessage | Gap


@dataclass(slots=True)
class Counts:
    """What a decoder has accepted and dropped since it was constructed. `frames`: the good ones, of whatever kind.

    `bad_crc`: whole frames whose checksum is wrong. `bad_length`: frames whose length is wrong, or whose end is
    missing. `bad_fields`: whole frames with an invalid field. `resynced_bytes`: all bytes that were in no good frame
    (noise, echoes, and the bytes of bad frames); mere line ends between two frames are not counted.
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
        """Counts one good frame and its facts; returns the facts."""
        self.frames += 1
        for fact in facts:
            self.gaps += isinstance(fact, Gap)
            self.passings += isinstance(fact, Passing)
            self.status += isinstance(fact, StatusReport)
        return facts

    def bad(self, why: Literal["bad_crc", "bad_length", "bad_fields"], length: int) -> list[Decoded]:
        """Counts one bad frame of `length` bytes; returns no facts."""
        setattr(self, why, getattr(self, why) + 1)
        self.resynced_bytes += length
        return []


def may_be_silent(decoder: "Decoder") -> bool:
    """Whether silence of the device means nothing at present, by the property `quiet` that some decoders have.

    Their devices send no status until they have begun to report.
    """
    return bool(getattr(decoder, "quiet", False))


class Decoder(Protocol):
    """One device that speaks one protocol."""

    name: str
    counts: Counts

    def feed(self, data: bytes) -> list[Decoded]:
        """The facts that these bytes complete, in the order of the stream. Never raises."""

    def hello(self) -> bytes:
        """Drops half a frame, but not the clock and the numbers; returns what to send at once (or b"").

        Called at each connect.
        """

    def poll(self, now_ns: int) -> bytes:
        """What to send now: answers that the device waits for, requests that are due; usually b"".

        Called after each feed and about every 0.05 s, with the station's monotonic time.
        """
