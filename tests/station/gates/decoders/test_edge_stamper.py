"""From decoder facts to edges: epochs, numbers, sensors; and what the station's clock shows about the device's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.core.facts import Crossing
from station.core.inputs import GateSpec
from station.core.timing.gate import CrossingCounter, Gate
from station.gates.decoders.clock_jumps import ClockJumpDetector, EpochOfPassing
from station.gates.decoders.decoder import Decoded, DeviceEdge, Gap, Passing
from station.gates.decoders.edge_stamper import EdgeStamper, Wiring

MS, S = 1_000_000, 1_000_000_000
READ_NS = 5_000 * S
LOOP = Wiring(("loop",))


def _stamps(wiring: Wiring = LOOP) -> EdgeStamper:
    return EdgeStamper("start", wiring, "s", "own", S)


def _run(stamps: EdgeStamper, facts: list[tuple[Decoded, int]]) -> list[tuple[str, int, int]]:
    return [(e.boot, e.seq, e.at_ns // S) for fact, read_s in facts for e in stamps.edges([fact], read_s * S)]


def _pass(at_s: float, transponder: str = "7", device: str = "20", **more: object) -> Passing:
    return Passing(transponder, round(at_s * S), decoder=device, **more)  # type: ignore[arg-type]


def test_decoder_time_is_the_edges_time() -> None:
    assert _run(_stamps(), [(_pass(10), 5010), (_pass(21.5), 5021)]) == [
        ("device:20:s.1", 1, 10),
        ("device:20:s.1", 2, 21),
    ]


@pytest.mark.parametrize("gap", [Gap("restart", "r"), Gap("clock_jump", "j")])
def test_times_across_a_restart_are_of_two_boots(gap: Gap) -> None:
    facts: list[tuple[Decoded, int]] = [(_pass(10), 5010), (gap, 5020), (_pass(3), 5020)]
    assert _run(_stamps(), facts) == [("device:20:s.1", 1, 10), ("device:20:s.2", 1, 3)]


def test_a_wrap_begins_nothing() -> None:
    facts: list[tuple[Decoded, int]] = [(_pass(10), 5010), (Gap("wrap", "w"), 5020), (_pass(20), 5020)]
    assert [boot for boot, _, _ in _run(_stamps(), facts)] == ["device:20:s.1"] * 2


def test_missing_numbers_are_left_out_of_ours() -> None:
    stamps = _stamps()
    facts: list[tuple[Decoded, int]] = [(_pass(10), 5010), (Gap("missed_numbers", "m", 3), 5020), (_pass(20), 5020)]
    assert [seq for _, seq, _ in _run(stamps, facts)] == [1, 5]
    assert stamps.lost == 3


def test_two_decoders_on_one_line_have_two_clocks() -> None:
    facts: list[tuple[Decoded, int]] = [
        (_pass(10), 5010),
        (_pass(900, device="21"), 5012),
        (_pass(15), 5015),
        (Gap("restart", "r"), 5016),
        (_pass(3, device="21"), 5016),
        (_pass(17), 5017),
    ]
    assert [(boot, seq) for boot, seq, _ in _run(_stamps(), facts)] == [
        ("device:20:s.1", 1),
        ("device:21:s.1", 1),
        ("device:20:s.1", 2),
        ("device:21:s.2", 1),
        ("device:20:s.1", 3),
    ]


def test_only_the_decoder_that_is_meant() -> None:
    facts: list[tuple[Decoded, int]] = [(_pass(10), 5010), (Gap("restart", "r"), 5011), (_pass(900, device="21"), 5012)]
    stamps = _stamps(Wiring(("loop",), decoder="20"))
    assert [boot for boot, _, _ in _run(stamps, facts)] == ["device:20:s.1"]
    assert stamps.gap is None


def test_only_the_named_transponders_and_no_repeats() -> None:
    stamps = _stamps(Wiring(("loop",), only=frozenset({"9991"})))
    facts: list[tuple[Decoded, int]] = [
        (_pass(10), 5010),
        (_pass(11, "9991"), 5011),
        (_pass(11, "9991", repeat=True), 5012),
    ]
    assert [at for _, _, at in _run(stamps, facts)] == [11]


def test_inputs_are_wired_to_sensors() -> None:
    stamps = _stamps(Wiring(("in", "out"), {"C1": "out"}))
    facts = [DeviceEdge("C0", True, S, impulse=False), DeviceEdge("C1", False, S), DeviceEdge("out", True, S)]
    # The last one is an impulse: its release comes with it, or the first sensor would wait for it.
    edges = stamps.edges([*facts], READ_NS)
    assert [(edge.sensor, edge.broken, edge.seq) for edge in edges] == [
        ("in", True, 1),
        ("out", False, 2),
        ("out", True, 3),
        ("out", False, 4),
    ]


def test_two_photocells_on_one_timer_see_every_lap() -> None:
    stamps = _stamps(Wiring(("first", "second")))
    core = Gate(GateSpec("start", ("first", "second"), lockout_ns=S), CrossingCounter())
    crossings = []
    for lap in range(5):
        for sensor, late_ms in (("first", 0), ("second", 60)):
            at_ns = lap * 3 * S + late_ms * 1_000_000
            for edge in stamps.edges([DeviceEdge(sensor, True, at_ns)], READ_NS + at_ns):
                crossings += [fact.at_ns for fact in core.handle(edge) if isinstance(fact, Crossing)]
    assert crossings == [lap * 3 * S for lap in range(5)]


def test_what_has_no_time_gets_ours_and_goes_on_counting() -> None:
    stamps = _stamps()
    stamps.begin({"own": 41})
    edge, release = stamps.edges([DeviceEdge("line", True, None)], READ_NS)
    assert (edge.boot, edge.seq, edge.at_ns) == ("own", 42, READ_NS)
    assert (release.broken, release.seq, release.at_ns) == (False, 43, READ_NS)


def test_a_place_of_another_line_is_not_ours() -> None:
    stamps = _stamps(Wiring(("beam",), {"2": ""}))
    edges = stamps.edges([Passing("7", S, loop="2"), Passing("7", S, loop="1")], READ_NS)
    assert [(edge.sensor, edge.seq) for edge in edges] == [("beam", 1)]


@pytest.mark.parametrize(("passings", "epochs"), [
    ([(0, 0), (10, 10), (20, 20.9), (30, 30)], [1, 1, 1, 1]),
    # Set forward: noticed at once, since nothing can arrive before it happened.
    ([(0, 0), (10, 10), (22, 20), (32, 30)], [1, 1, 2, 2]),
    # Set back: the first passing gets its own epoch, the second confirms the jump.
    ([(0, 0), (10, 10), (18, 20), (28, 30), (38, 40)], [1, 1, 2, 2, 2]),
    # Reported late once, as for a car that stood on the loop: the others continue.
    ([(0, 0), (10, 10), (12, 20), (25, 25), (29, 35), (40, 40)], [1, 1, 2, 1, 3, 1]),
    # Late, then late by another amount, then set back for good.
    ([(0, 0), (12, 20), (20, 25), (25, 30)], [1, 2, 3, 3]),
    ([(0, 0), (100_000, 100_015)], [1, 1]),  # drift
    ([(0, 0), (1_000, 1_003)], [1, 2]),
])  # fmt: skip
def test_a_clock_that_was_set(passings: list[tuple[float, float]], epochs: list[int]) -> None:
    watch = ClockJumpDetector(S)
    judged = [watch.check(round(d * S), round((5_000 + h) * S), backlog=False) for d, h in passings]
    assert [each.epoch for each in judged] == epochs


@given(st.lists(st.tuples(st.integers(1, 60_000), st.integers(0, 900)), min_size=2, max_size=60), st.data())
def test_no_lap_is_wrong_by_more_than_is_allowed(steps: list[tuple[int, int]], data: st.DataObject) -> None:
    """True gaps and delays in ms; the device's clock is set once, by any amount: laps within an epoch are right."""
    set_at = data.draw(st.integers(0, len(steps) - 1))
    shift_ms = data.draw(st.integers(-30_000, 30_000))
    watch = ClockJumpDetector(S)
    true_ms, last = 0, dict[int, tuple[int, int]]()
    for number, (gap_ms, delay_ms) in enumerate(steps):
        true_ms += gap_ms
        device_ms = true_ms + (shift_ms if number >= set_at else 0)
        judged = watch.check(device_ms * MS, (true_ms + delay_ms) * MS, backlog=False)
        if judged.epoch in last:
            device_before, true_before = last[judged.epoch]
            assert abs((device_ms - device_before) - (true_ms - true_before)) <= 2 * 1_000 + 300
        last[judged.epoch] = (device_ms, true_ms)


