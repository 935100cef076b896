"""The notes of drivers: sums of dropped bytes, gaps of decoders and resets of a Pico."""

from station.core.inputs import GateNote
from station.gates.decoders.decoder import Gap, Passing, StatusReport
from station.gates.decoders.edge_stamper import EdgeStamper, Wiring
from station.gates.drem import DremStream
from station.gates.dropped_bytes import DroppedByteCounter
from station.gates.pico.firmware.gatewire import pack
from station.gates.pico.session import PicoSession

S = 1_000_000_000


def test_dropped_bytes_are_said_at_once_and_then_summed() -> None:
    drops = DroppedByteCounter("start", "frame of p3")
    assert drops.read(0, 1 * S) is None
    assert drops.read(1, 2 * S) == GateNote("start", "dropped_bytes", "1 byte outside any frame of p3 was dropped.", 1)
    assert [drops.read(dropped, at * S) for dropped, at in ((2, 3), (700, 4), (701, 6))] == [None] * 3
    assert drops.read(801, 7 * S) == GateNote(
        "start", "dropped_bytes", "800 bytes outside any frame of p3 were dropped.", 800
    )
    assert drops.read(801, 99 * S) is None


def test_each_gap_of_a_decoder_is_a_note_with_the_boot_that_goes_on() -> None:
    stamps = EdgeStamper("start", Wiring(("loop",)), "s", "own", S)
    gaps = (Gap("missed_numbers", "two missing", 2), Gap("wrap", "it wrapped"), Gap("restart", "it restarted"))
    stamps.edges([Passing("7", 1 * S, decoder="20")], 101 * S)
    assert stamps.new_notes() == []
    stamps.edges([*gaps, Passing("7", 2 * S, decoder="20")], 102 * S)
    assert stamps.new_notes() == [
        GateNote("start", "missed_numbers", "two missing", 2, "device:20:s.1"),
        GateNote("start", "wrap", "it wrapped", 0, "device:20:s.1"),
        GateNote("start", "restart", "it restarted", 0, "device:20:s.2"),
    ]
    assert stamps.new_notes() == []


def test_a_clock_that_only_our_own_shows_to_be_set_is_a_note() -> None:
    stamps = EdgeStamper("start", Wiring(("loop",)), "s", "own", S)
    for at_s, heard_s in ((10, 100), (20, 110), (3620, 120)):
        stamps.edges([Passing("7", at_s * S, decoder="20")], heard_s * S)
    [note] = stamps.new_notes()
    assert (note.kind, note.boot) == ("clock_jump", "device:20:s.2")
    assert "set forward" in note.sentence


def test_another_decoders_gap_is_not_ours() -> None:
    stamps = EdgeStamper("start", Wiring(("loop",), decoder="20"), "s", "own", S)
    stamps.edges([Gap("wrap", "w"), StatusReport("21", device_time_ns=5)], 1 * S)
    assert stamps.new_notes() == []


def test_a_pico_that_was_reset_or_has_forgotten_says_so() -> None:
    session = PicoSession("start", ("beam",), "B", {"B/pico-one": 7})
    session.on_data(pack("H", "one", 11, 12), 1 * S)
    session.on_data(pack("H", "two", 1, 0), 2 * S)
    forgotten, reset = session.new_notes()
    assert (forgotten.kind, forgotten.count, forgotten.boot) == ("missed_numbers", 3, "B/pico-one")
    assert (reset.kind, reset.boot) == ("restart", "B/pico-two")
    assert session.new_notes() == []


def test_a_drem_timer_whose_numbers_skip_says_so() -> None:
    stream = DremStream("start", {"17": "beam"}, "drem", 500_000_000)
    lap = '{"event": "lap", "timestamp": %d, "gpio": 17, "lapNumber": %d, "sensorLapCount": %d}'
    stream.on_text(lap % (1_700_000_000_000, 1, 1), 10 * S)
    stream.on_text(lap % (1_700_000_020_000, 4, 4), 30 * S)
    [note] = stream.new_notes()
    assert (note.kind, note.count) == ("missed_numbers", 2)
