"""The greatest times and numbers that a protocol's bytes can carry: a sentence at most, never a lost gate or journal.

A field of P3 or LapRF may have 255 bytes, of which an integer of Python takes all and a float none (OverflowError); a
64-bit count of microseconds lies beyond the 64 bits of those who read a journal. Real P3 decoders send 8 bytes of
microseconds since 1970 (captures of github.com/vmindru/ambp3client, 2019).
"""

import dataclasses
import json
import pathlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.commands.replay import check
from station.core.inputs import Edge, GateNote
from station.gates.decoders.catalog import decoder, protocols
from station.gates.decoders.decoder import LAST_NS, Decoded, DeviceEdge, Passing
from station.gates.decoders.edge_stamper import EdgeStamper, Wiring
from station.store.encoding import decode_input, encode_input
from tests.station.gates.decoders import encoders
from tests.station.gates.decoders.vectors import of
from tests.station.service.station_rig import Rig, S

I64 = range(-(1 << 63), 1 << 63)
TOP = (0, 1, (1 << 31) - 1, (1 << 32) - 1, (1 << 53) - 1, (1 << 62) - 1, (1 << 63) - 1, (1 << 64) - 1)
WIDE = st.sampled_from(TOP) | st.integers(0, (1 << 64) - 1)
Say = Callable[[int, int], bytes]  # a number and a time of any size, as far as the protocol's fields hold them


def p3_fields(number: int, ticks: int, width: int) -> bytes:
    """A P3 passing whose number and time have so many bytes."""
    fields = [(tag, value.to_bytes(width, "little")) for tag, value in ((1, number), (4, ticks))]
    return encoders.p3(1, [*fields, (3, b"\x01\0\0\0"), (0x81, b"\x07\0\0\0")])


EXTREME: dict[str, Say] = {
    "p3": lambda number, ticks: p3_fields(number, ticks, 8),
    "laprf": lambda number, ticks: encoders.laprf(1, number % (1 << 32), ticks, 9),
    "rc4": lambda number, ticks: encoders.rc4("@", 20, number % 10**10, 4711, f"{ticks % 10**10}.999999", 9, 9, 2),
    "ilap": lambda number, ticks: encoders.ilap(number % 10**6, number % 10**10, ticks % 10**13),
    "tranx2": lambda number, ticks: encoders.tranx2(number % (1 << 24), ticks % (1 << 32), 255, 255),
    "cano": lambda number, ticks: encoders.cano(number % (1 << 24), ticks % (1 << 32)),
    "zround": lambda number, ticks: encoders.zround(number % (1 << 32), ticks % (1 << 32)),
    "carrera": lambda number, ticks: encoders.carrera(1 + number % 8, ticks % (1 << 32), 1),
    "drem": lambda number, ticks: encoders.drem(17, ticks, number),
    "openstint": lambda number, ticks: encoders.openstint(number % 10**10, ticks % 10**19, -60.0, number % 10**9, 5),
    "thcom": lambda number, ticks: encoders.thcom(number % 10_000, 1, "23:59:59.99999", ticks % 100_000),
    "ipico": lambda number, ticks: encoders.ipico(f"{number % 16**12:012x}", "991231235959", ticks % 100),
}


def integers(value: object) -> list[int]:
    """All integers of a fact or an input, however deep."""
    if isinstance(value, bool):
        return []
    if isinstance(value, int):
        return [value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [each for field in dataclasses.fields(value) for each in integers(getattr(value, field.name))]
    return [each for part in value for each in integers(part)] if isinstance(value, tuple | list) else []


def whole(document: object) -> list[int]:
    """All integers of a JSON document."""
    if isinstance(document, dict):
        return whole(list(document.values()))
    if isinstance(document, list):
        return [each for part in document for each in whole(part)]
    return [document] if isinstance(document, int) and not isinstance(document, bool) else []


def inputs_of(protocol: str, frames: list[bytes], read_ns: int = 100 * S) -> list[Edge | GateNote]:
    """What these frames become in the journal, each read a second after the one before."""
    device, stamper = decoder(protocol), EdgeStamper("start", Wiring(("beam",)), "s", "own", S)
    made: list[Edge | GateNote] = []
    for place, frame in enumerate(frames):
        facts: list[Decoded] = device.feed(frame)
        edges = stamper.edges(facts, read_ns + place * S)
        made += [*stamper.new_notes(), *edges]
    return made


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(EXTREME)), st.lists(st.tuples(WIDE, WIDE), max_size=8), st.data())
def test_whatever_the_bytes_carry_fits_into_the_journal(
    protocol: str, values: list[tuple[int, int]], data: st.DataObject
) -> None:
    good = st.sampled_from(of(protocol))
    frames = [frame for value in values for frame in (EXTREME[protocol](*value), data.draw(good))]
    for event in inputs_of(protocol, frames):
        assert [each for each in integers(event) if each not in I64] == []
        assert decode_input(encode_input(event)) == event


