"""AMB/MyLaps P3: binary frames between 8Eh and 8Fh, on TCP 5403 or RS-232.

`8E | version | length LE16 | CRC LE16 | flags LE16 | kind LE16 | (tag, length, value LE)* | 8F`; inside a frame 8Ah to
8Fh may be sent as 8Dh and the byte + 20h. Length and CRC are of the unescaped frame, the CRC with its own field zero.
The time is in microseconds since 1970, by the decoder's clock. Photocells on its inputs are sent as the transponders
9991 and 9992.

Sources: github.com/vmindru/ambp3client (captures of 2019 and their reader) and `docs/AMB_DECODER_PROTOCOL.md` of
github.com/oggthemiffed/RCTimingControl (2026); the CRC was confirmed on every frame of those captures. Photocells:
MyLaps' note on the auxiliary port ("Type 3").

Tried with: all 1,388 frames of ambp3client's `amb.out` and its shortened copy (of which exactly the cut frame is
missing), the frames of github.com/erathe's fixtures, whose wrong ones are refused, and a frame of hama-jp's encoder
(2026-11). The tests keep recorded frames of three decoders. No decoder was available.
"""

from station.gates.decoders.decoder import LAST_NS, MAX_VALUE_BYTES, Decoded, DeviceMessage, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline, DeviceTimelines, Numbering
from station.gates.decoders.framed_decoder import PacketDecoder
from station.gates.decoders.framing import crc_amb

ESCAPE = 0x8D
MIN_PLAIN_BYTES, MAX_PLAIN_BYTES = 11, 2048  # of a frame, unescaped
PASSING, STATUS = 0x01, 0x02
US = 1_000  # ns

KINDS = {
    0x00: "reset",
    PASSING: "passing",
    STATUS: "status",
    0x03: "version",
    0x04: "resend",
    0x05: "clear passing",
    0x13: "server settings",
    0x15: "session",
    0x16: "network settings",
    0x18: "watchdog",
    0x20: "ping",
    0x24: "get time",
    0x28: "general settings",
    0x2D: "signals",
    0x2F: "loop trigger",
    0x30: "gps",
    0x45: "first contact",
    0x4A: "timeline",
    0xFFFF: "error",
}

# The fields that are read: tag -> name. Other tags are allowed and ignored.
GENERAL_TAGS = {0x81: "decoder"}
PASSING_TAGS = {
    0x01: "number",
    0x03: "transponder",
    0x04: "rtc_us",
    0x05: "strength",
    0x06: "hits",
    0x08: "flags",
    0x0A: "label",
    **GENERAL_TAGS,
}
STATUS_TAGS = {0x01: "noise", 0x06: "gps", 0x07: "temperature_c", 0x0C: "voltage_dv", **GENERAL_TAGS}


class P3(PacketDecoder):
    """A `Decoder`. Transponders are decimal; `label` is the text id that newer decoders send beside the number."""

    name = "p3"
    max_frame_bytes = 2 * MAX_PLAIN_BYTES
    brackets = (b"\x8e", b"\x8f")

    def __init__(self) -> None:
        super().__init__()
        self._timelines = DeviceTimelines(
            lambda: DeviceTimeline(DeviceClock(US, None, "clock_jump"), Numbering("passing"))
        )

    def _decode_frame(self, sent: bytes) -> list[Decoded]:
        frame = unescape(sent)
        if len(frame) < MIN_PLAIN_BYTES or int.from_bytes(frame[2:4], "little") != len(frame):
            return self.counts.bad("bad_length", len(sent))
        if crc_amb(frame[:4] + b"\0\0" + frame[6:]) != int.from_bytes(frame[4:6], "little"):
            return self.counts.bad("bad_crc", len(sent))
        kind = int.from_bytes(frame[8:10], "little")
        values = fields(frame[10:-1])
        facts = None if values is None or _are_too_long(kind, values) else self._facts(kind, values)
        return self.counts.bad("bad_fields", len(sent)) if facts is None else self.counts.good(facts)

    def _facts(self, kind: int, values: dict[int, bytes]) -> list[Decoded] | None:
        if kind == PASSING:
            return self._passing(values)
        if kind == STATUS:
            return [_status(_numbers(values, STATUS_TAGS))]
        decoder = _numbers(values, GENERAL_TAGS).get("decoder")
        text = " ".join(f"{tag:02x}={value.hex()}" for tag, value in values.items())
        return [DeviceMessage(KINDS.get(kind, f"kind {kind:04x}"), text, "" if decoder is None else str(decoder))]

    def _passing(self, values: dict[int, bytes]) -> list[Decoded] | None:
        known = _numbers(values, PASSING_TAGS)
        if "transponder" not in known or not 0 <= known.get("rtc_us", -1) * US <= LAST_NS:
            return None
        transponder, number = str(known["transponder"]), known.get("number")
        decoder = str(known.get("decoder", ""))
        reading = self._timelines.of(decoder).passing(transponder, known["rtc_us"], number)
        passing = Passing(
            transponder,
            reading.at_ns,
            number,
            decoder=decoder,
            label=values[0x0A].decode("ascii", "replace").strip("\0 ") if 0x0A in values else "",
            strength=known.get("strength"),
            hits=known.get("hits"),
            flags=known.get("flags", 0),
            repeat=reading.repeat,
        )
        return [*reading.gaps, passing]


def unescape(sent: bytes) -> bytes:
    """The frame without its escapes."""
    if ESCAPE not in sent:
        return sent
    head, *rest = sent.split(bytes([ESCAPE]))
    # Two escapes in a row, or one before nothing, is not a frame: the result fails its length or its CRC.
    return head + b"".join(bytes([(part[0] - 0x20) & 0xFF]) + part[1:] if part else b"" for part in rest)


def escape(frame: bytes) -> bytes:
    """A frame with its escapes, as a decoder sends it (for simulations)."""
    inner = b"".join(bytes([ESCAPE, b + 0x20]) if 0x8D <= b <= 0x8F else bytes([b]) for b in frame[1:-1])
    return frame[:1] + inner + frame[-1:]


def fields(body: bytes) -> dict[int, bytes] | None:
    """Tag -> value; None if a length runs past the end."""
    values: dict[int, bytes] = {}
    at = 0
    while at < len(body):
        if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
            return None
        values[body[at]] = body[at + 2 : at + 2 + body[at + 1]]
        at += 2 + body[at + 1]
    return values


def _numbers(values: dict[int, bytes], tags: dict[int, str]) -> dict[str, int]:
    return {name: int.from_bytes(values[tag], "little") for tag, name in tags.items() if values.get(tag)}


def _are_too_long(kind: int, values: dict[int, bytes]) -> bool:
    """Whether a value that is read as a number has more bytes than any number; a label may be longer."""
    tags = {PASSING: PASSING_TAGS, STATUS: STATUS_TAGS}.get(kind, GENERAL_TAGS)
    return any(len(values[tag]) > MAX_VALUE_BYTES for tag, name in tags.items() if tag in values and name != "label")


def _status(known: dict[str, int]) -> StatusReport:
    decivolts = known.get("voltage_dv")
    return StatusReport(
        decoder=str(known.get("decoder", "")),
        noise=known.get("noise"),
        gps=known.get("gps"),
        temperature_c=known.get("temperature_c"),
        voltage_mv=None if decivolts is None else decivolts * 100,
    )