def test_a_backlog_is_late_and_no_jump() -> None:
    watch = ClockJumpDetector(S)
    readings = [(10, 60, True), (30, 60, True), (61, 61, False), (71, 71, False), (75, 90, True), (91, 91, False)]
    assert [watch.check(d * S, h * S, backlog) for d, h, backlog in readings] == [EpochOfPassing(1)] * 6


@pytest.mark.parametrize(("sent", "expected"), [("4711983", "4711983"), ("9991", ""), ("9992", "")])
def test_an_edge_names_the_transponder_and_a_photocell_is_none(sent: str, expected: str) -> None:
    edges = _stamps().edges([_pass(10, sent)], READ_NS)
    assert [edge.transponder for edge in edges] == [expected]


def test_two_cars_side_by_side_make_two_crossings() -> None:
    gate, stamps = Gate(GateSpec("start", ("loop",)), CrossingCounter()), _stamps()
    passings = [(_pass(10, "11"), 5010), (_pass(10.2, "22"), 5010), (_pass(10.4, "11"), 5010), (_pass(19, "11"), 5019)]
    stamped = [
        (fact.transponder, fact.at_ns // MS)
        for passing, heard_s in passings
        for edge in stamps.edges([passing], heard_s * S)
        for fact in gate.handle(edge)
        if isinstance(fact, Crossing)
    ]
    assert stamped == [("11", 10_000), ("22", 10_200), ("11", 19_000)]