@pytest.mark.parametrize("protocol", sorted(EXTREME))
def test_an_encoder_of_extremes_makes_frames_that_its_decoder_takes(protocol: str) -> None:
    """Otherwise the property above would hold for nothing."""
    device = decoder(protocol)
    device.feed(EXTREME[protocol](5, 7_000))
    assert device.counts.frames == 1, device.counts


def test_the_protocols_without_an_encoder_of_extremes_have_fields_of_few_digits() -> None:
    """ALGE, TAG and Robitronic: a time of day, or 32 bits; LapZ: 24 bits; FSR and others send no time at all."""
    assert set(protocols()) - set(EXTREME) == {"alge", "fsr", "lapz", "robitronic", "tag"}


@pytest.mark.parametrize("width", [9, 16, 128, 200])
def test_a_number_of_more_bytes_than_any_clock_has_is_no_frame(width: int) -> None:
    """This once ended the gate's thread: the sentence about the jump divided an integer that no float holds."""
    for number, ticks in ((5, (1 << 8 * width) - 1), ((1 << 8 * width) - 1, 5_000)):
        device = decoder("p3")
        facts = device.feed(encoders.p3_passing(1, 4711, 1_000_000) + p3_fields(number, ticks, width))
        assert [fact.transponder for fact in facts if isinstance(fact, Passing)] == ["4711"]
        assert device.counts.bad_fields == 1
        assert len(device.feed(encoders.p3_passing(2, 4711, 2_000_000))) == 1
    device = decoder("laprf")
    facts = device.feed(encoders.laprf(1, 1, 1_000, 9) + encoders.laprf(1, 2, (1 << 8 * width) - 1, 9, us_bytes=width))
    assert len(facts) == 1
    assert device.counts.bad_fields == 1


@pytest.mark.parametrize("ms", [LAST_NS // 1_000_000 + 1, (1 << 53) - 1, 1 << 64, 1e300])
def test_an_event_managers_timer_of_another_millennium_is_refused(ms: float) -> None:
    device = decoder("drem")
    lap = f'{{"event":"lap","timestamp":{ms},"gpio":17,"lapNumber":1}}\n'.encode()
    assert [fact for fact in device.feed(lap) if isinstance(fact, DeviceEdge)] == []
    assert device.counts.bad_fields == 1


def test_a_label_may_be_long() -> None:
    """Newer P3 decoders send the text of the transponder's case; that is no number."""
    fields = [(1, b"\1"), (3, b"\1\0\0\0"), (4, (5_000).to_bytes(8, "little")), (0x0A, b"FL-94890-of-a-long-name")]
    [fact] = decoder("p3").feed(encoders.p3(1, fields))
    assert isinstance(fact, Passing)
    assert fact.label == "FL-94890-of-a-long-name"


def test_a_clock_that_wraps_beyond_every_time_makes_no_edges_and_says_so_once() -> None:
    """A counter of 32 bits that is made to wrap again and again: by its 2,148th time it passes 2**63 ns."""
    quarters = (1, 1 << 30, 1 << 31, 3 << 30, (1 << 32) - 1)
    frames = [encoders.tranx2(turn, ms, 9, 9) for turn in range(2_300) for ms in quarters]
    made = inputs_of("tranx2", frames)
    edges = [event for event in made if isinstance(event, Edge)]
    assert max(abs(edge.at_ns) for edge in edges) <= LAST_NS
    assert len(edges) < len(frames)
    notes = [event for event in made if isinstance(event, GateNote) and "no clock shows" in event.sentence]
    assert len(notes) == 1


@pytest.mark.parametrize("protocol", ["p3", "drem", "laprf", "rc4"])
def test_a_station_goes_on_timing_after_a_hostile_decoder_and_its_journal_replays(
    protocol: str, tmp_path: pathlib.Path
) -> None:
    rig = Rig(tmp_path / "station.db", RaceRules())
    rig.open()
    rig.go()
    for number in TOP:
        frames = [EXTREME[protocol](number, ticks) for ticks in TOP]
        for event in inputs_of(protocol, frames, rig.clock.now_ns()):
            rig.station.received.gate_event(event)
        rig.settle()
    for _ in range(3):
        rig.cross(8.0)
    run = rig.station.snapshot().run
    assert run is not None
    assert [lap.lap_ns for lap in run.laps if lap.valid][-1] == 8_200_000_000
    assert rig.station.snapshot().store.ok
    check(rig.station.journal)
    for record in rig.station.journal.records():
        assert [number for number in whole(json.loads(record.facts)) if number not in I64] == []
    rig.station.close()
