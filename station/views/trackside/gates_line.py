"""The gates in one line, as the station reports it to systemd, and as the doctor reads it again. Pure.

Such as "gates: start ready | sector-1 not ready: The port /dev/ttyACM0 is not there." Made by service/live_state.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from station.core.timing.readiness import untried
from station.views.gate_views import GateView

GateState = Literal["ready", "not tested", "not ready"]
BEGIN, BETWEEN = "gates: ", " | "


@dataclass(frozen=True, slots=True)
class ReportedGate:
    """One gate: its state, and the station's sentence about it ("" if there is nothing to say)."""

    name: str
    state: GateState
    sentence: str = ""


def reported_gate(gate: GateView) -> ReportedGate:
    """A gate as it is judged on the gates' page."""
    if not gate.alive:
        return ReportedGate(gate.name, "not ready", str(gate.sentence))
    if gate.stuck:
        names = ", ".join(gate.stuck)
        return ReportedGate(
            gate.name, "not ready", f"Blocked for too long: {names}. Clear the beam, or align it again."
        )
    if gate.doubt:
        return ReportedGate(gate.name, "not ready", str(gate.doubt))
    return ReportedGate(gate.name, "not tested" if gate.untried else "ready", str(untried(gate.untried)))


def gates_line(gates: Iterable[ReportedGate]) -> str:
    """All gates in one line."""
    each = (f"{gate.name} {gate.state}" + (f": {_one_line(gate.sentence)}" if gate.sentence else "") for gate in gates)
    return BEGIN + BETWEEN.join(each)


def read_gates_line(line: str) -> dict[str, ReportedGate]:
    """The gates by name; {} for what no station reported."""
    found = {}
    for part in line.strip().removeprefix(BEGIN).split(BETWEEN) if line.startswith(BEGIN) else ():
        head, _, sentence = part.partition(": ")
        name, _, state = head.partition(" ")
        for known in get_args(GateState):
            if state == known:
                found[name] = ReportedGate(name, known, sentence)
    return found


def _one_line(sentence: str) -> str:
    return " ".join(sentence.split()).replace("|", "/")
