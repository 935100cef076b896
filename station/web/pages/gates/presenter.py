"""The live content of the gates' page: a card for each gate, and the edges of the last 10 s for its traces."""

from typing import Any

from shared.units import NS_PER_MS
from station.core.timing.two_pulses import PAUSE_S
from station.views.gate_views import SensorView
from station.views.views import View
from station.web.page import PageContent
from station.web.presenters.gates import GateCard, gate_cards


def _cards(view: View) -> dict[str, list[GateCard]]:
    return {"gates": gate_cards(view)}


def gates_data(view: View) -> dict[str, Any]:
    """Of each gate: when its beams were broken, in ms of the station's clock, and its pulses for the two-pulse test.

    A pulse is boot, stamp and ms of the station's clock; a stamp is text, because it is too long a number for a script.
    """
    now_ms, utc_ns = view.clock.now_ns / NS_PER_MS, view.clock.utc_ns

    def at_ms(edge_utc_ns: int) -> float:
        return round(now_ms - (utc_ns - edge_utc_ns) / NS_PER_MS * view.clock.rate, 1)

    return {
        "pause_s": round(PAUSE_S),
        "traces": {gate.name: {each.name: _broken(each, at_ms) for each in gate.each} for gate in view.gates},
        "pulses": {
            gate.name: [
                [edge.boot, str(edge.at_ns), at_ms(edge.utc_ns)]
                for each in gate.each
                for edge in each.recent
                if edge.broken
            ]
            for gate in view.gates
        },
    }


def _broken(sensor: SensorView, at_ms: Any) -> list[list[float | None]]:
    """From when to when the beam was broken; None: it still is, or nobody saw it free again."""
    found: list[list[float | None]] = []
    for edge in sensor.recent:
        if edge.broken:
            found.append([at_ms(edge.utc_ns), None])
        elif found and found[-1][1] is None:
            found[-1][1] = at_ms(edge.utc_ns)
    return found


GATES = PageContent(_cards, lists={"gates": "gate"}, data=gates_data)
