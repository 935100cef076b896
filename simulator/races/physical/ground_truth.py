"""The track in the hall: cars pass the line, beams make edges, and every fault put in is written down.

This is the truth that the checker holds the station's laps against. Nothing of it reaches the station but edges.
"""

import random
from dataclasses import dataclass

from simulator.races.physical import beam_gate
from simulator.races.physical.beam_gate import Passing, SeenEdge
from simulator.races.physical.fault_table import Bad
from simulator.races.physical.gate_device import GateBox
from simulator.races.physical.sim_car import CarRadio
from simulator.races.physical.virtual_time import Universe


@dataclass(slots=True)
class TruePass:
    """One pass as it was: whose, when on the universe's clock and on the gate's (None: its machine was down)."""

    run_id: str
    car: str
    passing: Passing
    stamp: tuple[str, int] | None
    edges: tuple[SeenEdge, ...]


class Hall:
    """Takes cars over the line. `passes` and `noises` are the truth, in order of time."""

    def __init__(self, universe: Universe, box: GateBox, bad: Bad, *, side_by_side: bool) -> None:
        self.side_by_side = side_by_side
        self.passes: list[TruePass] = []
        self.noises: list[tuple[SeenEdge, ...]] = []
        self._universe, self._box, self._bad = universe, box, bad

    def car_passes(self, radio: CarRadio, run_id: str, speed_mps: float) -> TruePass:
        """The front of the car is in the first beam now."""
        passing = Passing(self._universe.now_ns, speed_mps)
        edges = self._spoilt(passing)
        clock = self._box.clock
        stamp = (clock.boot_id, clock.stamp(passing.at_ns)) if self._box.powered else None
        true_pass = TruePass(run_id, radio.name, passing, stamp, tuple(edges))
        self.passes.append(true_pass)
        self._show(edges)
        radio.passes_gate(blind=self._bad.strikes("car_blind"))
        return true_pass

    def noise(self, rng: random.Random) -> None:
        """A pulse where no car is, now."""
        edges = beam_gate.noise(self._universe.now_ns, rng)
        self.noises.append(tuple(edges))
        self._show(edges)

    def _spoilt(self, passing: Passing) -> list[SeenEdge]:
        aside = self._bad.source("side_by_side")
        edges = passing.clean_side_by_side(aside) if self.side_by_side else passing.clean()
        for name, spoil in SPOILERS:
            if self._bad.strikes(name):
                passing.faults.append(name)
                edges = spoil(edges, self._bad.source(name)) if edges else edges
        return edges

    def _show(self, edges: list[SeenEdge]) -> None:
        for edge in edges:
            self._universe.at(edge.at_ns, lambda edge=edge: self._box.see(edge))  # type: ignore[misc]


def _nothing(_edges: list[SeenEdge], _rng: random.Random) -> list[SeenEdge]:
    return []


SPOILERS = (
    ("double_trigger", beam_gate.double_trigger),
    ("missed_edge", beam_gate.miss_sensor),
    ("lost_edge", beam_gate.lose_edge),
    ("missed_crossing", _nothing),
)
