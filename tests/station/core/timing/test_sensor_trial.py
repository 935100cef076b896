"""A gate is tested once each of its sensors has seen a proper pass; until then a run needs an official's reason."""

import pytest

from station.core import facts as f
from station.core import inputs as e
from tests.station.core.scripted_race import MS, Hand, S, moment, only

LEVEL = e.GateSpec("start", proof="level", layout="single", wiring="gpio-17")
PASS = e.GateSpec("start", proof="pass", layout="single")
SIDE = e.GateSpec("start", ("left", "right"), proof="level", layout="side_by_side")
LINE = e.GateSpec("start", ("front", "rear"), proof="level", layout="in_line")
Move = tuple[int, str, bool]


def press(at_ms: int, sensor: str = "beam", width_ms: int = 120) -> list[Move]:
    return [(at_ms, sensor, True), (at_ms + width_ms, sensor, False)]


def inverted(at_ms: int, sensor: str = "beam", width_ms: int = 4) -> list[Move]:
    """The edges of a press on a sensor whose level is inverted."""
    return [(at_ms, sensor, False), (at_ms + width_ms, sensor, True)]


def through(first: str, second: str) -> list[Move]:
    """A car passes two beams in line."""
    return [(1000, first, True), (1040, second, True), (1100, first, False), (1140, second, False)]


CASES: dict[str, tuple[e.GateSpec, list[Move], str]] = {
    "no edge": (LEVEL, [], "at beam"),
    "a pass": (LEVEL, press(1000), ""),
    "a press of a strip": (LEVEL, press(1000, width_ms=1), ""),
    "broken and not yet free": (LEVEL, press(1000)[:1], "at beam"),
    "only the end of one": (LEVEL, [(1000, "beam", False)], "at beam"),
    "something stood in it": (LEVEL, press(1000, width_ms=9000), "at beam"),
    "and then a car": (LEVEL, press(1000, width_ms=3000) + press(9000), ""),
    "the other way round": (LEVEL, [m for at in range(1000, 9000, 2000) for m in inverted(at)], "at beam"),
    "the other way round, in haste": (LEVEL, [m for at in range(1000, 2000, 50) for m in inverted(at)], "at beam"),
    "the other way round, a beam": (
        LEVEL, [m for at in range(1000, 9000, 900) for m in inverted(at, width_ms=300)], "at beam"
    ),
    "one strip of two": (SIDE, press(1000, "left"), "at right"),
    "both strips": (SIDE, press(1000, "left", 3) + press(4000, "right", 3), ""),
    "in line, forwards": (LINE, through("front", "rear"), ""),
    "in line, backwards": (LINE, through("rear", "front"), "at front, rear"),
    "in line, the last one blind": (LINE, press(1000, "front") + press(4000, "front"), "at rear"),
    "a decoder's passing": (PASS, [(1000, "beam", True)], ""),
}  # fmt: skip


def tried(spec: e.GateSpec, moves: list[Move]) -> Hand:
    hand = Hand(None, spec)
    for at_ms, sensor, broken in moves:
        hand.edge(at_ms * MS, broken, sensor)
    return hand


@pytest.mark.parametrize("name", CASES)
def test_what_a_gate_must_have_seen_before_a_run(name: str) -> None:
    spec, moves, missing = CASES[name]
    hand = tried(spec, moves)
    all_facts = [fact for facts in hand.facts for fact in facts]
    assert only(all_facts, f.GateTried) == [f.GateTried("start")] * (not missing)
    refused = only(hand.open(at_ns=20 * S), f.CommandRefused)
    if not missing:
        assert not refused
        return
    assert f"Not tested yet: no proper pass was seen {missing}; roll a car through." in refused[0].sentence
    reason = "the judge saw its lamp"
    order = e.OpenRun(author="judge", racer="Ann", car="car-1", override_reason=reason, moment=moment(21 * S))
    assert only(hand.do(order), f.GateOverridden)[0].reason == reason


def test_a_transponder_is_proof_enough() -> None:
    hand = Hand(None, PASS)
    hand.do(e.Edge("start", "beam", True, S, 1, "device:1", transponder="11"))
    assert only(hand.open(at_ns=2 * S), f.RunOpened)


def test_what_an_earlier_start_saw_counts_for_the_same_wires_only() -> None:
    hand = tried(LEVEL, press(1000))
    hand.open(at_ns=2 * S)
    again = e.Booted(moment(4 * S, "boot-b"), "station-1", (LEVEL,))
    hand.do(again)
    assert only(hand.do(e.ArmRun(author="judge", moment=moment(5 * S, "boot-b"))), f.CarOrdered)
    other = e.GateSpec("start", proof="level", layout="single", wiring="gpio-27")
    hand.do(e.Booted(moment(6 * S, "boot-c"), "station-1", (other,)))
    assert (
        "Not tested yet"
        in only(hand.do(e.ArmRun(author="judge", moment=moment(7 * S, "boot-c"))), f.CommandRefused)[0].sentence
    )
    assert hand.run.on


def test_an_official_has_a_gate_tried_anew() -> None:
    hand = tried(LEVEL, press(1000))
    try_it = e.TryGate(author="judge", gate="start", moment=moment(2 * S))
    assert only(hand.do(try_it), f.GateTried) == [f.GateTried("start", "judge")]
    assert only(hand.open(at_ns=3 * S), f.CommandRefused)
    hand.cross(4 * S)
    hand.open(at_ns=6 * S)
    assert "A run is on" in only(hand.do(try_it), f.CommandRefused)[0].sentence
    unknown = e.TryGate(author="judge", gate="sector-9", moment=moment(7 * S))
    assert "has no gate 'sector-9'" in only(hand.do(unknown), f.CommandRefused)[0].sentence


def test_another_illness_of_a_gate_that_is_ill_is_heard() -> None:
    hand = Hand()
    for sentence in (
        "It is broken since the start.",
        "It is broken since the start.",
        "Its level is the other way round.",
    ):
        hand.do(e.GateReported(moment(1), "start", False, sentence))
    assert [only(facts, f.GateHealthChanged) != [] for facts in hand.facts[2:]] == [True, False, True]
    assert "(Its level is the other way round.)" in only(hand.open(), f.CommandRefused)[0].sentence
