"""Frames of timers and of the smaller decoders, with what they say (timing.md 2.8 to 2.11; made ones are said)."""

from station.gates.decoders.decoder import Decoded, Decoder, DeviceEdge, DeviceMessage, Passing, StatusReport
from station.gates.decoders.line_protocols.alge import MANUAL, NO_START_NUMBER, RADIO, Alge
from station.gates.decoders.line_protocols.carrera import Carrera
from station.gates.decoders.line_protocols.drem import Drem
from station.gates.decoders.line_protocols.fsr import Fsr
from station.gates.decoders.line_protocols.ipico import FIRST_SEEN, Ipico
from station.gates.decoders.line_protocols.tag import TagHeuer
from station.gates.decoders.packet_protocols.laprf import LapRf
from tests.station.gates.decoders.frames import Recorded

DECODERS: dict[str, type[Decoder]] = {kind.name: kind for kind in (Alge, TagHeuer, LapRf, Carrera, Fsr, Drem, Ipico)}
US, MS = 1_000, 1_000_000


def day_ns(hours: int, minutes: int, seconds: int, rest_us: int) -> int:
    """A time of day in ns."""
    return ((hours * 3600 + minutes * 60 + seconds) * 1_000_000 + rest_us) * US


def _alge(text: str, fact: Decoded) -> Recorded:
    return Recorded("alge", text.encode() + b"\r", fact)


ALGE = (
    _alge(" 0035 C0M 21:46:36.3900 00", DeviceEdge("C0", True, day_ns(21, 46, 36, 390_000), 35, flags=MANUAL)),
    _alge(" 0035 C0  21:46:36.3910 00", DeviceEdge("C0", True, day_ns(21, 46, 36, 391_000), 35)),
    _alge(
        "?0034 C1M 21:46:48.3300 00",
        DeviceEdge("C1", True, day_ns(21, 46, 48, 330_000), 34, flags=MANUAL | NO_START_NUMBER),
    ),
    _alge("t0003 C1  16:01:56.6585 00", DeviceEdge("C1", True, day_ns(16, 1, 56, 658_500), 3, flags=RADIO)),
    _alge("n0034", DeviceMessage("number", "0034")),
    _alge(" 0016rRT  00:00:05.22   09", DeviceMessage("result", "0016rRT  00:00:05.22   09")),
    _alge(" 0016rDTR 00:00:03.01   09", DeviceMessage("result", "0016rDTR 00:00:03.01   09")),
    _alge(" 0051 C0  08:44:20.1228 00", DeviceEdge("C0", True, day_ns(8, 44, 20, 122_800), 51)),
    _alge(" 0069 C0  08:56:21.9123 00", DeviceEdge("C0", True, day_ns(8, 56, 21, 912_300), 69)),
    # With the checksum on, and hundredths only.
    _alge(" 0008 C0M 18:27:42.27   00>;", DeviceEdge("C0", True, day_ns(18, 27, 42, 270_000), 8, flags=MANUAL)),
    _alge(" 0006 C1M 18:27:37.80   00>=", DeviceEdge("C1", True, day_ns(18, 27, 37, 800_000), 6, flags=MANUAL)),
    _alge("18:26:45.0  ;0012617054@@", DeviceMessage("running_time", "18:26:45.0  ;0012617054@@")),
    # A parallel slalom: the red and the blue course.
    _alge(" 0015rC0  19:52:14.1620 09", DeviceEdge("C0", True, day_ns(19, 52, 14, 162_000), 15)),
    _alge(" 0015bC3  19:52:15.1620 09", DeviceEdge("C3", True, day_ns(19, 52, 15, 162_000), 15)),
    _alge(" 0015bC4M 19:52:59.9999 09", DeviceEdge("C4", True, day_ns(19, 52, 59, 999_900), 15, flags=MANUAL)),
    _alge(" 0015bRT  00:00:44.83   09", DeviceMessage("result", "0015bRT  00:00:44.83   09")),
    # 31 columns: a blank before the rank.
    _alge(" 0001 RTM 00:00:13.39   00 0001", DeviceMessage("result", "0001 RTM 00:00:13.39   00 0001")),
    _alge(" 0001 C1  08:44:20.1228 00 0001", DeviceEdge("C1", True, day_ns(8, 44, 20, 122_800), 1)),
    # Made after the maker's list of marks.
    _alge("m0008 c1  15:44:00,2849 00", DeviceMessage("memory", "m0008 c1  15:44:00,2849 00")),
    _alge("c0023 c1  15:44:15,7847 00", DeviceMessage("deleted", "c0023 c1  15:44:15,7847 00")),
)


