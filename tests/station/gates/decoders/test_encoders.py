"""The decoders against frames of independent encoders (encoders.py): any values, split anywhere."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from station.gates.decoders.catalog import decoder
from station.gates.decoders.decoder import LAST_NS, Decoded, DeviceEdge, DeviceMessage, Gap, Passing, StatusReport
from tests.station.gates.decoders import encoders
from tests.station.gates.decoders.vectors import LAPRF_FRAME, P3, RC4_SENT

MS, US = 1_000_000, 1_000
DAY_US = 24 * 3600 * 1_000_000
u8, u16, u24, u32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 24, 32))
times_us = st.integers(0, 1 << 52)


def decoded(protocol: str, sent: bytes, at: int) -> list[Decoded]:
    """The facts of `sent`, split at `at`; no byte of it may be dropped."""
    device = decoder(protocol)
    cut = at % (len(sent) + 1)
    facts = device.feed(sent[:cut]) + device.feed(sent[cut:])
    assert (device.counts.frames, device.counts.resynced_bytes) == (1, 0)
    return facts


def clock(us: int, digits: int) -> str:
    """A time of day with this many decimals."""
    seconds, rest = divmod(us, 1_000_000)
    fraction = f"{rest:06d}"[:digits]
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction}"


def test_the_strangers_checks_are_those_of_recorded_frames() -> None:
    assert encoders.p3_passing(157777, 5691251, 1551542808933000, 178, 52, 268307) == P3[0].sent
    assert encoders.p3_passing(157837, 3438895, 1551546181788000, 157, 26, 268307) == P3[1].sent
    assert encoders.rc4("@", 20, 27, 3885036, "688.41", 70, 103, 2) == RC4_SENT[8]
    assert encoders.laprf(2, 1, 79_937_000, 2298) == LAPRF_FRAME
    assert encoders.tranx2(144831, 876_011_553, 53, 135) == b"$09000235BF3436E021358700\r\n"
    assert encoders.carrera(2, 226_287, 1, b"") == b"?2003037?>1="
    assert encoders.alge(8, "C0M", "18:27:42.27", summed=True) == b" 0008 C0M 18:27:42.27   00>;\r"
    assert encoders.tag(200, 1, "2:51:15.742000", hand=True) == b"T       200 M1  2:51:15.742000\r\n"
    assert encoders.ipico("058000123b32", "260308122202", 47, tto="060080") == (
        b"aa00058000123b3200012603081222022f060080cd\r\n"
    )
    assert encoders.ipico("058000123b32", "260307134850", 50) == b"aa00058000123b3200012603071348503277\r\n"


@given(u32, u32, times_us, u16, u16, u32, st.sampled_from(["8D8E8F", "8A8B8C8D8E8F"]), u8)
def test_p3(number: int, car: int, us: int, strength: int, hits: int, device: int, escaped: str, at: int) -> None:
    sent = encoders.p3_passing(number, car, us, strength, hits, device, escaped=escaped)
    passing = Passing(str(car), us * US, number, str(device), strength=strength, hits=hits)
    assert decoded("p3", sent, at) == [passing]


@given(
    st.integers(0, 255),
    u16,
    st.integers(0, 0xFFFF).filter(lambda kind: kind not in (1, 2)),
    st.lists(st.tuples(u8.filter(lambda tag: tag != 0x81), st.binary(max_size=40)), max_size=6),
    u8,
)
def test_p3_frames_of_any_kind_version_and_fields_are_messages(
    version: int, flags: int, kind: int, fields: list[tuple[int, bytes]], at: int
) -> None:
    (fact,) = decoded("p3", encoders.p3(kind, fields, version=version, flags=flags), at)
    assert isinstance(fact, DeviceMessage)


@given(u32, u32, times_us, st.lists(st.tuples(st.integers(0x0B, 0x7F), st.binary(max_size=20)), max_size=4))
def test_p3_fields_that_are_new_to_us_do_no_harm(number: int, car: int, us: int, more: list[tuple[int, bytes]]) -> None:
    known = [(1, number.to_bytes(4, "little")), (3, car.to_bytes(4, "little")), (4, us.to_bytes(8, "little"))]
    (fact,) = decoded("p3", encoders.p3(1, [*more, *known[::-1], *more]), 9)
    assert fact == Passing(str(car), us * US, number)


@given(st.integers(0, 999_999), st.integers(0, 2**31), st.integers(0, 2**31), st.integers(0, 2**33), u16, u16, u8)
def test_rc4(device: int, number: int, car: int, ms: int, first: int, second: int, at: int) -> None:
    seconds = f"{ms // 1000}.{ms % 1000:03d}".rstrip("0")
    seconds = seconds.removesuffix(".") if ms % 2000 else seconds  # both forms occur if there are no decimals
    sent = encoders.rc4("@", device, number, car, seconds, first, second, 2)
    passing = Passing(str(car), ms * MS, number, str(device), counters=(first, second), flags=2)
    assert decoded("rc4", sent, at) == [passing]


@given(u24, u32, u8, u8, st.booleans(), u8)
def test_tranx2(car: int, ms: int, hits: int, strength: int, lower: bool, at: int) -> None:
    sent = encoders.tranx2(car, ms, hits, strength)
    passing = Passing(str(car), ms * MS, decoder="09", strength=strength, hits=hits)
    assert decoded("tranx2", sent.lower() if lower else sent, at) == [passing]


@given(u24, u32, u8)
def test_cano(car: int, quarters: int, at: int) -> None:
    assert decoded("cano", encoders.cano(car, quarters), at) == [Passing(str(car), quarters * 250_000)]


@given(st.integers(0, 999_999), st.integers(0, 9_999_999), st.integers(0, 2**33), u8)
def test_ilap(device: int, car: int, ms: int, at: int) -> None:
    assert decoded("ilap", encoders.ilap(device, car, ms), at) == [Passing(str(car), ms * MS, decoder=str(device))]


@given(u32, u32, u8)
def test_zround(car: int, ms: int, at: int) -> None:
    assert decoded("zround", encoders.zround(car, ms), at) == [Passing(str(car), ms * MS)]


@given(st.integers(0, 9999), st.integers(0, 8), st.integers(0, DAY_US - 1), st.integers(1, 4), st.booleans(), u8)
def test_alge(number: int, channel: int, us: int, digits: int, summed: bool, at: int) -> None:
    sent = encoders.alge(number, f"C{channel}", clock(us, digits), summed=summed)
    kept_us = us - us % 10 ** (6 - digits)
    assert decoded("alge", sent, at) == [DeviceEdge(f"C{channel}", True, kept_us * US, number)]


@given(st.integers(1, 9999), st.integers(1, 4), st.integers(0, DAY_US - 1), st.booleans(), u8)
def test_tag(number: int, channel: int, us: int, hand: bool, at: int) -> None:
    text = clock(us, 6)
    text = f"{int(text[:2]):>2}{text[2:]}"
    sent = encoders.tag(number, channel, text, hand=hand)
    assert decoded("tag", sent, at) == [DeviceEdge(str(channel), True, us * US, number, flags=int(hand))]


@given(st.integers(0, 9999), st.integers(1, 9), st.integers(0, DAY_US - 1), u16, st.booleans(), st.booleans(), u8)
def test_thcom(number: int, channel: int, us: int, days: int, hand: bool, summed: bool, at: int) -> None:
    sent = encoders.thcom(number, channel, clock(us, 5), days, hand=hand, summed=summed)
    time_ns = (days * DAY_US + us - us % 10) * US
    assert decoded("thcom", sent, at) == [DeviceEdge(str(channel), True, time_ns, number, flags=int(hand))]


@given(u8, u32, times_us, u16, u32, u8)
def test_laprf(slot: int, number: int, us: int, peak: int, gate: int, at: int) -> None:
    sent = encoders.laprf(slot, number, us, peak, gate)
    assert decoded("laprf", sent, at) == [Passing(str(slot), us * US, number, decoder=f"{gate:08x}", strength=peak)]


@given(st.integers(1, 8), u32, st.integers(1, 9), st.sampled_from([b"$", b"#", b"$\r\n"]), u8)
def test_carrera(address: int, ms: int, sector: int, end: bytes, at: int) -> None:
    sent = encoders.carrera(address, ms, sector, end)
    assert decoded("carrera", sent, at) == [Passing(str(address), ms * MS, loop=str(sector))]


@given(st.integers(0, LAST_NS // MS), st.sampled_from([17, 27]), st.integers(1, 2**31), u8)
def test_drem(ms: int, gpio: int, number: int, at: int) -> None:
    assert decoded("drem", encoders.drem(gpio, ms, number), at) == [DeviceEdge(str(gpio), True, ms * MS, number)]


@given(st.integers(0, 9_999_999), st.integers(0, 1 << 43), st.integers(-9_000, 9_000), u16, u16, st.booleans(), u8)
def test_openstint(car: int, ms: int, centibels: int, hits: int, us: int, amb: bool, at: int) -> None:
    sent = encoders.openstint(car, ms, centibels / 100, hits, us, "AMB" if amb else "OPN")
    strength = round(float(f"{centibels / 100:.2f}"))
    assert decoded("openstint", sent, at) == [Passing(str(car), ms * MS, strength=strength, hits=hits)]


@settings(max_examples=50)
@given(st.integers(1, 1 << 24), st.integers(0, 6))
def test_32_bits_wrap_and_the_lap_goes_on(before: int, ticks: int) -> None:
    """The difference of the last pass before a wrap and the first one after it is the time between them."""
    protocols: tuple[tuple[str, Callable[[int], bytes], int], ...] = (
        ("tranx2", lambda at: encoders.tranx2(1, at, 20, 99), MS),
        ("cano", lambda at: encoders.cano(1, at), 250_000),
        ("zround", lambda at: encoders.zround(1, at), MS),
        ("carrera", lambda at: encoders.carrera(1, at, 1), MS),
    )
    for protocol, make, unit_ns in protocols:
        facts = decoder(protocol).feed(make(2**32 - before) + make(ticks))
        first, second = (fact for fact in facts if isinstance(fact, Passing))
        assert second.device_time_ns - first.device_time_ns == (before + ticks) * unit_ns
        assert [fact.kind for fact in facts if isinstance(fact, Gap)] == ["wrap"]


def test_a_p3_status_says_what_it_says() -> None:
    assert decoded("p3", encoders.p3_status(62), 5) == [
        StatusReport("7", noise=62, voltage_mv=11_800, temperature_c=22, gps=0)
    ]
