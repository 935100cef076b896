"""The test vectors of all protocols: frames as they were sent, most of them recorded, and the one fact in each."""

from dataclasses import dataclass

from station.gates.decoders.decoder import Decoded, DeviceEdge, DeviceMessage, Passing, StatusReport
from station.gates.decoders.line_protocols.alge import MANUAL, NO_START_NUMBER, RADIO
from station.gates.decoders.line_protocols.ipico import FIRST_SEEN

US, MS = 1_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Vector:
    """One frame as it is sent, and the one fact in it."""

    protocol: str
    sent: bytes
    fact: Decoded


def _p3(text: str, fact: Decoded) -> Vector:
    return Vector("p3", bytes.fromhex(text), fact)


P3 = (
    _p3(
        "8e02330053c800000100010451680200030473d75600040888f2fab51e8305000502b20006023400080200008104131804008f",
        Passing("5691251", 1551542808933000_000, 157777, "268307", strength=178, hits=52),
    ),
    _p3(
        "8e023300e0140000010001048dad68020003042f793400040860a1047f1f83050005029d0006021a00080200008104131804008f",
        Passing("3438895", 1551546181788000_000, 157837, "268307", strength=157, hits=26),
    ),
    _p3(
        "8e021f00f3890000020001022800070216000c01760601008104131804008f",
        StatusReport("268307", noise=40, voltage_mv=11_800, temperature_c=22, gps=0),
    ),
    _p3(
        "8e0233009ec700000100010448bc010003041d582c000408e805bfc4a41b050005026a0006023200080200008104930f02008f",
        Passing("2906141", 1437769372993000_000, 113736, "135059", strength=106, hits=50),
    ),
    _p3(
        "8e023d0012850000010001049922000003042af71f060a08464c2d39343839300502850006021d0004088501ca0866420600080200008104"
        "d0000c008f",
        Passing("102758186", 1761855861817733_000, 8857, "786640", label="FL-94890", strength=133, hits=29),
    ),
)

RC4_LINES = (
    "#␉20␉0␉72␉0␉x6B89",
    "#␉20␉1␉73␉0␉xF2E9",
    "@␉20␉2␉8533156␉596.126␉400␉163␉2␉x14F5",
    "#␉20␉3␉73␉0␉xB66A",
    "#␉20␉4␉72␉0␉xE28F",
    "@␉20␉7␉8533156␉614.635␉389␉157␉2␉xF896",
    "@␉20␉10␉8533156␉625.565␉252␉102␉2␉x31C9",
    "@␉20␉22␉8533156␉671.684␉392␉158␉2␉xA648",
    "@␉20␉27␉3885036␉688.41␉70␉103␉2␉x4C27",
)
RC4_SENT = tuple(b"\x01" + line.replace("␉", "\t").encode() + b"\r\n" for line in RC4_LINES)

RC4 = (
    Vector("rc4", RC4_SENT[0], StatusReport("20", noise=72, number=0)),
    Vector("rc4", RC4_SENT[2], Passing("8533156", 596_126 * MS, 2, "20", counters=(400, 163), flags=2)),
    Vector("rc4", RC4_SENT[8], Passing("3885036", 688_410 * MS, 27, "20", counters=(70, 103), flags=2)),
    Vector("rc4", b"\x01AMBRC MODE\r\n", DeviceMessage("mode", "AMBrc")),
)

TRANX2 = (
    Vector(
        "tranx2",
        b"$09000235BF3436E021358700\r\n",
        Passing("144831", 876_011_553 * MS, decoder="09", strength=135, hits=53),
    ),
    Vector(
        "tranx2",
        b"$6900111145018551552D9C00\r\n",
        Passing("1118533", 0x01855155 * MS, decoder="69", strength=0x9C, hits=0x2D),
    ),
    Vector("tranx2", b"#0970\r\n", StatusReport("09", noise=0x70)),
    Vector("tranx2", b"#690F\r\n", StatusReport("69", noise=15)),
)

CANO = (Vector("cano", b"23E35500075A06\n", Passing("2351957", 120_449_500_000)),)

ILAP = (
    Vector("ilap", bytes.fromhex("0125093230340930093 00D0A".replace(" ", "")), StatusReport("204")),
    Vector(
        "ilap",
        bytes.fromhex("01 40 09 32 30 34 09 33 34 35 36 37 38 39 09 33 32 34 2E 36 32 30 0D 0A"),
        Passing("3456789", 324_620 * MS, decoder="204"),
    ),
    Vector("ilap", b"\x01@\t204\t3174966\t12.226\r\n", Passing("3174966", 12_226 * MS, decoder="204")),
    Vector("ilap", b"\x01@\t204\t7251318\t4.448\r\n", Passing("7251318", 4_448 * MS, decoder="204")),
)

