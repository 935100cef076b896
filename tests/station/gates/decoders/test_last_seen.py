"""IPICO's marks in the TTO bytes, and TAG Heuer's memory lines: what is told afterwards is no second crossing."""

import pytest

from station.gates.decoders.decoder import Decoded, DeviceEdge, DeviceMessage, Gap, Passing
from station.gates.decoders.line_protocols.alge import Alge
from station.gates.decoders.line_protocols.ipico import FIRST_SEEN, LAST_SEEN, Ipico
from station.gates.decoders.line_protocols.tag import TagHeuer
from station.gates.decoders.line_protocols.thcom import Thcom
from tests.station.gates.decoders import encoders
from tests.station.gates.decoders.vectors import crossings, of

TAG = "058000123b32"


def sighting(second: int, status: str = "", hundredths: int = 47) -> bytes:
    """A line of the tag at 12:22 and this second; `status`: the third TTO byte, "" for a line without them."""
    tto = f"0600{status}" if status else ""
    return encoders.ipico(TAG, f"2603081222{second:02d}", hundredths, tto=tto)


# The bytes 060080, 060060 and 0c0000 are those of fsls-event-tto.pcapng (github.com/iwismer/rusty-timer, 2026).
@pytest.mark.parametrize(
    ("lines", "flags", "messages"),
    [
        ((sighting(2, "80"), sighting(7, "60")), [FIRST_SEEN], 1),
        ((sighting(2, "80"), sighting(2, "60")), [FIRST_SEEN], 1),
        ((sighting(2, "80"), sighting(7, "60"), sighting(9, "80"), sighting(14, "60")), [FIRST_SEEN] * 2, 2),
        ((sighting(2, "C0"),), [FIRST_SEEN | LAST_SEEN], 0),
        ((sighting(2, "00"), sighting(2, "00")), [0], 0),
        ((sighting(2), sighting(2), sighting(2)), [0], 0),
        ((sighting(2).replace(b"\r", b"FS\r"), sighting(7).replace(b"\r", b"LS\r")), [FIRST_SEEN], 1),
        ((sighting(7, "60"),), [], 1),
    ],
)
def test_the_last_sighting_of_a_tag_is_no_second_passing(
    lines: tuple[bytes, ...], flags: list[int], messages: int
) -> None:
    device = Ipico()
    facts = device.feed(b"".join(lines))
    assert [fact.flags for fact in crossings(facts) if isinstance(fact, Passing)] == flags
    assert facts.count(DeviceMessage("last_seen", TAG)) == messages
    assert (device.counts.frames, device.counts.resynced_bytes) == (len(lines), 0)


def test_a_last_sighting_shows_that_the_clock_was_set() -> None:
    device = Ipico()
    device.feed(sighting(40, "80"))
    gaps = [fact for fact in device.feed(sighting(2, "60")) if isinstance(fact, Gap)]
    assert [gap.kind for gap in gaps] == ["clock_jump"]


def thcom(clock: str, **how: str) -> bytes:
    return encoders.thcom(7, 2, clock, 9_830, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["AN", "RR", "T-", "T+", "T*", "T="])
def test_what_tag_heuer_sends_from_memory_or_corrects_is_no_impulse(kind: str) -> None:
    device = Thcom()
    facts = device.feed(thcom("12:00:01.00000") + thcom("12:00:01.00000", kind=kind) + thcom("12:00:09.5"))
    assert [fact.device_time_ns for fact in facts if isinstance(fact, DeviceEdge)] == [
        (9_830 * 86_400 + 43_201) * 1_000_000_000,
        (9_830 * 86_400 + 43_209) * 1_000_000_000 + 500_000_000,
    ]


@pytest.mark.parametrize("line", [
    b"TN   16   72  5 12:13:56.77984  2345\t06BD\r\n", b"TN   16   72  5 12:13:66.77984  2345\t06BD\r\n",
    b"TN 16 72 5 12:13:56.77984 2345\t\r\n", b"TN   16   72  5 12:13:56.77984  2345\r\n",
    b"T       200  2 12:51:15.742310\r\n", b"  0001 C0  12:00:00.5000 00\r\n",
])  # fmt: skip
def test_a_line_with_a_wrong_sum_or_time_or_of_another_timer_is_none(line: bytes) -> None:
    device = Thcom()
    assert device.feed(line) == []
    assert (device.counts.frames, device.counts.resynced_bytes) == (0, len(line) - 2)


def test_the_timers_of_one_maker_are_not_confused() -> None:
    for line in of("thcom"):
        for other in (TagHeuer(), Alge()):
            assert other.feed(line) == []
    for line in [*of("tag"), *of("alge")]:
        assert Thcom().feed(line) == []


def test_its_days_make_a_lap_over_midnight_as_long_as_it_was() -> None:
    device = Thcom()
    facts: list[Decoded] = device.feed(
        encoders.thcom(1, 1, "23:59:58.00000", 9_830) + encoders.thcom(2, 1, "0:00:03.25000", 9_831)
    )
    first, second = (fact.device_time_ns for fact in facts if isinstance(fact, DeviceEdge))
    assert first is not None
    assert second is not None
    assert second - first == 5_250_000_000
    assert not [fact for fact in facts if isinstance(fact, Gap)]
