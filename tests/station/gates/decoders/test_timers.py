"""What is particular to one timer: its checksums, escapes, clock wraps, forms of a line, and polling."""

import pytest

from station.gates.decoders.decoder import Decoded, DeviceEdge, DeviceMessage, Gap, Passing
from station.gates.decoders.line_protocols.alge import MANUAL, Alge
from station.gates.decoders.line_protocols.carrera import ASK, Carrera
from station.gates.decoders.line_protocols.drem import Drem
from station.gates.decoders.line_protocols.tag import TagHeuer
from station.gates.decoders.packet_protocols.laprf import LapRf, crc_arc, unescaped
from tests.station.gates.decoders.vectors import ALGE, LAPRF_FRAME, crossings, day_ns


def test_every_flipped_bit_of_a_laprf_record_is_found() -> None:
    for at in range(1, len(LAPRF_FRAME) - 1):
        for bit in range(8):
            device = LapRf()
            device.feed(LAPRF_FRAME[:at] + bytes([LAPRF_FRAME[at] ^ (1 << bit)]) + LAPRF_FRAME[at + 1 :])
            assert device.counts.frames == 0


def laprf(number: int, time_us: int) -> bytes:
    """A passing of slot 2 as the gate would send it, escapes and all."""
    fields = b"\x01\x01\x02\x21\x04" + number.to_bytes(4, "little") + b"\x02\x08" + time_us.to_bytes(8, "little")
    record = bytearray(b"\x5a\0\0\0\0\x09\xda" + fields + b"\x5b")
    record[1:3] = len(record).to_bytes(2, "little")
    record[3:5] = crc_arc(bytes(record)).to_bytes(2, "little")
    inner = b"".join(bytes((0x5C, byte + 0x40)) if 0x5A <= byte <= 0x5C else bytes((byte,)) for byte in record[1:-1])
    return b"\x5a" + inner + b"\x5b"


def test_laprf_escapes_and_gaps() -> None:
    device = LapRf()
    sent = laprf(0x5B5C, 0x5A5B5C5A5B5C)
    assert len(sent) > len(unescaped(sent))
    assert device.feed(sent) == [Passing("2", 0x5A5B5C5A5B5C * 1000, 0x5B5C)]
    facts = device.feed(laprf(0x5B5F, 0x5A5B5C5A5B5C + 9_000_000))
    assert [fact.missing for fact in facts if isinstance(fact, Gap)] == [2]
    kinds = [fact.kind for fact in device.feed(laprf(1, 5_000_000)) if isinstance(fact, Gap)]
    assert kinds == ["restart"]


def test_a_wrong_sum_is_no_impulse() -> None:
    device = Alge()
    good = ALGE[9].sent
    for at in range(len(good) - 1):
        assert crossings(device.feed(good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :])) == []
    assert device.counts.bad_crc > 20
    assert device.counts.frames == 0


@pytest.mark.parametrize(("first", "then", "kinds"), [
    (" 0001 C0  23:59:59.9000 00\r", " 0002 C0  00:00:04.9000 00\r", ["wrap"]),
    (" 0001 C0  12:00:00.5000 00\r", " 0002 C0  12:00:00.4000 00\r", ["clock_jump"]),
    (" 0001 C0  12:00:00.5000 00\r", " 0002 C1  12:00:00.4998 00\r", []),
    (" 0001 C0  12:00:00.5000 00\r", "t0002 C1  12:00:00.1000 00\r", []),
    (" 0001 C0  12:00:00.5000 00\r", " 0002 C0  11:00:00.4000 00\r", ["clock_jump"]),
])  # fmt: skip
def test_the_time_of_day_wraps_and_jumps(first: str, then: str, kinds: list[str]) -> None:
    device = Alge()
    device.feed(first.encode())
    facts = device.feed(then.encode())
    assert [fact.kind for fact in facts if isinstance(fact, Gap)] == kinds
    assert device.counts.gaps == len(kinds)


def test_a_lap_over_midnight_is_as_long_as_it_was() -> None:
    device = TagHeuer()
    facts = device.feed(b"T       200  1 23:59:55.000000\rT       200  1  0:00:03.250000\r")
    times = [fact.device_time_ns for fact in facts if isinstance(fact, DeviceEdge)]
    assert times[0] is not None
    assert times[1] is not None
    assert times[1] - times[0] == 8_250_000_000


@pytest.mark.parametrize("text", [
    " 0035 C0  24:46:36.3910 00\r", " 0035 C0  21:60:36.3910 00\r", " 0035 C0  21:46:61.3910 00\r",
])  # fmt: skip
def test_no_clock_shows_this(text: str) -> None:
    device = Alge()
    assert device.feed(text.encode()) == []
    assert device.counts.bad_fields == 1


def test_the_control_unit_is_asked_as_it_answers() -> None:
    device = Carrera()
    assert device.hello() == b'"0$'
    assert device.poll(0) == ASK
    assert device.poll(100_000_000) == b""  # no answer yet
    assert device.poll(300_000_000) == ASK  # none came
    device.feed(b"?:????????080082$")
    assert device.poll(310_000_000) == b""
    assert device.poll(320_000_000) == ASK