ZROUND = (
    Vector("zround", b"%A&", DeviceMessage("answer")),
    Vector("zround", b"%T3E8&", StatusReport(device_time_ns=1_000 * MS)),
    Vector("zround", b"%L1A3E8&", Passing("26", 1_000 * MS)),
    Vector("zround", b"%L1A2B,3E8&", Passing("6699", 1_000 * MS)),
    Vector("zround", b"%LFF,0001D4C0&", Passing("255", 120_000 * MS)),
    # RFID tags: 96 bits, 128 bits, and the longest EPC; eight digits are still a number.
    Vector("zround", b"%LE20000172211010218905C7A,2AF8&", Passing("E20000172211010218905C7A", 11_000 * MS)),
    Vector("zround", b"%L" + b"0a" * 16 + b",1&", Passing("0A" * 16, 1 * MS)),
    Vector("zround", b"%L" + b"F" * 124 + b",FFFFFFFF&", Passing("F" * 124, 4_294_967_295 * MS)),
    Vector("zround", b"%LFFFFFFFF,1&", Passing("4294967295", 1 * MS)),
)


def day_ns(hours: int, minutes: int, seconds: int, rest_us: int) -> int:
    """A time of day in ns."""
    return ((hours * 3600 + minutes * 60 + seconds) * 1_000_000 + rest_us) * US


def _alge(text: str, fact: Decoded) -> Vector:
    return Vector("alge", text.encode() + b"\r", fact)


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
    # Constructed from the maker's list of marks.
    _alge("m0008 c1  15:44:00,2849 00", DeviceMessage("memory", "m0008 c1  15:44:00,2849 00")),
    _alge("c0023 c1  15:44:15,7847 00", DeviceMessage("deleted", "c0023 c1  15:44:15,7847 00")),
)


def _tag(text: str, fact: Decoded) -> Vector:
    return Vector("tag", text.encode() + b"\r", fact)


TAG = (
    _tag("T       200 M1  2:51:15.742000", DeviceEdge("1", True, day_ns(2, 51, 15, 742_000), 200, flags=1)),
    _tag("R   1   200           1.570000", DeviceMessage("result", "R 1 200 1.570000")),
    _tag("S 004", DeviceMessage("run", "S 004")),
    # Constructed in the columns of the lines above.
    _tag("T       200  2 12:51:15.742310", DeviceEdge("2", True, day_ns(12, 51, 15, 742_310), 200)),
    _tag("T            1    51:05.000010", DeviceEdge("1", True, day_ns(0, 51, 5, 10))),
    _tag("T-      200 M1  2:51:15.742000", DeviceMessage("cancelled", "T- 200 M1 2:51:15.742000")),
    _tag("T*      201 M1  2:51:15.742000", DeviceMessage("renumbered", "T* 201 M1 2:51:15.742000")),
)


def _thcom(text: str, fact: Decoded, end: bytes = b"\r\n") -> Vector:
    return Vector("thcom", text.encode() + end, fact)


THCOM_DAY_NS = 24 * 3600 * 1_000 * MS
THCOM = (
    # As sent by devices (quoted on timingguys.com and in btssn-lasalle-84/chrono-cross-2019), with the blanks that a
    # web page drops put back.
    _thcom("AN   16   72 M5 12:13:56.77984  2345\t06D6", DeviceMessage("memory", "AN 16 72 M5 12:13:56.77984 2345")),
    _thcom("AK F\t00F2", DeviceMessage("answer", "AK F")),
    _thcom("CL 06\t0115", DeviceMessage("run", "CL 06")),
    # Of a Pocket Pro, without a sum (TagHeuerTest.cs of RaceHorology).
    _thcom("RR 0010 0232   05:27:51.01040\t", DeviceMessage("memory", "RR 0010 0232 05:27:51.01040"), b"\r"),
    _thcom("!T 08:14:00 01/03/20\t", DeviceMessage("clock", "!T 08:14:00 01/03/20"), b"\r"),
    # In the columns of the first line: with its sum, and without one.
    _thcom(
        "TN   16   72  5 12:13:56.77984  2345\t06BC",
        DeviceEdge("5", True, 2345 * THCOM_DAY_NS + day_ns(12, 13, 56, 779_840), 72),
    ),
    _thcom(
        "TN    1    1 M1        4.30700   365\t",
        DeviceEdge("1", True, 365 * THCOM_DAY_NS + day_ns(0, 0, 4, 307_000), 1, flags=1),
    ),
    _thcom("T-   16   72  5 12:13:56.77984  2345\t069B", DeviceMessage("cancelled", "T- 16 72 5 12:13:56.77984 2345")),
)

LAPRF_FRAME = bytes.fromhex("5a2900735f09da200444003c000101022104010000000208e8bdc304000000002202fa08230200005b")
LAPRF = (
    Vector("laprf", LAPRF_FRAME, Passing("2", 79_937_000 * US, 1, "003c0044", strength=2298)),
    # The host's request: the field for the time is there, but has no value.
    Vector("laprf", bytes.fromhex("5a0a0096e30cda02005b"), DeviceMessage("time")),
)

CARRERA = (
    Vector("carrera", b"?2003037?>1=$", Passing("2", 226_287 * MS, loop="1")),
    Vector("carrera", b"?20030:9211<$", Passing("2", 236_050 * MS, loop="1")),
    Vector("carrera", b"?200301<?618#", Passing("2", 246_127 * MS, loop="1")),
    Vector("carrera", b"05321;$", DeviceMessage("version", "5321")),
    # Constructed: fuel of eight cars, no light, lap counter, nobody in the pit, eight shown.
    Vector("carrera", b"?:????????080082$", StatusReport()),
)