def _tag(text: str, fact: Decoded) -> Recorded:
    return Recorded("tag", text.encode() + b"\r", fact)


TAG = (
    _tag("T       200 M1  2:51:15.742000", DeviceEdge("1", True, day_ns(2, 51, 15, 742_000), 200, flags=1)),
    _tag("R   1   200           1.570000", DeviceMessage("result", "R 1 200 1.570000")),
    _tag("S 004", DeviceMessage("run", "S 004")),
    # Made in the columns of the above.
    _tag("T       200  2 12:51:15.742310", DeviceEdge("2", True, day_ns(12, 51, 15, 742_310), 200)),
    _tag("T            1    51:05.000010", DeviceEdge("1", True, day_ns(0, 51, 5, 10))),
    _tag("T-      200 M1  2:51:15.742000", DeviceMessage("cancelled", "T- 200 M1 2:51:15.742000")),
    _tag("T*      201 M1  2:51:15.742000", DeviceMessage("renumbered", "T* 201 M1 2:51:15.742000")),
)

LAPRF_FRAME = bytes.fromhex("5a2900735f09da200444003c000101022104010000000208e8bdc304000000002202fa08230200005b")
LAPRF = (
    Recorded("laprf", LAPRF_FRAME, Passing("2", 79_937_000 * US, 1, "003c0044", strength=2298)),
    # What the host asks: the field of the time is there, and has no value.
    Recorded("laprf", bytes.fromhex("5a0a0096e30cda02005b"), DeviceMessage("time")),
)

CARRERA = (
    Recorded("carrera", b"?2003037?>1=$", Passing("2", 226_287 * MS, loop="1")),
    Recorded("carrera", b"?20030:9211<$", Passing("2", 236_050 * MS, loop="1")),
    Recorded("carrera", b"?200301<?618#", Passing("2", 246_127 * MS, loop="1")),
    Recorded("carrera", b"05321;$", DeviceMessage("version", "5321")),
    # Made: fuel of eight cars, no light, lap counter, nobody in the pit, eight shown.
    Recorded("carrera", b"?:????????080082$", StatusReport()),
)

FSR = (
    Recorded("fsr", b"1\r\n", DeviceEdge("strip", True, None)),
    Recorded("fsr", b"lap\r\n", DeviceEdge("strip", True, None)),
)

DREM_STAMP = 1_780_000_000_123
DREM = (
    Recorded(
        "drem",
        b'{"event":"lap","timestamp":1780000000123,"gpio":17,"lapNumber":1,"sensorLapCount":1}\n',
        DeviceEdge("17", True, DREM_STAMP * MS, 1),
    ),
    Recorded(
        "drem",
        b'{"event":"connected","timestamp":1780000000123,"serverInfo":{"gpioLibrary":"node-libgpiod"}}\n',
        StatusReport(device_time_ns=DREM_STAMP * MS),
    ),
    Recorded("drem", b'{"event":"news"}\n', DeviceMessage("news")),
)


def _ipico(text: str, fact: Decoded) -> Recorded:
    return Recorded("ipico", text.encode() + b"\r\n", fact)


IPICO_FIRST = 1_772_891_330_500 * MS  # 2026-03-07 13:48:50.500
IPICO = (
    _ipico("aa00058000123b3200012603071348503277", Passing("058000123b32", IPICO_FIRST, loop="00")),
    _ipico("aa00058000123b3200012603071348503277FS", Passing("058000123b32", IPICO_FIRST, loop="00", flags=FIRST_SEEN)),
    _ipico(
        "aa00058000123b3200012603081222022f060080cd",
        Passing("058000123b32", 1_772_972_522_470 * MS, loop="00"),
    ),
    _ipico(
        "aa000580001286080001260308122253100c00009d",
        Passing("058000128608", 1_772_972_573_160 * MS, loop="00"),
    ),
)

ALL = (*ALGE, *TAG, *LAPRF, *CARRERA, *FSR, *DREM, *IPICO)


def of(protocol: str) -> list[bytes]:
    """The frames of one protocol, as sent."""
    return [recorded.sent for recorded in ALL if recorded.protocol == protocol]