def test_the_control_units_clock_wraps_after_seven_weeks() -> None:
    device = Carrera()
    facts = device.feed(b"?1????????1" + bytes((0x30 + (sum(b"1????????1") & 15),)) + b"$")
    assert facts == [Passing("1", 0xFFFFFFFF_000000 // 0x1000000 * 1_000_000, loop="1")]
    facts = device.feed(b"?100000000" + b"1" + bytes((0x30 + 2,)) + b"$")
    assert [type(fact) for fact in facts] == [Gap, Passing]
    assert facts[1] == Passing("1", (1 << 32) * 1_000_000, loop="1")


@pytest.mark.parametrize("rest", [
    '"timestamp":"now","gpio":17,"lapNumber":1', '"timestamp":1,"gpio":true,"lapNumber":1', '"timestamp":1',
    '"timestamp":NaN,"gpio":17,"lapNumber":1', '"timestamp":1e400,"gpio":17,"lapNumber":1', '"gpio":17,"lapNumber":1',
    '"timestamp":-1,"gpio":17,"lapNumber":1', '"timestamp":99999999999999999999,"gpio":17,"lapNumber":1',
])  # fmt: skip
def test_a_lap_without_a_time_or_number_is_none(rest: str) -> None:
    device = Drem()
    assert device.feed(b'{"event":"lap",%s}\n' % rest.encode()) == []
    assert device.counts.bad_fields == 1


@pytest.mark.parametrize("text", ["[" * 4000, "7", "null", "{", '"lap"', "[1]", '{"a":' * 500])
def test_no_json_of_a_stranger_hurts(text: str) -> None:
    device = Drem()
    assert device.feed(text.encode() + b"\n") == []
    assert device.counts.resynced_bytes == len(text)


def test_the_event_managers_timer_restarts_and_misses() -> None:
    def lap(number: int, at_ms: int) -> bytes:
        return b'{"event":"lap","timestamp":%d,"gpio":17,"lapNumber":%d}\n' % (at_ms, number)

    device = Drem()
    device.feed(lap(4, 1_000_000))
    assert device.feed(lap(4, 1_000_000)) == [DeviceMessage("repeat", "lap 4")]
    assert [fact.kind for fact in device.feed(lap(7, 1_010_000)) if isinstance(fact, Gap)] == ["missed_numbers"]
    assert [fact.kind for fact in device.feed(lap(8, 1_009_000)) if isinstance(fact, Gap)] == ["clock_jump"]
    assert [fact.kind for fact in device.feed(lap(1, 900_000)) if isinstance(fact, Gap)] == ["restart"]


C0_NS = day_ns(15, 43, 49, 886_300)
C0 = DeviceEdge("C0", True, C0_NS, 1)


@pytest.mark.parametrize(("line", "fact"), [
    # The forms of the maker's manuals: with rank, without group, blanks for zeros, comma, point or colon.
    (" 0001 c0  15:43:49,8863 00    ", C0),
    (" 0001 C0  15:43:49.8863        ".removesuffix(" "), C0),
    (" 0001 c0  15:43:49,8863 000012", C0),
    ("    1 c0  15:43:49,8863", C0),
    ("    1 C0  15:43:49:8863", C0),
    (" 0001 C0  15:43:49.8863", C0),
    ("    1 c0M 15:43:49,88  ", DeviceEdge("C0", True, day_ns(15, 43, 49, 880_000), 1, flags=MANUAL)),
    ("    1 c0M 15:43:49,020  00", DeviceEdge("C0", True, day_ns(15, 43, 49, 20_000), 1, flags=MANUAL)),
    ("c0023 c1  15:44:15,7847 00    ", DeviceMessage("deleted", "c0023 c1  15:44:15,7847 00")),
    ("p0023 c1  15:44:15,7847 00", DeviceMessage("penalty", "p0023 c1  15:44:15,7847 00")),
    (" 0016 RT  00:00:05.22   090003", DeviceMessage("result", "0016 RT  00:00:05.22   090003")),
    (" 0016 kmh 00:00:05.22   09    ", DeviceMessage("result", "0016 kmh 00:00:05.22   09")),
    ("15:43:49.8", DeviceMessage("running_time", "15:43:49.8")),
])  # fmt: skip
def test_the_forms_of_alge_devices(line: str, fact: Decoded) -> None:
    sums = f"{chr(0x30 + sum(line.encode()) % 256 // 16)}{chr(0x30 + sum(line.encode()) % 16)}"
    for sent in (line, line + sums) if not line.startswith("15") else (line,):
        device = Alge()
        assert device.feed(sent.encode() + b"\r") == [fact]
        assert (device.counts.frames, device.counts.resynced_bytes) == (1, 0)
    device = Alge()
    assert device.feed(line.encode()[:-1].rstrip() + b"#\r") == [], "an altered end gives no time"


def test_a_digit_that_an_alge_line_lost_makes_no_other_time() -> None:
    for line in (" 0001 c0  15:43:49,8863 00    ", " 0001 C0  15:43:49.8863 00", "?0001 C0  15:43:49.8863"):
        for at in range(1, 24):
            if line[at : at + 1].isdigit():
                facts = Alge().feed((line[:at] + line[at + 1 :]).encode() + b"\r")
                # A line without one digit of the start number looks like one with another blank: the time is the same.
                times = {fact.device_time_ns for fact in facts if isinstance(fact, DeviceEdge)}
                assert times <= ({C0_NS} if at < 5 else set()), (line, at)