FSR = (
    Vector("fsr", b"1\r\n", DeviceEdge("strip", True, None)),
    Vector("fsr", b"lap\r\n", DeviceEdge("strip", True, None)),
)

DREM_STAMP = 1_780_000_000_123
DREM = (
    Vector(
        "drem",
        b'{"event":"lap","timestamp":1780000000123,"gpio":17,"lapNumber":1,"sensorLapCount":1}\n',
        DeviceEdge("17", True, DREM_STAMP * MS, 1),
    ),
    Vector(
        "drem",
        b'{"event":"connected","timestamp":1780000000123,"serverInfo":{"gpioLibrary":"node-libgpiod"}}\n',
        StatusReport(device_time_ns=DREM_STAMP * MS),
    ),
    Vector("drem", b'{"event":"news"}\n', DeviceMessage("news")),
)


def _ipico(text: str, fact: Decoded) -> Vector:
    return Vector("ipico", text.encode() + b"\r\n", fact)


IPICO_FIRST = 1_772_891_330_500 * MS  # 2026-03-07 13:48:50.500
IPICO = (
    _ipico("aa00058000123b3200012603071348503277", Passing("058000123b32", IPICO_FIRST, loop="00")),
    _ipico("aa00058000123b3200012603071348503277FS", Passing("058000123b32", IPICO_FIRST, loop="00", flags=FIRST_SEEN)),
    _ipico(
        "aa00058000123b3200012603081222022f060080cd",
        Passing("058000123b32", 1_772_972_522_470 * MS, loop="00", flags=FIRST_SEEN),
    ),
    _ipico(
        "aa000580001286080001260308122253100c00009d",
        Passing("058000128608", 1_772_972_573_160 * MS, loop="00"),
    ),
)

CLUB_CLOCK = bytes.fromhex("0B5C839B3A000014D00102")
CLUB_CAR = bytes.fromhex("0DBD841E080000E736000055F9")
ROBITRONIC = (
    Vector("robitronic", CLUB_CLOCK, StatusReport(device_time_ns=15_003 * MS)),
    Vector("robitronic", CLUB_CAR, Passing("2078", 14_055 * MS, strength=249, hits=85)),
)

LAPZ = (
    Vector("lapz", b"#U000BB8$", StatusReport(device_time_ns=3_000 * MS)),
    Vector("lapz", b"#P01000FA0$", Passing("1", 4_000 * MS)),
    Vector("lapz", b"#P0200157C$", Passing("2", 5_500 * MS)),
    Vector("lapz", b"#PFF00ffff$", Passing("255", 65_535 * MS)),
)


def _openstint(text: str, fact: Decoded) -> Vector:
    return Vector("openstint", text.encode() + b"\n", fact)


OPENSTINT = (
    # The lines of docs/decoder-protocol.md, of simulator.py's form, and of a trainer of transponders (commons.cpp).
    _openstint("P 1618706341 OPN 1615544 3.50 64", Passing("1615544", 1_618_706_341 * MS, strength=4, hits=64)),
    _openstint("P 1658197240 AMB 3616557 3.88 21", Passing("3616557", 1_658_197_240 * MS, strength=4, hits=21)),
    _openstint("P 10007 OPN 1000001 -10.31 44 97", Passing("1000001", 10_007 * MS, strength=-10, hits=44)),
    _openstint("T 1618721816 OPN 1615544 905370", DeviceMessage("timesync", "T 1618721816 OPN 1615544 905370")),
    _openstint("S 1792039754 1.018744 5.08 0 0", StatusReport(noise=1, device_time_ns=1_792_039_754 * MS)),
    _openstint("S 5003 -41.87 5 0 0", StatusReport(noise=-42, device_time_ns=5_003 * MS)),
    _openstint("S 5003 -inf 0 0 0", StatusReport(device_time_ns=5_003 * MS)),
    _openstint("L 812345 DONE 1234567 12", DeviceMessage("learning", "L 812345 DONE 1234567 12")),
)

VECTORS = (
    *P3, *RC4, *TRANX2, *CANO, *ILAP, *ROBITRONIC, *LAPZ, *ZROUND, *ALGE, *TAG, *THCOM, *LAPRF, *CARRERA, *FSR, *DREM,
    *IPICO, *OPENSTINT,
)  # fmt: skip
PROTOCOLS = tuple(dict.fromkeys(vector.protocol for vector in VECTORS))


def of(protocol: str) -> list[bytes]:
    """The frames of one protocol, as sent."""
    return [vector.sent for vector in VECTORS if vector.protocol == protocol]


def crossings(facts: list[Decoded]) -> list[Decoded]:
    """Of the decoded facts, only those that a gate times, each once."""
    return [fact for fact in facts if isinstance(fact, DeviceEdge) or (isinstance(fact, Passing) and not fact.repeat)]
