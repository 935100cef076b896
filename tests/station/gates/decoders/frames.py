"""Recorded frames of each protocol, with what they say (timing.md section 2; each from its source named there)."""

from dataclasses import dataclass

from station.gates.decoders.decoder import Decoded, DeviceMessage, Passing, StatusReport

MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """One frame as it was sent, and the one fact in it."""

    protocol: str
    sent: bytes
    fact: Decoded


def _p3(text: str, fact: Decoded) -> Recorded:
    return Recorded("p3", bytes.fromhex(text), fact)


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
    Recorded("rc4", RC4_SENT[0], StatusReport("20", noise=72, number=0)),
    Recorded("rc4", RC4_SENT[2], Passing("8533156", 596_126 * MS, 2, "20", counters=(400, 163), flags=2)),
    Recorded("rc4", RC4_SENT[8], Passing("3885036", 688_410 * MS, 27, "20", counters=(70, 103), flags=2)),
    Recorded("rc4", b"\x01AMBRC MODE\r\n", DeviceMessage("mode", "AMBrc")),
)

TRANX2 = (
    Recorded(
        "tranx2",
        b"$09000235BF3436E021358700\r\n",
        Passing("144831", 876_011_553 * MS, decoder="09", strength=135, hits=53),
    ),
    Recorded(
        "tranx2",
        b"$6900111145018551552D9C00\r\n",
        Passing("1118533", 0x01855155 * MS, decoder="69", strength=0x9C, hits=0x2D),
    ),
    Recorded("tranx2", b"#0970\r\n", StatusReport("09", noise=0x70)),
    Recorded("tranx2", b"#690F\r\n", StatusReport("69", noise=15)),
)

CANO = (Recorded("cano", b"23E35500075A06\n", Passing("2351957", 120_449_500_000)),)

ILAP = (
    Recorded("ilap", bytes.fromhex("0125093230340930093 00D0A".replace(" ", "")), StatusReport("204")),
    Recorded(
        "ilap",
        bytes.fromhex("01 40 09 32 30 34 09 33 34 35 36 37 38 39 09 33 32 34 2E 36 32 30 0D 0A"),
        Passing("3456789", 324_620 * MS, decoder="204"),
    ),
    Recorded("ilap", b"\x01@\t204\t3174966\t12.226\r\n", Passing("3174966", 12_226 * MS, decoder="204")),
    Recorded("ilap", b"\x01@\t204\t7251318\t4.448\r\n", Passing("7251318", 4_448 * MS, decoder="204")),
)

ZROUND = (
    Recorded("zround", b"%A&", DeviceMessage("answer")),
    Recorded("zround", b"%T3E8&", StatusReport(device_time_ns=1_000 * MS)),
    Recorded("zround", b"%L1A3E8&", Passing("26", 1_000 * MS)),
    Recorded("zround", b"%L1A2B,3E8&", Passing("6699", 1_000 * MS)),
    Recorded("zround", b"%LFF,0001D4C0&", Passing("255", 120_000 * MS)),
    # RFID tags: 96 bits, 128 bits, and the longest EPC; eight digits are a number still.
    Recorded("zround", b"%LE20000172211010218905C7A,2AF8&", Passing("E20000172211010218905C7A", 11_000 * MS)),
    Recorded("zround", b"%L" + b"0a" * 16 + b",1&", Passing("0A" * 16, 1 * MS)),
    Recorded("zround", b"%L" + b"F" * 124 + b",FFFFFFFF&", Passing("F" * 124, 4_294_967_295 * MS)),
    Recorded("zround", b"%LFFFFFFFF,1&", Passing("4294967295", 1 * MS)),
)

ALL = (*P3, *RC4, *TRANX2, *CANO, *ILAP, *ZROUND)
PROTOCOLS = tuple(dict.fromkeys(recorded.protocol for recorded in ALL))


def of(protocol: str) -> list[bytes]:
    """The frames of one protocol, as sent."""
    return [recorded.sent for recorded in ALL if recorded.protocol == protocol]
