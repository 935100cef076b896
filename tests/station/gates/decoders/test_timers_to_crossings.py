"""A race of short laps, from each timer's bytes to the core's crossings: no lap is lost, and none is invented."""

import pytest

from station.core.facts import Crossing, GateStuck
from station.core.inputs import GateSpec, Moment
from station.core.timing.gate import CrossingCounter, Gate
from station.gates.decoders.catalog import decoder, protocol_info
from station.gates.decoders.decoder import Decoder
from station.gates.decoders.edge_stamper import EdgeStamper, Wiring
from station.gates.decoders.line_protocols.carrera import Carrera

S = 1_000_000_000
LAPS_S = (0.0, 3.2, 6.4, 9.7, 13.0)
TWO_BEAMS_S = 0.1


def alge(at_s: float, place: int) -> bytes:
    return f" 0001 C{place}  10:00:{at_s:07.4f} 00\r".encode()


def tag(at_s: float, place: int) -> bytes:
    return f"T         1  {place + 1} 10:00:{at_s:09.6f}\r".encode()


def fsr(at_s: float, place: int) -> bytes:
    return b"1\r\n"


@pytest.mark.parametrize(("protocol", "say", "sensors"), [
    ("alge", alge, ("C0", "C1")), ("tag", tag, ("1", "2")), ("fsr", fsr, ("strip",)),
])  # fmt: skip
def test_each_lap_is_one_crossing_and_no_beam_sticks(protocol: str, say: object, sensors: tuple[str, ...]) -> None:
    assert callable(say)
    device: Decoder = decoder(protocol)
    stamps, gate = (
        EdgeStamper("start", Wiring(sensors), "s", "own", S),
        Gate(GateSpec("start", sensors), CrossingCounter()),
    )
    facts = []
    for at_s in LAPS_S:
        for place in range(len(sensors)):
            moment_s = at_s + place * TWO_BEAMS_S
            for edge in stamps.edges(device.feed(say(moment_s, place)), 100 * S + round(moment_s * S)):
                facts += gate.handle(edge)
    facts += gate.tick(Moment("own", 200 * S, 0))
    assert not [fact for fact in facts if isinstance(fact, GateStuck)]
    crossings = [fact for fact in facts if isinstance(fact, Crossing)]
    times_s = [(crossing.at_ns - crossings[0].at_ns) / S for crossing in crossings]
    assert times_s == pytest.approx(list(LAPS_S))
    assert len({crossing.boot for crossing in crossings}) == 1


def test_a_control_units_check_lane_is_not_the_start_line() -> None:
    stamps = EdgeStamper(
        "start", Wiring(("beam",), dict.fromkeys(protocol_info("carrera").elsewhere, "")), "s", "own", S
    )
    lane = b"2003037?>2"
    sent = b"?" + lane + bytes((0x30 + (sum(lane) & 15),)) + b"$"
    assert Carrera().feed(sent)
    assert stamps.edges(Carrera().feed(sent), 0) == []
